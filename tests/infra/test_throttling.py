"""A flood stops at API Gateway, which no test can flood: what can be seen is that the template asks for it."""

from collections.abc import Mapping
from typing import Any

from fastkey.domain.pace import HISTORY
from tests.template import routes, translated

# How many calls all functions of an account take at a time, unless it asks for more:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
AT_A_TIME = 1000


def stage() -> Mapping[str, Any]:
    (found,) = [body.properties for body in translated().values() if body.type == "AWS::ApiGatewayV2::Stage"]
    return found


def test_every_route_is_throttled_and_what_is_set_apart_is_a_route() -> None:
    apart = stage()["RouteSettings"]
    for limits in (stage()["DefaultRouteSettings"], *apart.values()):
        # A burst comes at once, and what comes after it takes less than a second a call: half is left to all else.
        assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"] <= AT_A_TIME / 2
    assert set(apart) <= {route for _, route, _ in routes()}


def test_no_more_reads_of_transactions_come_in_than_whitebit_takes() -> None:
    limits = stage()["RouteSettings"]["GET /connections/{connection_id}/account/transactions"]
    assert (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]) == (HISTORY.rate, HISTORY.burst)
