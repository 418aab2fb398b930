"""Parameters as CloudFormation checks them, and intrinsic functions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local.aws.intrinsics import Resolver
from local.aws.template import Template, TemplateError, load

REGION = "eu-central-1"


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(
        parameters={"Name": "shop", "List": ["a", "b"], "AWS::Region": REGION},
        conditions={
            "Yes": {"Fn::Equals": [{"Ref": "Name"}, "shop"]},
            "No": {"Fn::Not": [{"Condition": "Yes"}]},
        },
        ref=lambda logical_id: f"ref-{logical_id}",
        attribute=lambda logical_id, name: f"{logical_id}-{name}",
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Name"}, "shop"),
        ({"Ref": "AWS::Region"}, REGION),
        ({"Ref": "Table"}, "ref-Table"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table-Arn"),
        ({"Fn::GetAtt": "Table.Arn"}, "Table-Arn"),
        ({"Fn::Sub": "${Name}/${Table}/${Table.Arn}/${!Literal}"}, "shop/ref-Table/Table-Arn/${Literal}"),
        ({"Fn::Sub": ["${own}-${Name}", {"own": {"Ref": "Table"}}]}, "ref-Table-shop"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Split": [",", {"Fn::Join": [",", {"Ref": "List"}]}]}, ["a", "b"]),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::If": ["Yes", "then", "else"]}, "then"),
        ({"Fn::If": ["No", "then", "else"]}, "else"),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]}, True),
        ({"kept": 1, "gone": {"Ref": "AWS::NoValue"}}, {"kept": 1}),
        (["kept", {"Fn::If": ["No", "there", {"Ref": "AWS::NoValue"}]}], ["kept"]),
        ({"Condition": {"StringEquals": {"a": {"Ref": "Name"}}}}, {"Condition": {"StringEquals": {"a": "shop"}}}),
    ],
)
def test_an_intrinsic_function_has_cloudformations_value(resolver: Resolver, value: object, expected: object) -> None:
    assert resolver.resolve(value) == expected


def test_an_unknown_intrinsic_function_is_an_error(resolver: Resolver) -> None:
    with pytest.raises(TemplateError, match="Fn::Cidr"):
        resolver.resolve({"deep": [{"Fn::Cidr": ["10.0.0.0/16", 1, 8]}]})


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({}, "Issuer has no value"),
        ({"Issuer": "ftp://x"}, "Issuer must be a URL"),
        ({"Issuer": "http://x", "Size": "huge"}, "Size has a value not allowed"),
        ({"Issuer": "http://x", "Sise": "large"}, "no parameter Sise"),
    ],
)
def test_a_parameter_that_cloudformation_refuses_is_an_error(
    shop: Path, parameters: dict[str, str], complaint: str
) -> None:
    with pytest.raises(TemplateError, match=complaint):
        load(shop / "template.yaml", parameters, REGION)


def test_a_list_parameter_is_a_list(template: Template) -> None:
    assert template.parameters["Origins"] == ["https://shop.example", "https://till.example"]


@pytest.fixture
def write_template(tmp_path: Path) -> Callable[[str], Path]:
    def write(resources: str) -> Path:
        path = tmp_path / "template.yaml"
        path.write_text(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{resources}")
        return path

    return write


def test_a_template_without_parameters_is_translated(write_template: Callable[[str], Path]) -> None:
    path = write_template("  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}")
    (resource,) = load(path, {}, REGION).resources.values()
    assert resource.type == "AWS::Lambda::LayerVersion"
