"""What all clients of AWS share."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fastkey.domain.errors import StorageUnavailable
from fastkey.logging import log

# Short, because a function waits and is paid for; three attempts in all. `standard` retries what may pass, with
# back-off and jitter:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
CONFIG = Config(
    connect_timeout=2, read_timeout=5, tcp_keepalive=True, retries={"mode": "standard", "total_max_attempts": 3}
)


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
