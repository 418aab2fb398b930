"""What counted things cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

Counts = Mapping[str, float]

# The services as they stand in a bill, and what of the price list is theirs.
SERVICES: Mapping[str, tuple[str, ...]] = {
    "Step Functions": ("state transitions",),
    "Lambda": ("lambda requests", "lambda milliseconds", "lambda gb-seconds"),
    "API Gateway": ("api requests",),
    "DynamoDB": ("write units", "read units", "table gb-months", "backup gb-months"),
    "KMS": ("kms requests", "kms key-months"),
    "Secrets Manager": ("secret calls", "secret-months"),
    "EventBridge": ("events", "schedule firings"),
    "CloudWatch": ("log gb", "metric-months", "alarm metric-months", "dashboard-months"),
}


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for one, the page that says so, and the month as of which that is known."""

    price: float
    source: str
    known: str
    note: str = ""


@cache
def prices() -> Mapping[str, Price]:
    """The price list."""
    listed = yaml.safe_load(Path(__file__).with_name("prices.yaml").read_text())["prices"]
    return {name: Price(**price) for name, price in listed.items()}


def cost(counts: Counts) -> Mapping[str, float]:
    """US dollars by service. Raises KeyError for a count that has no price."""
    by_name = {name: number * prices()[name].price for name, number in counts.items()}
    return {service: sum(by_name.get(name, 0) for name in names) for service, names in SERVICES.items()}
