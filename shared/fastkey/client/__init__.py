"""For the partner's own programs: which connections there are, their keys, and requests that are signed with them.

Needs boto3 and this package, and nothing of what the functions run on; where keys are sealed, the AWS Encryption SDK.
A program's role needs the stack's `BackendPolicy`, and the program the stack's outputs: see docs/programs.md.
"""

from fastkey.client.client import Client
from fastkey.client.connections import ActiveConnection
from fastkey.client.errors import KeyRefused, NoAnswer, NoKey, NonceTaken, NotOpened, NotPermitted, RateLimited, Refused
from fastkey.client.sealed import Sealed
from fastkey.domain.key import CapturedKey

__all__ = [
    "ActiveConnection",
    "CapturedKey",
    "Client",
    "KeyRefused",
    "NoAnswer",
    "NoKey",
    "NonceTaken",
    "NotOpened",
    "NotPermitted",
    "RateLimited",
    "Refused",
    "Sealed",
]
