"""Who a user is: the JWT, and nothing else that a request may say."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local.world import World
from tests.attack.conftest import NewJourney
from tests.attack.table import CANARY, Attack, Stage, call
from tests.attack.wire import Sent

UNAUTHORIZED = (401, "Unauthorized")

# All that the template guards: the two others are for browsers.
ROUTES = (
    ("POST", "/connections"),
    ("GET", "/connections"),
    ("GET", "/connections/$id"),
    ("DELETE", "/connections/$id"),
    ("POST", "/connections/$id/complete"),
)


def bearing(*tokens: str) -> Sent:
    """A look, with each of these in an Authorization header."""
    return look(*(("Authorization", token) for token in tokens))


def look(*headers: tuple[str, str], target: str = "/connections/$id") -> Sent:
    return Sent("GET", target, headers)


WITHOUT = [
    *(Attack(f"{method} {path} without a token", Sent(method, path), *UNAUTHORIZED) for method, path in ROUTES),
    Attack("an empty token", bearing(""), *UNAUTHORIZED),
    Attack("no more than the scheme", bearing("Bearer "), *UNAUTHORIZED),
    Attack("a name and a password", bearing("Basic dmljdGltOng="), *UNAUTHORIZED),
    Attack("what is no JWT", bearing(f"Bearer {CANARY}"), *UNAUTHORIZED),
    Attack("a JWT cut short", bearing("Bearer $head.$claims"), *UNAUTHORIZED),
    Attack("a JWT without its signature", bearing("Bearer $head.$claims."), *UNAUTHORIZED),
    Attack("the attacker's signature", bearing("Bearer $head.$claims.$my_signature"), *UNAUTHORIZED),
    Attack("two tokens", bearing(f"Bearer {CANARY}", "Bearer $token"), *UNAUTHORIZED),
    Attack("a header of another name", look(("X-Authorization", "Bearer $token")), *UNAUTHORIZED),
    Attack("an underscore", look(("Authorization_", "Bearer $token")), *UNAUTHORIZED),
    Attack("a forwarded header", look(("X-Forwarded-Authorization", "Bearer $token")), *UNAUTHORIZED),
    Attack("a token in the query", look(target="/connections/$id?access_token=$token"), *UNAUTHORIZED),
    Attack("a token in a cookie", look(("Cookie", "access_token=$token; Authorization=$token")), *UNAUTHORIZED),
    Attack("a claim in a header", look(("X-Amzn-Oidc-Identity", "$sub"), ("sub", "$sub")), *UNAUTHORIZED),
]


@pytest.mark.parametrize("attack", WITHOUT, ids=str)
def test_nobody_is_a_user_without_a_token(attack: Attack, stage: Stage) -> None:
    head, claims, _ = stage.known["token"].split(".")
    own = {"head": head, "claims": claims, "my_signature": stage.known["my_token"].split(".")[2], "sub": "victim"}
    stage.knowing(own).carry_out(attack)


@cache
def strangers_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(key: Any, algorithm: str, headers: Mapping[str, object] | None = None) -> Callable[[World, str], str]:
    """A token for a user that the issuer would give, signed by somebody else."""

    def forge(world: World, sub: str) -> str:
        claims = jwt.decode(world.token(sub), options={"verify_signature": False})
        chosen = key(world) if callable(key) else key
        return jwt.encode(claims, chosen, algorithm, headers={"kid": "local", **(headers or {})})

    return forge


def claiming(**claims: object) -> Callable[[World, str], str]:
    """A token of the issuer's with other claims."""
    return lambda world, sub: world.token(sub, **claims)


def public_key(world: World) -> bytes:
    """What is public of the issuer's key, to be taken for a shared secret."""
    (key,) = requests.get(f"{world.issuer}/.well-known/jwks.json", timeout=5).json()["keys"]
    return str(key["n"]).encode()


