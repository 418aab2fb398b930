"""Connections as their table has them. What would take hours or days is brought about there: no clock is moved."""

from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

from local.frontend import POLL_SECONDS
from local.world import World


def item(world: World, connection_id: str) -> dict[str, Any]:
    """The connection's item, as DynamoDB gives it."""
    found: dict[str, Any] = world.client("dynamodb").get_item(
        TableName=world.tables["Connections"], Key={"connection_id": {"S": connection_id}}
    )["Item"]
    return found


def await_told(world: World, connection_id: str, seconds: float = 30, pause: float = POLL_SECONDS) -> None:
    """Waits until nothing is untold: a workflow that tells would write over what is set meanwhile. `pause` seconds are
    between two looks.

    Raises TimeoutError after so many `seconds`.
    """
    deadline = monotonic() + seconds
    while "untold" in item(world, connection_id):
        if monotonic() > deadline:
            raise TimeoutError(f"an event was still untold after {seconds:.0f} s")
        sleep(pause)


def set_times(world: World, connection_id: str, **times: datetime) -> None:
    """Sets attributes of the connection's item that hold times."""
    world.client("dynamodb").update_item(
        TableName=world.tables["Connections"],
        Key={"connection_id": {"S": connection_id}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in times),
        ExpressionAttributeValues={f":{name}": {"S": time.isoformat()} for name, time in times.items()},
    )


def fall_due(world: World, connection_id: str, **times: datetime) -> dict[str, int]:
    """Has what is to be done for the connection by the clock be due now, with these `times` set, and fires GuardKeys.

    Gives what it found, and how often: everything that was due was looked at.
    """
    now = datetime.now(UTC)
    check = {"check_at": now} if "check_at" in item(world, connection_id) else {}
    set_times(world, connection_id, due_at=now, **check, **times)
    return {name.removeprefix("guard_keys."): count for name, count in world.fire("GuardKeys").items() if count}


def age_events(world: World, connection_id: str, at: datetime) -> None:
    """Sets the time of the connection's oldest event that nobody has told."""
    world.client("dynamodb").update_item(
        TableName=world.tables["Connections"],
        Key={"connection_id": {"S": connection_id}},
        UpdateExpression="SET untold[0].#at = :at",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":at": {"S": at.isoformat()}},
    )
