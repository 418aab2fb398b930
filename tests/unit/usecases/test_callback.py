"""The browser comes back: who is let in, and what becomes of the code."""

import hmac
from urllib.parse import urlsplit

import pytest

from fastkey.domain import errors
from fastkey.domain.authorization import AuthorizationResponse
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.ports import Purpose
from fastkey.usecases.callback import callback
from tests.fakes.interruptions import Interruptible
from tests.fakes.world import RETURN_URL
from tests.unit.journey import Journey, parameters

DECLINED = Secret("access_denied")


@pytest.fixture
def returning(journey: Journey) -> Journey:
    """Consent was given; the browser is on its way back."""
    return journey.come_to_consent()


def returned(journey: Journey, response: AuthorizationResponse) -> Secret:
    return callback(journey.world, response, journey.departure.cookie, journey.deadline)


def decline(journey: Journey, error: Secret = DECLINED) -> Secret:
    return returned(journey, AuthorizationResponse(journey.state, error=error))


def test_the_code_becomes_tokens_and_the_browser_goes_on_to_the_partner(returning: Journey) -> None:
    url = returning.come_back()
    assert url.reveal().partition("?")[0] == RETURN_URL
    assert parameters(url) == {
        "connection_id": returning.connection_id,
        "completion": returning.completion.reveal(),
    }
    connection = returning.connection
    assert connection.status is Status.AUTHORIZED
    assert returning.completion.matches(connection.completion_digest)
    assert connection.busy_until is None
    assert returning.world.workflows.provisions == [returning.connection_id]


def test_tokens_are_kept_sealed_with_the_lives_that_whitebit_gave(returning: Journey) -> None:
    now = returning.world.clock.now()
    returning.come_back()
    tokens = returning.connection.tokens
    assert tokens
    assert tokens.refresh
    assert tokens.refresh_expires_at
    assert (tokens.access_expires_at - now).total_seconds() == 300
    assert (tokens.refresh_expires_at - now).total_seconds() == 600
    opened = returning.world.sealer.open(tokens.access, returning.connection_id, Purpose.TOKEN)
    assert opened.reveal().startswith("access-token-")


def test_a_four_hour_token_without_a_refresh_token_is_kept_as_that(journey_05: Journey) -> None:
    now = journey_05.world.clock.now()
    tokens = journey_05.authorize().connection.tokens
    assert tokens
    assert (tokens.access_expires_at - now).total_seconds() == 4 * 3600
    assert (tokens.refresh, tokens.refresh_expires_at) == (None, None)


def test_a_return_url_keeps_its_own_query(journey: Journey) -> None:
    url = journey.start_for(f"{RETURN_URL}?theme=dark").visit().consent().come_back()
    assert parameters(url)["theme"] == "dark"
    assert url.reveal().count("?") == 1


# ---- Who is let in ---------------------------------------------------------------------------------------------------


def refused(journey: Journey, state: Secret, cookie: Secret) -> None:
    """The browser is not let in, and nothing has happened."""
    before = journey.connection
    for code, error in ((journey.code, None), (None, DECLINED)):
        with pytest.raises(errors.AuthorizationInvalid):
            callback(journey.world, AuthorizationResponse(state, code, error), cookie, journey.deadline)
    assert journey.connection == before
    assert "exchange_code" not in journey.world.whitebit.calls
    assert journey.world.workflows.calls == []


def test_an_unknown_state_is_refused(returning: Journey) -> None:
    refused(returning, Secret("unknown"), returning.departure.cookie)


def test_a_browser_without_its_cookie_is_refused(returning: Journey) -> None:
    refused(returning, returning.state, Secret(""))


def test_a_browser_with_anothers_cookie_is_refused(returning: Journey) -> None:
    other = Journey(returning.world, "user-2").start().visit()
    refused(returning, returning.state, other.departure.cookie)


def test_a_browser_with_anothers_state_is_refused(returning: Journey) -> None:
    other = Journey(returning.world, "user-2").start().visit()
    refused(returning, other.state, returning.departure.cookie)


def test_a_state_lives_ten_minutes(returning: Journey) -> None:
    refused(returning.wait(minutes=10), returning.state, returning.departure.cookie)


