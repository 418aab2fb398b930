"""GET info, GET secret and DELETE under /oauth2/api-key, in every state of a key."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import pytest

from local.whitebit import Revision
from local.whitebit.options import KEY_SCOPES
from local.whitebit.permissions import CATALOGUE
from local.whitebit.users import User
from tests.sandbox.partner import ADA, Partner

EVE = "eve@example.com"
ABSENT = "550e8400-e29b-41d4-a716-446655440000"
NO_KEY: dict[str, object] = {"exists": False, "isEnabled": False, "externalId": None, "permissions": []}

Arrangement = Callable[[Partner], str]


def message(text: str) -> dict[str, object]:
    return {"data": {"message": [text]}}


def fresh(partner: Partner) -> str:
    return partner.key("wallet").external_id


def none(partner: Partner) -> str:
    return ABSENT


def disabled(partner: Partner) -> str:
    key = partner.key("wallet")
    key.disabled = True
    return key.external_id


def read(partner: Partner) -> str:
    key = partner.key("wallet")
    key.retrieved = True
    return key.external_id


def locked(partner: Partner) -> str:
    key = partner.key("wallet")
    key.locked_until = partner.sandbox.clock.now() + 60
    return key.external_id


def read_and_locked(partner: Partner) -> str:
    external_id = locked(partner)
    key = partner.sandbox.keys.get(external_id)
    assert key is not None
    key.retrieved = True
    return external_id


def by_hand(partner: Partner) -> str:
    return partner.sandbox.keys.create(ADA, None, frozenset()).external_id


def of_another_client(partner: Partner) -> str:
    return partner.sandbox.keys.create(ADA, "another-client", frozenset()).external_id


def of_another_user(partner: Partner) -> str:
    partner.sandbox.users.add(User(EVE, "pass"))
    return partner.key(email=EVE).external_id


SECRETS: list[tuple[Arrangement, int, str]] = [
    (none, 404, "Key not found."),
    (of_another_user, 404, "Key not found."),
    (of_another_client, 403, "Forbidden."),
    (by_hand, 403, "Forbidden."),
    (disabled, 403, "Forbidden."),
    (locked, 423, "Temporary lock, retry shortly."),
    (read_and_locked, 423, "Temporary lock, retry shortly."),
    (read, 409, "Secret already retrieved."),
]

DELETIONS: list[tuple[Arrangement, int, str]] = [
    (none, 404, "Key not found."),
    (of_another_user, 404, "Key not found."),
    (of_another_client, 403, "Forbidden."),
    (by_hand, 403, "Forbidden."),
    (disabled, 403, "Forbidden."),
]


def name(arrangement: object) -> str | None:
    return getattr(arrangement, "__name__", None)


@pytest.mark.parametrize(("arrange", "status", "text"), SECRETS, ids=name)
def test_a_secret_is_refused_as_the_contract_says(
    partner: Partner, arrange: Arrangement, status: int, text: str
) -> None:
    external_id = arrange(partner)
    response = partner.client.get(f"/oauth2/api-key/{external_id}/secret", headers=partner.bearer())
    assert (response.status_code, response.get_json()) == (status, message(text))
    assert "Retry-After" not in response.headers


def test_a_secret_is_given_once_and_never_kept(partner: Partner) -> None:
    key, headers = partner.key("wallet"), partner.bearer()
    path = f"/oauth2/api-key/{key.external_id}/secret"
    first, second = partner.client.get(path, headers=headers), partner.client.get(path, headers=headers)
    assert (first.status_code, first.get_json()) == (200, {"data": {"apiSecret": key.secret}})
    assert first.headers["Cache-Control"] == "no-store"
    assert second.status_code == 409


def test_a_lock_ends_by_itself_and_has_cost_nothing(partner: Partner) -> None:
    external_id = locked(partner)
    partner.sandbox.clock.advance(60)
    response = partner.client.get(f"/oauth2/api-key/{external_id}/secret", headers=partner.bearer())
    assert response.status_code == 200


@pytest.mark.parametrize(("arrange", "status", "text"), DELETIONS, ids=name)
def test_a_deletion_is_refused_as_the_contract_says(
    partner: Partner, arrange: Arrangement, status: int, text: str
) -> None:
    external_id = arrange(partner)
    response = partner.client.delete(f"/oauth2/api-key/{external_id}", headers=partner.bearer())
    assert (response.status_code, response.get_json()) == (status, message(text))
    assert (partner.sandbox.keys.get(external_id) is None) == (arrange is none)


@pytest.mark.parametrize("arrange", [fresh, read, locked], ids=name)
def test_an_active_key_can_be_deleted_and_the_user_is_told(partner: Partner, arrange: Arrangement) -> None:
    external_id, headers = arrange(partner), partner.bearer()
    response = partner.client.delete(f"/oauth2/api-key/{external_id}", headers=headers)
    assert (response.status_code, response.get_json()) == (200, {"data": []})
    assert partner.data(partner.client.get("/oauth2/api-key/info", headers=headers)) == NO_KEY
    assert partner.sandbox.users.get(ADA).mails == ["An API key of yours was deleted by a partner."]


@pytest.mark.parametrize("arrange", [none, by_hand, of_another_client, of_another_user], ids=name)
def test_info_says_that_there_is_no_key(partner: Partner, arrange: Arrangement) -> None:
    arrange(partner)
    response = partner.client.get("/oauth2/api-key/info", headers=partner.bearer())
    assert (response.status_code, partner.data(response)) == (200, NO_KEY)


@pytest.mark.parametrize(
    ("arrange", "enabled"), [(fresh, True), (read, True), (locked, True), (disabled, False)], ids=name
)
def test_info_shows_the_key_and_what_was_granted(partner: Partner, arrange: Arrangement, enabled: bool) -> None:
    external_id = arrange(partner)
    info = partner.data(partner.client.get("/oauth2/api-key/info", headers=partner.bearer()))
    assert (info["exists"], info["isEnabled"], info["externalId"]) == (True, enabled, external_id)
    granted = {url["url"] for group in info["permissions"] for url in group["urls"] if url["enable"]}
    assert granted == {"/api/v4/main-account/balance", "/api/v4/main-account/history"}
    assert [group["name"] for group in info["permissions"]] == [group.name for group in CATALOGUE]


@pytest.mark.parametrize(("revision", "groups"), [(Revision.MAY_2026, len(CATALOGUE)), (Revision.AUGUST_2026, 0)])
def test_a_key_without_permissions_is_described_as_its_revision_does(revision: Revision, groups: int) -> None:
    partner = Partner(revision)
    partner.key()
    shown = partner.data(partner.client.get("/oauth2/api-key/info", headers=partner.bearer()))["permissions"]
    assert len(shown) == groups
    assert not any(url["enable"] for group in shown for url in group["urls"])


def test_titles_are_in_the_users_language_and_names_are_not(partner: Partner) -> None:
    partner.key("wallet")
    headers = partner.bearer()

    def labels() -> tuple[list[str], list[str]]:
        groups = partner.data(partner.client.get("/oauth2/api-key/info", headers=headers))["permissions"]
        return [group["name"] for group in groups], [group["title"] for group in groups]

    english = labels()
    partner.sandbox.users.get(ADA).language = "de"
    german = labels()
    assert german[0] == english[0]
    assert german[1] != english[1]


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    scope: str


INFO = Endpoint("GET", "/oauth2/api-key/info", "apikeys.read")
SECRET = Endpoint("GET", f"/oauth2/api-key/{ABSENT}/secret", "apikeys.read")
DELETE = Endpoint("DELETE", f"/oauth2/api-key/{ABSENT}", "apikeys.delete")


@pytest.mark.parametrize("endpoint", [INFO, SECRET, DELETE])
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer unknown", "Basic dTpw"])
def test_without_a_live_token_every_key_endpoint_says_401(
    partner: Partner, endpoint: Endpoint, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = partner.client.open(endpoint.path, method=endpoint.method, headers=headers)
    assert (response.status_code, response.get_json()) == (401, message("Unauthorized."))


@pytest.mark.parametrize(
    ("revision", "endpoint", "status"),
    [
        (Revision.MAY_2026, INFO, HTTPStatus.UNAUTHORIZED),
        (Revision.MAY_2026, SECRET, HTTPStatus.FORBIDDEN),
        (Revision.MAY_2026, DELETE, HTTPStatus.FORBIDDEN),
        (Revision.AUGUST_2026, INFO, HTTPStatus.FORBIDDEN),
        (Revision.AUGUST_2026, SECRET, HTTPStatus.FORBIDDEN),
        (Revision.AUGUST_2026, DELETE, HTTPStatus.FORBIDDEN),
    ],
)
def test_a_missing_scope_is_refused_as_the_revision_does(
    revision: Revision, endpoint: Endpoint, status: HTTPStatus
) -> None:
    partner = Partner(revision, scopes=tuple(scope for scope in KEY_SCOPES if scope != endpoint.scope))
    response = partner.client.open(endpoint.path, method=endpoint.method, headers=partner.bearer())
    text = "Unauthorized." if status == HTTPStatus.UNAUTHORIZED else "Forbidden."
    assert (response.status_code, response.get_json()) == (status, message(text))
