"""Ordered faults: without a socket where no connection is closed, over one where it is."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest
import requests

from local.whitebit import Options, Server, serve
from local.whitebit.sandbox import FIRST_USER_EMAIL
from tests.sandbox.partner import CHALLENGE, VERIFIER, Partner

INFO = "/oauth2/api-key/info"
SECRET = "/oauth2/api-key/*/secret"


def order(partner: Partner, **fault: object) -> None:
    assert partner.client.post("/_control/faults", json=fault).status_code == 201


def test_a_status_is_answered_in_place_of_the_effect(partner: Partner) -> None:
    key, headers = partner.key(), partner.bearer()
    path = f"/oauth2/api-key/{key.external_id}"
    order(partner, method="DELETE", path="/oauth2/api-key/*", kind="status", status=503, body={"a": 1}, times=2)
    answers = [partner.client.delete(path, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].get_json() == {"a": 1}


def test_a_body_replaces_the_answer_and_the_effect_stays(partner: Partner) -> None:
    key, headers = partner.key(), partner.bearer()
    order(partner, path=SECRET, kind="body", body="<h1>Maintenance</h1>")
    path = f"/oauth2/api-key/{key.external_id}/secret"
    answer = partner.client.get(path, headers=headers)
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/html", "<h1>Maintenance</h1>")
    assert partner.client.get(path, headers=headers).status_code == 409


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_is_padded_and_stays_what_it_was(partner: Partner, compressed: bool) -> None:
    headers = partner.bearer()
    order(partner, path=INFO, kind="padded", size=1_000_000, gzip=compressed)
    padded = partner.client.get(INFO, headers=headers)
    text = gzip.decompress(padded.data) if compressed else padded.data
    assert len(text) > 1_000_000
    assert json.loads(text) == partner.client.get(INFO, headers=headers).get_json()
    assert (len(padded.data) < 2_000, padded.headers.get("Content-Encoding")) == (
        compressed,
        "gzip" if compressed else None,
    )


def test_an_echo_repeats_the_request_and_the_answer(partner: Partner) -> None:
    order(partner, path="/oauth2/token", kind="echo", status=400)
    form = partner.token_form()
    answer = partner.client.post("/oauth2/token", data=form)
    assert answer.status_code == 400
    assert {form["code"], form["client_secret"], form["code_verifier"]} <= set(answer.get_json()["message"])
    assert "access_token" in answer.get_json()["message"][-1]


def test_a_redirect_has_no_effect(partner: Partner) -> None:
    order(partner, path="/oauth2/token", kind="redirect", location="https://evil.test/", status=307)
    form = partner.token_form()
    answer = partner.client.post("/oauth2/token", data=form)
    assert (answer.status_code, answer.location) == (307, "https://evil.test/")
    assert partner.client.post("/oauth2/token", data=form).status_code == 200


def test_faults_are_for_the_calls_that_they_name_in_the_order_they_came(partner: Partner) -> None:
    order(partner, method="POST", path=INFO, kind="status", status=500)
    order(partner, path=INFO, kind="status", status=502)
    order(partner, path="/oauth2/*", kind="status", status=504)
    statuses = [partner.client.get(INFO).status_code for _ in range(3)]
    assert statuses == [502, 504, 401]
    assert [fault["status"] for fault in partner.client.get("/_control/faults").get_json()] == [500]
    assert [call["fault"] for call in partner.client.get("/_control/calls").get_json()] == ["status", "status", None]


def test_faults_can_be_taken_back_and_never_touch_the_control_api(partner: Partner) -> None:
    order(partner, path="*", kind="status", status=500)
    assert partner.client.delete("/_control/faults").status_code == 204
    assert partner.client.get(INFO).status_code == 401


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(Options(redirect_uris=("https://partner.test/callback",))) as running:
        yield running


class Wire:
    """A partner on a real connection to a sandbox that was just reset."""

    def __init__(self, server: Server) -> None:
        self.url, self.control = server.url, server.control_url
        requests.post(f"{self.control}/reset", json={}, timeout=5)
        options = Options()
        browser = requests.Session()
        browser.post(f"{self.url}/login", data={"email": FIRST_USER_EMAIL, "password": "sandbox"}, timeout=5)
        query = {
            "clientId": options.client_id,
            "redirect_uri": "https://partner.test/callback",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        back = browser.post(
            f"{self.url}/auth/consent",
            params=query,
            data={"decision": "allow", "key_page": "opened"},
            allow_redirects=False,
            timeout=5,
        )
        self.form = {
            "client_id": options.client_id,
            "client_secret": options.client_secret,
            "code": back.headers["Location"].split("code=")[1].split("&")[0],
            "code_verifier": VERIFIER,
        }

    def order(self, **fault: object) -> None:
        assert requests.post(f"{self.control}/faults", json=fault, timeout=5).status_code == 201

    def exchange(self) -> requests.Response:
        return requests.post(f"{self.url}/oauth2/token", data=self.form, timeout=5)

    def secret_url_and_headers(self) -> tuple[str, dict[str, str]]:
        token = self.exchange().json()["data"]["access_token"]
        key = requests.post(f"{self.control}/users/{FIRST_USER_EMAIL}/keys", json={}, timeout=5).json()
        return f"{self.url}/oauth2/api-key/{key['externalId']}/secret", {"Authorization": f"Bearer {token}"}

    def calls(self, path: str) -> list[tuple[int, str | None]]:
        calls = requests.get(f"{self.control}/calls", timeout=5).json()
        return [(call["status"], call["fault"]) for call in calls if call["path"] == path]


@pytest.fixture
def wire(server: Server) -> Wire:
    return Wire(server)


def test_a_connection_dropped_before_has_no_effect(wire: Wire) -> None:
    wire.order(path="/oauth2/token", kind="drop_before")
    with pytest.raises(requests.ConnectionError):
        wire.exchange()
    assert wire.exchange().status_code == 200
    assert wire.calls("/oauth2/token") == [(0, "drop_before"), (200, None)]


def test_a_connection_dropped_after_has_had_its_effect(wire: Wire) -> None:
    wire.order(path="/oauth2/token", kind="drop_after")
    with pytest.raises(requests.ConnectionError):
        wire.exchange()
    assert wire.exchange().status_code == 401


def test_an_answer_can_be_cut_short(wire: Wire) -> None:
    url, headers = wire.secret_url_and_headers()
    wire.order(path=SECRET, kind="drop_after", truncate=20)
    answer = requests.get(url, headers=headers, timeout=5, stream=True)
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) > 20
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        assert answer.content
    assert requests.get(url, headers=headers, timeout=5).status_code == 409


def test_an_answer_can_go_on_without_end(wire: Wire) -> None:
    wire.order(path="/oauth2/token", kind="endless")
    with requests.post(f"{wire.url}/oauth2/token", data=wire.form, timeout=5, stream=True) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        start = b"".join(islice(answer.iter_content(4096), 100))
    assert "access_token" in json.loads(start)["data"]
    assert len(start) > 50_000
    assert wire.calls("/oauth2/token") == [(200, "endless")]


def test_a_second_read_while_a_first_is_under_way_is_told_to_wait(wire: Wire) -> None:
    url, headers = wire.secret_url_and_headers()
    wire.order(path=SECRET, kind="latency", seconds=0.3)
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: requests.get(url, headers=headers, timeout=5), range(2))
    assert sorted((first.status_code, second.status_code)) == [200, 423]
    assert requests.get(url, headers=headers, timeout=5).status_code == 409
