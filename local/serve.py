"""The local world until Ctrl-C or SIGTERM: `python -m local.serve`.

The first line on standard output says where it is, as one JSON object; the rest is its log.
"""

import argparse
import json
import logging
import signal
import sys
from pathlib import Path
from threading import Event

from local.issuer import DEFAULT_PORT as ISSUER_PORT
from local.partner import DEFAULT_PORT as PARTNER_PORT
from local.sam_local.environments import environments
from local.scheduler import firing
from local.whitebit import Revision
from local.world import Ports, World

PORTS = {"gateway": 8080, "whitebit": 8081, "aws": 8082, "issuer": ISSUER_PORT, "partner": PARTNER_PORT}


def main() -> None:
    """Start the world, say where it is, wait for a signal, end it."""
    arguments = _parse()
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    ports = Ports(**{server: getattr(arguments, f"{server}_port") for server in PORTS})
    try:
        world = World(arguments.revision, arguments.host, ports)
    except OSError as error:
        sys.exit(f"The local world cannot start: {error}")
    with world:
        if arguments.env_vars:
            arguments.env_vars.write_text(environments(world))
        print(json.dumps(_whereabouts(world)), flush=True)
        _log_to_stdout()
        with firing(world.schedules, world.fire):
            stop.wait()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.serve", description="The local world until Ctrl-C or SIGTERM."
    )
    parser.add_argument("--revision", type=Revision, choices=list(Revision), default=Revision.AUGUST_2026)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets containers in")
    parser.add_argument("--env-vars", type=Path, metavar="FILE", help="write what `sam local invoke --env-vars` reads")
    for server, port in PORTS.items():
        parser.add_argument(f"--{server}-port", type=int, default=port, help=f"0 picks one; {port} if not given")
    return parser.parse_args()


def _whereabouts(world: World) -> dict[str, object]:
    return {
        "gateway": world.gateway,
        "whitebit": world.whitebit,
        "aws": world.aws,
        "issuer": world.issuer,
        "partner": world.partner,
        "sandbox_control": world.sandbox_control,
        "tables": world.tables,
        "state_machines": world.state_machines,
        "return_url": world.return_url,
    }


def _log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)-15s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("local")
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)


if __name__ == "__main__":
    main()
