"""An update reaches callers as a whole, step by step if the partner wants it so, and is taken back if functions fail.

No CodeDeploy is here: what it is asked for is compared.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from fastkey.ports import Vault
from local.aws.intrinsics import Resolver
from local.aws.template import Template, load, read
from tests.template import PARAMETERS, PATH, REGION, WRITTEN

# What a version that does not work raises while a step of an update lasts.
ALARMS = ({"Ref": "FunctionsBroken"}, {"Ref": "Defects"}, {"Fn::Sub": "${AWS::StackName}-ApiErrors"})

# For each parameter, a value that is not the one it has in the other tests.
OTHERWISE = {
    "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:alarms",
    "AllowedOrigins": "https://other.example",
    "AllowedReturnUrls": "https://other.example/connected",
    "Architecture": "x86_64",
    "BearerReads": "on",
    "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/6f1c2c1e",
    "ClientId": "other",
    "ClientSecretName": "other-secret",
    "DeploymentPreference": "Canary10Percent5Minutes",
    "DomainName": "other.example",
    "HostedZoneId": "Z123",
    "JwtAudience": "other",
    "JwtIssuer": "https://other.example",
    "LogRetentionDays": "7",
    "MaximumPermissions": "read",
    "PublicUrl": "https://other.example",
    "SnapStart": "on",
    "StaticEgress": "on",
    "Vault": "dynamodb",
    "WhiteBitBaseUrl": "https://other.example",
}


def of_type(template: Template, resource_type: str) -> dict[str, Any]:
    return {name: body.properties for name, body in template.resources.items() if body.type == resource_type}


def resolved(template: Template, resource_type: str) -> dict[str, Any]:
    """The properties of the resources of a type, as they are when the parameters' values are known.

    Of the settings, CloudFormation knows the number of their version: another one for other settings.
    """
    pseudo = {f"AWS::{name}": name for name in ("AccountId", "Partition", "Region", "StackName", "URLSuffix")}

    def ref(name: str) -> str:
        return str(resolver.resolve(template.resources[name].properties)) if name == "Settings" else name

    known = {**template.parameters, **pseudo}
    resolver = Resolver(known, template.conditions, ref, lambda name, attribute: f"{name}.{attribute}")
    return {name: resolver.resolve(properties) for name, properties in of_type(template, resource_type).items()}


def functions(template: Template) -> dict[str, Any]:
    return resolved(template, "AWS::Lambda::Function")


def published(template: Template) -> dict[str, tuple[str, str]]:
    """By function, what makes the version to which its alias leads another one: its logical id and its description.

    A version is immutable: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html
    """
    versions = resolved(template, "AWS::Lambda::Version")
    leads_to = {
        alias["FunctionName"]["Ref"]: alias["FunctionVersion"]["Fn::GetAtt"][0]
        for alias in of_type(template, "AWS::Lambda::Alias").values()
    }
    return {function: (version, versions[version]["Description"]) for function, version in leads_to.items()}


def changed(before: Template, after: Template) -> set[str]:
    """The functions whose code or settings are others after than before."""
    return {name for name, body in functions(after).items() if body != functions(before)[name]}


def republished(before: Template, after: Template) -> set[str]:
    """The functions of which an update publishes another version."""
    return {name for name, version in published(after).items() if version != published(before)[name]}


def test_every_parameter_is_tried() -> None:
    assert OTHERWISE.keys() == WRITTEN["Parameters"].keys()


@pytest.mark.parametrize("parameter", OTHERWISE)
def test_a_parameter_publishes_a_version_of_those_functions_that_it_changes(parameter: str) -> None:
    """Otherwise the alias would go on leading to one that knows nothing of the change.

    Of a function that has not changed, Lambda publishes no other version, and the update would fail.
    """
    before = load(PATH, PARAMETERS, REGION)
    after = load(PATH, PARAMETERS | {parameter: OTHERWISE[parameter]}, REGION)
    assert changed(before, after) == republished(before, after)


def test_a_url_that_becomes_a_domain_of_the_same_name_is_no_change_to_a_function() -> None:
    before = load(PATH, PARAMETERS | {"PublicUrl": "https://connect.example.com"}, REGION)
    after = load(PATH, PARAMETERS | {"PublicUrl": "", "DomainName": "connect.example.com"}, REGION)
    assert changed(before, after) == republished(before, after) == set()


@pytest.mark.parametrize(
    ("layer", "architecture"),
    [("DependenciesLayerArm", "arm64"), ("DependenciesLayerX86", "x86_64"), ("SharedLayer", "arm64")],
)
def test_what_changes_in_a_layer_publishes_a_version_of_every_function(
    layer: str, architecture: str, tmp_path: Path
) -> None:
    source = read(PATH)
    source["Resources"][layer]["Properties"]["ContentUri"] = "changed"
    (tmp_path / "template.yaml").write_text(json.dumps(source))
    parameters = PARAMETERS | {"Architecture": architecture}
    before, after = load(PATH, parameters, REGION), load(tmp_path / "template.yaml", parameters, REGION)
    assert functions(before).keys() == published(after).keys()
    for name, body in functions(before).items():
        assert functions(after)[name] != body
        assert published(after)[name] != published(before)[name]


def test_a_version_of_before_may_store_keys_whichever_vault_is_chosen_since() -> None:
    """While an update lasts it goes on with its own parameters, and its role has the policy of the new ones."""
    before, after = (
        resolved(load(PATH, PARAMETERS | {"Vault": vault}, REGION), "AWS::IAM::Role")["CaptureSecretRole"]
        for vault in Vault
    )
    assert before == after


def test_nobody_calls_a_function_but_by_its_alias() -> None:
    template = load(PATH, PARAMETERS, REGION)
    names = of_type(template, "AWS::Lambda::Function").keys()
    assert published(template).keys() == names
    callers = {
        "AWS::ApiGatewayV2::Api",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
        "AWS::Scheduler::Schedule",
        "AWS::StepFunctions::StateMachine",
    }
    text = json.dumps([body.properties for body in template.resources.values() if body.type in callers])
    for name in names:
        assert f'{{"Ref": "{name}"}}' not in text
        assert f'"Fn::GetAtt": ["{name}", "Arn"]' not in text
        assert f"${{{name}.Arn}}" not in text


def test_each_update_is_taken_back_when_functions_fail() -> None:
    template = load(PATH, PARAMETERS | {"DeploymentPreference": "Canary10Percent5Minutes"}, REGION)
    groups = of_type(template, "AWS::CodeDeploy::DeploymentGroup")
    assert template.resources["ApiErrors"].properties["AlarmName"] == ALARMS[-1]
    assert {name.removesuffix("DeploymentGroup") for name in groups} == published(template).keys()
    for group in groups.values():
        assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": name} for name in ALARMS]}
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert group["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": "Canary10Percent5Minutes"}
