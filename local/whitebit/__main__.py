"""The command line: `python -m local.whitebit --help`."""

import argparse
import ipaddress
import json
import logging
import signal
import sys
import threading
from collections.abc import Sequence

from local.whitebit.options import Options, Revision
from local.whitebit.sandbox import FIRST_USER_EMAIL, FIRST_USER_PASSWORD, FIRST_USER_SECOND_FACTOR
from local.whitebit.server import serve


def ip_range(text: str) -> str:
    return str(ipaddress.ip_network(text))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m local.whitebit", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one (the default)")
    parser.add_argument("--revision", type=Revision, choices=list(Revision), default=default.revision)
    parser.add_argument("--client-id", default=default.client_id)
    parser.add_argument("--client-secret", default=default.client_secret)
    parser.add_argument("--redirect-uri", action="append", help="may be given more than once")
    parser.add_argument("--scope", action="append", help="a scope of the client; may be given more than once")
    parser.add_argument(
        "--allowed-ip",
        action="append",
        type=ip_range,
        help="an address or range (CIDR) of the client; may be repeated",
    )
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse()
    default = Options()
    options = Options(
        revision=arguments.revision,
        client_id=arguments.client_id,
        client_secret=arguments.client_secret,
        redirect_uris=tuple(arguments.redirect_uri or default.redirect_uris),
        scopes=tuple(arguments.scope or default.scopes),
        allowed_ips=tuple(arguments.allowed_ip or ()),
    )
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("local.whitebit").setLevel(logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with serve(options, arguments.host, arguments.port) as server:
        first_line = {
            "url": server.url,
            "control": server.control_url,
            "revision": options.revision,
            "client_id": options.client_id,
            "client_secret": options.client_secret,
            "redirect_uris": options.redirect_uris,
            "user": {
                "email": FIRST_USER_EMAIL,
                "password": FIRST_USER_PASSWORD,
                "second_factor": FIRST_USER_SECOND_FACTOR,
            },
        }
        sys.stdout.write(json.dumps(first_line) + "\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
