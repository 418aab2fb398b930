"""Parts of the local world around a small stack of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.aws.resources import CREATORS
from local.aws.server import Aws
from local.aws.stack import Stack
from local.aws.template import Template, load
from local.functions import Functions, FunctionSpec
from local.issuer import Issuer

REGION = "eu-central-1"
SHOP = Path(__file__).parent / "fixtures" / "shop"


@pytest.fixture(scope="session")
def shop() -> Path:
    return SHOP


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    server = Issuer("127.0.0.1", 0, "shop")
    yield server
    server.close()


@pytest.fixture(scope="session")
def template(issuer: Issuer) -> Template:
    return load(SHOP / "template.yaml", {"Issuer": issuer.url}, REGION)


@pytest.fixture(scope="module")
def functions() -> Iterator[Functions]:
    pool = Functions(REGION)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def aws(functions: Functions) -> Iterator[Aws]:
    server = Aws("127.0.0.1", 0, REGION, functions.invoke)
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(template: Template, aws: Aws, functions: Functions) -> Stack:
    created = Stack("shop", template, CREATORS, aws.client, REGION, "http://gateway.example")
    created.create()
    aws.guard.roles = created.roles
    for spec in created.functions.values():
        functions.add(spec, aws.url)
    return created


@pytest.fixture
def misbehave() -> Iterator[Callable[..., Functions]]:
    """A pool that holds the function `misbehave` alone; its spec can be changed."""
    pools: list[Functions] = []

    def make(**changes: object) -> Functions:
        spec = {
            "logical_id": "Misbehave",
            "name": "shop-Misbehave",
            "arn": f"arn:aws:lambda:{REGION}:123456789012:function:shop-Misbehave",
            "runtime": "python3.13",
            "handler": "app.handler",
            "task_root": SHOP / "misbehave",
            "layers": (SHOP / "common",),
            "variables": {"SHELF": "shelf-1"},
            "timeout_seconds": 5,
            "memory_mb": 256,
            "log_group": "shop-Logs",
            "log_format": "JSON",
            "role": "shop-MisbehaveRole",
        }
        pool = Functions(REGION)
        pool.add(FunctionSpec(**{**spec, **changes}), "http://127.0.0.1:9")  # type: ignore[arg-type]
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        pool.close()
