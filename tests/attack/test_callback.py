"""GET /callback: the code and state of a consent, in the wrong browser, in the wrong form, or too often."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.attack.conftest import NewJourney, arrive, consent_again, expire, ticket
from tests.attack.table import CANARY, Attack, Stage, get
from tests.e2e.journey import PASSWORD, PERMISSIONS, SECOND_FACTOR, Sandbox

RETURN = "/callback?state=$state&code=$code"
RIGHT = "$cookie_name=$cookie"
FORGED = "A" * 43

NOT_YOURS = (400, "authorization_invalid")
MALFORMED = (400, "invalid_request")
NO_ROUTE = (404, "Not Found")

COOKIES = [
    Attack("no cookie", get(RETURN), *NOT_YOURS),
    Attack("an empty Cookie header", get(RETURN, cookie=""), *NOT_YOURS),
    Attack("an empty cookie", get(RETURN, cookie="$cookie_name="), *NOT_YOURS),
    Attack("a cookie without a value", get(RETURN, cookie="$cookie_name"), *NOT_YOURS),
    Attack("another browser's cookie", get(RETURN, cookie="$my_cookie_name=$my_cookie"), *NOT_YOURS),
    Attack("another browser's cookie under this name", get(RETURN, cookie="$cookie_name=$my_cookie"), *NOT_YOURS),
    Attack("the cookie under another's name", get(RETURN, cookie="$my_cookie_name=$cookie"), *NOT_YOURS),
    Attack("a forged cookie", get(RETURN, cookie=f"$cookie_name={FORGED}"), *NOT_YOURS),
    Attack("a forged cookie before the right one", get(RETURN, cookie=f"$cookie_name={FORGED}; {RIGHT}"), *NOT_YOURS),
    Attack("a forged cookie after the right one", get(RETURN, cookie=f"{RIGHT}; $cookie_name={FORGED}"), *NOT_YOURS),
    Attack("the right cookie twice", get(RETURN, cookie=f"{RIGHT}; {RIGHT}"), *NOT_YOURS),
    Attack("two headers of cookies", get(RETURN, ("Cookie", RIGHT), cookie=f"$cookie_name={FORGED}"), *NOT_YOURS),
    Attack("the cookie's name in lower case", get(RETURN, cookie="$bare_cookie=$cookie"), *NOT_YOURS),
    Attack("the right cookie in quotes", get(RETURN, cookie='$cookie_name="$cookie"'), *NOT_YOURS),
    Attack("the right cookie and more", get(RETURN, cookie="$cookie_name=${cookie}A"), *NOT_YOURS),
    Attack("the right cookie and NUL", get(RETURN, cookie=f"{RIGHT}\0"), *NOT_YOURS),
    Attack("the right cookie and a byte that is no ASCII", get(RETURN, cookie=f"{RIGHT}\xff"), *NOT_YOURS),
    Attack("the cookie in a header of another name", get(RETURN, ("X-Cookie", RIGHT)), *NOT_YOURS),
    Attack("the cookie in Cookie2", get(RETURN, ("Cookie2", RIGHT)), *NOT_YOURS),
    Attack("the cookie in the query", get(f"{RETURN}&{RIGHT}"), *NOT_YOURS),
]

STATES = [
    Attack("an unknown state", get(f"/callback?state={CANARY}&code=$code", cookie=RIGHT), *NOT_YOURS),
    Attack("an unknown state and an error", get(f"/callback?state={CANARY}&error=access_denied"), *NOT_YOURS),
    Attack("an error without the cookie", get("/callback?state=$state&error=access_denied"), *NOT_YOURS),
    Attack("the attacker's return", get("/callback?state=$my_state&code=$my_code", cookie=RIGHT), *NOT_YOURS),
    Attack("the attacker's state", get("/callback?state=$my_state&code=$code", cookie=RIGHT), *NOT_YOURS),
    Attack("a state and more", get("/callback?state=${state}A&code=$code", cookie=RIGHT), *NOT_YOURS),
    Attack("a state and a space", get("/callback?state=$state%20&code=$code", cookie=RIGHT), *NOT_YOURS),
    Attack("NUL in the state", get("/callback?state=$state%00&code=$code", cookie=RIGHT), *NOT_YOURS),
    Attack("CRLF in the state", get("/callback?state=$state%0d%0aA:b&code=$code", cookie=RIGHT), *NOT_YOURS),
    Attack("an issuer", get(f"{RETURN}&iss=https%3A%2F%2Fevil.example", cookie=RIGHT), *NOT_YOURS),
    Attack("markup", get(f"/callback?state=$state&error=a&error_description=<script>{CANARY}</script>"), *NOT_YOURS),
    Attack("9 KB of code without the cookie", get(f"/callback?state=$state&code={'c' * 9000}"), *NOT_YOURS),
]

FORMS = [
    Attack("neither code nor error", get("/callback?state=$state", cookie=RIGHT), *MALFORMED),
    Attack("code and error", get(f"{RETURN}&error=access_denied", cookie=RIGHT), *MALFORMED),
    Attack("an empty code", get("/callback?state=$state&code=", cookie=RIGHT), *MALFORMED),
    Attack("an empty state", get("/callback?state=&code=$code", cookie=RIGHT), *MALFORMED),
    Attack("no state", get("/callback?code=$code", cookie=RIGHT), *MALFORMED),
    Attack("nothing at all", get("/callback", cookie=RIGHT), *MALFORMED),
    Attack("the same state twice", get(f"{RETURN}&state=$state", cookie=RIGHT), *MALFORMED),
    Attack("two states", get(f"{RETURN}&state=$my_state", cookie=RIGHT), *MALFORMED),
    Attack("two states, one of them empty", get(f"{RETURN}&state=", cookie=RIGHT), *MALFORMED),
    Attack("the same code twice", get(f"{RETURN}&code=$code", cookie=RIGHT), *MALFORMED),
    Attack("two codes", get(f"{RETURN}&code=$my_code", cookie=RIGHT), *MALFORMED),
    Attack("two codes, one of them encoded", get(f"{RETURN}&%63ode=$my_code", cookie=RIGHT), *MALFORMED),
    Attack("the names in capitals", get("/callback?STATE=$state&CODE=$code", cookie=RIGHT), *MALFORMED),
    Attack("the names as lists", get("/callback?state[]=$state&code[]=$code", cookie=RIGHT), *MALFORMED),
    Attack("semicolons between", get("/callback?state=$state;code=$code", cookie=RIGHT), *MALFORMED),
    Attack("twenty parameters more", get(f"{RETURN}{'&a=b' * 20}", cookie=RIGHT), *MALFORMED),
    Attack("bad UTF-8 in the code", get("/callback?state=$state&code=%ff", cookie=RIGHT), *MALFORMED),
    Attack("bad UTF-8 in the state", get("/callback?state=%ff&code=$code", cookie=RIGHT), *MALFORMED),
    Attack("an overlong NUL", get("/callback?state=$state&code=%c0%80", cookie=RIGHT), *MALFORMED),
    Attack("a surrogate", get("/callback?state=$state&code=%ed%a0%80", cookie=RIGHT), *MALFORMED),
    Attack("bad UTF-8 in what nobody reads", get(f"{RETURN}&a=%ff", cookie=RIGHT), *MALFORMED),
    Attack("10 KB of headers", get(f"/callback?state={'s' * 10_300}"), 431, "Request Header Fields Too Large"),
]

WAYS = [
    *(
        Attack(f"{method}", get(RETURN, cookie=RIGHT, method=method), 404, "" if method == "HEAD" else "Not Found")
        for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CALLBACK")
    ),
    Attack("GET as an overriding header", get(RETURN, ("X-HTTP-Method-Override", "GET"), method="POST"), *NO_ROUTE),
    *(
        Attack(f"{path}", get(RETURN.replace("/callback", path), cookie=RIGHT), *NO_ROUTE)
        for path in (
            "//callback",
            "/callback/",
            "/callback//",
            "/Callback",
            "/callback/.",
            "/a/../callback",
            "/./callback",
        )
    ),
    Attack("a matrix parameter", get(RETURN.replace("?", ";a=b?"), cookie=RIGHT), *NO_ROUTE),
    Attack("an encoded slash", get(RETURN.replace("?", "%2f?"), cookie=RIGHT), *NO_ROUTE),
    Attack("NUL in the path", get(RETURN.replace("?", "%00?"), cookie=RIGHT), *NO_ROUTE),
]


@pytest.mark.parametrize("attack", [*COOKIES, *STATES, *FORMS, *WAYS], ids=str)
def test_a_return_from_whitebit_that_is_not_this_browsers_changes_nothing(attack: Attack, stage: Stage) -> None:
    stage.carry_out(attack)


# What the right browser may send, or be made to send, costs its own connection at most.
LED_BACK = (303, "")
REFUSED = (1, ("needs_user_action", "exchange_refused"))
FAILED = (0, ("failed", "consent_failed"))
SCRIPT = f"<script>{CANARY}</script>"

OWN = [
    Attack("a made-up code", get(f"/callback?state=$state&code={CANARY}", cookie=RIGHT), *LED_BACK, *REFUSED),
    Attack("9 KB of code", get(f"/callback?state=$state&code={'c' * 9000}", cookie=RIGHT), *LED_BACK, *REFUSED),
    Attack("NUL in the code", get(f"{RETURN}%00", cookie=RIGHT), *LED_BACK, *REFUSED),
    Attack("CRLF in the code", get(f"{RETURN}%0d%0aX:{CANARY}", cookie=RIGHT), *LED_BACK, *REFUSED),
    Attack("a form in the code", get(f"{RETURN}%26client_id={CANARY}", cookie=RIGHT), *LED_BACK, *REFUSED),
    Attack("markup as error", get(f"/callback?state=$state&error={SCRIPT}", cookie=RIGHT), *LED_BACK, *FAILED),
    Attack(
        "markup as description",
        get(f"/callback?state=$state&error=server_error&error_description={SCRIPT}", cookie=RIGHT),
        *LED_BACK,
        *FAILED,
    ),
    Attack(
        "CRLF in the error", get(f"/callback?state=$state&error=%0d%0aA:{CANARY}", cookie=RIGHT), *LED_BACK, *FAILED
    ),
]


@pytest.mark.parametrize("attack", OWN, ids=str)
def test_the_right_browser_harms_its_own_connection_only_and_is_led_to_the_partners_page(
    attack: Attack, journey: NewJourney, arena: Stage
) -> None:
    user = journey()
    answer = arena.of(user, arrive(user)).carry_out(attack)
    page, _, query = answer.headers["Location"].partition("?")
    assert page == user.world.return_url
    assert parse_qs(query).keys() <= {"connection_id", "completion"}
    assert user.stored() is None
    assert user.whitebit_keys() == []


def test_code_injection_ends_the_attackers_connection_and_the_victims_key_is_nobodys(
    journey: NewJourney, arena: Stage, sandbox: Sandbox
) -> None:
    """RFC 9700, section 4.5: the code was made for the victim's challenge, and the attacker has another verifier."""
    victim, attacker = journey(), journey()
    stolen, known = arrive(victim)["code"], arrive(attacker)
    sent = get(f"/callback?state=$state&code={stolen}", cookie=RIGHT)
    refused = ("needs_user_action", "exchange_refused")
    arena.of(attacker, known).carry_out(Attack("", sent, 303, "", 1, refused))
    assert attacker.stored() is None
    consent_again(victim)
    assert victim.complete().create_key().end()["status"] == "active"
    assert attacker.stored() is None
    assert len(victim.whitebit_keys()) == 1


