"""What can be wrong in the state machines: changed copies of what ships."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

from tests.simulation.asl import Machine
from tests.simulation.shipped import definition, shipped

States = dict[str, Any]


def _in(machine: str) -> Callable[[Callable[[States], None]], Callable[[], AbstractContextManager[None]]]:
    """Makes a bug of a change of this machine's states."""

    def bug(change: Callable[[States], None]) -> Callable[[], AbstractContextManager[None]]:
        @wraps(change)
        @contextmanager
        def changed() -> Iterator[None]:
            shipping = definition(machine)
            change(shipping["States"])
            with patch.dict(shipped().machines, {machine: Machine.load(shipping)}):
                yield

        return changed

    return bug


@_in("ProvisionKey")
def secret_asked_for_again(states: States) -> None:
    """The read is repeated after WhiteBIT has said that it gave the secret before (409)."""
    states["CaptureSecret"]["Retry"][0]["ErrorEquals"].remove("SecretLost")


@_in("ProvisionKey")
def detection_without_catch(states: States) -> None:
    """What DetectKey could not do ends the execution, and nobody undoes what was made."""
    states["DetectKey"]["Catch"].pop()


@_in("ProvisionKey")
def capture_without_catch(states: States) -> None:
    """What CaptureSecret could not do ends the execution, and nobody undoes what was made."""
    states["CaptureSecret"]["Catch"].pop()


@_in("RevokeKey")
def revocation_gives_up(states: States) -> None:
    """A revocation that WhiteBIT does not confirm at once ends the execution, and the user is not told."""
    states["DeleteKey"]["Retry"].pop()
    states["DeleteKey"]["Catch"].pop()


@_in("ProvisionKey")
def settling_never_ends(states: States) -> None:
    """Once the copy was shredded again, it is waited for once more."""
    states["ShredAgain"]["Next"] = "WaitToSettle"


@_in("ProvisionKey")
def bad_key_tried_again(states: States) -> None:
    """The signed call is repeated after WhiteBIT has refused the key itself."""
    states["VerifyKey"]["Retry"][0]["ErrorEquals"].remove("KeyUnusable")


@_in("ProvisionKey")
def superseded_on_any_error(states: States) -> None:
    """A deletion that failed is taken for one that somebody else does."""
    states["DeleteKey"]["Catch"][-1]["Next"] = "Superseded"
