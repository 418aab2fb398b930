"""The search for secrets that ends the suite would fail it."""

import pytest

from local.evidence import Evidence
from tests.attack.conftest import refuse_leaks
from tests.attack.table import CANARY, Stage, get

PLACES = (
    "answers' body",
    "answers' headers",
    "log of Callback",
    "history of ProvisionKey",
    "events",
    "items of Starts",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["canary", "jwt", "ticket", "state", "cookie", "completion"])
def test_a_secret_in_any_place_fails_the_suite(kind: str, place: str, stage: Stage) -> None:
    secret = next(iter(stage.evidence.secrets[kind]))
    with pytest.raises(AssertionError, match="secrets were found"):
        refuse_leaks(Evidence(stage.evidence.secrets, {place: [f"a line with {secret} in it"]}))


def test_what_a_function_or_the_gateway_logs_is_searched_while_it_runs(stage: Stage) -> None:
    stage.send(get(f"/callback?state={CANARY}&code={CANARY}"))
    logged = "\n".join(stage.evidence.texts["log of the local world"])
    assert "Callback | " in logged
    assert "authorization_invalid" in logged
    assert "GET /callback 400" in logged
