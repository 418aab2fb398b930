"""docs/api.yaml says what the API does: no more, and no less."""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from html import escape
from typing import Any, NamedTuple

import jsonschema  # type: ignore[import-untyped]
import openapi_spec_validator
import pytest
import schemathesis
from msgspec import Struct
from msgspec.json import schema_components
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import TestResponse

from fastkey.adapters.dynamodb import PAGE_SIZE
from fastkey.domain.account import READS
from fastkey.domain.connection import CHECK_AGAIN, CHECK_PERIOD
from fastkey.domain.errors import CATALOGUE, CompletionMissing, Conflict, ConsentLost, StorageUnavailable, by_code
from fastkey.domain.event import GRACE
from fastkey.domain.permissions import Ability
from fastkey.domain.status import Status
from fastkey.entry.filters import FILTERS
from fastkey.entry.http import BODY_LIMIT
from fastkey.entry.page import page
from fastkey.usecases.guard_keys import guard_key
from local.functions import Outcome
from local.issuer import Issuer
from tests.fakes.world import RETURN_URL
from tests.fuzz.counter import AUDIENCE, Call, Counter, call_of
from tests.fuzz.document import (
    DOCUMENT,
    HTML,
    MESSAGE,
    Documented,
    documented,
    examples,
    load,
    operations,
    resolved,
)
from tests.simulation.run import Case as Simulated
from tests.simulation.run import play
from tests.template import ROOT, routes
from tests.unit.journey import Journey

OPERATIONS = operations()
SCHEMAS = DOCUMENT["components"]["schemas"]
USE = (ROOT / "docs/use.md").read_text()

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


# ---- What it says of requests ----------------------------------------------------------------------------------------


def test_it_is_openapi() -> None:
    openapi_spec_validator.validate(DOCUMENT)


def test_its_operations_are_the_templates_routes_and_take_a_jwt_where_those_do() -> None:
    takes_jwt = {operation: content["security"] == [{"users": []}] for operation, content in OPERATIONS.items()}
    assert takes_jwt == {operation: takes_jwt for _, operation, takes_jwt in routes()}
    assert all(content["security"] in ([{"users": []}], []) for content in OPERATIONS.values())


BODIES = {"Start": "start_connection", "Complete": "complete_connection"}


@pytest.mark.parametrize(("name", "function"), BODIES.items())
def test_a_body_is_what_its_function_takes(name: str, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastkey.bootstrap.start", lambda *_: None)
    model: type[Struct] = getattr(importlib.import_module(f"functions.{function}.app"), name)
    assert without_words(SCHEMAS[name]) == without_words(schema_of(model))


def schema_of(model: type[Struct]) -> dict[str, Any]:
    """A model's schema. Patterns are the document's, in which nothing can follow a `$`."""
    _, schemas = schema_components([model])
    found: dict[str, Any] = json.loads(json.dumps(schemas[model.__name__]).replace(r"\\Z", "$"))
    return found


def without_words(node: Any) -> Any:
    """A schema without what is for people, which the models do not have."""
    if not isinstance(node, dict):
        return node
    return {name: without_words(child) for name, child in node.items() if name not in ("title", "description")}


def test_every_body_is_one_of_those_and_its_limit_is_said() -> None:
    bodies = [content["requestBody"] for content in OPERATIONS.values() if "requestBody" in content]
    named = [body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2] for body in bodies]
    assert named == list(BODIES)
    assert all(f"At most {BODY_LIMIT // 1024} KiB" in body["description"] for body in bodies)


@pytest.mark.parametrize("resource", READS)
def test_the_filters_of_a_read_are_what_its_function_takes(resource: str) -> None:
    operation = OPERATIONS[f"GET /connections/{{connection_id}}/account/{resource}"]
    documented = {each["name"]: each["schema"] for each in map(resolved, operation["parameters"])}
    taken = schema_of(FILTERS[resource])
    assert not taken["additionalProperties"]
    assert documented == {name: filter_of(schema) for name, schema in taken["properties"].items()}


