"""The server that holds AWS's services."""

import pytest
import requests

from local.aws.server import Aws
from local.functions import Functions

REGION = "eu-central-1"


def test_a_server_that_is_closed_leaves_nothing_to_the_next() -> None:
    first = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    first.client("secretsmanager").create_secret(Name="s", SecretString="1")
    first.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(first.url, timeout=5)
    second = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    assert second.client("secretsmanager").list_secrets()["SecretList"] == []
    second.close()


def test_a_port_that_is_taken_is_an_error() -> None:
    server = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    with pytest.raises(OSError, match="in use"):
        Aws("127.0.0.1", int(server.url.rpartition(":")[2]), REGION, Functions(REGION).invoke)
    server.close()
