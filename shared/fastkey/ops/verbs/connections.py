"""Counts the connections by status; with any option that narrows, lists them.

Without --user this reads all connections, in an index that has a few hundred bytes of each. How many units of
DynamoDB's read capacity that took is said at the end, on standard error.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from fastkey.domain.status import Status
from fastkey.ops.listing import Listed, Listing
from fastkey.ops.operator import Operator
from fastkey.ops.output import note, show

_LIST = {"connection_id": 36, "status": 17, "reason": 22, "created_at": 19, "updated_at": 19, "user_id": 0}
_COUNTS = {"status": 17, "connections": 11, "longest_unchanged_since": 23}

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

# Older than anything that fastkey has stored, and within the calendar: the year 1 is 2,000 years ago.
_OLDEST = timedelta(days=100 * 365)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--status", type=Status, choices=list(Status), metavar="STATUS", help=", ".join(Status))
    parser.add_argument("--user", help="whose, by the sub of their JWT: asks an index, and reads no others")
    parser.add_argument("--older-than", type=_age, metavar="AGE", help="unchanged for so long: 90s, 30m, 2h or 7d")
    parser.add_argument("--json", action="store_true", help="an object a line")


def run(operator: Operator, chosen: argparse.Namespace) -> int:
    listing = Listing(
        operator.client("dynamodb"),
        operator.deployment.connections_table,
        user_id=chosen.user,
        status=chosen.status,
        unchanged_since=None if chosen.older_than is None else datetime.now(UTC) - chosen.older_than,
    )
    if any(narrowing is not None for narrowing in (chosen.status, chosen.user, chosen.older_than)):
        show(map(asdict, listing), _LIST, as_json=chosen.json)
    else:
        show(_counts(listing), _COUNTS, as_json=chosen.json)
    note(f"read {listing.read} connections, for {listing.units:g} units of read capacity")
    return 1 if listing.unreadable else 0


def _counts(listing: Listing) -> Iterator[dict[str, Any]]:
    """By status, in the order of a connection's life."""
    counts: Counter[Status] = Counter()
    longest: dict[Status, Listed] = {}
    for each in listing:
        counts[each.status] += 1
        longest[each.status] = min(each, longest.get(each.status, each), key=lambda one: one.updated_at)
    for status in (status for status in Status if status in counts):
        yield {
            "status": status,
            "connections": counts[status],
            "longest_unchanged_since": longest[status].updated_at,
        }


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError("is a number with s, m, h or d after it, such as 30m")
    age = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if age > _OLDEST:
        raise argparse.ArgumentTypeError(f"is at most {_OLDEST.days}d")
    return age
