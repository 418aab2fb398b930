"""An operator at a terminal, with a role that has the stack's policy for operators and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO

import pytest

from fastkey.ops.cli import main
from local.world import World

ROLE = "operator"


@dataclass(frozen=True, slots=True)
class Ran:
    """status: the exit status. out, err: what was shown."""

    status: int
    out: str
    err: str


@dataclass
class Terminal:
    """Runs commands. screens: all that was shown."""

    screens: list[str] = field(default_factory=list)

    def run(self, *arguments: str) -> Ran:
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            status = main(arguments)
        ran = Ran(status, out.getvalue(), err.getvalue())
        self.screens += [ran.out, ran.err]
        return ran


@contextmanager
def operating(world: World) -> Iterator[Terminal]:
    """An operator of this world, by what is in the environment during the block."""
    world.attach(world.output("OperatorPolicy"), ROLE)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": world.aws,
            "AWS_DEFAULT_REGION": world.client("sts").meta.region_name,
            "AWS_ACCESS_KEY_ID": ROLE,
            "AWS_SECRET_ACCESS_KEY": "local",
            "FASTKEY_STACK": "fastkey",
        }.items():
            patch.setenv(name, value)
        yield Terminal()
