"""With a domain of the partner's, browsers meet the API under it and under no other name."""

from typing import Any

import pytest

from local.aws.stack import Stack
from local.aws.template import Template, load
from tests.template import PARAMETERS, PATH, REGION, translated

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/6f1c2c1e"
DOMAIN = {"PublicUrl": "", "DomainName": "connect.partner.example", "CertificateArn": CERTIFICATE}


def template(**parameters: str) -> Template:
    return load(PATH, PARAMETERS | parameters, REGION)


def stack(**parameters: str) -> Stack:
    """The template's stack, of which nothing is created."""

    def nothing(service: str) -> Any:
        raise AssertionError(f"{service} is asked for something")

    return Stack("fastkey", template(**parameters), {}, nothing, REGION, "https://made-by-aws.example")


@pytest.mark.parametrize(
    ("parameters", "url"),
    [({}, PARAMETERS["PublicUrl"]), (DOMAIN, "https://connect.partner.example")],
    ids=["public url", "domain"],
)
def test_the_api_is_where_whitebit_sends_browsers_back_to(parameters: dict[str, str], url: str) -> None:
    made = stack(**parameters)
    assert made.broken_rules() == []
    assert made.output("RedirectUri") == f"{url}/callback"
    for function in template(**parameters).resources.values():
        if function.type == "AWS::Lambda::Function":
            given = function.properties["Environment"]["Variables"]["PUBLIC_URL"]
            assert made.resolve(given) == url


def test_a_partner_is_told_the_domain() -> None:
    assert stack(**DOMAIN).output("ApiUrl") == "https://connect.partner.example"


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"PublicUrl": ""}, "Give DomainName or PublicUrl"),
        (DOMAIN | {"PublicUrl": "https://other.example"}, "Give DomainName or PublicUrl"),
        (DOMAIN | {"CertificateArn": ""}, "DomainName needs CertificateArn"),
    ],
)
def test_what_does_not_fit_together_is_refused(parameters: dict[str, str], complaint: str) -> None:
    (broken,) = stack(**parameters).broken_rules()
    assert complaint in broken


@pytest.mark.parametrize(("parameters", "disabled"), [({}, False), (DOMAIN, True)], ids=["public url", "domain"])
def test_the_name_that_aws_gives_the_api_does_not_answer_beside_the_partners(
    parameters: dict[str, str], disabled: bool
) -> None:
    (server,) = template(**parameters).resources["Api"].properties["Body"]["servers"]
    setting = server["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"]
    assert stack(**parameters).resolve(setting) is disabled


def test_the_domain_leads_to_the_whole_api_over_tls_of_today() -> None:
    resources = translated()
    (configuration,) = resources["Domain"].properties["DomainNameConfigurations"]
    assert (configuration["EndpointType"], configuration["SecurityPolicy"]) == ("REGIONAL", "TLS_1_2")
    mapping = resources["DomainMapping"].properties
    assert mapping == {
        "DomainName": {"Ref": "Domain"},
        "ApiId": {"Ref": "Api"},
        "Stage": {"Ref": "ApiApiGatewayDefaultStage"},
    }
    assert (resources["Domain"].condition, resources["DomainMapping"].condition) == ("HasDomain", "HasDomain")


@pytest.mark.parametrize(
    ("parameters", "made"),
    [({}, False), (DOMAIN, False), ({"HostedZoneId": "Z123"}, False), (DOMAIN | {"HostedZoneId": "Z123"}, True)],
)
def test_a_record_is_made_in_the_partners_zone_alone(parameters: dict[str, str], made: bool) -> None:
    condition = translated()["DomainRecord"].condition
    assert stack(**parameters).resolve({"Condition": condition}) is made
