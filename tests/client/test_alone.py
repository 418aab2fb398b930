"""The client is what a program gets that has boto3 and this package, and nothing of what the functions run on."""

import subprocess
import sys
from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared"

FUNCTIONS_HAVE = ("aws_lambda_powertools", "msgspec", "requests")

# A name that is None in `sys.modules` cannot be imported.
PROGRAM = f"""
import sys
sys.modules |= dict.fromkeys({FUNCTIONS_HAVE})
import fastkey.client
print(*(name for name in sys.modules if name.startswith("fastkey.") and not name.startswith("fastkey.client")))
"""


def test_the_client_needs_boto3_and_the_domain_alone() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={"PYTHONPATH": str(SHARED)}, capture_output=True, text=True, check=True
    )
    loaded = ran.stdout.split()
    assert "fastkey.domain.key" in loaded
    assert [name for name in loaded if not name.startswith("fastkey.domain")] == []
