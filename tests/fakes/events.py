"""Events that are only written down."""

from fastkey.domain.event import Event
from tests.fakes.interruptions import Interruptible, interruptible


class FakeEvents(Interruptible):
    """told: every event, as often as it was told. buried: those that could not be."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Event] = []
        self.buried: list[Event] = []

    @interruptible
    def tell(self, event: Event) -> None:
        self.told.append(event)

    @interruptible
    def bury(self, event: Event) -> None:
        self.buried.append(event)
