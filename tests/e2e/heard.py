"""A partner's program that hears fastkey's events."""

import json
from typing import Any

from local.events import EventQueue
from local.world import World
from tests.events.documented import validator


class Heard:
    """Every event since this was made. Each is held to its schema as it comes."""

    def __init__(self, world: World) -> None:
        self._queue = EventQueue(world.client)
        self._details: list[tuple[str, dict[str, Any]]] = []

    def of(self, connection_id: str) -> list[dict[str, Any]]:
        """The `detail` of each event about a connection, as they came."""
        self._listen()
        return [detail for _, detail in self._details if detail["connection_id"] == connection_id]

    def kinds(self, connection_id: str) -> list[str]:
        """What each event about a connection tells."""
        self._listen()
        return [kind for kind, detail in self._details if detail["connection_id"] == connection_id]

    def _listen(self) -> None:
        for event in map(json.loads, self._queue.drain()):
            assert event["source"] == "fastkey"
            validator(event["detail-type"]).validate(event["detail"])
            self._details.append((event["detail-type"].removeprefix("connection."), event["detail"]))
