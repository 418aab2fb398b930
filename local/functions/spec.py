"""What the template says of a function."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A function to run. `layers` are folders, in the template's order; `variables` are the template's own.

    `role` is the name of its role.
    """

    logical_id: str
    name: str
    arn: str
    runtime: str
    handler: str
    task_root: Path
    layers: tuple[Path, ...]
    variables: Mapping[str, str]
    timeout_seconds: int
    memory_mb: int
    log_group: str
    log_format: str
    role: str

    def is_named_by(self, arn: str) -> bool:
        """Whether it is the function's ARN, or that of one of its versions or aliases, whose name comes after it."""
        return f"{arn}:".startswith(f"{self.arn}:")
