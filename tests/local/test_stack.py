"""A stack's resources in moto, as the template describes them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from local.aws.policy import Permission
from local.aws.resources import CREATORS
from local.aws.server import Aws
from local.aws.stack import Stack
from local.aws.template import TemplateError, load

REGION = "eu-central-1"


def test_a_table_has_its_keys_and_indexes(stack: Stack, aws: Aws) -> None:
    table = aws.client("dynamodb").describe_table(TableName="shop-Shelves")["Table"]
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_owner", "by_restock"]


def test_an_index_holds_the_keys_of_the_items_that_have_its_attributes_in_order(stack: Stack, aws: Aws) -> None:
    client = aws.client("dynamodb")

    def shelf(name: str, **attributes: str) -> None:
        item = {"id": name, "sign": "Spices", **attributes}
        client.put_item(TableName="shop-Shelves", Item={each: {"S": value} for each, value in item.items()})

    def found() -> list[dict[str, str]]:
        answer = client.query(
            TableName="shop-Shelves",
            IndexName="by_restock",
            KeyConditionExpression="aisle = :aisle AND restock_at < :now",
            ExpressionAttributeValues={":aisle": {"S": "1"}, ":now": {"S": "2026-06"}},
        )
        return [{name: value["S"] for name, value in item.items()} for item in answer["Items"]]

    shelf("june", aisle="1", restock_at="2026-06")
    shelf("may", aisle="1", restock_at="2026-05")
    shelf("april", aisle="1", restock_at="2026-04")
    shelf("other aisle", aisle="2", restock_at="2026-04")
    shelf("never", aisle="1")
    shelf("owned", owner="ada")
    assert found() == [
        {"id": "april", "aisle": "1", "restock_at": "2026-04"},
        {"id": "may", "aisle": "1", "restock_at": "2026-05"},
    ]
    shelf("april", aisle="1")
    assert [item["id"] for item in found()] == ["may"]


def test_a_table_has_its_time_to_live(stack: Stack, aws: Aws) -> None:
    ttl = aws.client("dynamodb").describe_time_to_live(TableName="shop-Shelves")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "remove_at"}


def test_a_table_is_encrypted_by_the_stacks_own_key_and_can_be_recovered(stack: Stack, aws: Aws) -> None:
    client = aws.client("dynamodb")
    encryption = client.describe_table(TableName="shop-Shelves")["Table"]["SSEDescription"]
    backups = client.describe_continuous_backups(TableName="shop-Shelves")["ContinuousBackupsDescription"]
    assert encryption["KMSMasterKeyArn"] == stack.resource("Key").attributes["Arn"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_a_key_rotates_and_has_its_alias(stack: Stack, aws: Aws) -> None:
    client = aws.client("kms")
    key_id = client.describe_key(KeyId="alias/shop")["KeyMetadata"]["KeyId"]
    assert key_id == stack.resource("Key").ref
    assert client.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]


def test_a_secret_is_generated(stack: Stack, aws: Aws) -> None:
    assert len(aws.client("secretsmanager").get_secret_value(SecretId="till")["SecretString"]) == 24


def test_a_log_group_has_its_retention(stack: Stack, aws: Aws) -> None:
    (group,) = aws.client("logs").describe_log_groups(logGroupNamePrefix="shop-Logs")["logGroups"]
    assert group["retentionInDays"] == 7


def test_a_rule_has_its_pattern_and_its_targets(stack: Stack, aws: Aws) -> None:
    client = aws.client("events")
    rule = client.describe_rule(Name="shop-Sold", EventBusName="shop")
    (target,) = client.list_targets_by_rule(Rule="shop-Sold", EventBusName="shop")["Targets"]
    assert json.loads(rule["EventPattern"]) == {"source": ["shop"]}
    assert target["Arn"] == f"arn:aws:sqs:{REGION}:123456789012:sold"


def test_a_queue_has_its_attributes_and_is_reached_by_its_url(stack: Stack, aws: Aws) -> None:
    client, queue = aws.client("sqs"), stack.resource("Returns")
    attributes = client.get_queue_attributes(QueueUrl=queue.ref, AttributeNames=["All"])["Attributes"]
    assert attributes["QueueArn"] == queue.attributes["Arn"] == f"arn:aws:sqs:{REGION}:123456789012:shop-Returns"
    assert (attributes["MessageRetentionPeriod"], attributes["SqsManagedSseEnabled"]) == ("1209600", "true")
    client.send_message(QueueUrl=queue.ref, MessageBody="a broken jar")
    assert [message["Body"] for message in client.receive_message(QueueUrl=queue.ref)["Messages"]] == ["a broken jar"]


def test_a_state_machine_has_its_substitutions(stack: Stack, aws: Aws) -> None:
    arn = stack.created("AWS::StepFunctions::StateMachine")["Order"]
    definition = aws.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    states = json.loads(definition)["States"]
    assert states["AwaitPayment"]["Parameters"]["TableName"] == "shop-Shelves"
    assert states["Pack"]["Resource"] == stack.functions["Misbehave"].arn


def test_a_function_has_what_the_template_gives_it(stack: Stack, shop: Path) -> None:
    spec = stack.functions["Echo"]
    assert spec.variables == {"SHELF": "shop-Shelves", "SIZE": "S"}
    assert (spec.task_root, spec.layers) == (shop / "echo", (shop / "common",))
    assert (spec.timeout_seconds, spec.memory_mb, spec.log_group) == (2, 256, "shop-Logs")


def test_what_a_condition_excludes_is_not_created(stack: Stack) -> None:
    assert stack.created("AWS::DynamoDB::Table") == {"Shelves": "shop-Shelves"}


def test_a_role_has_the_permissions_of_its_policies(stack: Stack) -> None:
    arn = f"arn:aws:events:{REGION}:123456789012:event-bus/shop"
    assert stack.functions["Echo"].role == "shop-EchoRole"
    assert stack.roles["shop-EchoRole"] == ()
    assert Permission("Tell", "events:Put*", arn) in stack.roles["shop-OrderRole"]


def test_an_output_is_resolved(stack: Stack) -> None:
    assert stack.output("Shelves") == f"shop-Shelves/{REGION}"


@pytest.fixture
def create(tmp_path: Path, aws: Aws) -> Callable[[str], None]:
    def create(resources: str) -> None:
        (tmp_path / "template.yaml").write_text(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{resources}")
        template = load(tmp_path / "template.yaml", {}, REGION)
        Stack("other", template, CREATORS, aws.client, REGION, "").create()

    return create


@pytest.mark.parametrize(
    ("resources", "complaint"),
    [
        ("  Bucket: {Type: AWS::S3::Bucket}", "Bucket: .*AWS::S3::Bucket"),
        ("  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref Nobody}}", "Nobody"),
        ("  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !GetAtt Role.Id}}\n"
         "  Role: {Type: AWS::IAM::Role, Properties: {}}", "Role has no attribute Id"),
        ("  A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref B}}\n"
         "  B: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref A}}", "A -> B -> A"),
        ("  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: nowhere}}", "nowhere does not exist"),
        ("  More: {Type: AWS::IAM::ManagedPolicy, Properties: {Roles: [role]}}", "More: .*Roles"),
        ("  More: {Type: AWS::IAM::Policy, Properties: {Roles: [role]}}", "AWS::IAM::Policy"),
        ("  Role: {Type: AWS::IAM::Role, Properties: {Path: /}}", "Role: .*Path"),
        ("  Role: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [everything]}}", "Role: .*everything"),
        ("  Queue: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}", "Queue: .*FifoQueue"),
        ("  Every: {Type: AWS::Scheduler::Schedule, Properties: {FlexibleTimeWindow: {Mode: 'OFF'},\n"
         "    ScheduleExpression: rate(1 minute), Target: {Arn: nobody, RoleArn: role}}}", "Every: nobody"),
        ("  Retry: {Type: AWS::Lambda::EventInvokeConfig, Properties: {FunctionName: f, Qualifier: $LATEST,\n"
         "    DestinationConfig: {OnFailure: {Destination: queue}}}}", "Retry: .*OnFailure"),
    ],
)  # fmt: skip
def test_what_cannot_be_created_is_named(create: Callable[[str], None], resources: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        create(resources)


def test_a_property_that_the_service_does_not_have_is_an_error(create: Callable[[str], None]) -> None:
    with pytest.raises(Exception, match="RotateDaily"):
        create("  Key: {Type: AWS::KMS::Key, Properties: {RotateDaily: true}}")


def test_a_second_schedule_of_a_function_is_an_error(create: Callable[[str], None], tmp_path: Path) -> None:
    (tmp_path / "echo").mkdir()
    every = "{Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}"
    properties = f"{{CodeUri: echo, Runtime: python3.13, Handler: app.handler, Events: {{A: {every}, B: {every}}}}}"
    with pytest.raises(TemplateError, match=r"EchoB: .* one schedule of Echo"):
        create(f"  Echo: {{Type: AWS::Serverless::Function, Properties: {properties}}}")


def test_a_placeholder_without_a_substitution_is_an_error(create: Callable[[str], None], tmp_path: Path) -> None:
    (tmp_path / "machine.yaml").write_text('StartAt: A\nStates: {A: {Type: Task, Resource: "${Gone}", End: true}}')
    with pytest.raises(TemplateError, match="Gone"):
        create("  Machine: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: machine.yaml}}")


def test_cloudformation_knows_the_outputs(stack: Stack, aws: Aws) -> None:
    (described,) = aws.client("cloudformation").describe_stacks(StackName="shop")["Stacks"]
    assert described["Outputs"] == [{"OutputKey": "Shelves", "OutputValue": f"shop-Shelves/{REGION}"}]
