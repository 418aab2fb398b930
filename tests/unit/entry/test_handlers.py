"""The handlers that ship, each on a world of fakes: routes to use cases, and use cases to answers."""

import importlib
import io
import json
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest

from fastkey.domain import errors
from fastkey.domain.account import READS
from fastkey.domain.event import Kind
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.entry.filters import filters_of
from fastkey.entry.http import BODY_LIMIT
from fastkey.usecases.guard_keys import Finding
from tests.fakes.world import RETURN_URL, FakeWorld
from tests.logged import entries
from tests.narrowed import NARROWED, Narrowed, numbers
from tests.unit.entry.events import LambdaContext, http_event
from tests.unit.environment import ENVIRONMENT
from tests.unit.journey import Journey, parameters

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, world: FakeWorld) -> Call:
    """Calls a function by its name, with its event, on the world of fakes."""
    for name, value in {**ENVIRONMENT, "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)

    def call(function: str, event: dict[str, Any]) -> dict[str, Any]:
        app: ModuleType = importlib.import_module(f"functions.{function}.app")
        monkeypatch.setattr(app, "world", world)
        answer: dict[str, Any] = app.handler(event, LambdaContext)
        return answer

    return call


def document(answer: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(answer["body"])
    return content


def problem_of(answer: dict[str, Any]) -> tuple[int, str]:
    """The status and the code of a problem, whose form is right."""
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    content = document(answer)
    assert set(content) == {"type", "title", "status", "instance"}
    assert content["status"] == answer["statusCode"]
    return answer["statusCode"], content["type"].removeprefix("urn:fastkey:problem:")


def step(journey: Journey, **more: object) -> dict[str, Any]:
    return {"connection_id": journey.connection_id, **more}


# ---- The API ---------------------------------------------------------------------------------------------------------


def start(call: Call, return_url: str = RETURN_URL) -> dict[str, Any]:
    return call("start_connection", http_event("POST /connections", body=json.dumps({"return_url": return_url})))


def come_back(call: Call, journey: Journey, **changes: Any) -> dict[str, Any]:
    query = f"code={journey.code.reveal()}&state={journey.state.reveal()}"
    cookies = [f"{journey.departure.cookie_name}={journey.departure.cookie.reveal()}"]
    return call(
        "callback", http_event("GET /callback", **{"query": query, "cookies": cookies, "user_id": None, **changes})
    )


def complete(call: Call, journey: Journey, completion: str | None = None, **changes: Any) -> dict[str, Any]:
    body = json.dumps({"completion": journey.completion.reveal() if completion is None else completion})
    route = "POST /connections/{connection_id}/complete"
    event = {"body": body, "connection_id": journey.connection_id, **changes}
    return call("complete_connection", http_event(route, **event))


def get(call: Call, journey: Journey, **changes: Any) -> dict[str, Any]:
    event = {"connection_id": journey.connection_id, **changes}
    return call("get_connection", http_event("GET /connections/{connection_id}", **event))


def test_a_connection_is_started(call: Call, world: FakeWorld) -> None:
    answer = start(call)
    assert answer["statusCode"] == 201
    (connection,) = world.connections.all()
    content = document(answer)
    assert content["connection_id"] == connection.connection_id
    assert content["authorize_url"].startswith(f"https://fastkey.example/authorize?ticket={connection.connection_id}.")
    assert content["expires_at"] == "2026-01-01T00:05:00+00:00"


@pytest.mark.parametrize(
    ("body", "is_kept"), [({}, False), ({"keep_token": False}, False), ({"keep_token": True}, True)]
)
def test_a_partner_says_whether_tokens_are_to_be_kept(
    call: Call, world: FakeWorld, body: dict[str, bool], is_kept: bool
) -> None:
    event = http_event("POST /connections", body=json.dumps({"return_url": RETURN_URL, **body}))
    assert call("start_connection", event)["statusCode"] == 201
    (connection,) = world.connections.all()
    assert connection.keep_token is is_kept


def test_the_browser_that_appears_is_sent_to_whitebit_with_a_cookie(call: Call, journey: Journey) -> None:
    journey.start()
    answer = call("authorize", http_event(query=f"ticket={journey.ticket.reveal()}", user_id=None))
    assert answer["statusCode"] == 302
    assert answer["headers"]["Location"].startswith("https://whitebit.example/auth/login?")
    (cookie,) = answer["cookies"]
    assert cookie.startswith("__Host-fastkey-")
    assert cookie.endswith("; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax")


def test_the_browser_that_comes_back_is_sent_on_and_its_cookie_removed(call: Call, journey: Journey) -> None:
    journey.come_to_consent()
    answer = come_back(call, journey)
    assert answer["statusCode"] == 303
    assert answer["headers"]["Location"].startswith(f"{RETURN_URL}?connection_id={journey.connection_id}&completion=")
    (cookie,) = answer["cookies"]
    assert cookie.startswith(f"{journey.departure.cookie_name}=; Max-Age=0;")
    assert come_back(call, journey) == answer
    assert journey.connection.status is Status.AUTHORIZED


def test_what_whitebit_says_besides_is_ignored(call: Call, journey: Journey) -> None:
    """RFC 6749, section 4.1.2."""
    journey.come_to_consent()
    query = f"session_state=1&code={journey.code.reveal()}&scope=&state={journey.state.reveal()}&x=1&x=2"
    answer = come_back(call, journey, query=query)
    assert (answer["statusCode"], journey.connection.status) == (303, Status.AUTHORIZED)
    assert "completion" in parameters_of(answer)


@pytest.mark.parametrize("function", ["authorize", "callback"])
def test_who_visits_is_shown_a_page(call: Call, journey: Journey, function: str) -> None:
    assert call(function, of_a_browser(user_id=None))["headers"]["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("function", ["start_connection", "get_connection", "complete_connection", "revoke_connection"])
def test_nobody_else_is(call: Call, journey: Journey, function: str) -> None:
    assert problem_of(call(function, of_a_browser(route="GET /connections", user_id=None, connection_id="1")))[0] == 400


def of_a_browser(**event: Any) -> dict[str, Any]:
    """A request that is not right, of somebody who would see a page."""
    request = http_event(**event)
    request["headers"]["accept"] = "text/html"
    return request


def test_a_browser_that_was_refused_is_sent_on(call: Call, journey: Journey) -> None:
    journey.come_to_consent()
    answer = come_back(call, journey, query=f"error=access_denied&state={journey.state.reveal()}")
    assert answer["statusCode"] == 303
    assert journey.connection.status is Status.DENIED


def test_a_connection_is_completed_and_looked_at(call: Call, journey: Journey) -> None:
    journey.authorize()
    answer = complete(call, journey)
    assert answer["statusCode"] == 202
    assert document(answer) == document(get(call, journey))
    assert (document(answer)["status"], document(answer)["step"]) == ("pending", "authorized")


def test_connections_are_listed_in_pages(call: Call, world: FakeWorld) -> None:
    for _ in range(26):
        Journey(world).start()
        world.clock.advance(timedelta(minutes=3))
    first = document(call("get_connection", http_event("GET /connections")))
    assert len(first["connections"]) == 25
    cursor = first["next_cursor"].replace("#", "%23").replace("+", "%2B")
    second = document(call("get_connection", http_event("GET /connections", query=f"cursor={cursor}")))
    assert (len(second["connections"]), second["next_cursor"]) == (1, None)


def test_a_connection_is_revoked(call: Call, journey: Journey) -> None:
    journey.activate()
    answer = call("revoke_connection", http_event(connection_id=journey.connection_id))
    assert (answer["statusCode"], document(answer)["status"]) == (202, "revoking")
    assert journey.world.workflows.revokes == [journey.connection_id]


# ---- Accounts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(journey: Journey) -> Journey:
    """A user whose key may read everything."""
    journey.authorize().complete().create_key("trade_balance", "wallet", "convert").detect()
    journey.capture()
    journey.verify()
    return journey


def read(call: Call, journey: Journey, resource: str, query: str = "", **changes: Any) -> dict[str, Any]:
    route = f"GET /connections/{{connection_id}}/account/{resource}"
    return call("read_account", http_event(route, query=query, **{"connection_id": journey.connection_id, **changes}))


@pytest.mark.parametrize("resource", READS)
def test_an_account_is_read(call: Call, reader: Journey, resource: str) -> None:
    answer = read(call, reader, resource)
    assert answer["statusCode"] == 200
    content = document(answer)
    assert (content.pop("resource"), content.pop("source")) == (resource, "key")
    assert content.keys() == {"data"}
    assert content["data"]


def test_filters_are_passed_on_as_whitebit_names_them(call: Call, reader: Journey) -> None:
    query = "transactionMethod=2&ticker=USDT&limit=3&offset=50"
    data = document(read(call, reader, "transactions", query))["data"]
    assert (data["limit"], data["offset"], data["total"], len(data["records"])) == (3, 50, 60, 3)
    assert list(document(read(call, reader, "orders", "market=ETH_BTC"))["data"]) == ["ETH_BTC"]


@pytest.mark.parametrize("case", NARROWED, ids=lambda case: f"{case.resource}-{'-'.join(case.filters)}")
def test_a_filter_leaves_what_it_names(call: Call, reader: Journey, case: Narrowed) -> None:
    answer = read(call, reader, case.resource, urlencode(case.filters))
    assert numbers(case.resource, document(answer)["data"]) == case.left


@pytest.mark.parametrize(
    ("resource", "query", "sent"),
    [
        ("orders", {"orderId": "9007199254740991"}, {"orderId": 2**53 - 1}),
        ("orders", {"startDate": "7", "endDate": "7"}, {"startDate": 7, "endDate": 7}),
        ("deals", {"startDate": "0", "clientOrderId": "0"}, {"startDate": 0, "clientOrderId": "0"}),
        ("transactions", {"memo": "12", "uniqueId": "34"}, {"memo": "12", "uniqueId": "34"}),
        ("conversions", {"from": "7", "to": "8", "quoteId": "9"}, {"from": "7", "to": "8", "quoteId": "9"}),
    ],
)
def test_a_filter_is_sent_with_the_type_that_whitebit_documents(
    resource: str, query: dict[str, str], sent: dict[str, str | int]
) -> None:
    assert filters_of(resource, query) == {**sent, "limit": 50, "offset": 0}


@pytest.mark.parametrize(
    ("resource", "query"),
    [
        ("orders", "limit=0"),
        ("orders", "limit=101"),
        ("orders", "limit=1e1"),
        ("orders", "limit=5.0"),
        ("orders", "limit=+5"),
        ("orders", "limit=%205"),
        ("orders", "limit=1_0"),
        ("orders", "limit=%D9%A5"),
        ("orders", "limit=" + "1" * 5000),
        ("orders", "limit="),
        ("orders", "limit=1&limit=1"),
        ("orders", "offset=10001"),
        ("orders", "offset=-1"),
        ("orders", "market=BTCUSDT"),
        ("orders", "market="),
        ("orders", "market=BTC_USDT%0A"),
        ("orders", "ticker=BTC"),
        ("orders", "request=/api/v4/order/new"),
        ("orders", "nonce=1"),
        ("orders", "orderId=0"),
        ("orders", "orderId=9007199254740992"),
        ("orders", "clientOrderId="),
        ("orders", "clientOrderId=" + "x" * 129),
        ("orders", "clientOrderId=a%20b"),
        ("orders", "status=filled"),
        ("orders", "status=FILLED&status=CANCELED"),
        ("orders", "startDate=2&endDate=1"),
        ("orders", "startDate=1780000000000"),
        ("orders", "startDate=2026-05-28"),
        ("orders", "endDate=-1"),
        ("deals", "orderId=1"),
        ("deals", "status=FILLED"),
        ("deals", "startDate=2&endDate=1"),
        ("transactions", "transactionMethod=3"),
        ("transactions", "market=BTC_USDT"),
        ("transactions", "address=a%20b"),
        ("transactions", "address=" + "x" * 256),
        ("transactions", "addresses=a"),
        ("transactions", "memo=%0A"),
        ("transactions", "memo=%C3%A9"),
        ("transactions", "uniqueId="),
        ("transactions", "status=3"),
        ("balances/spot", "limit=1"),
        ("balances/main", "ticker=BTC&ticker=ETH"),
        ("balances/main", "ticker=../BTC"),
        ("conversions", "ticker=BTC"),
        ("conversions", "from=2&to=1"),
        ("conversions", "from_=1"),
        ("conversions", "to=1.5"),
        ("conversions", "quoteId=%20"),
        ("conversions", "%FF=1"),
        ("conversions", "&".join(f"x{n}=1" for n in range(30))),
    ],
)
def test_a_filter_that_is_not_right_does_not_come_as_far_as_whitebit(
    call: Call, reader: Journey, resource: str, query: str
) -> None:
    assert problem_of(read(call, reader, resource, query)) == (400, "invalid_request")
    assert "read_signed" not in reader.world.whitebit.calls


def test_a_filter_that_whitebit_refuses_gets_a_problem(call: Call, reader: Journey) -> None:
    answer = read(call, reader, "balances/spot", f"ticker={CANARY}")
    assert problem_of(answer) == (400, "invalid_request")
    assert CANARY not in json.dumps(answer)


def test_an_order_that_is_not_the_users_is_a_filter_that_whitebit_refuses(call: Call, reader: Journey) -> None:
    assert problem_of(read(call, reader, "deals", "clientOrderId=nobodys")) == (400, "invalid_request")


def test_somebody_elses_account_gets_the_same_answer_as_none(call: Call, reader: Journey) -> None:
    foreign = read(call, reader, "orders", user_id="user-2")
    assert problem_of(foreign) == (404, "connection_not_found")
    assert foreign == read(call, reader, "orders", connection_id="connection-9")


def test_a_busy_whitebit_says_when_to_come_back(call: Call, reader: Journey) -> None:
    reader.world.whitebit.fail_next("read_signed", errors.WhiteBitBusy, times=99)
    answer = read(call, reader, "orders")
    assert problem_of(answer) == (503, "whitebit_busy")
    assert answer["headers"]["Retry-After"] == "10"


# ---- Bad input -------------------------------------------------------------------------------------------------------

CANARY = "canary-9f2c"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"body": json.dumps({"return_url": f"https://evil.example/{CANARY}"})}, (400, "return_url_not_allowed")),
        ({"body": f'{{"return_url": "{CANARY}", "{CANARY}": 1}}'}, (400, "invalid_request")),
        ({"body": f'{{"{CANARY}": "{RETURN_URL}"}}'}, (400, "invalid_request")),
        ({"body": json.dumps({"return_url": RETURN_URL, "keep_token": "true"})}, (400, "invalid_request")),
        ({"body": json.dumps({"return_url": RETURN_URL, "keep_token": 1})}, (400, "invalid_request")),
        ({"body": CANARY}, (400, "invalid_request")),
        ({"body": json.dumps({"return_url": CANARY * 200})}, (400, "invalid_request")),
        ({"body": CANARY * BODY_LIMIT}, (413, "body_too_large")),
        ({"body": CANARY, "content_type": f"text/{CANARY}"}, (415, "not_json")),
        ({"body": json.dumps({"return_url": RETURN_URL}), "user_id": None}, (400, "invalid_request")),
    ],
)
def test_a_start_that_is_not_right_gets_a_problem(
    call: Call, world: FakeWorld, event: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = call("start_connection", http_event("POST /connections", **event))
    assert problem_of(answer) == expected
    assert CANARY not in json.dumps(answer)
    assert world.connections.all() == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, "invalid_request")),
        (f"ticket={CANARY}", (400, "ticket_invalid")),
        (f"ticket=connection-1.{CANARY}", (400, "ticket_invalid")),
        (f"ticket={CANARY}&ticket={CANARY}", (400, "invalid_request")),
        ("ticket=%FF", (400, "invalid_request")),
    ],
)
def test_a_visit_that_is_not_right_gets_a_problem(
    call: Call, journey: Journey, query: str, expected: tuple[int, str]
) -> None:
    journey.start()
    answer = call("authorize", http_event(query=query, user_id=None))
    assert problem_of(answer) == expected
    assert CANARY not in json.dumps(answer)
    assert answer["cookies"] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cookies": None}, (400, "authorization_invalid")),
        ({"cookies": [f"__Host-fastkey-1={CANARY}"]}, (400, "authorization_invalid")),
        ({"query": f"code={CANARY}&state={CANARY}"}, (400, "authorization_invalid")),
        ({"query": f"code={CANARY}"}, (400, "invalid_request")),
        ({"query": f"code={CANARY}&code=2&state={CANARY}"}, (400, "invalid_request")),
        ({"query": f"state={CANARY}&error={CANARY}"}, (400, "authorization_invalid")),
    ],
)
def test_a_return_that_is_not_right_gets_a_problem(
    call: Call, journey: Journey, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    journey.come_to_consent()
    answer = come_back(call, journey, **changes)
    assert problem_of(answer) == expected
    assert CANARY not in json.dumps(answer)
    assert journey.connection.status is Status.CONSENTING
    assert "exchange_code" not in journey.world.whitebit.calls


def test_a_cookie_sent_twice_is_no_cookie(call: Call, journey: Journey) -> None:
    journey.come_to_consent()
    cookie = f"{journey.departure.cookie_name}={journey.departure.cookie.reveal()}"
    assert problem_of(come_back(call, journey, cookies=[cookie, cookie])) == (400, "authorization_invalid")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"completion": CANARY}, (403, "completion_invalid")),
        ({"completion": "\ud800"}, (400, "invalid_request")),
        ({"completion": CANARY, "user_id": "user-2"}, (404, "connection_not_found")),
        ({"user_id": "user-2"}, (403, "completion_refused")),
        ({"completion": CANARY * 20}, (400, "invalid_request")),
        ({"connection_id": CANARY}, (404, "connection_not_found")),
    ],
)
def test_a_completion_that_is_not_right_gets_a_problem(
    call: Call, journey: Journey, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = complete(call, journey.authorize(), **changes)
    assert problem_of(answer) == expected
    assert CANARY not in json.dumps(answer)


def test_somebody_elses_connection_gets_the_same_answer_as_none(call: Call, journey: Journey) -> None:
    journey.activate()
    foreign, unknown = get(call, journey, user_id="user-2"), get(call, journey, connection_id="connection-9")
    assert problem_of(foreign) == (404, "connection_not_found")
    assert foreign == unknown
    revoked = call("revoke_connection", http_event(connection_id=journey.connection_id, user_id="user-2"))
    assert revoked == unknown


def test_a_made_up_cursor_gets_a_problem(call: Call) -> None:
    answer = call("get_connection", http_event("GET /connections", query=f"cursor={CANARY}"))
    assert problem_of(answer) == (400, "invalid_request")


def test_trouble_with_a_store_says_so(call: Call, world: FakeWorld) -> None:
    world.connections.fail_next("add", errors.StorageUnavailable)
    assert problem_of(start(call)) == (503, "storage_unavailable")


# ---- Steps -----------------------------------------------------------------------------------------------------------


def test_the_steps_lead_to_active(call: Call, journey: Journey) -> None:
    journey.authorize().complete()
    assert call("detect_key", step(journey)) == {"found": False, "wait_seconds": 5}
    journey.create_key("trading")
    assert call("detect_key", step(journey)) == {"found": True, "wait_seconds": 0}
    assert call("refresh_token", step(journey)) == {"status": "capturing", "reason": None}
    assert call("capture_secret", step(journey)) == {"status": "verifying", "reason": None}
    assert call("verify_key", step(journey)) == {"status": "active", "reason": None}


def test_each_run_that_looks_for_the_key_says_how_often_however_it_ends(
    call: Call, journey: Journey, lines: io.StringIO
) -> None:
    journey.authorize().complete()
    call("detect_key", step(journey))
    journey.world.whitebit.fail_next("key_info", errors.WhiteBitUnavailable)
    with pytest.raises(errors.WhiteBitUnavailable):
        call("detect_key", step(journey))
    looked = [entry for entry in entries(lines.getvalue()) if entry["message"] == "looked"]
    assert [(entry["connection_id"], entry["detect_key.looks"]) for entry in looked] == [
        (journey.connection_id, 31),
        (journey.connection_id, 1),
    ]


def test_the_steps_undo(call: Call, journey: Journey) -> None:
    journey.claim()
    assert call("delete_key", step(journey, cause="SecretLocked")) == {
        "status": "needs_consent",
        "reason": "secret_locked",
    }
    assert journey.world.whitebit.keys == {}


def test_the_last_step_tells_what_has_happened(call: Call, journey: Journey) -> None:
    journey.activate()
    assert call("tell_events", step(journey)) == {"status": "active", "reason": None}
    assert [event.kind for event in journey.world.events.told] == [Kind.ACTIVATED]
    assert call("tell_events", step(journey)) == {"status": "active", "reason": None}
    assert len(journey.world.events.told) == 1


def test_a_step_leaves_the_key_to_the_user(call: Call, journey: Journey) -> None:
    journey.claim()
    undone = call("delete_key", step(journey, cause="Lambda.Unknown", leave_to_user=True))
    assert undone == {"status": "needs_user_action", "reason": "unexpected"}


@pytest.mark.parametrize("function", ["detect_key", "capture_secret", "verify_key", "delete_key", "tell_events"])
def test_a_step_fails_under_the_name_that_the_state_machine_knows(call: Call, journey: Journey, function: str) -> None:
    journey.world.connections.fail_next("get", errors.StorageUnavailable, times=3)
    with pytest.raises(errors.StorageUnavailable):
        call(function, step(journey))


@pytest.mark.parametrize(
    "function", ["detect_key", "capture_secret", "verify_key", "delete_key", "refresh_token", "tell_events"]
)
def test_a_step_that_nobody_foresaw_fails_as_unexpected(call: Call, journey: Journey, function: str) -> None:
    journey.world.connections.fail_next("get", ZeroDivisionError)
    with pytest.raises(errors.Unexpected):
        call(function, step(journey))


# ---- Schedules -------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(world: FakeWorld) -> Journey:
    """A connection in use whose tokens are to be kept alive."""
    return Journey(world, keep_token=True).activate()


FOUND = {f"guard_keys.{finding}": 0 for finding in Finding} | {"guard_keys.done": 1}


def test_keys_are_guarded_by_the_clock(call: Call, kept: Journey) -> None:
    assert call("guard_keys", {}) == FOUND
    kept.wait(days=8)
    assert call("guard_keys", {}) == {**FOUND, "guard_keys.told": 1}
    assert call("guard_keys", {}) == {**FOUND, "guard_keys.alive": 1}
    kept.world.whitebit.remove_key(kept.account)
    kept.wait(days=7)
    assert call("guard_keys", {}) == {**FOUND, "guard_keys.refused": 1}
    kept.wait(hours=1)
    assert call("guard_keys", {}) == {**FOUND, "guard_keys.dead": 1}


def test_a_key_is_moved_to_the_vault_that_was_chosen(call: Call, journey: Journey) -> None:
    journey.activate()
    before = journey.world.vault.find(journey.connection_id)
    journey.world.choose_other_vault()
    assert call("migrate_vault", {"to": "dynamodb"}) == {"moved": 1, "left": {}, "cursor": None}
    assert call("migrate_vault", {"to": "dynamodb", "cursor": "3 "}) == {"moved": 0, "left": {}, "cursor": None}
    assert journey.world.vault.find(journey.connection_id) == before


def test_a_key_is_not_moved_to_another_vault(call: Call) -> None:
    with pytest.raises(errors.InvalidRequest) as raised:
        call("migrate_vault", {"to": "dynamodb"})
    assert raised.value.__context__ is None


def test_moving_that_nobody_foresaw_fails_as_unexpected(
    call: Call, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("canary")

    monkeypatch.setattr(world.connections, "due", fail)
    with pytest.raises(errors.Unexpected) as raised:
        call("migrate_vault", {"to": "secretsmanager"})
    assert "canary" not in str(raised.value)


def test_tokens_are_kept_by_the_clock(call: Call, kept: Journey) -> None:
    nothing = {"keep_tokens.kept": 1, "keep_tokens.fit": 1, "keep_tokens.refreshed": 0, "keep_tokens.failed": 0}
    assert call("keep_tokens", {}) == nothing
    kept.wait(minutes=9)
    assert call("keep_tokens", {}) == {**nothing, "keep_tokens.refreshed": 1}


@pytest.mark.parametrize(("function", "method"), [("guard_keys", "due"), ("keep_tokens", "kept")])
def test_a_run_that_fails_says_so(call: Call, world: FakeWorld, function: str, method: str) -> None:
    """Whoever is woken by it reads the name of the error, and nothing that a store has said."""
    world.connections.fail_next(method, errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        call(function, {})
    world.connections.fail_next(method, ZeroDivisionError)
    with pytest.raises(errors.Unexpected):
        call(function, {})


# ---- Secrets ---------------------------------------------------------------------------------------------------------


def test_a_whole_way_logs_no_secret(call: Call, journey: Journey, lines: io.StringIO) -> None:
    ticket = document(start(call))["authorize_url"].partition("ticket=")[2]
    journey.connection_id = ticket.partition(".")[0]
    departed = call("authorize", http_event(query=f"ticket={ticket}", user_id=None))
    cookie = departed["cookies"][0].partition(";")[0]
    sent = parameters_of(departed)
    code = journey.world.whitebit.consent("ada", sent["code_challenge"]).reveal()
    back = call("callback", http_event(query=f"code={code}&state={sent['state']}", cookies=[cookie], user_id=None))
    completion = parameters_of(back)["completion"]
    complete(call, journey, completion)
    journey.create_key()
    for function in ("detect_key", "capture_secret", "verify_key"):
        call(function, step(journey))
    secrets = [ticket, cookie.partition("=")[2], sent["state"], code, completion, journey.key.secret, "-token-"]
    assert len(lines.getvalue().splitlines()) >= 7
    for secret in secrets:
        assert secret not in lines.getvalue()


def parameters_of(answer: dict[str, Any]) -> dict[str, str]:
    return parameters(Secret(answer["headers"]["Location"]))