def test_a_return_is_refused_once_it_has_cost_the_browser_its_cookie(journey: NewJourney, arena: Stage) -> None:
    user = journey()
    known = arrive(user)
    user.land(user.browser.open(user.browser.url))
    replayed = Attack("", get(RETURN), *NOT_YOURS)
    arena.of(user, known).carry_out(replayed)
    assert user.complete().create_key().end()["status"] == "active"
    arena.of(user, known).carry_out(replayed)


def test_a_cookie_that_is_kept_all_the_same_leads_to_the_same_page_for_ten_minutes_and_exchanges_nothing(
    journey: NewJourney, arena: Stage, sandbox: Sandbox
) -> None:
    """So that who did not get the answer may load the page again."""
    user = journey()
    stage = arena.of(user, arrive(user))
    first = stage.send(get(RETURN, cookie=RIGHT))
    sandbox.forget_calls()
    assert stage.send(get(RETURN, cookie=RIGHT)).bytes_but_id == first.bytes_but_id
    user.land(first.headers["Location"])
    assert user.complete().create_key().end()["status"] == "active"
    assert stage.send(get(f"/callback?state=$state&code={CANARY}", cookie=RIGHT)).bytes_but_id == first.bytes_but_id
    assert sandbox.calls("POST", "/oauth2/token") == 0
    expire(stage.world, user.connection_id)
    late = stage.send(get(RETURN, cookie=RIGHT))
    assert (late.status, late.says) == NOT_YOURS


