"""One user, the whole way, on this machine, without a hand on it: `python -m local.demo`.

The exit status is 0 only if every step was seen to hold, in each revision that was asked for.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import monotonic, time
from typing import Any, TextIO
from urllib.parse import parse_qs, urlsplit

import requests
from botocore.exceptions import ClientError

from fastkey.domain.key import CapturedKey, sign
from fastkey.domain.secret import Secret
from local.evidence import ALLOWED, Evidence, gathering, witness
from local.frontend import Frontend
from local.items import await_told, fall_due, item
from local.whitebit import Revision
from local.whitebit.user import UserAgent
from local.world import World

EMAIL, PASSWORD, SECOND_FACTOR = "grace@example.com", "correct horse", "123456"
BALANCE = "/api/v4/trade-account/balance"
PERMISSIONS = [BALANCE, "/api/v4/order/new"]


@dataclass(slots=True)
class Step:
    """A step of the way: whether it was seen to hold, how long it took, and what was seen."""

    name: str
    ok: bool = False
    seconds: float = 0.0
    seen: str = ""


@dataclass(slots=True)
class Run:
    """The way in one revision, shown on `out` as it goes."""

    revision: str
    out: TextIO
    steps: list[Step] = field(default_factory=list)
    is_complete: bool = False

    @property
    def ok(self) -> bool:
        return self.is_complete and all(step.ok for step in self.steps)

    def result(self) -> dict[str, Any]:
        """The run as `--json` prints it."""
        return {"revision": self.revision, "ok": self.ok, "steps": [asdict(step) for step in self.steps]}

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Times a step. What is raised inside ends the run, and is shown."""
        step, begun = Step(name), monotonic()
        self.steps.append(step)
        self.show(step, begun, "…")
        try:
            yield step
            step.ok = True
        except Exception as error:
            step.seen = f"{type(error).__name__}: {error}"
            raise
        finally:
            step.seconds = monotonic() - begun
            self.show(step, begun, "ok" if step.ok else "FAILED", end="\n")

    def show(self, step: Step, begun: float, mark: str, end: str = "") -> None:
        """One line a step. It is written over while the step lasts, where somebody is looking."""
        if not end and not self.out.isatty():
            return
        line = f"  {monotonic() - begun:6.2f} s  {mark:<6}  {step.name}"
        begin = "\r\x1b[K" if self.out.isatty() else ""
        print(f"{begin}{line}{': ' + step.seen if step.seen else ''}", end=end, file=self.out, flush=True)


class NotSeenError(Exception):
    """What should have been there was not."""


def expect(what: str, holds: object) -> None:
    if not holds:
        raise NotSeenError(what)


def connect_and_revoke(world: World, evidence: Evidence, run: Run) -> None:
    """From the click to the captured key, a call with it, and back to nothing.

    evidence: gets every answer that the browser and the frontend have from fastkey.
    """
    with run.step("a user appears at WhiteBIT and at the partner"):
        user = {"email": EMAIL, "password": PASSWORD, "second_factor": SECOND_FACTOR}
        requests.post(f"{world.sandbox_control}/users", json=user, timeout=10).raise_for_status()
        frontend = Frontend(world.gateway, world.token("user-1"))
        browser = UserAgent(world.whitebit, stop_at=world.return_url)
        witness(evidence, world, frontend.http)
        witness(evidence, world, browser.http)

    with run.step("the partner's frontend starts a connection") as step:
        started = frontend.start(world.return_url)
        connection_id = started["connection_id"]
        step.seen = connection_id

    with run.step("the browser visits fastkey, gets its cookie, and goes on to WhiteBIT"):
        browser.open(started["authorize_url"])
        expect("the login page", browser.page == "login")
        expect("a __Host- cookie", any(cookie.name.startswith("__Host-fastkey-") for cookie in browser.cookies))

    with run.step("the user logs in and consents; the browser comes back through the callback"):
        browser.log_in(EMAIL, PASSWORD)
        landed = urlsplit(browser.consent(PERMISSIONS, SECOND_FACTOR))
        query = {name: values[0] for name, values in parse_qs(landed.query).items()}
        expect("the return URL", landed._replace(query="").geturl() == world.return_url)
        expect("this connection", query.get("connection_id") == connection_id)

    with run.step("the frontend completes the connection") as step:
        step.seen = frontend.complete(connection_id, query["completion"])["step"]

    if run.revision == Revision.AUGUST_2026:
        with run.step("in the other tab, the user chooses permissions and confirms with a second factor"):
            browser.create_key(PERMISSIONS, SECOND_FACTOR)

    with run.step("the key is detected, captured and verified") as step:
        connection = _await(frontend, connection_id, run, step)
        expect(f"an active connection, not {connection['status']}", connection["status"] == "active")

    with run.step("the key lies in Secrets Manager, with the secret that WhiteBIT issued") as step:
        secrets, name = world.client("secretsmanager"), f"{world.output('KeyPrefix')}{connection_id}"
        key = CapturedKey.from_json(Secret(secrets.get_secret_value(SecretId=name)["SecretString"]))
        (issued,) = _keys(world)
        expect("the same key", key.external_id == issued["externalId"])
        expect("the same secret", sha256(key.secret.reveal().encode()).hexdigest() == issued["secret_sha256"])
        step.seen = name

    with run.step("the frontend shows what the key may do") as step:
        access = connection["access"]
        expect("what was granted", access == {"read": True, "trade": True, "withdraw": False})
        said = ", ".join(f"{name}: {'yes' if may else 'no'}" for name, may in access.items())
        step.seen = f"{said} (WhiteBIT's groups: {', '.join(connection['permissions'])})"

    with run.step("the user's balance is read through fastkey") as step:
        read = frontend.read(connection_id, "balances/spot")
        expect("by the key", read["source"] == "key")
        step.seen = _amounts(read["data"])

    with run.step("a balance call of the partner's own, signed with the key, is answered the same") as step:
        answer = _balance(world, key)
        expect(f"200, not {answer.status_code}", answer.status_code == 200)
        expect("the same balance", answer.json() == read["data"])

    with run.step("a week later, the guardian tries the key") as step:
        await_told(world, connection_id)
        begun = datetime.now(UTC)
        step.seen = _guardian_pass(world, connection_id, "alive")
        next_time = datetime.fromisoformat(item(world, connection_id)["check_at"]["S"])
        expect("a week until the next time", next_time > begun + timedelta(days=7))

    with run.step("the user disconnects") as step:
        frontend.revoke(connection_id)
        connection = _await(frontend, connection_id, run, step)
        expect(f"a revoked connection, not {connection['status']}", connection["status"] == "revoked")

    with run.step("the key is gone at WhiteBIT"):
        expect("no key", _keys(world) == [] and browser.keys() == [])
        expect("a refused call", _balance(world, key).status_code != 200)

    with run.step("the key is gone from Secrets Manager"):
        expect("no secret", not _exists(world, name))

    with run.step("a minute later, the guardian tells what no workflow has told") as step:
        step.seen = _guardian_pass(world, connection_id, "told")


