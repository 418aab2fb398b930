"""Nobody is let in by another way than the policies that `tests/e2e/test_privileges.py` holds to what is done.

The template is looked at as CloudFormation gets it: with what SAM adds to it.
"""

import json

import pytest

from local.aws.template import Resource
from tests.template import WRITTEN, routes, translated

RESOURCES = translated()
SOURCE = WRITTEN["Resources"]

# None of these but a role, a permission and a key can let anybody in; the functions have no URLs of their own. Of the
# network, `test_static_egress.py` has more.
KINDS = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Stage",
    "AWS::AppConfig::Application",
    "AWS::AppConfig::ConfigurationProfile",
    "AWS::AppConfig::HostedConfigurationVersion",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::DynamoDB::Table",
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Route53::RecordSet",
    "AWS::SQS::Queue",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
}

SERVICES = {"AWS::Serverless::Function": "lambda", "AWS::Serverless::StateMachine": "states"}


def of_type(resource_type: str) -> dict[str, Resource]:
    return {name: resource for name, resource in RESOURCES.items() if resource.type == resource_type}


def test_there_is_nothing_else_that_could_let_anybody_in() -> None:
    assert {resource.type for resource in RESOURCES.values()} == KINDS
    resource_policies = {"ResourcePolicy", "Policy", "FunctionUrlConfig"}
    assert [name for name, resource in RESOURCES.items() if resource_policies & resource.properties.keys()] == []


@pytest.mark.parametrize("owner", [name for name, body in SOURCE.items() if body["Type"] in SERVICES])
def test_a_role_is_taken_by_its_service_alone_and_has_no_policy_from_elsewhere(owner: str) -> None:
    role, service = RESOURCES[f"{owner}Role"], SERVICES[SOURCE[owner]["Type"]]
    # What SAM gives to functions, and to those that may be in a VPC. It names every log group and network interface,
    # and the boundary takes all but one group away again.
    sams_own = ["Basic"] * (service == "lambda") + ["VPCAccess"] * ("VpcConfig" in SOURCE[owner]["Properties"])
    managed = [f"arn:aws:iam::aws:policy/service-role/AWSLambda{name}ExecutionRole" for name in sams_own]
    boundary = {"Ref": "FunctionBoundary"} if service == "lambda" else None
    assert role.properties.get("PermissionsBoundary") == boundary
    trust = {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": [f"{service}.amazonaws.com"]}}
    assert role.properties["AssumeRolePolicyDocument"]["Statement"] == [trust]
    assert role.properties["ManagedPolicyArns"] == managed
    documents = [policy["PolicyDocument"] for policy in role.properties["Policies"]]
    # SAM's word for the alias, and its logical id.
    assert documents == json.loads(json.dumps(SOURCE[owner]["Properties"]["Policies"]).replace(".Alias", "Aliaslive"))


def test_functions_may_log_to_their_own_group_and_have_lambda_make_network_interfaces() -> None:
    # No function calls CloudWatch Logs or EC2, Lambda does: what is written is compared, and not tried.
    boundary = RESOURCES["FunctionBoundary"]
    assert set(boundary.properties) == {"Description", "PolicyDocument"}
    own, rest, interfaces = boundary.properties["PolicyDocument"]["Statement"]
    assert own == {
        "Sid": "WriteOwnLog",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": {"Fn::GetAtt": ["FunctionLog", "Arn"]},
    }
    assert rest == {"Sid": "LeaveTheRestToPolicies", "Effect": "Allow", "NotAction": "logs:*", "Resource": "*"}
    # What a function calls itself names it in this key; what Lambda does in its name does not:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    assert interfaces == {
        "Sid": "LeaveInterfacesToLambda",
        "Effect": "Deny",
        "Action": "ec2:*",
        "Resource": "*",
        "Condition": {"Null": {"lambda:SourceFunctionArn": "false"}},
    }


FOR_PEOPLE_AND_PROGRAMS = ("BackendPolicy", "OperatorPolicy")


