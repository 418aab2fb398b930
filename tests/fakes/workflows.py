"""Workflows that are only written down."""

from tests.fakes.interruptions import Interruptible, interruptible


class FakeWorkflows(Interruptible):
    """provisions, revokes: the connections whose workflows were started, each once. resumed: the task tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.provisions: list[str] = []
        self.revokes: list[str] = []
        self.resumed: list[str] = []

    @interruptible
    def start_provision(self, connection_id: str) -> None:
        if connection_id not in self.provisions:
            self.provisions.append(connection_id)

    @interruptible
    def start_revoke(self, connection_id: str) -> None:
        if connection_id not in self.revokes:
            self.revokes.append(connection_id)

    @interruptible
    def resume(self, task_token: str) -> None:
        if task_token not in self.resumed:
            self.resumed.append(task_token)
