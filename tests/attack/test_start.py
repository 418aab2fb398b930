"""POST /connections and GET /authorize: return URLs that lead elsewhere, and tickets of others."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attack.conftest import NewJourney, expire, ticket
from tests.attack.table import CANARY, Attack, Stage, call, get


def elsewhere(name: str, url: str) -> Attack:
    return Attack(name, call("POST", "/connections", '{"return_url": "%s"}' % url), 400, "return_url_not_allowed")  # noqa: UP031


RETURN_URLS = [
    elsewhere("nothing", ""),
    elsewhere("another host", f"https://{CANARY}.example/connected"),
    elsewhere("a host that begins like the allowed one", "$scheme://$host.evil.example/connected"),
    elsewhere("a host that ends like the allowed one", "$scheme://evil$host/connected"),
    elsewhere("another port", "$scheme://$host:1/connected"),
    elsewhere("no port", "$scheme://$host/connected"),
    elsewhere("another scheme", "https://$authority/connected"),
    elsewhere("no scheme", "//$authority/connected"),
    elsewhere("no slashes", "$scheme:$authority/connected"),
    elsewhere("another path", "$scheme://$authority/connecte"),
    elsewhere("a longer path", "${return_url}s"),
    elsewhere("a slash at the end", "$return_url/"),
    elsewhere("two slashes", "$scheme://$authority//connected"),
    elsewhere("a path that goes up", "$return_url/../connected"),
    elsewhere("a dot", "$scheme://$authority/./connected"),
    elsewhere("an encoded letter", "$scheme://$authority/%63onnected"),
    elsewhere("a query", "$return_url?next=https://evil.example"),
    elsewhere("a fragment", "$return_url#"),
    elsewhere("a user", "$scheme://$authority@evil.example/connected"),
    elsewhere("a user and a password", "$scheme://a:b@$authority/connected"),
    elsewhere("a backslash", r"$scheme://$authority\\connected"),
    elsewhere("backslashes for slashes", r"$scheme:\\\\$authority/connected"),
    elsewhere("a backslash and another host", r"$scheme://evil.example\\@$authority/connected"),
    elsewhere("brackets", "$scheme://[$host]/connected"),
    elsewhere("an address in brackets", "$scheme://[::1]/connected"),
    elsewhere("a letter that looks alike", "$scheme://loc\u0430lhost/connected"),
    elsewhere("a host in punycode", "$scheme://xn--loclhost-6fg/connected"),
    elsewhere("a wide full stop", "$scheme://$host\uff0eevil.example/connected"),
    elsewhere("a dot at the end of the host", "$scheme://$host./connected"),
    elsewhere("capitals", "$SCHEME://$authority/connected"),
    elsewhere("a space before", " $return_url"),
    elsewhere("a space after", "$return_url "),
    elsewhere("a tab", r"$return_url\t"),
    elsewhere("CRLF", rf"$return_url\r\nSet-Cookie: {CANARY}=1"),
    elsewhere("NUL", r"$return_url\u0000"),
    elsewhere("two URLs", "$return_url,$return_url"),
    elsewhere("an asterisk", "*"),
    elsewhere("a script", f"javascript:alert('{CANARY}')"),
    elsewhere("data", f"data:text/html,{CANARY}"),
    elsewhere("this API", "$gateway/callback"),
]

UNKNOWN = (400, "ticket_invalid")
MALFORMED = (400, "invalid_request")
NO_ROUTE = (404, "Not Found")

TICKETS = [
    Attack("a ticket that never was", get(f"/authorize?ticket={CANARY}"), *UNKNOWN),
    Attack("a ticket of no connection", get(f"/authorize?ticket={CANARY}.{CANARY}"), *UNKNOWN),
    Attack("a used ticket", get("/authorize?ticket=$ticket"), *UNKNOWN),
    Attack("a used ticket, with its cookie", get("/authorize?ticket=$ticket", cookie="$cookie_name=$cookie"), *UNKNOWN),
    Attack("a ticket without its secret", get("/authorize?ticket=$fresh_id"), *UNKNOWN),
    Attack("a ticket with an empty secret", get("/authorize?ticket=$fresh_id."), *UNKNOWN),
    Attack("a ticket with another's secret", get("/authorize?ticket=$fresh_id.$my_ticket_secret"), *UNKNOWN),
    Attack("another's ticket with this secret", get("/authorize?ticket=$my_id.$fresh_ticket_secret"), *UNKNOWN),
    Attack("a ticket and more", get("/authorize?ticket=${fresh_ticket}A"), *UNKNOWN),
    Attack("a ticket and a space", get("/authorize?ticket=$fresh_ticket%20"), *UNKNOWN),
    Attack("a ticket and NUL", get("/authorize?ticket=$fresh_ticket%00"), *UNKNOWN),
    Attack("a ticket and CRLF", get(f"/authorize?ticket=$fresh_ticket%0d%0aSet-Cookie:{CANARY}"), *UNKNOWN),
    Attack("a ticket of 5 KB", get(f"/authorize?ticket={'a' * 5000}"), *UNKNOWN),
    Attack("a ticket with a long name", get(f"/authorize?ticket={'a' * 5000}.$fresh_ticket_secret"), *UNKNOWN),
    Attack("a completion as a ticket", get("/authorize?ticket=$completion"), *UNKNOWN),
    Attack("a completion as a ticket's secret", get("/authorize?ticket=$waiting_id.$completion"), *UNKNOWN),
    Attack("a state as a ticket's secret", get("/authorize?ticket=$fresh_id.$state"), *UNKNOWN),
    Attack("no ticket", get("/authorize"), *MALFORMED),
    Attack("an empty ticket", get("/authorize?ticket="), *MALFORMED),
    Attack("the ticket twice", get("/authorize?ticket=$fresh_ticket&ticket=$fresh_ticket"), *MALFORMED),
    Attack("two tickets", get("/authorize?ticket=$fresh_ticket&ticket=$ticket"), *MALFORMED),
    Attack("a ticket that is no UTF-8", get("/authorize?ticket=$fresh_ticket%ff"), *MALFORMED),
    Attack("a link previewed with HEAD", get("/authorize?ticket=$fresh_ticket", method="HEAD"), 404, ""),
    Attack("a ticket in a POST", get("/authorize?ticket=$fresh_ticket", method="POST"), *NO_ROUTE),
    Attack("a double slash", get("//authorize?ticket=$fresh_ticket"), *NO_ROUTE),
    Attack("a whole URL for a path", get("http://evil.example/authorize?ticket=$fresh_ticket"), *NO_ROUTE),
]


@pytest.mark.parametrize("attack", [*RETURN_URLS, *TICKETS], ids=str)
def test_a_start_that_leads_elsewhere_or_is_anothers_changes_nothing(attack: Attack, stage: Stage) -> None:
    stage.carry_out(attack)


def test_no_answer_tells_an_unknown_ticket_from_one_that_is_used_expired_or_anothers(
    journey: NewJourney, stage: Stage
) -> None:
    expired = journey().start()
    expire(stage.world, expired.connection_id)
    known = {"expired_ticket": ticket(expired)}
    here = stage.knowing(known)
    tickets = (CANARY, f"{CANARY}.{CANARY}", "$ticket", "$expired_ticket", "$fresh_id.$my_ticket_secret", "$completion")
    assert len({here.tells(get(f"/authorize?ticket={each}")) for each in tickets}) == 1


def test_a_ticket_used_by_many_browsers_at_once_lets_one_of_them_leave(journey: NewJourney, arena: Stage) -> None:
    user = journey().start()
    stage = arena.of(user, {"ticket": ticket(user)})
    with ThreadPoolExecutor(10) as browsers:
        answers = list(browsers.map(lambda _: stage.send(get("/authorize?ticket=$ticket")), range(10)))
    left = [answer for answer in answers if answer.status == 302]
    assert len(left) == 1
    assert {(answer.status, answer.says) for answer in answers if answer not in left} == {UNKNOWN}
