"""Shows all there is of one connection: what it is now, and what happened to it, in the order of time.

From its item, the executions of its workflows, what the functions logged (as long as logs are kept) and, of its
captured key, whether it lies in the vault. Times are UTC. What repeats stands once, with how often and until when.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from fastkey.domain.connection import Connection
from fastkey.ops.executions import Workflow
from fastkey.ops.logs import logged
from fastkey.ops.operator import Operator
from fastkey.ops.output import say, show, show_object
from fastkey.ops.timeline import Happened, in_order
from fastkey.ops.vault import find_copy

_FACTS = {"fact": 23, "value": 0}
_TIMELINE = {"at": 19, "where": 12, "what": 0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection_id")
    parser.add_argument("--json", action="store_true", help="one object, with `connection` and `timeline`")


def run(operator: Operator, chosen: argparse.Namespace) -> int:
    connection = operator.registry.connections.get(chosen.connection_id)
    copy = find_copy(operator, connection.connection_id)
    facts = {**_facts(connection), "copy": copy.value, "key_is_held_by": _holder(operator, connection)}
    timeline = in_order([*_milestones(connection), *_executed(operator, connection), *_logged(operator, connection)])
    if chosen.json:
        show_object({"connection": facts, "timeline": [_entry(happened) for happened in timeline]})
        return 0
    show(({"fact": name, "value": value} for name, value in facts.items() if value is not None), _FACTS, as_json=False)
    say("")
    show(map(_row, timeline), _TIMELINE, as_json=False)
    return 0


def _facts(connection: Connection) -> dict[str, Any]:
    """What may be shown of an item: nothing that is sealed, no digest, and no task token."""
    return {
        "connection_id": connection.connection_id,
        "user_id": connection.user_id,
        "status": connection.status.value,
        "reason": connection.reason,
        "version": connection.version,
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
        "key": connection.external_id,
        "permissions": " ".join(connection.permissions) or None,
        "access_token_until": connection.tokens.access_expires_at if connection.tokens else None,
        "refresh_token_until": connection.tokens.refresh_expires_at if connection.tokens else None,
        "keep_token": connection.keep_token,
        "escrow": "holds a copy of the secret" if connection.escrow else None,
        "step_under_way_until": connection.busy_until,
        "refresh_under_way_until": connection.refresh_until,
        "due_at": connection.due_at,
        "key_refused_since": connection.refused_at,
        "key_given_up": connection.key_given_up or None,
        "key_lives_until": connection.key_lives_until,
        "untold": " ".join(event.kind.value for event in connection.untold) or None,
    }


def _holder(operator: Operator, connection: Connection) -> str | None:
    """The connection that holds the key which this one has seen, if any does."""
    if connection.external_id is None:
        return None
    answer = operator.client("dynamodb").get_item(
        TableName=operator.deployment.key_holders_table, Key={"external_id": {"S": connection.external_id}}
    )
    holder: str = answer["Item"]["connection_id"]["S"] if "Item" in answer else "nobody"
    return "this connection" if holder == connection.connection_id else holder


def _milestones(connection: Connection) -> Iterator[Happened]:
    """What the item itself says of when."""
    times = {
        "started": connection.created_at,
        "completed": connection.completed_at,
        "key found at WhiteBIT": connection.issued_at,
        "key refused by WhiteBIT": connection.refused_at,
    }
    yield from (Happened(at, "item", what) for what, at in times.items() if at)
    yield from (Happened(event.at, "item", f"{event.kind.value}, not told yet") for event in connection.untold)
    # The last change, whatever it was: under the status that it left behind.
    yield Happened(connection.updated_at, "item", f"is {connection.status}")


def _executed(operator: Operator, connection: Connection) -> Iterator[Happened]:
    for workflow in Workflow:
        if execution := operator.executions.find(workflow, connection.connection_id):
            yield from operator.executions.history(execution)


def _logged(operator: Operator, connection: Connection) -> Iterator[Happened]:
    group = operator.deployment.function_log
    return logged(operator.client("logs"), group, connection.connection_id, connection.created_at)


def _row(happened: Happened) -> dict[str, Any]:
    again = f"  ({happened.times} times, until {happened.until:%H:%M:%S})" if happened.until else ""
    return {"at": happened.at.astimezone(UTC), "where": happened.where, "what": happened.what + again}


def _entry(happened: Happened) -> dict[str, Any]:
    return {
        "at": happened.at,
        "where": happened.where,
        "what": happened.what,
        "times": happened.times,
        "until": happened.until or happened.at,
    }