@pytest.mark.parametrize("policy", FOR_PEOPLE_AND_PROGRAMS)
def test_nobody_has_the_partners_policies_until_they_are_attached(policy: str) -> None:
    assert of_type("AWS::IAM::ManagedPolicy").keys() == {"FunctionBoundary", *FOR_PEOPLE_AND_PROGRAMS}
    assert RESOURCES[policy].properties.keys() == {"Description", "PolicyDocument"}


def test_there_is_no_role_but_those() -> None:
    owners = {f"{name}Role" for name, body in SOURCE.items() if body["Type"] in SERVICES}
    schedules = {f"{name}Role" for name in of_type("AWS::Scheduler::Schedule")}
    assert of_type("AWS::IAM::Role").keys() == owners | schedules | {"CodeDeployServiceRole"}


def test_the_role_for_updates_is_codedeploys_and_has_what_aws_wrote_for_it() -> None:
    role = RESOURCES["CodeDeployServiceRole"].properties
    trust = {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": ["codedeploy.amazonaws.com"]}}
    assert role["AssumeRolePolicyDocument"]["Statement"] == [trust]
    assert role["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"]
    assert role.keys() == {"AssumeRolePolicyDocument", "ManagedPolicyArns"}


@pytest.mark.parametrize("schedule", of_type("AWS::Scheduler::Schedule"))
def test_a_schedules_role_is_taken_by_schedules_alone_and_invokes_one_function(schedule: str) -> None:
    target, role = RESOURCES[schedule].properties["Target"], RESOURCES[f"{schedule}Role"].properties
    assert target["RoleArn"] == {"Fn::GetAtt": [f"{schedule}Role", "Arn"]}
    assert role.keys() == {"AssumeRolePolicyDocument", "Policies"}
    trust = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": ["scheduler.amazonaws.com"]},
    }
    assert role["AssumeRolePolicyDocument"]["Statement"] == [trust]
    (policy,) = role["Policies"]
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": target["Arn"]}
    assert policy["PolicyDocument"]["Statement"] == [invoke]


def test_a_function_is_invoked_by_its_routes_of_this_api_alone() -> None:
    granted = []
    for permission in of_type("AWS::Lambda::Permission").values():
        source, variables = permission.properties["SourceArn"]["Fn::Sub"]
        assert permission.properties.keys() == {"Action", "FunctionName", "Principal", "SourceArn"}
        assert permission.properties["Action"] == "lambda:InvokeFunction"
        assert permission.properties["Principal"] == "apigateway.amazonaws.com"
        assert variables == {"__ApiId__": {"Ref": "Api"}, "__Stage__": "*"}
        prefix, _, route = source.partition("${__ApiId__}/${__Stage__}/")
        assert prefix == "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
        granted.append((permission.properties["FunctionName"]["Ref"].removesuffix("Aliaslive"), route))
    # As an ARN has them: without the space, and with an asterisk for the id.
    asked = [(name, route.replace(" ", "").replace("{connection_id}", "*")) for name, route, _ in routes()]
    assert sorted(granted) == sorted(asked)


def test_the_key_is_the_accounts_and_used_by_others_through_two_services_only() -> None:
    # moto does not judge key policies, and no service of it uses a key: what is written is compared, and not tried.
    # The actions are those of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    administered, used = RESOURCES["SealingKey"].properties["KeyPolicy"]["Statement"]
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert {key: administered[key] for key in administered if key != "Sid"} == {
        "Effect": "Allow",
        "Principal": root,
        "Action": "kms:*",
        "Resource": "*",
    }
    services = [{"Fn::Sub": f"{name}.${{AWS::Region}}.${{AWS::URLSuffix}}"} for name in ("dynamodb", "secretsmanager")]
    assert {key: used[key] for key in used if key != "Sid"} == {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:CreateGrant",
            "kms:DescribeKey",
        ],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"kms:CallerAccount": {"Ref": "AWS::AccountId"}, "kms:ViaService": services},
        },
    }
