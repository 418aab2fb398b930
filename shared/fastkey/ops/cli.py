"""The command line: which verbs there are, and what comes of what goes wrong."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from fastkey.domain.errors import FastkeyError
from fastkey.ops.operator import Operator
from fastkey.ops.output import note
from fastkey.ops.trouble import Trouble
from fastkey.ops.verbs import connections, migrate_vault, replay, retry, revoke, revoke_all, story


class Verb(Protocol):
    """A module in `verbs/`. The first line of its docstring is its help, and all of it the help of its own.

    run: gives the exit status, 0, or 1 where something is left that somebody has to look at.
    """

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, operator: Operator, chosen: argparse.Namespace) -> int: ...


VERBS: Mapping[str, Verb] = {
    "connections": connections,
    "story": story,
    "retry": retry,
    "revoke": revoke,
    "revoke-all": revoke_all,
    "replay": replay,
    "migrate-vault": migrate_vault,
}

FAILED, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the arguments say. Returns the exit status: what `Verb.run` gives, or FAILED, and why on a line."""
    chosen = parser().parse_args(arguments)
    try:
        session = boto3.Session(profile_name=chosen.profile, region_name=chosen.region)
        return VERBS[chosen.verb].run(Operator(session, chosen.stack), chosen)
    except FastkeyError as error:
        note(f"{error.code}: {error.text}")
    except (BotoCoreError, ClientError, Trouble) as error:
        note(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`). What is left in the buffer would be written at exit, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return FAILED


def parser() -> argparse.ArgumentParser:
    """What the arguments may be."""
    whole = argparse.ArgumentParser(
        prog="python -m fastkey.ops",
        description="Operates a deployment of fastkey. No secret is ever shown.",
        epilog="Exit status: 0 done; 1 something is left, as it says; 2 not done, as it says.",
    )
    stack = os.environ.get("FASTKEY_STACK")
    whole.add_argument(
        "--stack", default=stack, required=stack is None, help="the deployment's stack in CloudFormation; FASTKEY_STACK"
    )
    whole.add_argument("--profile", help="of your AWS configuration, as in the AWS CLI")
    whole.add_argument("--region", help="where the stack is, as in the AWS CLI")
    verbs = whole.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, verb in VERBS.items():
        about = verb.__doc__ or ""
        of_its_own = verbs.add_parser(
            name,
            help=about.partition("\n")[0],
            description=about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verb.add_arguments(of_its_own)
    return whole
