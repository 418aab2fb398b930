"""Where a deployment's parts are."""

from dataclasses import dataclass, fields
from typing import Any, Self

from botocore.exceptions import ClientError

from fastkey.ops.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the outputs of a stack say, each under its name with underscores.

    Tables are names, workflows and the beginning of keys ARNs, the queue a URL, the log the name of its
    group, and a function its own.
    """

    connections_table: str
    key_holders_table: str
    keys_arn: str
    keys_table: str
    provision_key: str
    revoke_key: str
    function_log: str
    vault_migration: str
    untold_events: str

    @classmethod
    def find(cls, cloudformation: Any, stack: str) -> Self:
        """Asks a boto3 client of CloudFormation. Raises Trouble where there is no such stack, or it is another's."""
        try:
            (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                region = cloudformation.meta.region_name
                raise Trouble(f"there is no stack {stack} in {region}, for the credentials that are used") from None
            raise
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        names = {field.name: _output(field.name) for field in fields(cls)}
        if missing := names.values() - outputs.keys():
            raise Trouble(
                f"the stack {stack} has no output {', '.join(sorted(missing))}: it is another's, or an older version"
            )
        return cls(**{name: outputs[output] for name, output in names.items()})


def _output(field: str) -> str:
    """connections_table is ConnectionsTable."""
    return "".join(part.capitalize() for part in field.split("_"))
