"""A flood stops at API Gateway, which no test can flood: what can be seen is that the template asks for it."""

from tests.template import routes, translated

# How many calls all functions of an account take at a time, unless it asks for more:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
AT_A_TIME = 1000


def test_every_route_is_throttled_and_what_is_set_apart_is_a_route() -> None:
    resources = translated().values()
    (stage,) = [resource.properties for resource in resources if resource.type == "AWS::ApiGatewayV2::Stage"]
    apart = stage["RouteSettings"]
    for limits in (stage["DefaultRouteSettings"], *apart.values()):
        # A burst comes at once, and what comes after it takes less than a second a call: half is left to all else.
        assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"] <= AT_A_TIME / 2
    assert set(apart) <= {route for _, route, _ in routes()}
