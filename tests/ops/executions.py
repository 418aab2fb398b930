"""Executions of the workflows, as an operator finds them."""

from dataclasses import dataclass, field

from fastkey.ops.executions import Execution, Executions, Workflow


@dataclass
class FakeExecutions(Executions):
    """Executions by their workflows. late: whether Step Functions takes none up again any more."""

    statuses: dict[Workflow, str] = field(default_factory=dict)
    late: bool = False
    redriven: list[Workflow] = field(default_factory=list)

    def find(self, workflow: Workflow, connection_id: str) -> Execution | None:
        status = self.statuses.get(workflow)
        return Execution(f"arn:{workflow}:{connection_id}", workflow, status) if status else None

    def redrive(self, execution: Execution) -> bool:
        if not self.late:
            self.redriven.append(execution.workflow)
        return not self.late
