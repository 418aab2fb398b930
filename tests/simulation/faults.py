"""How a call of a port fails: only in ways in which the adapters fail, as tests/contract/test_faults.py proves row by
row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastkey.domain.errors import (
    Conflict,
    FastkeyError,
    StorageUnavailable,
    UnexpectedAnswer,
    WhiteBitBusy,
    WhiteBitUnavailable,
)

# In seconds, and by the clients' settings: until WhiteBIT must have connected (TCP and TLS, each with its limit), begun
# its answer, and ended it; and until a call to AWS has used up its attempts and the waits between them.
CONNECTED, BEGUN, ENDED = 6.0, 11.0, 16.0
AWS_ENDED = 30.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a call fails.

    error: what the call raises. effect: whether it did its work first. seconds: how long it takes, from and to.
    """

    name: str
    error: type[FastkeyError]
    effect: bool
    seconds: tuple[float, float]


_REACHED = (
    Fault("refused", WhiteBitUnavailable, False, (0, CONNECTED)),
    Fault("throttled", WhiteBitUnavailable, False, (0, ENDED)),
    Fault("redirect", UnexpectedAnswer, False, (0, ENDED)),
    Fault("server_error", WhiteBitUnavailable, False, (0, ENDED)),
    Fault("server_error_after_effect", WhiteBitUnavailable, True, (0, ENDED)),
    Fault("answer_lost", WhiteBitUnavailable, True, (0, BEGUN)),
    Fault("silent", WhiteBitUnavailable, True, (5, BEGUN)),
    Fault("truncated", WhiteBitUnavailable, True, (0, ENDED)),
    Fault("slow", UnexpectedAnswer, True, (BEGUN, ENDED)),
    Fault("html", UnexpectedAnswer, True, (0, ENDED)),
    Fault("not_json", UnexpectedAnswer, True, (0, ENDED)),
    Fault("too_large", UnexpectedAnswer, True, (0, ENDED)),
)
# Where the document counts, and not the status alone.
_UNDERSTOOD = (*_REACHED, Fault("null", UnexpectedAnswer, True, (0, ENDED)))

# What was refused for its frequency is told apart.
_REPEATED = tuple(replace(fault, error=WhiteBitBusy) if fault.name == "throttled" else fault for fault in _UNDERSTOOD)

# Each after the client's last attempt. One that went well after all is no fault.
_READ = (
    Fault("refused", StorageUnavailable, False, (0, AWS_ENDED)),
    Fault("throttled", StorageUnavailable, False, (0, AWS_ENDED)),
    Fault("outage", StorageUnavailable, False, (0, AWS_ENDED)),
)
_WRITE = (*_READ, Fault("answer_lost", StorageUnavailable, True, (0, AWS_ENDED)))
_CONDITIONAL_WRITE = (
    *_WRITE,
    Fault("conflict", Conflict, False, (0, AWS_ENDED)),
    # Its answer was lost, and the client's next attempt met another writer.
    Fault("conflict_after_effect", Conflict, True, (0, AWS_ENDED)),
)

_VAULT = {"prepare": _WRITE, "store": _WRITE, "find": _READ, "shred": _WRITE}

FAULTS: Mapping[str, Mapping[str, Sequence[Fault]]] = {
    "whitebit": {
        "prepare": _READ,
        "exchange_code": _UNDERSTOOD,
        "refresh_token": _UNDERSTOOD,
        "key_info": _UNDERSTOOD,
        "read_secret": _UNDERSTOOD,
        "delete_key": _REACHED,
        "try_key": _REACHED,
        "read_signed": _REPEATED,
        "read_by_token": _REPEATED,
    },
    "starts": {"count": _WRITE},
    "limits": {"take": _WRITE},
    "authorizations": {"add": _WRITE, "find": _READ},
    "connections": {
        "add": _WRITE,
        "get": _READ,
        "page": _READ,
        "save": _CONDITIONAL_WRITE,
        "due": _READ,
        "kept": _READ,
        "count_kept": _READ,
    },
    "chosen_vault": _VAULT,
    "other_vault": _VAULT,
    "sealer": {"seal": _READ, "open": _READ},
    "events": {"tell": _WRITE, "bury": _WRITE},
    "workflows": {"start_provision": _WRITE, "start_revoke": _WRITE, "resume": _WRITE},
}


def faults_of(port: str, method: str) -> Sequence[Fault]:
    """What can befall a call. port: as the world names it."""
    return FAULTS[port][method]
