"""Requests that schemathesis makes up from docs/api.yaml, right ones and wrong ones, against the running local world.

Each is answered as documented, none with a 5xx.
"""

from itertools import count
from typing import Any

import pytest
import schemathesis
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance, unsupported_method

from local.frontend import Frontend
from local.world import World
from tests.fuzz.document import load

# What is made up is of the right form at best: it is no ticket, state, cursor or URL that anybody was given, and
# refused for that. API Gateway says 404 where a path does not have a method, and never 405.
EXCLUDED = [positive_data_acceptance, unsupported_method]

schema = load(
    generation={"max-examples": 60, "deterministic": True, "database": "none", "with-security-parameters": False},
    # What is too long may be too large.
    checks={"negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "409", "413", "415"]}},
)

_users = count(1)


def send(
    case: schemathesis.Case[Any], world: World, user_id: str | None, *excluded: CheckFunction
) -> schemathesis.Response:
    """The answer, once it has been found to be a documented one."""
    headers = {"Authorization": f"Bearer {world.token(user_id)}"} if user_id else {}
    return case.call_and_validate(
        base_url=world.gateway, headers=headers, excluded_checks=[*EXCLUDED, *excluded], allow_redirects=False
    )


@schema.parametrize()
def test_whatever_a_user_sends_is_answered_as_documented(case: schemathesis.Case[Any], world: World) -> None:
    # A new one each time, so that nobody starts too often.
    send(case, world, f"fuzzer-{next(_users)}")


@schema.include(path_regex="^/connections").parametrize()
def test_without_a_jwt_nothing_comes_as_far_as_a_function(case: schemathesis.Case[Any], world: World) -> None:
    assert send(case, world, None).status_code in (401, 404, 413, 431)


@pytest.fixture(scope="module")
def connection_id(world: World) -> str:
    return str(Frontend(world.gateway, world.token("owner")).start(world.return_url)["connection_id"])


@schema.include(path_regex="connection_id").parametrize()
def test_whatever_is_sent_to_a_connection_of_ones_own_is_answered_as_documented(
    case: schemathesis.Case[Any], world: World, connection_id: str
) -> None:
    case.path_parameters["connection_id"] = connection_id
    # A case that was wrong for its id alone is right now.
    send(case, world, "owner", negative_data_rejection)
