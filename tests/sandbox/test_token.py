"""POST /oauth2/token and /oauth2/refresh_token."""

from collections.abc import Callable

import pytest

from local.whitebit import Revision
from tests.sandbox.partner import CHALLENGE, Partner

Answer = tuple[int, dict[str, object]]

INVALID_REQUEST: Answer = (401, {"data": {"message": ["Invalid request"]}})
INVALID_TOKEN: Answer = (400, {"data": {"token": ["Invalid token."]}})


def missing(*fields: str) -> Answer:
    return 422, {"errors": {field: ["validation.required"] for field in fields}, "notification": None}


REFUSED_EXCHANGES: list[tuple[str, dict[str, str], Answer]] = [
    ("no client_id", {"client_id": ""}, missing("client_id")),
    ("no client_secret", {"client_secret": ""}, missing("client_secret")),
    ("no verifier", {"code_verifier": ""}, missing("code_verifier")),
    ("wrong client", {"client_id": "another"}, INVALID_REQUEST),
    ("wrong secret", {"client_secret": "another"}, INVALID_REQUEST),
    ("unknown code", {"code": "unknown"}, INVALID_REQUEST),
    ("wrong verifier", {"code_verifier": "x" * 43}, INVALID_REQUEST),
    ("the challenge instead of the verifier", {"code_verifier": CHALLENGE}, INVALID_REQUEST),
    ("verifier too short", {"code_verifier": "x" * 42}, INVALID_REQUEST),
    ("verifier too long", {"code_verifier": "x" * 129}, INVALID_REQUEST),
    ("verifier with a forbidden character", {"code_verifier": "x" * 43 + "+"}, INVALID_REQUEST),
]


@pytest.mark.parametrize(
    ("changes", "expected"), [row[1:] for row in REFUSED_EXCHANGES], ids=[row[0] for row in REFUSED_EXCHANGES]
)
def test_a_wrong_exchange_is_refused(partner: Partner, changes: dict[str, str], expected: Answer) -> None:
    response = partner.client.post("/oauth2/token", data=partner.token_form(**changes))
    assert (response.status_code, response.get_json()) == expected


def test_everything_missing_is_told_at_once(partner: Partner) -> None:
    response = partner.client.post("/oauth2/token")
    assert response.get_json() == missing("client_id", "client_secret", "code", "code_verifier")[1]


@pytest.mark.parametrize(
    ("revision", "expires_in", "refreshable"), [(Revision.MAY_2026, 14_400, False), (Revision.AUGUST_2026, 300, True)]
)
def test_an_exchange_answers_as_its_revision_does(revision: Revision, expires_in: int, refreshable: bool) -> None:
    answer = Partner(revision, scopes=("apikeys.read", "apikeys.delete")).tokens()
    assert answer["expires_in"] == expires_in
    assert answer["scope"] == "apikeys.read,apikeys.delete"
    assert answer["token_type"] == "Bearer"
    assert ("refresh_token" in answer) == refreshable


def test_a_code_works_once(partner: Partner) -> None:
    form = partner.token_form()
    assert partner.client.post("/oauth2/token", data=form).status_code == 200
    again = partner.client.post("/oauth2/token", data=form)
    assert (again.status_code, again.get_json()) == INVALID_REQUEST


def test_a_failed_attempt_by_the_client_uses_the_code_up(partner: Partner) -> None:
    code = partner.code()
    partner.client.post("/oauth2/token", data=partner.token_form(code=code, code_verifier="x" * 43))
    assert partner.client.post("/oauth2/token", data=partner.token_form(code=code)).status_code == 401


def test_an_attempt_with_a_wrong_client_secret_does_not(partner: Partner) -> None:
    code = partner.code()
    partner.client.post("/oauth2/token", data=partner.token_form(code=code, client_secret="another"))
    assert partner.client.post("/oauth2/token", data=partner.token_form(code=code)).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(58, 200), (60, 401)])
def test_a_code_lives_a_minute(partner: Partner, seconds: int, status: int) -> None:
    form = partner.token_form()
    partner.sandbox.clock.advance(seconds)
    assert partner.client.post("/oauth2/token", data=form).status_code == status


@pytest.mark.parametrize(
    ("revision", "seconds", "status"),
    [
        (Revision.MAY_2026, 14_390, 200),
        (Revision.MAY_2026, 14_400, 401),
        (Revision.AUGUST_2026, 290, 200),
        (Revision.AUGUST_2026, 300, 401),
    ],
)
def test_an_access_token_expires(revision: Revision, seconds: int, status: int) -> None:
    partner = Partner(revision)
    headers = partner.bearer()
    partner.sandbox.clock.advance(seconds)
    assert partner.client.get("/oauth2/api-key/info", headers=headers).status_code == status


def test_a_refresh_gives_a_new_pair_and_the_old_one_is_dead(partner_08: Partner) -> None:
    old = partner_08.tokens()
    new = partner_08.data(partner_08.refresh(old["refresh_token"]))
    partner_08.sandbox.clock.advance(1)

    def status_of_info(pair: dict[str, str]) -> int:
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        return partner_08.client.get("/oauth2/api-key/info", headers=headers).status_code

    assert (status_of_info(old), status_of_info(new)) == (401, 200)
    again = partner_08.refresh(old["refresh_token"])
    assert (again.status_code, again.get_json()) == INVALID_TOKEN
    partner_08.sandbox.clock.advance(1)
    assert partner_08.refresh(new["refresh_token"]).status_code == 200


def test_only_one_refresh_a_second_is_taken_and_a_refused_one_costs_nothing(partner_08: Partner) -> None:
    first = partner_08.data(partner_08.refresh(partner_08.tokens()["refresh_token"]))
    refused = partner_08.refresh(first["refresh_token"])
    assert (refused.status_code, refused.get_json()) == (429, {"data": {"message": ["Too many requests."]}})
    partner_08.sandbox.clock.advance(1)
    assert partner_08.refresh(first["refresh_token"]).status_code == 200


REFRESHES: list[tuple[str, Callable[[Partner], str], float, int]] = [
    ("in time", lambda partner: str(partner.tokens()["refresh_token"]), 598, 200),
    ("too late", lambda partner: str(partner.tokens()["refresh_token"]), 600, 400),
    ("unknown", lambda partner: "unknown", 0, 400),
    ("an access token", lambda partner: str(partner.tokens()["access_token"]), 0, 400),
    ("nothing", lambda partner: "", 0, 422),
]


@pytest.mark.parametrize(
    ("token", "after", "status"), [row[1:] for row in REFRESHES], ids=[row[0] for row in REFRESHES]
)
def test_a_refresh_token_is_good_for_ten_minutes(
    partner_08: Partner, token: Callable[[Partner], str], after: float, status: int
) -> None:
    value = token(partner_08)
    partner_08.sandbox.clock.advance(after)
    assert partner_08.refresh(value).status_code == status


def test_revision_05_has_nothing_to_refresh(partner_05: Partner) -> None:
    response = partner_05.refresh(partner_05.tokens()["access_token"])
    assert (response.status_code, response.get_json()) == INVALID_TOKEN


@pytest.mark.parametrize(("allowed", "status"), [(("10.0.0.0/8",), 401), (("10.0.0.0/8", "127.0.0.1"), 200)])
def test_the_token_endpoint_keeps_the_clients_ip_list(partner: Partner, allowed: tuple[str, ...], status: int) -> None:
    restricted = Partner(partner.options.revision, allowed_ips=allowed)
    assert restricted.client.post("/oauth2/token", data=restricted.token_form()).status_code == status
