"""From the click to WhiteBIT: the return URL, the ticket, the authorization request."""

from datetime import timedelta

import pytest

from fastkey.domain.authorization import code_challenge, cookie_name
from fastkey.domain.errors import ReturnUrlNotAllowed, StorageUnavailable, TicketInvalid, TooManyStarts
from fastkey.domain.pace import STARTS_AN_HOUR
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.ports import Purpose
from fastkey.usecases.authorize import authorize
from fastkey.usecases.start_connection import start_connection
from tests.fakes.world import RETURN_URL, FakeWorld
from tests.unit.journey import Journey, parameters


def test_a_connection_starts_for_a_return_url_that_is_allowed(world: FakeWorld) -> None:
    for url in world.policy.allowed_return_urls:
        started = start_connection(world, "user-1", url)
        assert world.connections.get(started.connection.connection_id) == started.connection
        assert (started.connection.status, started.connection.return_url) == (Status.STARTED, url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        RETURN_URL + "/",
        RETURN_URL + "?",
        RETURN_URL + "#",
        RETURN_URL + " ",
        RETURN_URL.upper(),
        RETURN_URL.replace("https", "http"),
        RETURN_URL.replace("partner.example", "partner.example:443"),
        RETURN_URL.replace("partner.example", "partner.example.evil.example"),
        RETURN_URL.replace("partner.example", "partner.example@evil.example"),
        RETURN_URL.replace("partner", "pаrtner"),  # noqa: RUF001 - a Cyrillic letter
        RETURN_URL.replace("connected", "%63onnected"),
        RETURN_URL.replace("connected", "x/../connected"),
        "javascript:alert(1)",
        "//partner.example/connected",
    ],
)
def test_no_other_return_url_is_taken(world: FakeWorld, url: str) -> None:
    with pytest.raises(ReturnUrlNotAllowed):
        start_connection(world, "user-1", url)
    assert world.connections.all() == []


def test_a_user_who_starts_without_end_is_stopped_and_no_other(world: FakeWorld) -> None:
    for _ in range(STARTS_AN_HOUR):
        start_connection(world, "user-1", RETURN_URL)
    with pytest.raises(TooManyStarts):
        start_connection(world, "user-1", RETURN_URL)
    assert len(world.connections.all()) == STARTS_AN_HOUR
    start_connection(world, "user-2", RETURN_URL)


def test_a_return_url_that_is_refused_is_no_start(world: FakeWorld) -> None:
    for _ in range(STARTS_AN_HOUR + 1):
        with pytest.raises(ReturnUrlNotAllowed):
            start_connection(world, "user-1", RETURN_URL + "/")
    start_connection(world, "user-1", RETURN_URL)


def test_the_browser_is_sent_to_consent(journey: Journey) -> None:
    journey.start().visit()
    assert journey.departure.url.reveal().startswith("https://whitebit.example/auth/login?")
    sent = parameters(journey.departure.url)
    assert sent["clientId"] == "client-1"
    assert sent["redirect_uri"] == "https://fastkey.example/callback"
    assert sent["code_challenge_method"] == "S256"
    assert journey.departure.cookie_name == cookie_name(journey.state)
    assert journey.connection.status is Status.CONSENTING


def test_what_is_kept_of_the_request_is_sealed_or_a_digest(journey: Journey) -> None:
    journey.start().visit()
    kept = journey.world.authorizations.find(journey.state)
    assert kept
    verifier = journey.world.sealer.open(kept.verifier, journey.connection_id, Purpose.VERIFIER)
    assert code_challenge(verifier) == parameters(journey.departure.url)["code_challenge"]
    for secret in (journey.state, verifier, journey.departure.cookie):
        assert secret.reveal() not in f"{kept}{journey.connection}"


def test_the_connection_keeps_no_ticket(journey: Journey) -> None:
    journey.start()
    assert journey.ticket.reveal().partition(".")[2] not in f"{journey.connection}"
    assert journey.visit().connection.ticket_digest is None


def test_a_ticket_is_used_once(journey: Journey) -> None:
    journey.start().visit()
    with pytest.raises(TicketInvalid):
        journey.visit()


def test_of_two_browsers_with_one_ticket_one_gets_in(journey: Journey) -> None:
    journey.start()
    journey.world.connections.meanwhile("save", lambda: authorize(journey.world, journey.ticket))
    with pytest.raises(TicketInvalid):
        authorize(journey.world, journey.ticket)
    assert journey.connection.status is Status.CONSENTING


def test_a_ticket_lives_five_minutes(journey: Journey) -> None:
    journey.start().wait(seconds=299.999).visit()
    late = Journey(journey.world).start().wait(seconds=300)
    with pytest.raises(TicketInvalid):
        late.visit()


@pytest.mark.parametrize("ticket", ["", ".", "x", "connection-1", "connection-1.", "connection-1.x", "connection-9.x"])
def test_no_other_ticket_is_taken(journey: Journey, ticket: str) -> None:
    journey.start()
    with pytest.raises(TicketInvalid):
        authorize(journey.world, Secret(ticket))
    assert journey.connection.status is Status.STARTED


def test_a_ticket_of_another_connection_is_not_taken(journey: Journey) -> None:
    journey.start()
    other = Journey(journey.world).start()
    swapped = Secret(f"{journey.connection_id}.{other.ticket.reveal().partition('.')[2]}")
    with pytest.raises(TicketInvalid):
        authorize(journey.world, swapped)


@pytest.mark.parametrize(("fake", "method"), [("sealer", "seal"), ("authorizations", "add"), ("connections", "save")])
def test_a_ticket_is_not_used_up_by_a_failure(journey: Journey, fake: str, method: str) -> None:
    journey.start()
    getattr(journey.world, fake).fail_next(method, StorageUnavailable)
    with pytest.raises(StorageUnavailable):
        journey.visit()
    assert journey.visit().connection.status is Status.CONSENTING


def test_a_consent_has_ten_minutes_from_the_visit(journey: Journey) -> None:
    journey.start().wait(minutes=4).visit()
    assert journey.connection.expires_at == journey.world.clock.now() + timedelta(minutes=10)
