"""What functions in containers need to know, to reach the local world on this machine."""

import json
from urllib.parse import urlsplit

from local.aws.server import ADMINISTRATOR
from local.world import World

# The name by which SAM's containers know this machine, and what the container engine makes of it.
MACHINE = "host.docker.internal"
ADD_HOST = f"{MACHINE}:host-gateway"


def environments(world: World) -> str:
    """The text of a file for `sam local invoke --env-vars`: what the template gives each function, and where AWS is.

    The world has to listen on more than the loopback address: `World(host="0.0.0.0")`.
    """
    by_function = {
        name: {**spec.variables, "AWS_ENDPOINT_URL": world.aws} for name, spec in world.functions.specs().items()
    }
    text = json.dumps(by_function, indent=2)
    for url in (world.aws, world.whitebit):
        text = text.replace(url, f"http://{MACHINE}:{urlsplit(url).port}")
    return text


def aws_environment(world: World) -> dict[str, str]:
    """What makes boto3 in this process, and in the containers that SAM starts from it, take the local AWS for AWS."""
    return {
        "AWS_ACCESS_KEY_ID": ADMINISTRATOR,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": world.client("sts").meta.region_name,
        "AWS_ENDPOINT_URL": world.aws,
    }