def filter_of(schema: dict[str, Any]) -> Any:
    """What a filter is, if it is there."""
    without = {name: part for name, part in without_words(schema).items() if name != "default" or part is not None}
    return without["anyOf"][0] if "anyOf" in without else without


# ---- What it says of answers -----------------------------------------------------------------------------------------


def test_the_words_for_a_connection_are_the_codes() -> None:
    words = {name: schema.get("enum") for name, schema in SCHEMAS["Connection"]["properties"].items()}
    assert set(words["status"]) == {status.public for status in Status}
    assert set(words["step"]) == set(Status)
    assert list(SCHEMAS["Access"]["properties"]) == list(Ability)
    reasons = re.findall(r"`(\w+)`", "".join(re.findall(r"\| reason \|.*?\n\n", USE, re.S)[0].splitlines(True)[2:]))
    assert {reason for reason in reasons if reason in {e.code for e in CATALOGUE.values()}} == set(words["reason"]) - {
        None
    }
    assert SCHEMAS["Page"]["properties"]["connections"]["maxItems"] == PAGE_SIZE


def test_a_problem_has_its_status_and_nobody_else_answers_with_a_code_of_ours() -> None:
    for kind in documented():
        if kind.is_problem:
            assert by_code(kind.code).http_status == kind.status


