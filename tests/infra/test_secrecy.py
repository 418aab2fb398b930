"""What the template asks of AWS, so that nothing is logged, readable or gone that must not be.

Whether AWS does it no test here can see; that it is asked to, resource by resource, they can.
"""

import re
from typing import Any

import pytest

from local.aws.template import TemplateError, parameter_values
from tests.template import PARAMETERS, WRITTEN, translated


def of_all(resource_type: str, *names: str) -> dict[str, dict[str, Any]]:
    """These properties of every resource of a type, by its logical id."""
    found = {logical_id: body.properties for logical_id, body in translated().items() if body.type == resource_type}
    return {logical_id: {name: has.get(name) for name in names} for logical_id, has in found.items()}


# What every resource of a type has to have, to the letter.
ASKED: dict[str, dict[str, Any]] = {
    "AWS::DynamoDB::Table": {
        "SSESpecification": {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": {"Fn::GetAtt": ["SealingKey", "Arn"]},
        },
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    },
    "AWS::KMS::Key": {"EnableKeyRotation": True},
    # Lines that are JSON cannot be broken by what is in them. What goes wrong in the runtime itself is one of them too.
    "AWS::Lambda::Function": {"LoggingConfig": {"LogFormat": "JSON", "LogGroup": {"Ref": "FunctionLog"}}},
    "AWS::Logs::LogGroup": {"RetentionInDays": {"Ref": "LogRetentionDays"}},
    "AWS::SQS::Queue": {"SqsManagedSseEnabled": True},
    # With execution data, task tokens would be in the log.
    "AWS::StepFunctions::StateMachine": {
        "LoggingConfiguration": {
            "Level": "ERROR",
            "IncludeExecutionData": False,
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": ["WorkflowLog", "Arn"]}}}],
        }
    },
}

# Nothing that a client sent, and nothing of who it is.
LOGGED = {
    "$context.authorizer.error",
    "$context.integrationErrorMessage",
    "$context.requestId",
    "$context.requestTimeEpoch",
    "$context.responseLatency",
    "$context.routeKey",
    "$context.status",
}

# What an index shows beside keys: to whoever lists a user's connections, to whom a status is of use, and no ciphertext.
SHOWN = {
    "by_user": {
        "return_url",
        "status",
        "version",
        "created_at",
        "updated_at",
        "expires_at",
        "reason",
        "permissions",
        "issued_at",
    },
    "by_due": {"user_id", "status", "permissions", "issued_at"},
    "by_refresh": set(),
}

TAKEN = {
    "WhiteBitBaseUrl": ["https://whitebit.com", "https://sandbox.example:8443", "http://host.docker.internal:8081"],
    "DomainName": ["", "connect.a-b.example", "xn--bcher-kva.example"],
    "CertificateArn": ["", "arn:aws:acm:eu-central-1:123456789012:certificate/6f1c2c1e-0a1b"],
    "HostedZoneId": ["", "Z0123456789ABCDEFGHIJ"],
    "PublicUrl": ["", "https://api.example", "https://api.example:8443", "http://127.0.0.1:8080"],
    "JwtIssuer": [
        "https://issuer.example",
        "https://issuer.example/",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab3",
        "https://issuer.example:8443/realms/a%20b",
        "http://localhost:8083",
        "http://127.0.0.1:8083",
    ],
    "AllowedOrigins": ["https://a.example", "https://a.example:8443, https://b.example", "http://localhost:3000"],
}

# Each is refused of a URL wherever it is asked for.
NOT_SECURE = [
    "http://a.example",
    "http://localhost.a.example",
    "http://127.0.0.1.a.example",
    "http://localhost@a.example",
    "https://user@a.example",
    "https://",
    "https://*",
    "https://*.example",
    "ftp://a.example",
    "javascript:alert(1)",
    "https://a.example?b",
    "https://a.example#b",
    "https://a.example b",
    "https://a.example\nb",
]
NOT_A_HOST_ALONE = ["https://a.example/", "https://a.example/b"]

REFUSED = {
    "WhiteBitBaseUrl": ["", *NOT_SECURE, *NOT_A_HOST_ALONE, "https://whitebit.eu", "https://API.WhiteBIT.EU.:443"],
    "DomainName": [
        "https://a.example",
        "a.example/",
        "a.example:8443",
        "*.example",
        "localhost",
        "A.example",
        "-a.example",
    ],
    "CertificateArn": ["a.example", "arn:aws:iam::123456789012:server-certificate/a"],
    "HostedZoneId": ["a.example", "/hostedzone/Z123"],
    "PublicUrl": [*NOT_SECURE, *NOT_A_HOST_ALONE],
    "JwtIssuer": ["", *NOT_SECURE, "https://a.example/b?c", "https://a.example/b#c", "http://a.example/localhost"],
    "AllowedOrigins": [
        "",
        *NOT_SECURE,
        *NOT_A_HOST_ALONE,
        "*",
        "null",
        "http://*",
        "https://a.example,*",
        "https://a.example,http://b.example",
        "https://a.example,",
    ],
}


@pytest.mark.parametrize("resource_type", ASKED)
def test_every_resource_of_a_type_is_as_secret_as_the_others(resource_type: str) -> None:
    found = of_all(resource_type, *ASKED[resource_type])
    assert found
    assert found == dict.fromkeys(found, ASKED[resource_type])


def test_the_access_log_names_nothing_that_a_client_sent() -> None:
    (stage,) = of_all("AWS::ApiGatewayV2::Stage", "AccessLogSettings").values()
    settings = stage["AccessLogSettings"]
    assert settings["DestinationArn"] == {"Fn::GetAtt": ["ApiLog", "Arn"]}
    # Up to the quotation mark that closes it: no longer name passes for one of these.
    named = re.findall(r'\$[^"]*', settings["Format"])
    assert named
    assert set(named) <= LOGGED


def test_an_index_shows_keys_and_nothing_that_its_readers_have_no_use_for() -> None:
    tables = of_all("AWS::DynamoDB::Table", "GlobalSecondaryIndexes").values()
    indexes = [index for table in tables for index in table["GlobalSecondaryIndexes"] or ()]
    shown = {index["IndexName"]: set(index["Projection"].get("NonKeyAttributes", ())) for index in indexes}
    assert shown == SHOWN
    assert "ALL" not in {index["Projection"]["ProjectionType"] for index in indexes}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in TAKEN.items() for value in values])
def test_a_parameter_takes_what_is_secure(name: str, value: str) -> None:
    parameter_values(WRITTEN["Parameters"], {**PARAMETERS, name: value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_a_parameter_refuses_what_is_not(name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=f"parameter {name} must be"):
        parameter_values(WRITTEN["Parameters"], {**PARAMETERS, name: value})
