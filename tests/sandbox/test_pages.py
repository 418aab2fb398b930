"""The pages, step by step: who gets to consent, and what consent does in each revision."""

from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from local.whitebit import Revision
from local.whitebit.options import KEY_SCOPES
from local.whitebit.users import User
from tests.sandbox.partner import ADA, CALLBACK, Partner


def page(response: TestResponse) -> str:
    """The name of the page that was answered."""
    main = BeautifulSoup(response.text, "html.parser").main
    return str(main["data-page"]) if main else ""


def step(partner: Partner, to: str, **form: str | list[str]) -> TestResponse:
    """Submit the form of a step of the authorization."""
    return partner.client.post(partner.authorize_path().replace("/auth/login", f"/auth/{to}"), data=form)


def callback(response: TestResponse) -> dict[str, list[str]]:
    """The query with which the browser is sent to the callback."""
    assert response.status_code == 302
    assert response.location.startswith(CALLBACK + "?")
    return parse_qs(urlsplit(response.location).query)


@pytest.mark.parametrize(
    "changes",
    [
        {"clientId": ""},
        {"clientId": "another"},
        {"redirect_uri": ""},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?a=b"},
        {"redirect_uri": "https://evil.test/"},
        {"state": ""},
        {"code_challenge": ""},
        {"code_challenge": "too-short"},
        {"code_challenge_method": ""},
        {"code_challenge_method": "plain"},
    ],
)
@pytest.mark.parametrize("logged_in", [False, True])
def test_a_wrong_authorization_request_gets_a_page_and_no_redirect(
    partner: Partner, changes: dict[str, str], logged_in: bool
) -> None:
    if logged_in:
        partner.log_in()
    response = partner.client.get(partner.authorize_path(**changes))
    assert (response.status_code, page(response)) == (400, "error")
    assert "Location" not in response.headers


def test_a_parameter_given_twice_is_refused(partner: Partner) -> None:
    response = partner.client.get(partner.authorize_path() + "&state=another")
    assert (response.status_code, page(response)) == (400, "error")


def test_nobody_consents_without_logging_in(partner: Partner) -> None:
    assert page(partner.client.get(partner.authorize_path())) == "login"
    for to in ("consent", "permissions", "confirm"):
        assert page(step(partner, to, decision="allow", second_factor="123456")) == "login"
    assert partner.sandbox.mint.issued() == {}


def test_logging_in_leads_to_consent(partner: Partner) -> None:
    response = step(partner, "login", email=ADA, password="sandbox")
    assert response.status_code == 303
    assert page(partner.client.get(response.location)) == "consent"


@pytest.mark.parametrize("form", [{"email": ADA, "password": "wrong"}, {"email": "nobody@example.com"}, {}])
def test_a_wrong_password_is_refused(partner: Partner, form: dict[str, str]) -> None:
    response = step(partner, "login", **form)
    assert (response.status_code, page(response)) == (403, "login")
    assert page(partner.client.get(partner.authorize_path())) == "login"