def look_at_events(evidence: Evidence, run: Run) -> None:
    with run.step("EventBridge has told the partner") as step:
        told = [json.loads(event)["detail-type"] for event in evidence.texts.get("events", ())]
        expect(f"both, not {told}", told == ["connection.activated", "connection.revoked"])
        step.seen = ", ".join(told)


def search_for_secrets(evidence: Evidence, run: Run) -> None:
    with run.step("no log, history, event, table or answer has a secret that does not belong there") as step:
        found = evidence.leaks()
        secrets, texts = (sum(map(len, kept.values())) for kept in (evidence.secrets, evidence.texts))
        step.seen = f"{secrets} secrets looked for in {texts} texts"
        # What the protocol puts somewhere has to be found there: this can see.
        expect("the secrets of the protocol, and no others", found == ALLOWED)


def _await(frontend: Frontend, connection_id: str, run: Run, step: Step) -> dict[str, Any]:
    begun, way = monotonic(), []

    def seen(connection: dict[str, Any]) -> None:
        if connection["step"] not in way:
            way.append(connection["step"])
        step.seen = " > ".join(way)
        run.show(step, begun, "…")

    return frontend.await_end(connection_id, seen=seen)


def _keys(world: World) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = requests.get(f"{world.sandbox_control}/users/{EMAIL}", timeout=10).json()["keys"]
    return keys


def _balance(world: World, key: CapturedKey) -> requests.Response:
    # A millisecond clock of its own is all the nonce that one caller needs.
    request = sign(key, BALANCE, nonce=int(time() * 1000))
    return requests.post(world.whitebit + request.path, data=request.body, headers=request.headers, timeout=10)


def _guardian_pass(world: World, connection_id: str, finding: str) -> str:
    """A run of the guardian that finds this, and gets through."""
    found = fall_due(world, connection_id)
    expect(f"1 {finding} and 1 done, not {found}", found == {finding: 1, "done": 1})
    return f"1 {finding}"


def _amounts(balance: dict[str, Any]) -> str:
    return ", ".join(f"{amount['available']} {ticker}" for ticker, amount in balance.items())


def _exists(world: World, name: str) -> bool:
    try:
        world.client("secretsmanager").describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True


def run(revision: Revision, out: TextIO) -> Run:
    """The whole way in one revision, in a world of its own."""
    made = Run(revision.value, out)
    print(f"WhiteBIT's contract of {revision.value}", file=out)
    try:
        with made.step("the local world starts"):
            world = World(revision)
        with world:
            with gathering(world) as evidence:
                connect_and_revoke(world, evidence, made)
            look_at_events(evidence, made)
            search_for_secrets(evidence, made)
        made.is_complete = True
    except Exception:  # noqa: BLE001 - the step that it came from has shown it
        print("  stopped", file=out)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description="One user, the whole way.")
    parser.add_argument("--revision", type=Revision, choices=list(Revision), help="both if none is named")
    parser.add_argument("--json", action="store_true", help="the result as one JSON object on standard output")
    chosen = parser.parse_args(arguments)
    out = sys.stderr if chosen.json else sys.stdout
    runs = [run(revision, out) for revision in ([chosen.revision] if chosen.revision else list(Revision))]
    ok = all(made.ok for made in runs)
    print("every step was seen to hold" if ok else "not every step was seen to hold", file=out)
    if chosen.json:
        print(json.dumps({"ok": ok, "runs": [made.result() for made in runs]}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
