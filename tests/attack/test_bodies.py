"""Bodies that are none."""

import pytest

from tests.attack.table import CANARY, Attack, Stage
from tests.attack.wire import Sent

MALFORMED = (400, "invalid_request")
NOT_JSON = (415, "not_json")
TOO_LARGE = (413, "body_too_large")

# (what, body, content type, (status, says)), for each of the routes that take a body; $field is its one name.
BODIES: list[tuple[str, str | bytes, str | None, tuple[int, str]]] = [
    ("nothing", "", "application/json", MALFORMED),
    ("a space", " ", "application/json", MALFORMED),
    ("an object that does not end", '{"$field": "a"', "application/json", MALFORMED),
    ("a comma too many", '{"$field": "a",}', "application/json", MALFORMED),
    ("single quotes", "{'$field': 'a'}", "application/json", MALFORMED),
    ("two documents", '{"$field": "a"} {"$field": "a"}', "application/json", MALFORMED),
    ("a list", '[{"$field": "a"}]', "application/json", MALFORMED),
    ("null", "null", "application/json", MALFORMED),
    ("a text", f'"{CANARY}"', "application/json", MALFORMED),
    ("an empty object", "{}", "application/json", MALFORMED),
    ("null for the text", '{"$field": null}', "application/json", MALFORMED),
    ("a number for the text", '{"$field": 1}', "application/json", MALFORMED),
    ("a list for the text", f'{{"$field": ["{CANARY}"]}}', "application/json", MALFORMED),
    ("an object for the text", f'{{"$field": {{"{CANARY}": 1}}}}', "application/json", MALFORMED),
    ("a text that is too long", '{"$field": "' + "a" * 4096 + '"}', "application/json", MALFORMED),
    ("NaN", '{"$field": NaN}', "application/json", MALFORMED),
    ("Infinity", '{"$field": -Infinity}', "application/json", MALFORMED),
    ("a number of 10,000 digits", '{"$field": ' + "9" * 10_000 + "}", "application/json", MALFORMED),
    ("the name twice", '{"$field": "a", "$field": "b"}', "application/json", MALFORMED),
    ("the name twice, once escaped", '{"$field": "a", "$escaped": "b"}', "application/json", MALFORMED),
    ("a name too many", f'{{"$field": "a", "{CANARY}": 1}}', "application/json", MALFORMED),
    ("__proto__", '{"$field": "a", "__proto__": {"$field": "b"}}', "application/json", MALFORMED),
    ("the name in capitals", '{"$capitals": "a"}', "application/json", MALFORMED),
    ("depth 10,000", "[" * 10_000, "application/json", MALFORMED),
    ("depth 10,000 within the text", '{"$field": ' + "[" * 7_000 + "]" * 7_000 + "}", "application/json", MALFORMED),
    ("a lone surrogate", r'{"$field": "\ud800"}', "application/json", MALFORMED),
    ("a lone surrogate as a name", r'{"$field": "a", "\udfff": 1}', "application/json", MALFORMED),
    ("a control character", '{"$field": "\x01"}', "application/json", MALFORMED),
    ("bad UTF-8", b'{"a": "\xff\xfe"}', "application/json", MALFORMED),
    ("UTF-16", '{"a": "b"}'.encode("utf-16"), "application/json", MALFORMED),
    ("a byte order mark", '\ufeff{"$field": "a"}', "application/json", MALFORMED),
    ("16 KB and more", '{"$field": "' + "a" * (16 * 1024) + '"}', "application/json", TOO_LARGE),
    ("16 KB and more, all of it spaces", " " * 17_000, "application/json", TOO_LARGE),
    ("a form", f"$field={CANARY}", "application/x-www-form-urlencoded", NOT_JSON),
    ("JSON as a text", '{"$field": "a"}', "text/plain", NOT_JSON),
    ("JSON as a form", '{"$field": "a"}', "multipart/form-data; boundary=a", NOT_JSON),
    ("JSON of another kind", '{"$field": "a"}', "application/json-patch+json", NOT_JSON),
    ("two types", '{"$field": "a"}', "text/plain, application/json", NOT_JSON),
    ("no type", '{"$field": "a"}', None, NOT_JSON),
    ("XML", f"<$field>{CANARY}</$field>", "application/xml", NOT_JSON),
]  # fmt: skip

ROUTES = {"start": ("/connections", "return_url"), "complete": ("/connections/$my_id/complete", "completion")}


def attack(target: str, body: str | bytes, content_type: str | None, status: int, says: str) -> Attack:
    kind = () if content_type is None else (("Content-Type", content_type),)
    return Attack("", Sent("POST", target, (("Authorization", "Bearer $my_token"), *kind), body), status, says)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("body", "kind", "refusal"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_body_that_is_none_changes_nothing(
    route: str, body: str | bytes, kind: str | None, refusal: tuple[int, str], stage: Stage
) -> None:
    target, field = ROUTES[route]
    names = {"field": field, "capitals": field.upper(), "escaped": f"\\u{ord(field[0]):04x}{field[1:]}"}
    stage.knowing(names).carry_out(attack(target, body, kind, *refusal))


@pytest.mark.parametrize("wish", ["1", "null", '"true"', "[true]", f'{{"{CANARY}": true}}', "True"])
def test_a_wish_for_tokens_that_is_neither_yes_nor_no_starts_nothing(wish: str, stage: Stage) -> None:
    body = f'{{"return_url": "$return_url", "keep_token": {wish}}}'
    stage.carry_out(attack("/connections", body, "application/json", *MALFORMED))
