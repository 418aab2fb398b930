"""Prints a SAM template as CloudFormation gets it, as JSON, for tools that do not know SAM.

`python -m local.translated template.yaml`, or with `--kept` only the resources that outlive a stack: what a new stack
begins with, to take them over.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from local.aws.template import Value, read, translate


def kept(template: Mapping[str, Value]) -> dict[str, Value]:
    """The part of a translated template that is not deleted with its stack."""
    resources = template["Resources"].items()
    outlive = {name: body for name, body in resources if body.get("DeletionPolicy", "Delete") != "Delete"}
    return {"AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"], "Resources": outlive}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("template", type=Path)
    arguments.add_argument("--kept", action="store_true")
    asked = arguments.parse_args()
    template = translate(read(asked.template), {}, "eu-central-1")
    print(json.dumps(kept(template) if asked.kept else template, indent=2))


if __name__ == "__main__":
    main()
