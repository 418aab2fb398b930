"""What can be wrong in the state machines: changed copies of what ships."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import yaml

from tests.simulation.asl import Machine
from tests.simulation.lambdas import ROOT
from tests.simulation.world import shipped


def secret_asked_for_again() -> AbstractContextManager[Any]:
    """The read is repeated after WhiteBIT has said that it gave the secret before (409)."""
    states = _states("provision_key")
    states["CaptureSecret"]["Retry"][0]["ErrorEquals"].remove("SecretLost")
    return _running("ProvisionKey", states)


def detection_without_catch() -> AbstractContextManager[Any]:
    """What DetectKey could not do ends the execution, and nobody undoes what was made."""
    states = _states("provision_key")
    states["DetectKey"]["Catch"].pop()
    return _running("ProvisionKey", states)


def capture_without_catch() -> AbstractContextManager[Any]:
    """What CaptureSecret could not do ends the execution, and nobody undoes what was made."""
    states = _states("provision_key")
    states["CaptureSecret"]["Catch"].pop()
    return _running("ProvisionKey", states)


def revocation_gives_up() -> AbstractContextManager[Any]:
    """A revocation that WhiteBIT does not confirm at once ends the execution, and the user is not told."""
    states = _states("revoke_key")
    states["DeleteKey"]["Retry"].pop()
    states["DeleteKey"]["Catch"].pop()
    return _running("RevokeKey", states)


def settling_never_ends() -> AbstractContextManager[Any]:
    """Once the copy was shredded again, it is waited for once more."""
    states = _states("provision_key")
    states["ShredAgain"]["Next"] = "WaitToSettle"
    return _running("ProvisionKey", states)


def bad_key_tried_again() -> AbstractContextManager[Any]:
    """The signed call is repeated after WhiteBIT has refused the key itself."""
    states = _states("provision_key")
    states["VerifyKey"]["Retry"][0]["ErrorEquals"].remove("KeyUnusable")
    return _running("ProvisionKey", states)


def success_not_told() -> AbstractContextManager[Any]:
    """No event says that a connection is active."""
    states = _states("provision_key")
    states["VerifyKey"]["Next"] = "Superseded"
    return _running("ProvisionKey", states)


def telling_gives_up() -> AbstractContextManager[Any]:
    """An event that EventBridge refuses is not sent again."""
    states = _states("revoke_key")
    del states["TellOutcome"]["Retry"]
    return _running("RevokeKey", states)


def superseded_on_any_error() -> AbstractContextManager[Any]:
    """A deletion that failed is taken for one that somebody else does."""
    states = _states("provision_key")
    states["DeleteKey"]["Catch"][-1]["Next"] = "Superseded"
    return _running("ProvisionKey", states)


def _states(file: str) -> dict[str, Any]:
    states: dict[str, Any] = yaml.safe_load((ROOT / f"statemachines/{file}.asl.yaml").read_text())["States"]
    return states


def _running(name: str, states: dict[str, Any]) -> AbstractContextManager[Any]:
    machines = shipped().machines
    changed = Machine.load({"StartAt": machines[name].start, "States": states})
    return patch.dict(machines, {name: changed})
