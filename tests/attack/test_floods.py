"""One user who starts without end."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from tests.attack.conftest import NewJourney, shared
from tests.attack.table import Stage, call
from tests.attack.wire import Answer
from tests.e2e.journey import Journey

ASKED = 30
ALLOWED = 20

START = call("POST", "/connections", '{"return_url": "$return_url"}', token="$token")

Done = TypeVar("Done")


def within_one_hour(work: Callable[[], Done]) -> Done:
    """Does it again if the clock has struck meanwhile: starts are counted by the hour."""
    hour = this_hour()
    done = work()
    return done if this_hour() == hour else work()


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def test_of_thirty_starts_at_once_twenty_are_made_and_nobody_else_is_held_up(journey: NewJourney, arena: Stage) -> None:
    def flood() -> tuple[Journey, Stage, list[Answer]]:
        user = journey()
        stage = arena.of(user, {**shared(user), "return_url": user.world.return_url})
        with ThreadPoolExecutor(ASKED) as pages:
            return user, stage, list(pages.map(lambda _: stage.send(START), range(ASKED)))

    user, stage, answers = within_one_hour(flood)
    assert Counter(answer.status for answer in answers) == {201: ALLOWED, 429: ASKED - ALLOWED}
    refused = [answer for answer in answers if answer.status == 429]
    assert {answer.says for answer in refused} == {"too_many_starts"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert len({answer.bytes_but_id for answer in refused}) == 1
    before = stage.books.read()
    assert stage.send(START).status == 429
    assert stage.books.read() == before
    other = journey()
    assert other.connect()["status"] == "active"
    # What was started is not taken away.
    first = next(answer.document for answer in answers if answer.status == 201)
    user.connection_id, user.authorize_url = first["connection_id"], first["authorize_url"]
    assert user.visit().consent().complete().create_key().end()["status"] == "active"
