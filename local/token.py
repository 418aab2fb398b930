"""Prints a JWT that the running local gateway takes: `python -m local.token --sub user-1`."""

import argparse
import sys

import requests

from local.issuer import DEFAULT_PORT


def main() -> None:
    """Ask the local identity provider for a token."""
    parser = argparse.ArgumentParser(prog="python -m local.token", description=__doc__)
    parser.add_argument("--sub", required=True, help="the user")
    parser.add_argument("--issuer", default=f"http://127.0.0.1:{DEFAULT_PORT}", help="URL, as local.serve printed it")
    arguments = parser.parse_args()
    try:
        answer = requests.post(f"{arguments.issuer}/token", data={"sub": arguments.sub}, timeout=5)
        answer.raise_for_status()
    except requests.RequestException:
        sys.exit(f"No local world answers at {arguments.issuer}: start it with `make serve`, or name its --issuer.")
    print(answer.json()["access_token"])


if __name__ == "__main__":
    main()
