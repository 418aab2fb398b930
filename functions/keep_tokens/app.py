"""KeepTokens, each minute: tokens that partners want kept are refreshed before they die."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from fastkey import bootstrap
from fastkey.entry.schedule import scheduled
from fastkey.usecases.keep_tokens import keep_tokens

world = bootstrap.start("connections", "limits", "sealer", "whitebit")


@scheduled
def handler(remaining: timedelta) -> Mapping[str, int]:
    done = keep_tokens(world, world.clock.now() + remaining)
    return {f"keep_tokens.{name}": count for name, count in asdict(done).items()}
