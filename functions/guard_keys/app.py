"""GuardKeys, each minute: what is due by the clock is done. Events are told, consents given up, keys kept alive."""

from collections.abc import Mapping
from datetime import timedelta

from fastkey import bootstrap
from fastkey.entry.schedule import scheduled
from fastkey.usecases.guard_keys import Finding, guard_keys

world = bootstrap.start("chosen_vault", "connections", "events", "limits", "whitebit")


@scheduled
def handler(remaining: timedelta) -> Mapping[str, int]:
    found = guard_keys(world, world.clock.now() + remaining)
    return {f"guard_keys.{finding}": found[finding] for finding in Finding}
