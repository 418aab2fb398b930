"""The server that holds AWS's services."""

import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table

from local.aws.server import Aws, Client
from local.functions import Functions

REGION = "eu-central-1"


def test_a_server_that_is_closed_leaves_nothing_to_the_next() -> None:
    first = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    first.client("secretsmanager").create_secret(Name="s", SecretString="1")
    first.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(first.url, timeout=5)
    second = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    assert second.client("secretsmanager").list_secrets()["SecretList"] == []
    second.close()


def test_a_port_that_is_taken_is_an_error() -> None:
    server = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    with pytest.raises(OSError, match="in use"):
        Aws("127.0.0.1", int(server.url.rpartition(":")[2]), REGION, Functions(REGION).invoke)
    server.close()


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns as often as they can, so that one comes between the steps of another."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_of_two_conditional_writes_at_once_one_wins(eager_threads: None) -> None:
    server = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    client = server.client("dynamodb")
    create_table(client, "shelf")

    def put(number: int) -> bool:
        item = {"id": {"S": str(number)}, "by": {"S": "put"}}
        return won(
            lambda: client.put_item(TableName="shelf", Item=item, ConditionExpression="attribute_not_exists(id)")
        )

    def update(number: int) -> bool:
        change = {"UpdateExpression": "ADD amount :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
        key = {"id": {"S": str(number)}}
        condition = "attribute_not_exists(id)"
        return won(lambda: client.update_item(TableName="shelf", Key=key, ConditionExpression=condition, **change))

    with ThreadPoolExecutor(2) as writers:
        for number in range(150):
            results = [writers.submit(write, number) for write in (put, update)]
            assert sum(result.result() for result in results) == 1
    server.close()


def test_no_copy_of_a_table_outlasts_its_transaction() -> None:
    server = Aws("127.0.0.1", 0, REGION, Functions(REGION).invoke)
    client = server.client("dynamodb")
    create_table(client, "ledger")
    for number in range(3):
        client.transact_write_items(
            TransactItems=[{"Put": {"TableName": "ledger", "Item": {"id": {"S": str(number)}}}}]
        )
    gc.collect()
    assert [each.name for each in gc.get_objects() if type(each) is Table].count("ledger") == 1
    server.close()


def create_table(client: Client, name: str) -> None:
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def won(write: Callable[[], object]) -> bool:
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