def test_a_refusal_takes_the_same_steps_whatever_its_cause(returning: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the time which it takes does not tell whether a state exists, is expired, or is another's."""
    other = Journey(returning.world, "user-2").come_to_consent()
    steps: list[object] = []
    compare_digest = hmac.compare_digest

    def compare(a: str, b: str) -> bool:
        steps.append((len(a), len(b)))
        return compare_digest(a, b)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for fake in vars(returning.world).values():
        if isinstance(fake, Interruptible):
            monkeypatch.setattr(fake, "calls", steps)

    def refuse(state: Secret, cookie: Secret) -> list[object]:
        steps.clear()
        with pytest.raises(errors.AuthorizationInvalid):
            callback(returning.world, AuthorizationResponse(state, returning.code), cookie, returning.deadline)
        return list(steps)

    mine = returning.departure.cookie
    taken = [
        refuse(Secret("unknown"), mine),
        refuse(Secret("unknown"), Secret("")),
        refuse(other.state, mine),
        refuse(returning.state, other.departure.cookie),
        refuse(returning.state, Secret("")),
    ]
    returning.wait(minutes=10)
    taken.append(refuse(returning.state, mine))
    assert taken == [["find", (64, 64)]] * 6


def test_a_state_lives_until_then(returning: Journey) -> None:
    returning.wait(minutes=9, seconds=59).consent().come_back()
    assert returning.connection.status is Status.AUTHORIZED


@pytest.mark.parametrize("issuer", ["https://evil.example", "", "https://whitebit.example/", "whitebit.example"])
def test_a_return_in_the_name_of_another_issuer_is_refused(returning: Journey, issuer: str) -> None:
    before = returning.connection
    with pytest.raises(errors.AuthorizationInvalid):
        returned(returning, AuthorizationResponse(returning.state, returning.code, issuer=Secret(issuer)))
    assert returning.connection == before
    assert "exchange_code" not in returning.world.whitebit.calls


def test_a_return_in_whitebits_own_name_is_taken(returning: Journey) -> None:
    issuer = Secret(returning.world.policy.whitebit_base_url)
    returned(returning, AuthorizationResponse(returning.state, returning.code, issuer=issuer))
    assert returning.connection.status is Status.AUTHORIZED


def test_two_tabs_do_not_take_each_others_return(returning: Journey) -> None:
    other = Journey(returning.world, returning.user_id).come_to_consent()
    other.come_back()
    returning.come_back()
    assert [journey.connection.status for journey in (returning, other)] == [Status.AUTHORIZED] * 2


# ---- Twice -----------------------------------------------------------------------------------------------------------


def test_the_same_browser_twice_is_sent_to_the_same_page_and_the_code_once(returning: Journey) -> None:
    assert returning.come_back() == returning.come_back()
    assert returning.world.whitebit.calls.count("exchange_code") == 1
    assert returning.world.workflows.provisions == [returning.connection_id]


def test_the_same_browser_twice_at_once_sends_the_code_once(returning: Journey) -> None:
    returning.world.connections.meanwhile("save", returning.come_back)
    returning.come_back()
    assert returning.world.whitebit.calls.count("exchange_code") == 1
    assert returning.connection.status is Status.AUTHORIZED


def test_a_code_that_a_browser_died_with_is_sent_by_nobody(returning: Journey) -> None:
    returning.world.connections.fail_next("save", KeyboardInterrupt, after_effect=True)
    with pytest.raises(KeyboardInterrupt):
        returning.come_back()
    returning.come_back()
    assert "exchange_code" not in returning.world.whitebit.calls


def test_a_refusal_after_the_code_changes_nothing(returning: Journey) -> None:
    url = returning.come_back()
    assert decline(returning) == url
    assert returning.connection.status is Status.AUTHORIZED


def test_a_code_after_a_refusal_is_not_sent(returning: Journey) -> None:
    url = decline(returning)
    assert returned(returning, AuthorizationResponse(returning.state, returning.code)) == url
    assert "exchange_code" not in returning.world.whitebit.calls


def test_a_code_is_not_spent_without_the_time_to_keep_what_it_gives(returning: Journey) -> None:
    returning.world.workflows.meanwhile("start_provision", lambda: returning.wait(seconds=221))
    with pytest.raises(errors.NoTimeLeft):
        returning.come_back()
    assert "exchange_code" not in returning.world.whitebit.calls
    returning.consent().come_back()
    assert returning.connection.status is Status.AUTHORIZED


# ---- What goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        ("access_denied", Status.DENIED, "consent_denied"),
        ("server_error", Status.FAILED, "consent_failed"),
        ("<script>", Status.FAILED, "consent_failed"),
    ],
)
def test_without_a_code_the_connection_ends(journey: Journey, error: str, status: Status, reason: str) -> None:
    journey.start().visit()
    url = decline(journey, Secret(error))
    assert (journey.connection.status, journey.connection.reason) == (status, reason)
    assert parameters(url) == {"connection_id": journey.connection_id}
    assert journey.world.workflows.calls == []


