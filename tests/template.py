"""The template, as it is written and as CloudFormation gets it."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local.aws.template import Resource, load

ROOT = Path(__file__).parents[1]
PATH = ROOT / "template.yaml"

WRITTEN: dict[str, Any] = yaml_parse(PATH.read_text())

REGION = "eu-central-1"

PARAMETERS = {
    "ClientId": "client",
    "ClientSecretName": "client-secret",
    "WhiteBitBaseUrl": "https://whitebit.example",
    "PublicUrl": "https://api.example",
    "JwtIssuer": "https://issuer.example",
    "JwtAudience": "partner",
    "AllowedOrigins": "https://partner.example",
    "AllowedReturnUrls": "https://partner.example/connected",
}


@cache
def translated() -> Mapping[str, Resource]:
    """The resources by their logical ids, with what SAM adds to them."""
    return load(PATH, PARAMETERS, REGION).resources


def routes() -> Iterator[tuple[str, str, bool]]:
    """The function, the route as API Gateway names it, and whether it takes a JWT."""
    for name, resource in WRITTEN["Resources"].items():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "HttpApi":
                route = event["Properties"]
                yield name, f"{route['Method']} {route['Path']}", route.get("Auth") != {"Authorizer": "NONE"}
