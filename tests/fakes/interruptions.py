"""What happens to a fake's next call: it fails, or somebody else acts in the middle of it."""

from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

Act = Callable[[], object]


class Interruptible:
    """A fake whose calls are written down, and can be interrupted.

    Interruptions of one method come in the order in which they were asked for.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._acts: dict[tuple[str, bool], deque[Act]] = {}

    def meanwhile(self, method: str, act: Act, *, after_effect: bool = False) -> None:
        """Does `act` in the middle of the next call of the method: before its effect, or after it."""
        if not hasattr(self, method):
            raise AttributeError(method)
        self._acts.setdefault((method, after_effect), deque()).append(act)

    def fail_next(self, method: str, error: type[BaseException], *, after_effect: bool = False, times: int = 1) -> None:
        """Lets the next calls of the method fail: without their effect, or with it, when only the answer is lost."""

        def fail() -> None:
            raise error

        for _ in range(times):
            self.meanwhile(method, fail, after_effect=after_effect)

    def interrupt(self, method: str, *, after_effect: bool) -> None:
        """Does what was asked for at this point of the method, if anything was."""
        # Most fakes are never interrupted, and are called very often: nothing is looked up for them.
        if self._acts and (acts := self._acts.get((method, after_effect))):
            acts.popleft()()


Fake = TypeVar("Fake", bound=Interruptible)
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def interruptible(
    method: Callable[Concatenate[Fake, Parameters], Result],
) -> Callable[Concatenate[Fake, Parameters], Result]:
    """Makes a method of a fake one that is written down and can be interrupted."""
    name = method.__name__

    @wraps(method)
    def call(fake: Fake, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        fake.calls.append(name)
        fake.interrupt(name, after_effect=False)
        result = method(fake, *args, **kwargs)
        fake.interrupt(name, after_effect=True)
        return result

    return call