def test_the_session_cookie_is_the_browsers_own(partner: Partner) -> None:
    cookie = step(partner, "login", email=ADA, password="sandbox").headers["Set-Cookie"]
    assert cookie.startswith("whitebit_sandbox_80=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


INELIGIBLE: list[dict[str, object]] = [{"two_factor": False}, {"kyc": False}, {"region": "US"}]


@pytest.mark.parametrize("flags", INELIGIBLE)
@pytest.mark.parametrize(("revision", "status"), [(Revision.MAY_2026, 200), (Revision.AUGUST_2026, 403)])
def test_only_revision_08_has_a_gate(revision: Revision, status: int, flags: dict[str, object]) -> None:
    partner = Partner(revision)
    partner.client.patch(f"/_control/users/{ADA}", json=flags)
    partner.log_in()
    response = partner.client.get(partner.authorize_path())
    assert (response.status_code, page(response)) == (status, "consent" if status == 200 else "refused")


@pytest.mark.parametrize("flags", [*INELIGIBLE, {}])
def test_the_gate_lets_nobody_slip_through_to_a_later_step(partner_08: Partner, flags: dict[str, object]) -> None:
    partner_08.client.patch(f"/_control/users/{ADA}", json=flags)
    if not flags:
        partner_08.key()
    partner_08.log_in()
    assert page(step(partner_08, "consent", decision="allow")) == "refused"
    assert "code" not in partner_08.sandbox.mint.issued()


@pytest.mark.parametrize("flags", INELIGIBLE)
def test_the_gate_can_be_turned_off_for_a_user(partner_08: Partner, flags: dict[str, object]) -> None:
    partner_08.client.patch(f"/_control/users/{ADA}", json=flags | {"gate": False})
    partner_08.key()
    partner_08.log_in()
    assert page(partner_08.client.get(partner_08.authorize_path())) == "consent"


@pytest.mark.parametrize("disabled", [False, True])
def test_the_gate_refuses_a_user_who_has_a_key_in_any_state(partner_08: Partner, disabled: bool) -> None:
    partner_08.key().disabled = disabled
    partner_08.log_in()
    assert page(partner_08.client.get(partner_08.authorize_path())) == "refused"


def test_denying_is_told_to_the_callback(partner: Partner) -> None:
    partner.log_in()
    assert callback(step(partner, "consent", decision="deny")) == {"error": ["access_denied"], "state": ["the state"]}
    assert "code" not in partner.sandbox.mint.issued()


def test_revision_05_makes_the_key_before_the_callback(partner_05: Partner) -> None:
    partner_05.log_in()
    assert page(step(partner_05, "consent", decision="allow")) == "permissions"
    assert page(step(partner_05, "permissions", permission=["/api/v4/convert/history"])) == "second_factor"
    assert partner_05.sandbox.keys.of(ADA) == []
    query = callback(step(partner_05, "confirm", permission=["/api/v4/convert/history"], second_factor="123456"))
    assert query.keys() == {"code", "state"}
    [key] = partner_05.sandbox.keys.of(ADA)
    assert key.granted == {"/api/v4/convert/history"}


def test_a_wrong_second_factor_makes_no_key(partner: Partner) -> None:
    partner.log_in()
    partner.tokens()
    at = partner.authorize_path().replace("/auth/login", "/auth/confirm")
    path = at if partner.options.revision is Revision.MAY_2026 else "/keys"
    response = partner.client.post(path, data={"permission": "/api/v4/convert/history", "second_factor": "000000"})
    assert (response.status_code, page(response)) == (403, "second_factor")
    assert "/api/v4/convert/history" in response.text
    assert partner.sandbox.keys.of(ADA) == []


def test_a_permission_that_does_not_exist_is_refused(partner_05: Partner) -> None:
    partner_05.log_in()
    assert step(partner_05, "permissions", permission="/api/v4/everything").status_code == 400


def test_a_second_consent_in_revision_05_finds_the_same_key(partner_05: Partner) -> None:
    key = partner_05.key("wallet")
    partner_05.log_in()
    code = callback(step(partner_05, "consent", decision="allow"))["code"][0]
    tokens = partner_05.data(partner_05.client.post("/oauth2/token", data=partner_05.token_form(code=code)))
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    info = partner_05.data(partner_05.client.get("/oauth2/api-key/info", headers=headers))
    assert info["externalId"] == key.external_id


def test_revision_08_makes_the_key_after_the_exchange_and_not_before(partner_08: Partner) -> None:
    partner_08.log_in()
    allowed = step(partner_08, "consent", decision="allow")
    assert page(allowed) == "allowed"
    assert page(partner_08.client.get("/keys/new")) == "waiting"
    assert page(partner_08.client.post("/keys", data={"second_factor": "123456"})) == "waiting"
    link = BeautifulSoup(allowed.text, "html.parser").find("a", id="continue")
    assert link is not None
    code = parse_qs(urlsplit(str(link["href"])).query)["code"][0]
    partner_08.client.post("/oauth2/token", data=partner_08.token_form(code=code))
    assert page(partner_08.client.get("/keys/new")) == "permissions"
    created = partner_08.client.post("/keys", data={"second_factor": "123456"})
    assert (created.status_code, created.location) == (303, "/dashboard")
    assert len(partner_08.sandbox.keys.of(ADA)) == 1
    assert partner_08.client.get("/keys/new").location == "/dashboard"


def test_a_new_consent_waits_for_its_own_exchange(partner_08: Partner) -> None:
    partner_08.tokens()
    partner_08.log_in()
    assert page(partner_08.client.get("/keys/new")) == "permissions"
    step(partner_08, "consent", decision="allow")
    assert page(partner_08.client.get("/keys/new")) == "waiting"


def test_where_a_script_opened_the_key_page_the_browser_goes_straight_back(partner_08: Partner) -> None:
    partner_08.log_in()
    assert callback(step(partner_08, "consent", decision="allow", key_page="opened")).keys() == {"code", "state"}


def test_a_partner_that_may_not_issue_keys_gets_none(partner: Partner) -> None:
    without = Partner(partner.options.revision, scopes=tuple(s for s in KEY_SCOPES if s != "apikeys.create"))
    without.log_in()
    step(without, "consent", decision="allow")
    without.tokens()
    assert page(without.client.get("/keys/new")) == "refused"
    assert without.sandbox.keys.of(ADA) == []


def test_a_user_with_fifty_keys_is_told_so(partner: Partner) -> None:
    for _ in range(50):
        partner.sandbox.keys.create(ADA, None, frozenset())
    partner.tokens()
    partner.log_in()
    path = "/keys" if partner.options.revision is Revision.AUGUST_2026 else ""
    done = (
        partner.client.post(path, data={"second_factor": "123456"})
        if path
        else step(partner, "confirm", second_factor="123456")
    )
    assert (done.status_code, page(done)) == (403, "refused")


def test_the_dashboard_shows_what_the_user_has(partner: Partner) -> None:
    key = partner.key("wallet")
    partner.client.delete(f"/oauth2/api-key/{key.external_id}", headers=partner.bearer())
    kept = partner.key("wallet")
    partner.log_in()
    text = partner.client.get("/dashboard").text
    assert kept.external_id in text
    assert "An API key of yours was deleted by a partner." in text
    assert "Withdraw the authorization" in text
    assert kept.secret not in text


def test_logging_out_ends_the_session(partner: Partner) -> None:
    partner.log_in()
    partner.client.post("/logout")
    assert partner.client.get("/dashboard").location == "/login"


def test_the_key_page_asks_for_a_login_and_comes_back(partner_08: Partner) -> None:
    to_login = partner_08.client.get("/keys/new")
    form = {"email": ADA, "password": "sandbox"}
    assert partner_08.client.post(to_login.location, data=form).location == "/keys/new"
    assert partner_08.client.post("/login?goal=https://evil.test", data=form).location == "/dashboard"


def test_nothing_of_the_input_comes_back_as_markup(partner: Partner) -> None:
    partner.sandbox.users.add(User("<b>@example.com", "pass"))
    partner.log_in("<b>@example.com", "pass")
    text = partner.client.get(partner.authorize_path(state='"><script>alert(1)</script>')).text
    assert "<script>" not in text
    assert "<b>" not in text


def test_pages_are_neither_framed_nor_kept_nor_named_to_others(partner: Partner) -> None:
    headers = partner.client.get(partner.authorize_path()).headers
    assert (headers["X-Frame-Options"], headers["Cache-Control"]) == ("DENY", "no-store")
    assert headers["Referrer-Policy"] == "no-referrer"


def test_an_unknown_path_is_a_page(partner: Partner) -> None:
    response = partner.client.get("/oauth2/unknown")
    assert (response.status_code, response.mimetype, page(response)) == (404, "text/html", "error")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/oauth2/token", {"data": {"message": ["Method Not Allowed."]}}),
        ("/api/v4/trade-account/balance", {"code": 0, "message": "Method Not Allowed."}),
    ],
)
def test_a_wrong_method_is_told_in_the_apis_own_shape(partner: Partner, path: str, body: dict[str, object]) -> None:
    response = partner.client.get(path)
    assert (response.status_code, response.get_json()) == (405, body)
