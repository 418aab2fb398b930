"""What all clients of AWS share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError

from fastkey.domain.errors import StorageUnavailable
from fastkey.logging import log

# Short, because a function waits and is paid for; three attempts in all. `standard` retries what may pass, with
# back-off and jitter:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
# CloudTrail shows the user agent, and botocore would put its own together anew for each call.
CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent="fastkey",
)

Client = TypeVar("Client", bound=BaseClient)


def wary(client: Client) -> Client:
    """The client, which from now on raises IncompleteReadError for an answer that is shorter than it says.

    botocore by itself makes of what was cut an answer that says nothing, such as "there is no such item". It does not
    repeat such a call.
    """
    client.meta.events.register("before-parse", _measure)
    return client


def _measure(response_dict: Mapping[str, Any], **_: object) -> None:
    if response_dict["status_code"] >= 300:
        return
    came, said = len(response_dict["body"]), response_dict["headers"].get("Content-Length")
    if said is not None and came != int(said):
        raise IncompleteReadError(actual_bytes=came, expected_bytes=said)


@contextmanager
def storage() -> Iterator[None]:
    """Turns a failed call to AWS, which may have been applied, into StorageUnavailable.

    AWS's message may quote input: only its code is logged.
    """
    try:
        yield
    except ClientError as error:
        log(f"{error.operation_name} failed", code=code_of(error))
        raise StorageUnavailable from None
    except BotoCoreError as error:
        log("no answer from AWS", code=type(error).__name__)
        raise StorageUnavailable from None


def code_of(error: ClientError) -> str:
    """The error code that AWS gave."""
    return error.response["Error"]["Code"]
