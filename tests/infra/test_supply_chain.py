"""What is installed and what ships is pinned by hashes, comes from no address of its own, and is written down."""

import json
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "layers/dependencies/requirements.txt"
PINS = [*sorted((ROOT / "requirements").glob("*.txt")), SHIPPED]
MAKEFILES = [
    ROOT / "Makefile",
    *sorted(ROOT.glob("*/Makefile")),
    ROOT / "layers/dependencies/Makefile",
    ROOT / ".ci/run",
]

# A version, perhaps for some machines only, and hashes: nothing else pins what is installed.
PINNED = re.compile(r"[a-z0-9.-]+==[0-9][\w.]*( ; [^\\]+)?( --hash=sha256:[0-9a-f]{64})+")


def requirements(path: Path) -> list[str]:
    """Each requirement with its hashes, on one line."""
    text = "".join(line for line in path.read_text().splitlines(True) if not line.startswith("#"))
    return [" ".join(line.split()) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.parametrize("path", PINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_requirement_is_pinned_with_its_hashes(path: Path) -> None:
    pinned = requirements(path)
    assert pinned
    assert [line for line in pinned if not PINNED.fullmatch(line)] == []


def test_every_list_of_requirements_has_its_pins() -> None:
    wanted = [*(ROOT / "requirements").glob("*.in"), SHIPPED.with_suffix(".in")]
    assert {path.with_suffix(".txt") for path in wanted} == set(PINS)


def test_what_ships_requires_nothing_that_is_neither_shipped_nor_in_the_runtime() -> None:
    """The layer is installed without looking for what is required, so that it holds no second boto3."""
    runtime = {"boto3", "botocore", "python-dateutil", "s3transfer"}
    shipped = {line.partition("==")[0] for line in requirements(SHIPPED)}
    required = {
        requirement.name
        for name in shipped
        for requirement in map(Requirement, metadata.requires(name) or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert required - shipped <= runtime
    assert not shipped & runtime


def commands(path: Path) -> list[str]:
    """The lines of a makefile or script, each with what continues it."""
    return path.read_text().replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("path", MAKEFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_installed_without_its_hashes(path: Path) -> None:
    for command in commands(path):
        if re.search(r"\bpip\b.*\binstall\b", command):
            assert "--require-hashes" in command
        # Hashes are in the lock file, which `npm ci` keeps to. Debian's packages are signed.
        assert not re.search(r"\bnpm\s+(i|install|add|exec|x)\b|\bnpx\b|\buvx\b|\bpipx\b", command)


def test_every_package_of_npm_is_locked_with_its_hash() -> None:
    lock = json.loads((ROOT / "requirements/npm/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


@pytest.mark.parametrize(
    "path",
    [*PINS, *(pins.with_suffix(".in") for pins in PINS), *MAKEFILES],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_package_comes_from_an_address(path: Path) -> None:
    text = "\n".join(line for line in commands(path) if not line.lstrip().startswith("#"))
    # Nor from another place than the registry that the machine is set up for.
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|--registry|\bgit\+|@ file:", text)


def bill(path: Path) -> dict[str, Any]:
    """The bill of materials, written by the command that `make build` runs for it."""
    shown = subprocess.run(["make", "--dry-run", "bill"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (command,) = re.findall(r"^\.venv/bin/(cyclonedx-py (?:.*\\\n)*.*)$", shown, re.M)
    tool, *arguments = shlex.split(command.replace("\\\n", " "))
    arguments[arguments.index("--output-file") + 1] = str(path)
    subprocess.run([Path(sys.executable).parent / tool, *arguments], cwd=ROOT, capture_output=True, check=True)
    written: dict[str, Any] = json.loads(path.read_text())
    return written


def test_the_bill_of_materials_is_what_ships_and_the_same_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    document = bill(first)
    bill(second)
    assert first.read_bytes() == second.read_bytes()
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "fastkey")
    assert re.fullmatch(r"\d+\.\d+\.\d+", document["metadata"]["component"]["version"])
    listed = {
        f"{component['name']}=={component['version']}": {
            digest["content"] for reference in component["externalReferences"] for digest in reference["hashes"]
        }
        for component in document["components"]
    }
    assert listed == {
        line.split()[0]: set(re.findall(r"sha256:([0-9a-f]{64})", line)) for line in requirements(SHIPPED)
    }


def test_make_build_writes_the_bill_of_materials() -> None:
    rule = re.search(r"^build:(.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert rule
    assert "bill" in rule[1].partition("##")[0].split()
