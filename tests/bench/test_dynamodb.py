"""Units of DynamoDB's, as its pages say they are counted."""

from typing import Any

import pytest

from bench.dynamodb import Index, read_units, size, write_units

INDEX = Index(keys=frozenset({"user"}), projected=frozenset({"id", "user", "status"}))


def item(**attributes: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in attributes.items()}


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        ({"S": "é"}, 2),
        ({"B": "AAEC"}, 3),
        ({"B": b"\x00\x01\x02"}, 3),
        ({"BOOL": True}, 1),
        ({"L": [{"S": "ab"}]}, 3 + 3),
        ({"M": {"c": {"S": "ab"}}}, 3 + 4),
    ],
)
def test_an_attribute_has_the_bytes_of_its_name_and_its_value(value: dict[str, Any], octets: int) -> None:
    assert size({"name": value}) == 4 + octets


@pytest.mark.parametrize(("octets", "units"), [(1, 1), (1020, 1), (1021, 2), (3000, 3)])
def test_a_write_is_charged_by_the_kilobyte(octets: int, units: int) -> None:
    written = item(name="x" * octets)
    assert write_units(None, written) == write_units(written, None) == units


def test_a_write_is_charged_by_the_larger_of_what_was_there_and_what_is() -> None:
    assert write_units(item(name="x" * 3000), item(name="x")) == write_units(item(name="x"), item(name="x" * 3000)) == 3


def test_a_write_that_changes_nothing_there_is_charged_as_one() -> None:
    assert write_units(None, None) == 1


@pytest.mark.parametrize(
    ("octets", "consistent", "units"), [(0, True, 1), (4096, True, 1), (4097, True, 2), (1, False, 0.5)]
)
def test_a_read_is_charged_by_four_kilobytes_and_half_if_it_need_not_be_consistent(
    octets: int, consistent: bool, units: float
) -> None:
    assert read_units(octets, consistent=consistent) == units


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, item(id="1"), 0),
        (None, item(id="1", user="a"), 1),
        (item(id="1", user="a"), None, 1),
        (item(id="1", user="a"), item(id="1"), 1),
        (item(id="1", user="a"), item(id="1", user="b"), 2),
        (item(id="1", user="a"), item(id="1", user="a", status="x"), 1),
        (item(id="1", user="a"), item(id="1", user="a", other="x"), 0),
    ],
)
def test_an_index_is_charged_for_what_changes_in_it(
    before: dict[str, Any] | None, after: dict[str, Any] | None, units: int
) -> None:
    assert INDEX.write_units(before, after) == units


def test_an_index_has_the_tables_keys_its_own_and_what_is_projected() -> None:
    described = {"KeySchema": [{"AttributeName": "user"}], "Projection": {"NonKeyAttributes": ["status"]}}
    assert Index.of(frozenset({"id"}), described) == INDEX
