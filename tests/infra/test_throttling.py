"""A flood stops at API Gateway, which no test can flood: what can be seen is that the template asks for it."""

from local.aws.template import load
from tests.fuzz.counter import routes
from tests.fuzz.document import ROOT

PARAMETERS = {
    "ClientId": "client",
    "ClientSecretName": "secret",
    "PublicUrl": "https://fastkey.example",
    "JwtIssuer": "https://issuer.example",
    "JwtAudience": "partner",
    "AllowedOrigins": "https://partner.example",
    "AllowedReturnUrls": "https://partner.example/connected",
}


def test_every_route_is_throttled_and_what_is_set_apart_is_a_route() -> None:
    translated = load(ROOT / "template.yaml", PARAMETERS, "eu-central-1").resources.values()
    (stage,) = [resource.properties for resource in translated if resource.type == "AWS::ApiGatewayV2::Stage"]
    apart = stage["RouteSettings"]
    for limits in (stage["DefaultRouteSettings"], *apart.values()):
        assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"]
    assert set(apart) <= {route for _, route, _ in routes()}
