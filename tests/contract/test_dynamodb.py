"""What only the real store has: answers that are lost on the way, and attributes that DynamoDB looks at."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from fastkey.adapters.aws import CONFIG
from fastkey.adapters.dynamodb import DynamoAuthorizations, DynamoConnections, DynamoStarts
from fastkey.domain import errors
from fastkey.domain.authorization import Authorization
from fastkey.domain.connection import ABANDONED_LIFE
from tests.contract.aws import aws_world
from tests.contract.given import COMPLETION, NOW, TICKET, claimed, detecting, start
from tests.unit.environment import ENVIRONMENT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE, HOLDERS = ENVIRONMENT["CONNECTIONS_TABLE"], ENVIRONMENT["KEY_HOLDERS_TABLE"]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator["DynamoDBClient"]:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)  # the back-off between two attempts
    with aws_world():
        yield boto3.client("dynamodb", config=CONFIG)


@pytest.fixture
def connections(client: "DynamoDBClient") -> DynamoConnections:
    return DynamoConnections(client, TABLE, HOLDERS)


def lose_answers(client: "DynamoDBClient", operation: str, error: Exception, times: int = 1) -> list[str]:
    """Lets requests through and loses their answers. Gives a list that grows by the body of each request."""
    requests: list[str] = []

    def lose(event_name: str, request: AWSPreparedRequest, **_: Any) -> None:
        if event_name.endswith(f".{operation}"):
            requests.append(str(request.body))
            if len(requests) <= times:
                raise error

    # moto answers the same event, and is asked before the last: the request has had its effect.
    client.meta.events.register_last("before-send", lose)
    return requests


LOST = pytest.mark.parametrize(
    "error", [ConnectionClosedError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")], ids=["closed", "timeout"]
)


@LOST
def test_a_change_whose_answer_was_lost_meets_itself_and_has_succeeded(
    client: "DynamoDBClient", connections: DynamoConnections, error: Exception
) -> None:
    before = start()
    connections.add(before)
    requests = lose_answers(client, "PutItem", error)
    after = before.consent(TICKET, COMPLETION.digest(), NOW)
    connections.save(before, after)
    assert len(requests) == 2
    assert connections.get(before.connection_id) == after


def test_a_change_whose_answers_were_all_lost_may_have_succeeded(
    client: "DynamoDBClient", connections: DynamoConnections
) -> None:
    before = start()
    connections.add(before)
    requests = lose_answers(client, "PutItem", ConnectionClosedError(endpoint_url="x"), times=9)
    after = before.consent(TICKET, COMPLETION.digest(), NOW)
    with pytest.raises(errors.StorageUnavailable):
        connections.save(before, after)
    assert len(requests) == 3
    assert connections.get(before.connection_id) == after


def test_anothers_change_is_not_taken_for_ones_own(client: "DynamoDBClient", connections: DynamoConnections) -> None:
    before = start()
    connections.add(before)
    other = before.revoke(NOW)
    connections.save(before, other)
    requests = lose_answers(client, "PutItem", ConnectionClosedError(endpoint_url="x"))
    with pytest.raises(errors.Conflict):
        connections.save(before, before.revoke(NOW))
    assert len(requests) == 2
    assert connections.get(before.connection_id) == other


def test_a_transaction_is_repeated_under_its_token(client: "DynamoDBClient", connections: DynamoConnections) -> None:
    """By its token DynamoDB knows it again; moto does not, so only the token is looked at."""
    requests = lose_answers(client, "TransactWriteItems", ConnectionClosedError(endpoint_url="x"))
    before = detecting()
    connections.add(before)
    with pytest.raises(errors.Conflict):
        connections.save(before, claimed(before, "key-1"))
    first, second = requests
    assert first == second
    assert "ClientRequestToken" in first


def item(client: "DynamoDBClient", connection_id: str) -> dict[str, Any]:
    stored: dict[str, Any] = client.get_item(TableName=TABLE, Key={"connection_id": {"S": connection_id}})["Item"]
    return stored


def test_what_never_had_a_key_is_removed_a_month_later(
    client: "DynamoDBClient", connections: DynamoConnections
) -> None:
    connection = start()
    connections.add(connection)
    remove_at = connection.expires_at + ABANDONED_LIFE
    assert item(client, connection.connection_id)["remove_at"] == {"N": str(int(remove_at.timestamp()))}


def test_what_had_a_key_is_kept(client: "DynamoDBClient", connections: DynamoConnections) -> None:
    before = detecting()
    connections.add(before)
    connections.save(before, claimed(before, "key-1"))
    assert "remove_at" not in item(client, before.connection_id)


def test_an_authorization_request_is_removed_after_its_time(client: "DynamoDBClient") -> None:
    table = ENVIRONMENT["AUTHORIZATIONS_TABLE"]
    DynamoAuthorizations(client, table).add(Authorization("digest", "connection-1", b"verifier", "cookie", NOW))
    stored = client.get_item(TableName=table, Key={"state_digest": {"S": "digest"}})["Item"]
    assert stored["remove_at"] == {"N": str(int(NOW.timestamp()))}


def test_a_count_of_starts_is_removed_after_its_hour(client: "DynamoDBClient") -> None:
    table = ENVIRONMENT["STARTS_TABLE"]
    DynamoStarts(client, table).count("user-1", NOW)
    (stored,) = client.scan(TableName=table)["Items"]
    remove_at = datetime.fromtimestamp(int(stored["remove_at"]["N"]), UTC)
    assert NOW + timedelta(hours=1) < remove_at < NOW + timedelta(hours=2)


def test_a_table_that_is_not_there_is_trouble_and_not_an_answer(client: "DynamoDBClient") -> None:
    broken = DynamoConnections(client, "nowhere", HOLDERS)
    connection = start()
    for call in (
        lambda: broken.add(connection),
        lambda: broken.get("connection-1"),
        lambda: broken.page("user-1", None),
        lambda: broken.save(connection, connection.revoke(NOW)),
        lambda: broken.save(detecting(), claimed(detecting(), "key-1")),
    ):
        with pytest.raises(errors.StorageUnavailable):
            call()


def test_an_item_that_is_no_connection_is_said_so(
    client: "DynamoDBClient", connections: DynamoConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is none of the errors that somebody who goes through many does not expect."""
    about: list[str | None] = []
    monkeypatch.setattr("fastkey.adapters.dynamodb.about", about.append)
    connection = detecting()
    connections.add(connection)
    client.update_item(
        TableName=TABLE,
        Key={"connection_id": {"S": connection.connection_id}},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": "of a newer version"}},
    )
    with pytest.raises(errors.Unexpected):
        connections.get(connection.connection_id)
    assert about == [connection.connection_id]
