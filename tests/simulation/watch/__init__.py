"""What must hold, checked after every step. Numbers are those of docs/guarantees.md; each module names its own.

Nothing here asks the code under test what it thinks: what a person did, what WhiteBIT gave and what was stored is seen
by watching the calls.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from fastkey.domain.errors import FastkeyError
from tests.fakes.world import FakeWorld
from tests.simulation.executions import Execution
from tests.simulation.kernel import Kernel
from tests.simulation.lambdas import Invocation
from tests.simulation.plan import Plan
from tests.simulation.watch.asking import BUDGET, Asking
from tests.simulation.watch.consent import Consent
from tests.simulation.watch.custody import STORING, Custody
from tests.simulation.watch.keys import Keys
from tests.simulation.watch.leases import Leases
from tests.simulation.watch.life import Life
from tests.simulation.watch.outcomes import Outcomes
from tests.simulation.watch.record import Record, Violation
from tests.simulation.watch.telling import Telling

__all__ = ["Violation", "Watch"]

# By calls, who looks at them, in this order.
Watchers = Mapping[str, Sequence[Callable[..., None]]]


class Watch:
    """Sees every call, answer and event of a run. violations: what did not hold. conduct: for people to fill in."""

    def __init__(self, fakes: FakeWorld, kernel: Kernel, plan: Plan, days: float) -> None:
        record = Record(fakes, kernel, plan)
        asking, consent, custody, keys = Asking(record), Consent(record), Custody(record), Keys(record)
        leases, life, outcomes, telling = Leases(record), Life(record, days), Outcomes(record), Telling(record)
        # Each gets the invocation and the call's arguments.
        self._before: Watchers = {
            "chosen_vault.shred": [leases.shredding],
            "other_vault.shred": [leases.shredding],
            "whitebit.exchange_code": [consent.exchanging],
            "whitebit.read_secret": [consent.reading, custody.reading, leases.reading, life.reading],
            "whitebit.read_signed": [life.signing],
            "events.tell": [telling.telling, outcomes.telling],
            "events.bury": [telling.telling, outcomes.telling],
            "whitebit.refresh_token": [asking.refreshing],
            "whitebit.try_key": [leases.signing],
        }
        # Each gets the invocation, the result or the error, and the call's arguments.
        self._done: Watchers = {
            "authorizations.find": [record.found],
            "connections.add": [record.added],
            "connections.get": [record.got],
            "connections.page": [record.paged],
            "connections.save": [
                watcher.saved for watcher in (record, leases, asking, custody, consent, keys, life, outcomes, telling)
            ],
            "limits.take": [asking.took],
            "chosen_vault.store": [custody.stored],
            "chosen_vault.shred": [custody.shredded, life.shredded],
            "other_vault.shred": [custody.shredded, life.shredded],
            "events.tell": [outcomes.told],
            "events.bury": [outcomes.buried],
            "whitebit.delete_key": [keys.looked, custody.deleted],
            "whitebit.key_info": [keys.looked],
            "whitebit.try_key": [custody.signed, leases.signed],
        }
        self._refused: Watchers = {
            "whitebit.delete_key": [keys.looked, custody.refused],
            "whitebit.key_info": [keys.looked],
            "whitebit.read_secret": [custody.refused],
            "whitebit.try_key": [custody.refused],
        }
        # As before the call.
        self._told: Watchers = {
            "connections.save": [record.heard_of_save],
            "whitebit.read_secret": [custody.given],
            "whitebit.read_signed": [life.signed],
        }
        self._record, self._asking, self._custody, self._keys = record, asking, custody, keys
        self._life, self._outcomes, self._telling = life, outcomes, telling
        self.violations = record.violations
        self.conduct = record.conduct
        # What else the simulation tells of, and only one of them looks at.
        self.failed = custody.failed
        self.missed = custody.missed
        self.check_moved = custody.check_moved
        self.happened = life.happened
        self.check_kept = life.check_kept
        self.heard = asking.heard
        self.crashed = telling.crashed
        self.answer = telling.answer
        self.history = telling.history
        self.execution_ended = outcomes.execution_ended

    def calling(self, call: str, invocation: Invocation, args: tuple[Any, ...]) -> None:
        """A call begins."""
        if call not in STORING:
            self._custody.not_storing(invocation)
        if call in BUDGET:
            self._asking.asked(call, invocation, args)
        for look in self._before.get(call, ()):
            look(invocation, *args)

    def after(
        self, call: str, invocation: Invocation, args: tuple[Any, ...], result: Any, error: FastkeyError | None
    ) -> None:
        """A call had its effect, or was refused."""
        if error is None:
            for look in self._done.get(call, ()):
                look(invocation, result, *args)
        else:
            for look in self._refused.get(call, ()):
                look(invocation, error, *args)

    def told(self, call: str, invocation: Invocation, args: tuple[Any, ...]) -> None:
        """An answer reached the function."""
        for look in self._told.get(call, ()):
            look(invocation, *args)

    def told_no(self, call: str, invocation: Invocation, args: tuple[Any, ...], error: FastkeyError) -> None:
        """A refusal reached the function."""
        self._asking.told_no(call, invocation, args, error)
        if call == "whitebit.read_signed":
            self._life.told_no(invocation, error, *args)

    def check_end(
        self, log: list[str], defects: list[str], executions: Collection[Execution], *, untroubled: bool
    ) -> None:
        """Faults are long over, and nothing moves any more. untroubled: there were none."""
        self._telling.no_secret("the log", *log, *defects)
        for defect in defects:
            self._record.violate("defect", defect)
        self._outcomes.check_end(executions, untroubled=untroubled)
        self._custody.check_end()
        self._keys.check_end()
        self._life.check_end()