def test_a_hundred_returns_at_once_are_one_exchange(journey: NewJourney, arena: Stage, sandbox: Sandbox) -> None:
    user = journey()
    stage = arena.of(user, arrive(user))
    sandbox.forget_calls()
    with ThreadPoolExecutor(100) as browsers:
        answers = list(browsers.map(lambda _: stage.send(get(RETURN, cookie=RIGHT)), range(100)))
    assert {answer.status for answer in answers} == {303}
    (location,) = {answer.headers["Location"] for answer in answers}
    assert sandbox.calls("POST", "/oauth2/token") == 1
    user.land(location)
    assert user.complete().create_key().end()["status"] == "active"


def test_no_answer_tells_an_unknown_state_from_one_that_is_expired_used_or_anothers(
    journey: NewJourney, stage: Stage
) -> None:
    expired, used = journey(), journey()
    known = {f"expired_{name}": value for name, value in arrive(expired).items()}
    known |= {f"used_{name}": value for name, value in arrive(used).items()}
    used.browser.open(used.browser.url)
    expire(stage.world, expired.connection_id)
    sent = [
        get(f"/callback?state={CANARY}&code=1"),
        get(f"/callback?state={CANARY}&code=1", cookie=RIGHT),
        get("/callback?state=$expired_state&code=$expired_code"),
        get("/callback?state=$expired_state&code=$expired_code", cookie="$expired_cookie_name=$expired_cookie"),
        get("/callback?state=$used_state&code=$used_code"),
        get("/callback?state=$used_state&code=$used_code", cookie=RIGHT),
        get(RETURN),
        get(RETURN, cookie=f"$cookie_name={FORGED}"),
        get(RETURN, cookie=f"{RIGHT}; {RIGHT}"),
        get("/callback?state=$state&error=access_denied"),
    ]
    here = stage.knowing(known)
    assert len({here.tells(each) for each in sent}) == 1
    assert expired.frontend.get(expired.connection_id)["status"] == "expired"
    used.frontend.revoke(used.connection_id)
    assert used.end()["status"] == "revoked"