def test_a_denial_that_could_not_be_written_is_written_the_next_time(journey: Journey) -> None:
    journey.start().visit()
    journey.world.connections.fail_next("save", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        decline(journey, Secret("access_denied"))
    decline(journey, Secret("access_denied"))
    assert journey.connection.status is Status.DENIED


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.ExchangeRefused, "exchange_refused"),
        (errors.WhiteBitUnavailable, "exchange_lost"),
        (errors.UnexpectedAnswer, "exchange_lost"),
    ],
)
def test_a_failed_exchange_closes_the_connection_and_wakes_the_workflow(
    returning: Journey, error: type[Exception], reason: str
) -> None:
    world = returning.world
    world.whitebit.meanwhile("exchange_code", lambda: returning.await_completion("task-token"))
    world.whitebit.fail_next("exchange_code", error, after_effect=True)
    url = returning.come_back()
    connection = returning.connection
    assert (connection.status, connection.reason, connection.busy_until) == (Status.CLOSING, reason, None)
    assert world.workflows.resumed == ["task-token"]
    assert returning.come_back() == url
    assert world.whitebit.calls.count("exchange_code") == 1
    with pytest.raises(errors.FastkeyError) as caught:
        returning.detect()
    assert caught.value.code == reason


@pytest.mark.parametrize(
    ("fake", "method"),
    [
        pytest.param("workflows", "start_provision", id="no workflow could be started"),
        pytest.param("sealer", "open", id="the verifier cannot be opened"),
        pytest.param("sealer", "seal", id="the tokens could not be sealed"),
        pytest.param("whitebit", "prepare", id="the client secret is out of reach"),
    ],
)
def test_a_code_is_not_sent_where_its_tokens_would_be_lost(returning: Journey, fake: str, method: str) -> None:
    getattr(returning.world, fake).fail_next(method, errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        returning.come_back()
    assert "exchange_code" not in returning.world.whitebit.calls
    returning.come_back()
    assert returning.connection.status is Status.AUTHORIZED


def test_a_verifier_is_not_opened_for_another_connection(returning: Journey) -> None:
    kept = returning.world.authorizations.find(returning.state)
    assert kept
    with pytest.raises(errors.StorageUnavailable):
        returning.world.sealer.open(kept.verifier, "connection-9", Purpose.VERIFIER)


def die_after_the_exchange(journey: Journey) -> None:
    """The function is gone before it has stored the tokens; the browser tries again."""
    journey.world.whitebit.fail_next("exchange_code", KeyboardInterrupt, after_effect=True)
    with pytest.raises(KeyboardInterrupt):
        journey.come_back()
    journey.come_back()
    assert journey.world.whitebit.calls.count("exchange_code") == 1
    assert journey.connection.status is Status.EXCHANGING


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(("fake", "method"), [("sealer", "seal"), ("connections", "get"), ("connections", "save")])
def test_tokens_that_came_are_kept_though_storing_them_fails_once_or_twice(
    returning: Journey, fake: str, method: str, after_effect: bool, times: int
) -> None:
    def fail() -> None:
        getattr(returning.world, fake).fail_next(
            method, errors.StorageUnavailable, after_effect=after_effect, times=times
        )

    returning.world.whitebit.meanwhile("exchange_code", fail, after_effect=True)
    returning.come_back()
    assert returning.connection.status is Status.AUTHORIZED
    assert returning.connection.tokens


def test_tokens_that_could_not_be_kept_are_lost_and_the_user_is_told(returning: Journey) -> None:
    world = returning.world
    world.whitebit.meanwhile(
        "exchange_code", lambda: world.sealer.fail_next("seal", errors.StorageUnavailable, times=3)
    )
    with pytest.raises(errors.StorageUnavailable):
        returning.come_back()
    returning.wait(seconds=60)
    assert returning.delete(errors.ExchangeLost).status is Status.NEEDS_USER_ACTION


def test_an_exchange_under_way_is_waited_for(returning: Journey) -> None:
    die_after_the_exchange(returning)
    returning.complete().wait(seconds=59)
    assert not returning.detect().found
    with pytest.raises(errors.StepInProgress):
        returning.delete(errors.CompletionMissing)


@pytest.mark.parametrize("cause", [errors.ExchangeLost, errors.CompletionMissing])
def test_an_exchange_of_which_nothing_was_heard_ends_as_the_users_to_look_after(
    returning: Journey, cause: type[errors.FastkeyError]
) -> None:
    die_after_the_exchange(returning)
    returning.complete().wait(seconds=60)
    with pytest.raises(errors.ExchangeLost):
        returning.detect()
    ended = returning.delete(cause)
    assert (ended.status, ended.reason) == (Status.NEEDS_USER_ACTION, cause.code)


def test_tokens_that_come_after_a_revocation_are_kept_for_undoing(returning: Journey) -> None:
    world = returning.world
    world.whitebit.meanwhile("exchange_code", lambda: returning.revoke())
    returning.come_back()
    assert returning.connection.status is Status.REVOKING
    assert returning.connection.tokens


def test_a_code_of_a_revoked_connection_is_not_sent(returning: Journey) -> None:
    returning.revoke()
    url = returning.come_back()
    assert urlsplit(url.reveal()).netloc == "partner.example"
    assert "exchange_code" not in returning.world.whitebit.calls
    assert returning.connection.status is Status.REVOKED
