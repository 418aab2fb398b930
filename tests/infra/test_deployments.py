"""What is deployed by `samconfig.toml`, and what the Serverless Application Repository is told."""

import re
import subprocess
import tomllib
from typing import Any

import pytest

from tests.template import ROOT, WRITTEN

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PUBLISHED = WRITTEN["Metadata"]["AWS::ServerlessRepo::Application"]
DEPLOYED: dict[str, dict[str, Any]] = {
    name: commands["deploy"]["parameters"] for name, commands in CONFIG.items() if isinstance(commands, dict)
}


def test_no_deployment_is_another_ones() -> None:
    assert DEPLOYED.keys() == {"default", "staging", "prod"}
    for name in ("stack_name", "s3_prefix"):
        assert len({parameters[name] for parameters in DEPLOYED.values()}) == len(DEPLOYED)


@pytest.mark.parametrize("deployment", DEPLOYED)
def test_somebody_looks_at_what_will_change(deployment: str) -> None:
    assert DEPLOYED[deployment]["confirm_changeset"] is True
    assert DEPLOYED[deployment]["capabilities"] == "CAPABILITY_IAM"


def test_production_is_updated_step_by_step() -> None:
    name, _, value = DEPLOYED["prod"]["parameter_overrides"].partition("=")
    parameter = WRITTEN["Parameters"][name]
    assert name == "DeploymentPreference"
    assert value in set(parameter["AllowedValues"]) - {"AllAtOnce"}


def test_functions_get_the_libraries_that_were_built_for_their_processor() -> None:
    """Whatever was built: `sam build` is told no Architecture, and `sam deploy --guided` asks for it afterwards."""
    condition, arm, x86 = WRITTEN["Globals"]["Function"]["Layers"][0]["Fn::If"]
    assert WRITTEN["Conditions"][condition] == {"Fn::Equals": [{"Ref": "Architecture"}, "arm64"]}
    for layer, architecture, wheels in ((arm["Ref"], "arm64", "aarch64"), (x86["Ref"], "x86_64", "x86_64")):
        body = WRITTEN["Resources"][layer]
        assert (
            body["Properties"]["CompatibleArchitectures"] == [architecture] == [body["Metadata"]["BuildArchitecture"]]
        )
        command = ["make", "--dry-run", "--directory", ROOT / body["Properties"]["ContentUri"], f"build-{layer}"]
        made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert f"--platform manylinux2014_{wheels} " in made


def test_what_is_published_is_this_version_under_this_licence() -> None:
    assert (PUBLISHED["Name"], PUBLISHED["SemanticVersion"]) == (PROJECT["name"], PROJECT["version"])
    assert PUBLISHED["SpdxLicenseId"] == PROJECT["license"]
    assert all((ROOT / PUBLISHED[name]).is_file() for name in ("LicenseUrl", "ReadmeUrl"))


def test_the_metadata_is_what_the_repository_takes() -> None:
    # https://docs.aws.amazon.com/serverlessrepo/latest/devguide/applications-applicationid.html
    assert PUBLISHED.keys() >= {"Name", "Description", "Author", "SpdxLicenseId", "LicenseUrl", "ReadmeUrl", "Labels"}
    assert len(PUBLISHED["Description"]) <= 256
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", PUBLISHED["Name"])
    assert len(PUBLISHED["Labels"]) <= 10
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", label) for label in PUBLISHED["Labels"])
