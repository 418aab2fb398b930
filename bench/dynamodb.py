"""What DynamoDB charges for a call: units of reading and writing.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Self

Item = Mapping[str, Any]  # attribute values as DynamoDB's JSON has them

_READ, _WRITTEN = 4096, 1024  # bytes in a unit


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. projected: the attributes that are in it, with all keys."""

    keys: frozenset[str]
    projected: frozenset[str]

    @classmethod
    def of(cls, table_keys: frozenset[str], described: Mapping[str, Any]) -> Self:
        """The index that DescribeTable describes, of a table with these keys."""
        keys = frozenset(each["AttributeName"] for each in described["KeySchema"])
        more = described["Projection"].get("NonKeyAttributes", ())
        return cls(keys, table_keys | keys | frozenset(more))

    def write_units(self, before: Item | None, after: Item | None) -> int:
        """What a write of the table's item costs here.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
        """
        old, new = self._entry(before), self._entry(after)
        if old == new:
            return 0
        if old and new and any(old[key] != new[key] for key in self.keys):
            return _written(old) + _written(new)
        return max(_written(each) for each in (old, new) if each)

    def _entry(self, item: Item | None) -> Item | None:
        if item is None or not self.keys <= item.keys():
            return None
        return {name: value for name, value in item.items() if name in self.projected}


def write_units(before: Item | None, after: Item | None) -> int:
    """What a write costs the table: by the larger of what was there and what is."""
    return max((_written(item) for item in (before, after) if item), default=1)


def read_units(read: int, *, consistent: bool) -> float:
    """What reading so many bytes costs."""
    units = max(1, ceil(read / _READ))
    return units if consistent else units / 2


def size(item: Item) -> int:
    """How many bytes an item has.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _written(item: Item) -> int:
    return max(1, ceil(size(item) / _WRITTEN))


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content.lstrip("-").replace(".", "").strip("0")) // 2 + 2
        case "B":
            # As bytes from boto3, and in base64 on the wire.
            return len(content if isinstance(content, bytes) else b64decode(content))
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(_size(each) + 1 for each in content)
        case "M":
            return 3 + sum(len(name.encode()) + _size(each) + 1 for name, each in content.items())
        case _:
            raise ValueError(kind)
