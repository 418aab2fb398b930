"""A deployment's stack in moto, with the tables of the template."""

from collections.abc import Iterator

import pytest

from fastkey.bootstrap import AwsWorld
from tests.contract.aws import aws_world
from tests.ops.stacks import STACK, create_stack


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWorld]:
    monkeypatch.setenv("FASTKEY_STACK", STACK)
    with aws_world() as world:
        create_stack()
        yield world
