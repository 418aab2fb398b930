"""How each type of resource is created.

Properties go to the service's own API by CloudFormation's names. boto3 refuses one that the API does not have, so none
is dropped unseen.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from local.aws.policy import permissions
from local.aws.schedule import Schedule
from local.aws.stack import ACCOUNT_ID, Create, Physical, Stack
from local.aws.template import LOCAL_BUCKET, TemplateError, Value, require_known
from local.functions import FunctionSpec

# SAM gives these to roles. Functions' logs go to nobody's log group here, no function is in a VPC, and none is updated.
_SAMS_OWN = {
    f"arn:aws:iam::aws:policy/service-role/{name}"
    for name in ("AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AWSCodeDeployRoleForLambda")
}


def _table(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    client = stack.client("dynamodb")
    name = properties.pop("TableName", stack.physical_name(logical_id))
    ttl = properties.pop("TimeToLiveSpecification", None)
    recovery = properties.pop("PointInTimeRecoverySpecification", None)
    encryption = properties.pop("SSESpecification", None)
    if encryption:
        encryption["Enabled"] = encryption.pop("SSEEnabled")
        properties["SSESpecification"] = encryption
    description = client.create_table(TableName=name, **properties)["TableDescription"]
    if ttl:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    if recovery:
        client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    return Physical(name, {"Arn": description["TableArn"]})


def _key(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    client = stack.client("kms")
    rotate = properties.pop("EnableKeyRotation", False)
    policy = properties.pop("KeyPolicy", None)
    if policy:
        properties["Policy"] = json.dumps(policy)
    metadata = client.create_key(**properties)["KeyMetadata"]
    if rotate:
        client.enable_key_rotation(KeyId=metadata["KeyId"])
    return Physical(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})


def _key_alias(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    stack.client("kms").create_alias(**properties)
    return Physical(properties["AliasName"])


def _secret(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    client = stack.client("secretsmanager")
    properties.setdefault("Name", stack.physical_name(logical_id))
    generated = properties.pop("GenerateSecretString", None)
    if generated is not None:
        properties["SecretString"] = client.get_random_password(**generated)["RandomPassword"]
    arn = client.create_secret(**properties)["ARN"]
    return Physical(arn, {"Id": arn})


def _log_group(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    client = stack.client("logs")
    name = properties.pop("LogGroupName", stack.physical_name(logical_id))
    days = properties.pop("RetentionInDays", None)
    client.create_log_group(logGroupName=name, **properties)
    if days:
        client.put_retention_policy(logGroupName=name, retentionInDays=int(days))
    return Physical(name, {"Arn": stack.arn("logs", f"log-group:{name}:*")})


def _queue(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    client = stack.client("sqs")
    # moto takes attributes by any name.
    require_known(logical_id, properties, {"KmsMasterKeyId", "MessageRetentionPeriod", "SqsManagedSseEnabled"})
    attributes = {name: value if isinstance(value, str) else json.dumps(value) for name, value in properties.items()}
    url = client.create_queue(QueueName=stack.physical_name(logical_id), Attributes=attributes)["QueueUrl"]
    name = stack.physical_name(logical_id)
    return Physical(url, {"Arn": stack.arn("sqs", name), "QueueName": name})


def _alarm(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    # As everywhere in CloudFormation, numbers and booleans may be texts; nothing is measured here that could raise one.
    name = properties.pop("AlarmName", stack.physical_name(logical_id))
    stack.client("cloudwatch").put_metric_alarm(AlarmName=name, **properties)
    return Physical(name, {"Arn": stack.arn("cloudwatch", f"alarm:{name}")})


def _dashboard(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    name = properties.pop("DashboardName", stack.physical_name(logical_id))
    stack.client("cloudwatch").put_dashboard(DashboardName=name, **properties)
    return Physical(name)


def _event_bus(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    arn = stack.client("events").create_event_bus(**properties)["EventBusArn"]
    return Physical(properties["Name"], {"Arn": arn, "Name": properties["Name"]})


def _event_rule(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    client = stack.client("events")
    name = properties.pop("Name", stack.physical_name(logical_id))
    targets = properties.pop("Targets", [])
    if isinstance(properties.get("EventPattern"), dict):
        properties["EventPattern"] = json.dumps(properties["EventPattern"])
    arn = client.put_rule(Name=name, **properties)["RuleArn"]
    if targets:
        client.put_targets(Rule=name, EventBusName=properties.get("EventBusName", "default"), Targets=targets)
    return Physical(name, {"Arn": arn})


def _state_machine(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    name = properties.get("StateMachineName", stack.physical_name(logical_id))
    definition = _definition(
        _artifact(stack, properties["DefinitionS3Location"]), properties.get("DefinitionSubstitutions", {})
    )
    arn = stack.client("stepfunctions").create_state_machine(
        name=name,
        definition=definition,
        roleArn=properties["RoleArn"],
        type=properties.get("StateMachineType", "STANDARD"),
    )["stateMachineArn"]
    return Physical(arn, {"Arn": arn, "Name": name})


def _definition(path: Path, substitutions: Mapping[str, Value]) -> str:
    """An Amazon States Language file as JSON text, its `${Name}`s replaced as DefinitionSubstitutions replaces them."""
    text = json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")))

    def value(match: re.Match[str]) -> str:
        if match[1] not in substitutions:
            raise TemplateError(f"{path.name}: nothing is given for ${{{match[1]}}}")
        return json.dumps(str(substitutions[match[1]]))[1:-1]

    return re.sub(r"\$\{(\w+)\}", value, text)


def _function(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    name = properties.get("FunctionName", stack.physical_name(logical_id))
    arn = stack.arn("lambda", f"function:{name}")
    logging = properties.get("LoggingConfig", {})
    stack.functions[logical_id] = FunctionSpec(
        logical_id=logical_id,
        name=name,
        arn=arn,
        runtime=properties["Runtime"],
        handler=properties["Handler"],
        task_root=_artifact(stack, {"Bucket": properties["Code"]["S3Bucket"], "Key": properties["Code"]["S3Key"]}),
        layers=tuple(_layer_path(stack, layer) for layer in properties.get("Layers", [])),
        variables={key: str(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()},
        timeout_seconds=int(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        log_group=logging.get("LogGroup", f"/aws/lambda/{name}"),
        log_format=logging.get("LogFormat", "Text"),
        role=properties["Role"].rpartition("/")[2],
    )
    return Physical(name, {"Arn": arn})


def _version(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    arn = stack.arn("lambda", f"function:{properties['FunctionName']}")
    return Physical(f"{arn}:1", {"Version": "1"})


def _alias(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    """Leads to the one version that there is."""
    return Physical(stack.arn("lambda", f"function:{properties['FunctionName']}:{properties['Name']}"))


def _schedule(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    schedule = Schedule.parse(logical_id, properties)
    functions = [name for name, spec in stack.functions.items() if spec.is_named_by(schedule.function)]
    if not functions:
        raise TemplateError(f"{logical_id}: {schedule.function} is not a function of this template")
    if functions[0] in stack.schedules:
        raise TemplateError(f"{logical_id}: the local world knows one schedule of {functions[0]}")
    stack.schedules[functions[0]] = schedule
    return Physical(properties.get("Name", stack.physical_name(logical_id)))


def _asynchronous(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    # Whoever invokes a function here waits for it; what failed is neither tried again nor sent anywhere.
    require_known(logical_id, properties, {"DestinationConfig", "FunctionName", "MaximumRetryAttempts", "Qualifier"})
    require_known(logical_id, properties["DestinationConfig"], set())
    return Physical(stack.physical_name(logical_id))


def _layer(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    content = properties["Content"]
    arn = stack.arn("lambda", f"layer:{properties.get('LayerName', logical_id)}:1")
    stack.layers[arn] = _artifact(stack, {"Bucket": content["S3Bucket"], "Key": content["S3Key"]})
    return Physical(arn)


def _layer_path(stack: Stack, arn: str) -> Path:
    if arn not in stack.layers:
        raise TemplateError(f"the layer {arn} is not made by this template")
    return stack.layers[arn]


def _artifact(stack: Stack, location: Mapping[str, str]) -> Path:
    if location["Bucket"] != LOCAL_BUCKET:
        raise TemplateError(f"the artifact s3://{location['Bucket']}/{location['Key']} is not in this project")
    path = stack.root / location["Key"]
    if not path.exists():
        raise TemplateError(f"the artifact {location['Key']} does not exist")
    return path


def _http_api(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    stack.apis[logical_id] = properties["Body"]
    return Physical(logical_id.lower(), {"ApiId": logical_id.lower(), "ApiEndpoint": stack.api_url})


def _role(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    # Functions have a boundary, which allows nothing by itself.
    known = {"AssumeRolePolicyDocument", "ManagedPolicyArns", "PermissionsBoundary", "Policies", "RoleName", "Tags"}
    require_known(logical_id, properties, known)
    require_known(logical_id, properties.get("ManagedPolicyArns", []), _SAMS_OWN)
    name = properties.get("RoleName", stack.physical_name(logical_id))
    documents = (policy["PolicyDocument"] for policy in properties.get("Policies", []))
    stack.roles[name] = tuple(permission for document in documents for permission in permissions(document))
    return Physical(name, {"Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"})


def _managed_policy(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    """A policy that nobody has yet, or a boundary: as a role's own it would allow what `_role` does not know of."""
    require_known(logical_id, properties, {"Description", "PolicyDocument"})
    arn = f"arn:aws:iam::{ACCOUNT_ID}:policy/{stack.physical_name(logical_id)}"
    stack.policies[arn] = properties["PolicyDocument"]
    return Physical(arn)


def _nothing(stack: Stack, logical_id: str, properties: dict[str, Value]) -> Physical:
    """For what has no work to do here: nobody else invokes functions, none is updated, and nothing is billed."""
    return Physical(stack.physical_name(logical_id))


CREATORS: Mapping[str, Create] = {
    "AWS::ApiGatewayV2::Api": _http_api,
    "AWS::ApiGatewayV2::Stage": _nothing,
    "AWS::AppConfig::Application": _nothing,
    "AWS::AppConfig::ConfigurationProfile": _nothing,
    "AWS::AppConfig::HostedConfigurationVersion": _nothing,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::CodeDeploy::Application": _nothing,
    "AWS::CodeDeploy::DeploymentGroup": _nothing,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::EventBus": _event_bus,
    "AWS::Events::Rule": _event_rule,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Alias": _key_alias,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::EventInvokeConfig": _asynchronous,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::Lambda::Permission": _nothing,
    "AWS::Lambda::Version": _version,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Logs::MetricFilter": _nothing,
    "AWS::Logs::QueryDefinition": _nothing,
    "AWS::SQS::Queue": _queue,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::StepFunctions::StateMachine": _state_machine,
}
