"""Connections, completions and cursors that are somebody else's, or nobody's."""

from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.attack.conftest import NewJourney
from tests.attack.table import CANARY, Attack, Stage, call
from tests.attack.wire import Sent

NOBODYS = "00000000-0000-4000-8000-000000000000"

NOT_FOUND = (404, "connection_not_found")
NO_ROUTE = (404, "Not Found")
MALFORMED = (400, "invalid_request")
WRONG = (403, "completion_invalid")
HERE = (200, "")


def complete(connection: str, completion: str, token: str = "$my_token") -> Sent:
    body = '{"completion": "%s"}' % completion  # noqa: UP031 - braces
    return call("POST", f"/connections/{connection}/complete", body, token=token)


def overriding(method: str, connection: str) -> Sent:
    looked = call("GET", f"/connections/{connection}")
    return replace(looked, headers=(*looked.headers, ("X-HTTP-Method-Override", method)))


def own(completion: str) -> Sent:
    """The user who is to complete, with another completion than the browser brought."""
    return complete("$waiting_id", completion, token="$waiting_token")


def own_call(query: str, body: str) -> Sent:
    return call("POST", f"/connections/$waiting_id/complete{query}", body, token="$waiting_token")


OTHERS = [
    Attack("a look at another's", call("GET", "/connections/$id"), *NOT_FOUND),
    Attack("a look at nobody's", call("GET", f"/connections/{NOBODYS}"), *NOT_FOUND),
    Attack("a look at what is no id", call("GET", f"/connections/{CANARY}"), *NOT_FOUND),
    Attack("a look at an id of 65 characters", call("GET", f"/connections/{'a' * 65}"), *NOT_FOUND),
    Attack("a look at an id of 5 KB", call("GET", f"/connections/{'a' * 5000}"), *NOT_FOUND),
    Attack("NUL behind an id", call("GET", "/connections/$my_id%00"), *NOT_FOUND),
    Attack("bad UTF-8 for an id", call("GET", "/connections/%ff"), *NOT_FOUND),
    Attack("an id in capitals", call("GET", "/connections/$capital_id"), *NOT_FOUND),
    Attack("an id and a path", call("GET", "/connections/$my_id%2f..%2f$id"), *NO_ROUTE),
    Attack("an empty id", call("GET", "/connections/"), *NO_ROUTE),
    Attack("a disconnection of another's", call("DELETE", "/connections/$id"), *NOT_FOUND),
    Attack("a disconnection of another's that waits", call("DELETE", "/connections/$waiting_id"), *NOT_FOUND),
    Attack("a disconnection of nobody's", call("DELETE", f"/connections/{NOBODYS}"), *NOT_FOUND),
    Attack("a disconnection of all", call("DELETE", "/connections"), *NO_ROUTE),
    Attack("a read of another's account", call("GET", "/connections/$id/account/orders"), *NOT_FOUND),
    Attack("a read of nobody's account", call("GET", f"/connections/{NOBODYS}/account/orders"), *NOT_FOUND),
    Attack("a read of what is no resource", call("GET", "/connections/$my_id/account/withdraw"), *NO_ROUTE),
    Attack("a read of a path of WhiteBIT's", call("GET", "/connections/$my_id/account/..%2forder"), *NO_ROUTE),
    Attack("a write to an account", call("POST", "/connections/$my_id/account/orders"), *NO_ROUTE),
    Attack("a signed field as a filter", call("GET", "/connections/$my_id/account/orders?request=x"), *MALFORMED),
    Attack("a method that overrides", overriding("DELETE", "$my_id"), *HERE),
    Attack("HEAD", call("HEAD", "/connections/$my_id"), 404, ""),
]