def test_the_page_for_frontends_explains_the_same_problems() -> None:
    table = re.findall(r"\| code \| status \| what to do \|\n\|.*?\n(.*?)\n\n", USE, re.S)[0]
    explained = {code for row in table.splitlines() for code in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert explained == {kind.code for kind in documented() if kind.is_problem}


def test_the_examples_are_examples() -> None:
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": DOCUMENT["components"]}
    found = list(examples(DOCUMENT))
    for where, schema, example in found:
        validator = jsonschema.Draft202012Validator({**root, **schema}, format_checker=jsonschema.FormatChecker())
        assert [error.message for error in validator.iter_errors(example)] == [], where
        if isinstance(example, dict) and "title" in example:
            problem = by_code(example["type"].rpartition(":")[2])
            assert (example["title"], example["status"]) == (problem.text, problem.http_status)
    assert all("example" in content for each in contents() for content in each.values())


def contents() -> Iterator[dict[str, Any]]:
    """What each response has, by media type."""
    for operation in OPERATIONS.values():
        for response in operation["responses"].values():
            yield resolved(response).get("content", {})


def test_an_example_of_a_page_is_that_of_the_problem_beside_it() -> None:
    pages = [content for content in contents() if "text/html" in content]
    assert pages
    for content in pages:
        beside = content["application/problem+json"]["example"]
        shown = page(by_code(beside["type"].rpartition(":")[2])(), beside["instance"].rpartition(":")[2])
        assert content["text/html"]["example"] == shown.document


# ---- What is answered ------------------------------------------------------------------------------------------------

UNSEEN = {
    (429, MESSAGE): "the local gateway does not throttle",
}


@dataclass(slots=True)
class Witness:
    """Checks every answer against the document, and knows which were seen."""

    schema: schemathesis.schemas.BaseSchema
    seen: set[Documented]

    def examine(self, call: Call, answer: TestResponse) -> Documented:
        method, path = call.operation.split(" ")
        case = self.schema[path][method].Case(path_parameters={"connection_id": call.connection_id})
        case.validate_response(answer, checks=CHECKS)
        kind = Documented(call.operation, answer.status_code, code_of(answer))
        if kind.code != MESSAGE:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        if kind.code == HTML:
            beside = [by_code(each.code) for each in documented() if each[:2] == kind[:2] and each.is_problem]
            assert any(f"<p>{escape(error.text)}</p>" in answer.text for error in beside)
        if kind.is_problem:
            error = by_code(kind.code)
            assert answer.headers.get("Retry-After") == (str(error.retry_after) if error.retryable else None)
        self.seen.add(kind)
        return kind


def code_of(answer: TestResponse) -> str:
    """A problem's code, HTML for a page, MESSAGE for an answer of API Gateway's own, or nothing where all went well."""
    if answer.mimetype == "application/problem+json":
        assert answer.json
        return str(answer.json["type"]).removeprefix("urn:fastkey:problem:")
    if answer.mimetype == "text/html":
        return HTML
    return MESSAGE if answer.status_code >= 400 else ""


@pytest.fixture(scope="module")
def counter() -> Iterator[Counter]:
    issuer = Issuer("127.0.0.1", 0, AUDIENCE)
    taking = Counter(issuer)
    yield taking
    taking.close()
    issuer.close()


@pytest.fixture(scope="module")
def witness() -> Witness:
    return Witness(load(), set())


Spoil = Callable[[Counter, Journey, Call], Call]


class Case(NamedTuple):
    """A call of an operation, how it is changed before it is made, and what is answered."""

    status: int
    code: str
    operation: str
    spoil: Spoil


def changed(**fields: Any) -> Spoil:
    """The call with these fields instead."""
    return lambda counter, user, call: replace(call, **fields)


def failing(
    store: str, method: str, error: type[Exception], times: int = 1
) -> Callable[[Counter, Journey, Call], Call]:
    """The call while a part of the world fails."""

    def fail(counter: Counter, user: Journey, call: Call) -> Call:
        getattr(counter.world, store).fail_next(method, error, times=times)
        return call

    return fail


def after(step: Callable[[Journey], object]) -> Spoil:
    """The call when something else has happened before."""

    def act(counter: Counter, user: Journey, call: Call) -> Call:
        step(user)
        return call

    return act


def by_a_browser(spoil: Spoil) -> Spoil:
    """The call as a browser makes it for its user to see."""
    accept = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    return lambda counter, user, call: replace(spoil(counter, user, call), headers=accept)


def unreachable(counter: Counter, user: Journey, call: Call) -> Call:
    def time_out(function: str, event: Any) -> Outcome:
        raise TimeoutError

    counter.invoke = time_out
    return call


def crashing(counter: Counter, user: Journey, call: Call) -> Call:
    counter.invoke = lambda function, event: Outcome(b'{"errorType": "Runtime.ExitError"}', failed=True)
    return call


def out_of_time(counter: Counter, user: Journey, call: Call) -> Call:
    counter.remaining_ms = 5000
    return call


def disabled(counter: Counter, user: Journey, call: Call) -> Call:
    user.key.enabled = False
    return call


def without_permissions(counter: Counter, user: Journey, call: Call) -> Call:
    user.key.permissions = ()
    return call


def die(user: Journey) -> None:
    """WhiteBIT does not accept the key of an active connection any more, and an hour later neither."""
    user.activate().key.enabled = False
    for time in (GRACE, CHECK_PERIOD, CHECK_AGAIN):
        user.wait_for(time)
        guard_key(user.world, user.connection_id)
    assert user.connection.status is Status.DEAD


def revoked_meanwhile(counter: Counter, user: Journey, call: Call) -> Call:
    counter.world.limits.meanwhile("take", user.revoke)
    return call


def refreshed_meanwhile(counter: Counter, user: Journey, call: Call) -> Call:
    """Of another user, who is on the way to a key: somebody else begins to refresh, and the old token dies of that."""
    counter.world.policy = replace(counter.world.policy, bearer_reads=True)
    waiting = Journey(counter.world, account="bob").authorize().complete()
    before, now = waiting.connection, counter.world.clock.now()
    assert before.tokens
    lease = before.lease_refresh(before.tokens, now + timedelta(minutes=9), now)
    counter.world.connections.save(before, lease)
    counter.world.whitebit.fail_next("read_by_token", ConsentLost)
    return replace(call, connection_id=waiting.connection_id)


START, PAGE = "POST /connections", "GET /connections"
LOOK, REVOKE = "GET /connections/{connection_id}", "DELETE /connections/{connection_id}"
COMPLETE = "POST /connections/{connection_id}/complete"
AUTHORIZE, CALLBACK = "GET /authorize", "GET /callback"

READ = [operation for operation in OPERATIONS if "/account/" in operation]

# What each operation asks first.
FIRST = {
    **dict.fromkeys(READ, ("connections", "get")),
    START: ("starts", "count"),
    PAGE: ("connections", "page"),
    AUTHORIZE: ("connections", "get"),
    CALLBACK: ("authorizations", "find"),
    LOOK: ("connections", "get"),
    REVOKE: ("connections", "get"),
    COMPLETE: ("connections", "get"),
}
VISITS = [AUTHORIZE, CALLBACK]
WITH_JWT = [operation for operation in FIRST if operation not in VISITS]
WITH_BODY = [START, COMPLETE]
OF_ONE = [LOOK, REVOKE, COMPLETE, *READ]

CASES = [
    Case(201, "", START, changed()),
    Case(201, "", START, changed(body=json.dumps({"return_url": RETURN_URL, "keep_token": True}).encode())),
    Case(400, "invalid_request", START, changed(body=json.dumps({"return_url": RETURN_URL, "keep_token": 1}).encode())),
    Case(400, "return_url_not_allowed", START, changed(body=b'{"return_url": "https://evil.example"}')),
    Case(429, "too_many_starts", START, after(lambda user: [user.start() for _ in range(20)])),
    Case(200, "", PAGE, changed()),
    Case(200, "", PAGE, after(lambda user: [Journey(user.world).start() for _ in range(19)])),
    Case(200, "", PAGE, after(lambda user: user.visit().consent().come_back() and user.complete())),
    Case(400, "invalid_request", PAGE, changed(query={"cursor": "x"})),
    Case(200, "", LOOK, changed()),
    Case(200, "", LOOK, after(lambda user: user.wait(minutes=6))),
    Case(200, "", LOOK, after(lambda user: user.activate())),
    Case(200, "", LOOK, after(lambda user: user.visit() and user.delete(CompletionMissing))),
    Case(200, "", LOOK, after(die)),
    Case(202, "", REVOKE, changed()),
    Case(202, "", REVOKE, after(die)),
    Case(202, "", REVOKE, after(lambda user: user.activate())),
    Case(503, "conflict", REVOKE, failing("connections", "save", Conflict, times=5)),
    Case(202, "", COMPLETE, changed()),
    Case(403, "completion_invalid", COMPLETE, changed(body=b'{"completion": "x"}')),
    Case(403, "completion_refused", COMPLETE, changed(user_id="user-2")),
    Case(409, "connection_closed", COMPLETE, after(lambda user: user.delete(CompletionMissing))),
    Case(503, "conflict", COMPLETE, failing("connections", "save", Conflict, times=5)),
    Case(302, "", AUTHORIZE, changed()),
    Case(400, "invalid_request", AUTHORIZE, changed(query={})),
    Case(400, "ticket_invalid", AUTHORIZE, changed(query={"ticket": "x"})),
    Case(303, "", CALLBACK, changed()),
    Case(400, "invalid_request", CALLBACK, changed(query={})),
    Case(400, "authorization_invalid", CALLBACK, changed(cookie="")),
    Case(503, "conflict", CALLBACK, failing("connections", "save", Conflict, times=15)),
    Case(503, "no_time_left", CALLBACK, out_of_time),
    *(Case(400, HTML, operation, by_a_browser(changed(query={"state": "x"}))) for operation in VISITS),
    Case(400, HTML, CALLBACK, by_a_browser(changed(cookie=""))),
    *(Case(500, HTML, operation, by_a_browser(failing(*FIRST[operation], RuntimeError))) for operation in VISITS),
    *(Case(503, HTML, operation, by_a_browser(failing(*FIRST[operation], StorageUnavailable))) for operation in VISITS),
    Case(302, "", AUTHORIZE, by_a_browser(changed())),
    Case(303, "", CALLBACK, by_a_browser(changed())),
    *(Case(404, "connection_not_found", each, by_a_browser(changed(connection_id="x"))) for each in OF_ONE),
    *(Case(200, "", operation, changed()) for operation in READ),
    *(Case(400, "invalid_request", operation, changed(query={"x": "1"})) for operation in READ),
    *(Case(403, "permission_missing", operation, without_permissions) for operation in READ),
    *(Case(409, "access_missing", operation, after(lambda user: user.revoke())) for operation in READ),
    *(Case(409, "key_unusable", operation, disabled) for operation in READ),
    *(
        Case(by_code(code).http_status, code, operation, failing("whitebit", "read_signed", by_code(code), times=99))
        for operation in READ
        for code in ("unexpected_answer", "whitebit_unavailable", "whitebit_busy")
    ),
    *(Case(503, "conflict", operation, revoked_meanwhile) for operation in READ),
    *(Case(503, "refresh_in_progress", operation, refreshed_meanwhile) for operation in READ),
    *(Case(401, MESSAGE, operation, changed(user_id=None)) for operation in WITH_JWT),
    *(Case(400, "invalid_request", operation, changed(user_id="u" * 256)) for operation in WITH_JWT),
    *(Case(400, "invalid_request", operation, changed(body=b"{")) for operation in WITH_BODY),
    *(Case(413, "body_too_large", operation, changed(body=b" " * 20_000)) for operation in WITH_BODY),
    *(Case(413, MESSAGE, operation, changed(body=b" " * 11_000_000)) for operation in WITH_BODY),
    *(Case(415, "not_json", operation, changed(content_type="text/plain")) for operation in WITH_BODY),
    *(Case(404, "connection_not_found", operation, changed(connection_id="x")) for operation in OF_ONE),
    *(Case(404, MESSAGE, operation, changed(connection_id="x/y")) for operation in OF_ONE),
    *(Case(431, MESSAGE, operation, changed(headers={"X": "x" * 11_000})) for operation in FIRST),
    *(Case(500, "unexpected", operation, failing(*first, RuntimeError)) for operation, first in FIRST.items()),
    *(
        Case(503, "storage_unavailable", operation, failing(*first, StorageUnavailable))
        for operation, first in FIRST.items()
    ),
    *(Case(500, MESSAGE, operation, crashing) for operation in FIRST),
    *(Case(503, MESSAGE, operation, unreachable) for operation in FIRST),
]


def test_every_answer_is_as_documented_and_every_documented_answer_is_given(counter: Counter, witness: Witness) -> None:
    for status, code, operation, spoil in CASES:
        user = counter.journey()
        call = spoil(counter, user, call_of(operation, user))
        assert witness.examine(call, counter.take(call)) == (operation, status, code)
    unseen = {kind for kind in documented() if (kind.status, kind.code) in UNSEEN}
    assert set(documented()) - witness.seen == unseen


@pytest.mark.parametrize(("status", "body"), [(200, b"{}"), (203, b'{"message": "x"}')])
def test_an_answer_that_is_not_documented_is_noticed(
    counter: Counter, witness: Witness, status: int, body: bytes
) -> None:
    call = call_of(LOOK, counter.journey())
    answer = counter.take(call)
    with pytest.raises(schemathesis.core.failures.FailureGroup):
        witness.examine(call, TestResponse([body], f"{status} Any", answer.headers, answer.request))


def test_people_in_the_simulator_get_no_problem_that_is_not_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    met: set[tuple[str, str]] = set()

    def note(route: str, *, request_id: str, status: str = "", code: str = "") -> None:
        if code:
            met.add((route, code))

    monkeypatch.setattr("fastkey.entry.http.log", note)
    for seed in range(1, 300):
        play(Simulated.of(seed))
    assert met <= {(kind.operation, kind.code) for kind in documented()}
    assert len(met) > 10
