"""MigrateVault, for operators: keys are moved into the vault that the deployment has chosen."""

from dataclasses import asdict
from typing import Any

from fastkey import bootstrap
from fastkey.entry.order import Order, ordered
from fastkey.usecases.migrate_vault import migrate_vault

world = bootstrap.start("chosen_vault", "connections")


@ordered
def handler(order: Order) -> dict[str, Any]:
    return asdict(migrate_vault(world, order.to, order.cursor, world.clock.now() + order.remaining))