COMPLETIONS = [
    Attack("a guess for another's", complete("$waiting_id", CANARY), *NOT_FOUND),
    Attack("a guess for nobody's", complete(NOBODYS, CANARY), *NOT_FOUND),
    Attack("a guess for one in front of the callback", complete("$id", CANARY), *NOT_FOUND),
    Attack("a guess for one that nobody visited", complete("$fresh_id", CANARY), *NOT_FOUND),
    Attack("another's completion for one's own", complete("$my_id", "$completion"), *WRONG),
    Attack("another's completion for a third", complete("$fresh_id", "$completion"), *NOT_FOUND),
    Attack("another's completion for nobody's", complete(NOBODYS, "$completion"), *NOT_FOUND),
    Attack("a ticket as another's completion", complete("$fresh_id", "$fresh_ticket"), *NOT_FOUND),
    Attack("a guess by the owner", own(CANARY), *WRONG),
    Attack("nothing", own(""), *WRONG),
    Attack("the ticket", own("$waiting_ticket"), *WRONG),
    Attack("the ticket's secret", own("$waiting_ticket_secret"), *WRONG),
    Attack("the connection's id", own("$waiting_id"), *WRONG),
    Attack("the completion and more", own("${completion}A"), *WRONG),
    Attack("the completion and a space", own("$completion "), *WRONG),
    Attack("the completion in the query", own_call("?completion=$completion", "{}"), *MALFORMED),
    Attack("the completion in an array", own_call("", '{"completion": ["$completion"]}'), *MALFORMED),
]

CURSORS = [
    Attack("a cursor that is none", call("GET", f"/connections?cursor={CANARY}"), *MALFORMED),
    Attack("a cursor without a connection", call("GET", "/connections?cursor=eA=="), *MALFORMED),
    Attack("a cursor that is no UTF-8", call("GET", "/connections?cursor=%ff"), *MALFORMED),
    Attack("a cursor of no text", call("GET", "/connections?cursor=_____w=="), *MALFORMED),
    Attack("a cursor of 5 KB", call("GET", f"/connections?cursor={'a' * 5000}"), *MALFORMED),
    Attack("two cursors", call("GET", "/connections?cursor=$cursor&cursor=$cursor"), *MALFORMED),
    Attack("a cursor before another's connections", call("GET", "/connections?cursor=$cursor"), *HERE),
]


@pytest.mark.parametrize("attack", [*OTHERS, *COMPLETIONS, *CURSORS], ids=str)
def test_what_is_anothers_is_not_there_and_stays_as_it_is(attack: Attack, stage: Stage) -> None:
    known = {"capital_id": stage.known["my_id"].upper(), "cursor": cursor(stage.known["id"])}
    answer = stage.knowing(known).carry_out(attack)
    assert stage.known["id"] not in answer.text


def cursor(connection_id: str) -> str:
    """The cursor that a page would give whose last connection is one of the year 9999."""
    return urlsafe_b64encode(f"9999-01-01T00:00:00.000000+00:00#{connection_id}".encode()).decode()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", ""),
        ("GET", "/account/orders", ""),
        ("DELETE", "", ""),
        ("POST", "/complete", f'{{"completion": "{CANARY}"}}'),
        ("POST", "/complete", '{"completion": "$completion"}'),
    ],
    ids=["a look", "a read", "a disconnection", "a guess", "another's completion"],
)
def test_no_answer_tells_another_users_connection_from_one_that_never_was(
    method: str, path: str, body: str, stage: Stage
) -> None:
    ids = (NOBODYS, "$id", "$fresh_id", CANARY)
    assert len({stage.tells(call(method, f"/connections/{each}{path}", body)) for each in ids}) == 1


def test_a_list_has_ones_own_connections_only_whatever_the_cursor(stage: Stage) -> None:
    known = {"cursor": cursor(stage.known["id"])}
    answer = stage.knowing(known).send(call("GET", "/connections?cursor=$cursor"))
    assert [each["connection_id"] for each in answer.document["connections"]] == [stage.known["my_id"]]


def test_a_completion_in_many_hands_is_the_owners_or_ends_the_connection(journey: NewJourney) -> None:
    """Ten strangers and the owner send the right completion at once: either the owner was first, and nothing else
    happens, or a stranger was, and the key is nobody's.
    """
    owner = journey().consented().create_key()
    strangers = [journey() for _ in range(10)]
    path, body = f"/connections/{owner.connection_id}/complete", {"completion": owner.completion}
    with ThreadPoolExecutor(11) as hands:
        answers = list(hands.map(lambda user: user.frontend.call("POST", path, body), [*strangers, owner]))
    *refused, owners = (answer.status_code for answer in answers)
    ended = owner.end()
    if owners == 202:
        assert set(refused) == {404}
        assert ended["status"] == "active"
    else:
        assert (owners, set(refused)) == (409, {403})
        assert (ended["status"], ended["reason"]) == ("failed", "completion_refused")
        assert owner.whitebit_keys() == []
        assert owner.stored() is None
