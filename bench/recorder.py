"""What roles ask of the local AWS, counted as AWS would bill it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from werkzeug import Request

from bench.dynamodb import Index, Item, read_units, size, write_units
from local.aws.calls import caller
from local.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Each asks KMS, which bills it too. CreateSecret without a value asks it to make sure that it may.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
_ASKS_KMS = {"GetSecretValue": 1, "PutSecretValue": 1, "CreateSecret": 2}

Parameters = Mapping[str, Any]


class Recorder:
    """Stands behind the guard, and counts in `calls` what it let through: each call as `Service.Operation`, and beside
    it what is billed by other measures, `read units`, `write units` and `kms requests`.
    """

    def __init__(self, world: World) -> None:
        self.calls: defaultdict[str, float] = defaultdict(float)
        self._guard = world.guard
        self._services = world.guard.services
        self._dynamodb = world.client("dynamodb")
        tables = [self._dynamodb.describe_table(TableName=name)["Table"] for name in world.tables.values()]
        self._keys = {each["TableName"]: _keys(each) for each in tables}
        self._indexes = {
            each["TableName"]: [
                Index.of(_keys(each), described) for described in each.get("GlobalSecondaryIndexes", [])
            ]
            for each in tables
        }

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        target = request.headers.get("X-Amz-Target", "")
        if caller(request) not in self._guard.roles or not target:
            return self._services(environ, start_response)
        body = request.get_data()
        environ["wsgi.input"] = BytesIO(body)
        service, _, operation = target.rpartition(".")
        service, parameters = service.partition("_")[0], json.loads(body)
        self.calls[f"{service}.{operation}"] += 1
        if service == "DynamoDB":
            return self._watched(operation, parameters, environ, start_response)
        self.calls["kms requests"] += 1 if service == "TrentService" else _ASKS_KMS.get(operation, 0)
        return self._services(environ, start_response)

    def _watched(
        self, operation: str, parameters: Parameters, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> list[bytes]:
        touched = list(self._touched(operation, parameters))
        before = [self._item(*each) for each in touched]
        answer = list(self._services(environ, start_response))
        if operation == "GetItem":
            read = sum(size(item) for item in before if item)
            self.calls["read units"] += read_units(read, consistent=parameters.get("ConsistentRead", False))
        elif operation == "Query":
            read = sum(map(size, json.loads(b"".join(answer))["Items"]))
            self.calls["read units"] += read_units(read, consistent=False)
        else:
            changed = zip(touched, before, strict=True)
            units = sum(self._units(table, old, self._item(table, key)) for (table, key), old in changed)
            # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
            self.calls["write units"] += units * (2 if operation == "TransactWriteItems" else 1)
        return answer

    def _units(self, table: str, before: Item | None, after: Item | None) -> int:
        return write_units(before, after) + sum(index.write_units(before, after) for index in self._indexes[table])

    def _touched(self, operation: str, parameters: Parameters) -> Iterator[tuple[str, Item]]:
        """Tables, and keys of items there."""
        requests = [parameters] if operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem") else []
        requests += [request for each in parameters.get("TransactItems", ()) for request in each.values()]
        for request in requests:
            of = request.get("Key") or request["Item"]
            table = request["TableName"]
            yield table, {name: of[name] for name in self._keys[table]}

    def _item(self, table: str, key: Item) -> Item | None:
        found: Item | None = self._dynamodb.get_item(TableName=table, Key=dict(key)).get("Item")
        return found


def _keys(described: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(each["AttributeName"] for each in described["KeySchema"])