def test_what_a_request_says_of_its_host_leads_nobody_elsewhere(journey: NewJourney, arena: Stage) -> None:
    user, evil = journey().start(), "evil.example"
    lies = (
        ("Host", evil), ("X-Forwarded-Host", evil), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "666"),
        ("X-Forwarded-For", evil), ("X-Forwarded-Prefix", f"//{evil}"), ("X-Forwarded-Server", evil), ("X-Host", evil),
        ("Forwarded", f"host={evil};proto=https"), ("X-Original-URL", "/evil"), ("X-Rewrite-URL", "/evil"),
        ("Origin", f"https://{evil}"), ("Referer", f"https://{evil}/"), ("x_forwarded_host", evil),
    )  # fmt: skip
    left = arena.of(user, {"ticket": ticket(user)}).send(get("/authorize?ticket=$ticket", *lies))
    assert (left.status, evil in repr(left.headers)) == (302, False)
    assert "domain" not in left.headers["Set-Cookie"].lower()
    (redirect_uri,) = parse_qs(urlsplit(left.headers["Location"]).query)["redirect_uri"]
    assert redirect_uri == user.world.output("RedirectUri")
    user.browser.stop_at = redirect_uri
    user.browser.open(left.headers["Location"])
    user.browser.log_in(user.email, PASSWORD)
    back = urlsplit(user.browser.consent(PERMISSIONS, SECOND_FACTOR))
    cookie = left.headers["Set-Cookie"].partition(";")[0]
    returned = arena.of(user, {}).send(get(f"{back.path}?{back.query}", *lies, cookie=cookie))
    assert (returned.status, evil in repr(returned.headers)) == (303, False)
    assert returned.headers["Location"].partition("?")[0] == user.world.return_url
    user.land(returned.headers["Location"])
    assert user.complete().create_key().end()["status"] == "active"