FORGERIES = {
    "alg none": signed(None, "none"),
    "HS256 with the public key": signed(public_key, "HS256"),
    "another key": signed(strangers_key(), "RS256"),
    "another key of another name": signed(strangers_key(), "RS256", {"kid": "strange"}),
    "a key in the header": signed(
        strangers_key(), "RS256", {"jwk": RSAAlgorithm.to_jwk(strangers_key().public_key(), as_dict=True)}
    ),
    "a key at an address in the header": signed(strangers_key(), "RS256", {"jku": "https://evil.example/jwks.json"}),
    "a path for a key": signed(strangers_key(), "RS256", {"kid": "../../../dev/null"}),
    "another audience": claiming(aud="somebody-else"),
    "no audience": claiming(aud=None),
    "the audience as client_id beside another": claiming(aud="somebody-else", client_id="local-partner"),
    "another issuer": claiming(iss="https://evil.example"),
    "no issuer": claiming(iss=None),
    "expired": claiming(exp=1),
    "without an end": claiming(exp=None),
    "not yet valid": claiming(nbf=4102444800),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_token_that_the_issuer_did_not_give_for_this_is_none(
    forgery: Callable[[World, str], str], journey: NewJourney, stage: Stage
) -> None:
    owner = jwt.decode(stage.known["token"], options={"verify_signature": False})["sub"]
    known = {"forged": forgery(stage.world, owner)}
    attack = Attack("", call("DELETE", "/connections/$id", token="$forged"), *UNAUTHORIZED)
    stage.knowing(known).carry_out(attack)


SUBJECTS = {"none": None, "empty": "", "of 256 characters": "s" * 256}


@pytest.mark.parametrize("sub", SUBJECTS.values(), ids=SUBJECTS)
def test_a_token_of_nobody_is_refused(sub: str | None, stage: Stage) -> None:
    nobodys = stage.world.token(sub)  # type: ignore[arg-type] # what is None is left out
    known = {"nobodys": nobodys}
    attack = Attack("", call("GET", "/connections", token="$nobodys"), 400, "invalid_request")
    stage.knowing(known).carry_out(attack)


MALFORMED = (400, "invalid_request")
NOT_FOUND = (404, "connection_not_found")
START = '{"return_url": "$return_url", '
COMPLETE = "/connections/$waiting_id/complete"

NAMING_ANOTHER = [
    Attack("in the body of a start", call("POST", "/connections", START + '"user_id": "$sub"}'), *MALFORMED),
    Attack("as sub in the body", call("POST", "/connections", START + '"sub": "$sub"}'), *MALFORMED),
    Attack("in a completion", call("POST", COMPLETE, '{"completion": "$completion", "user_id": "$sub"}'), *MALFORMED),
    Attack("in the query of a look", call("GET", "/connections/$id?user_id=$sub&sub=$sub"), *NOT_FOUND),
    Attack("in the query of a disconnection", call("DELETE", "/connections/$id?user_id=$sub"), *NOT_FOUND),
]


@pytest.mark.parametrize("attack", NAMING_ANOTHER, ids=str)
def test_a_user_who_names_another_is_refused(attack: Attack, stage: Stage) -> None:
    stage.knowing({"sub": owner_of(stage)}).carry_out(attack)


def test_a_user_who_names_another_sees_and_starts_what_is_their_own(journey: NewJourney, stage: Stage) -> None:
    me, owner = journey(), owner_of(stage)
    naming = {"X-User-Id": owner, "X-Amzn-Oidc-Identity": owner, "sub": owner}
    me.frontend.http.headers.update(naming)
    assert me.frontend.call("GET", f"/connections?user_id={owner}&sub={owner}").json()["connections"] == []
    body = {"return_url": stage.world.return_url}
    started = me.frontend.call("POST", f"/connections?user_id={owner}", body).json()["connection_id"]
    assert [each["connection_id"] for each in me.frontend.call("GET", "/connections").json()["connections"]] == [
        started
    ]


def owner_of(stage: Stage) -> str:
    return str(jwt.decode(stage.known["token"], options={"verify_signature": False})["sub"])
