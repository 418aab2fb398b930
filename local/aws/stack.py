"""A template's resources, created as CloudFormation would, each when something first refers to it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.aws.intrinsics import Resolver
from local.aws.policy import Permission
from local.aws.schedule import Schedule
from local.aws.server import Client
from local.aws.template import Template, TemplateError, Value
from local.functions import FunctionSpec

ACCOUNT_ID = "123456789012"  # moto's


@dataclass(frozen=True, slots=True)
class Physical:
    """What a created resource answers to `Ref` and to `Fn::GetAtt`."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Create = Callable[["Stack", str, dict[str, Value]], Physical]


class Stack:
    """A template's resources on this machine.

    `client` makes a boto3 client for a service's name. `creators` know how to create each type; a type that they do not
    know is an error. `functions` and `apis`, by logical id, describe what this process has to run, `schedules`, by the
    function's, when, and `roles`, by name, what a role may do; `policies`, by ARN, are documents that are no role's:
    `create` fills them.
    """

    def __init__(
        self,
        name: str,
        template: Template,
        creators: Mapping[str, Create],
        client: Callable[[str], Client],
        region: str,
        api_url: str,
    ) -> None:
        self.name = name
        self.region = region
        self.api_url = api_url
        self.root: Path = template.root
        self.client = client
        self.functions: dict[str, FunctionSpec] = {}
        self.apis: dict[str, Value] = {}
        self.schedules: dict[str, Schedule] = {}
        self.layers: dict[str, Path] = {}
        self.roles: dict[str, tuple[Permission, ...]] = {}
        self.policies: dict[str, Value] = {}
        self._template = template
        self._creators = creators
        self._created: dict[str, Physical] = {}
        self._under_way: list[str] = []
        pseudo = {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackName": name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._resolver = Resolver(
            {**template.parameters, **pseudo},
            template.conditions,
            lambda logical_id: self.resource(logical_id).ref,
            self._attribute,
        )

    def create(self) -> None:
        """Create every resource whose condition holds. Raises TemplateError where CloudFormation would refuse.

        moto's CloudFormation knows the stack's outputs then, and nothing of its resources.
        """
        if broken := self.broken_rules():
            raise TemplateError("; ".join(broken))
        for logical_id, resource in self._template.resources.items():
            if resource.condition is None or self._resolver.condition(resource.condition):
                self.resource(logical_id)
        outputs = {name: {"Value": value} for name, value in self.resolve(dict(self._template.outputs)).items()}
        body = json.dumps({"Resources": {}, "Outputs": outputs})
        self.client("cloudformation").create_stack(StackName=self.name, TemplateBody=body)

    def broken_rules(self) -> list[str]:
        """What the template's rules say against its parameters.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
        """
        rules = (rule for rule in self._template.rules.values() if self.resolve(rule.get("RuleCondition", True)))
        assertions = (assertion for rule in rules for assertion in rule["Assertions"])
        return [each["AssertDescription"] for each in assertions if not self.resolve(each["Assert"])]

    def resource(self, logical_id: str) -> Physical:
        """A resource by its logical id, created if nothing asked for it before."""
        if logical_id not in self._created:
            self._created[logical_id] = self._create(logical_id)
        return self._created[logical_id]

    def created(self, resource_type: str) -> dict[str, str]:
        """What the created resources of a type answer to `Ref`, by logical id."""
        of_type = (name for name, resource in self._template.resources.items() if resource.type == resource_type)
        return {name: self._created[name].ref for name in of_type if name in self._created}

    def output(self, name: str) -> Value:
        """The value of one of the template's outputs."""
        return self.resolve(self._template.outputs[name])

    def resolve(self, value: Value) -> Value:
        """A value of the template's without intrinsic functions. Creates what it refers to."""
        return self._resolver.resolve(value)

    def physical_name(self, logical_id: str) -> str:
        """The name of a resource to which the template gives none. CloudFormation adds a random end."""
        return f"{self.name}-{logical_id}"

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this stack's region and account."""
        return f"arn:aws:{service}:{self.region}:{ACCOUNT_ID}:{resource}"

    def _create(self, logical_id: str) -> Physical:
        if logical_id in self._under_way:
            circle = " -> ".join([*self._under_way, logical_id])
            raise TemplateError(f"resources depend on each other in a circle: {circle}")
        resource = self._template.resources.get(logical_id)
        if resource is None:
            raise TemplateError(f"the template has no parameter and no resource {logical_id}")
        creator = self._creators.get(resource.type)
        if creator is None:
            raise TemplateError(f"{logical_id}: the local world does not know the type {resource.type}")
        self._under_way.append(logical_id)
        try:
            return creator(self, logical_id, self.resolve(dict(resource.properties)))
        finally:
            self._under_way.pop()

    def _attribute(self, logical_id: str, name: str) -> str:
        attributes = self.resource(logical_id).attributes
        if name not in attributes:
            raise TemplateError(f"{logical_id} has no attribute {name} in the local world")
        return attributes[name]
