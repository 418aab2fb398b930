"""The completion: the frontend of the user who started says that the browser is back."""

import pytest

from fastkey.domain import errors
from fastkey.domain.authorization import completion
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.usecases.complete_connection import complete_connection
from tests.unit.journey import Journey


@pytest.fixture
def returned(journey: Journey) -> Journey:
    return journey.authorize()


def complete_as(journey: Journey, user_id: str, completion: Secret | None = None) -> None:
    complete_connection(journey.world, journey.connection_id, user_id, completion or journey.completion)


def test_the_right_completion_is_written_down(returned: Journey) -> None:
    returned.complete()
    assert returned.connection.completed_at == returned.world.clock.now()


def test_a_completion_before_the_workflow_waits_lets_it_go_on(returned: Journey) -> None:
    returned.complete()
    assert not returned.await_completion("task-token")
    assert returned.world.workflows.resumed == []


def test_a_completion_after_the_workflow_waits_lets_it_go_on(returned: Journey) -> None:
    assert returned.await_completion("task-token")
    returned.complete()
    assert returned.world.workflows.resumed == ["task-token"]


def test_a_completion_in_the_middle_of_the_workflows_write_lets_it_go_on(returned: Journey) -> None:
    returned.world.connections.meanwhile("save", lambda: returned.await_completion("task-token"))
    returned.complete()
    assert returned.connection.completed_at
    assert returned.world.workflows.resumed == ["task-token"]


def test_a_completion_whose_resuming_failed_resumes_the_second_time(returned: Journey) -> None:
    returned.await_completion("task-token")
    returned.world.workflows.fail_next("resume", errors.StorageUnavailable)
    with pytest.raises(errors.StorageUnavailable):
        returned.complete()
    returned.complete()
    assert returned.world.workflows.resumed == ["task-token"]


def test_a_completion_twice_is_a_completion_once(returned: Journey) -> None:
    once = returned.complete().connection
    returned.wait(seconds=5).complete()
    assert returned.connection == once


def test_a_completion_may_come_while_the_code_is_exchanged(journey: Journey) -> None:
    journey.come_to_consent()
    journey.world.whitebit.meanwhile("exchange_code", lambda: journey.come_back() and journey.complete())
    journey.come_back()
    assert journey.connection.completed_at
    assert journey.connection.status is Status.AUTHORIZED


@pytest.mark.parametrize("wrong", ["", "wrong"])
def test_a_wrong_completion_changes_nothing(returned: Journey, wrong: str) -> None:
    before = returned.connection
    with pytest.raises(errors.CompletionInvalid):
        complete_as(returned, "user-1", Secret(wrong))
    assert returned.connection == before


def test_another_connections_completion_is_wrong(returned: Journey) -> None:
    other = Journey(returned.world, "user-1", "bob").authorize()
    with pytest.raises(errors.CompletionInvalid):
        complete_as(returned, "user-1", other.completion)


def test_another_user_without_the_completion_does_not_learn_that_there_is_a_connection(returned: Journey) -> None:
    before = returned.connection
    with pytest.raises(errors.ConnectionNotFound):
        complete_as(returned, "user-2", Secret("wrong"))
    assert returned.connection == before


def test_another_user_with_the_completion_ends_the_connection_and_the_key_is_deleted(returned: Journey) -> None:
    returned.create_key()
    returned.await_completion("task-token")
    with pytest.raises(errors.CompletionRefused):
        complete_as(returned, "user-2")
    assert returned.world.workflows.resumed == ["task-token"]
    with pytest.raises(errors.CompletionRefused):
        returned.detect()
    ended = returned.delete(errors.CompletionRefused)
    assert (ended.status, ended.reason) == (Status.FAILED, "completion_refused")
    assert returned.world.whitebit.keys == {}


def test_there_is_nothing_to_complete_before_the_code_came_for_another_user_either(journey: Journey) -> None:
    """No workflow would bring it to an end."""
    departure = journey.start().visit().departure
    with pytest.raises(errors.ConnectionClosed):
        complete_as(journey, "user-2", completion(departure.cookie, journey.state))
    assert journey.connection.status is Status.CONSENTING


def test_the_right_user_comes_too_late_after_another(returned: Journey) -> None:
    with pytest.raises(errors.CompletionRefused):
        complete_as(returned, "user-2")
    with pytest.raises(errors.ConnectionClosed):
        returned.complete()


def test_another_user_comes_too_late_after_the_right_one(returned: Journey) -> None:
    before = returned.complete().connection
    with pytest.raises(errors.ConnectionNotFound):
        complete_as(returned, "user-2")
    assert returned.connection == before


def test_there_is_no_completion_before_the_browser_has_left(journey: Journey) -> None:
    journey.start()
    with pytest.raises(errors.CompletionInvalid):
        complete_as(journey, "user-1", Secret("any"))


def test_an_unknown_connection_is_not_found(journey: Journey) -> None:
    with pytest.raises(errors.ConnectionNotFound):
        complete_connection(journey.world, "connection-9", "user-1", Secret("any"))
