"""A deployment whose functions ship, over fakes and a clock that is moved; what they log is read as CloudWatch does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from fastkey.adapters.watched import WatchedAuthorizations, WatchedConnections
from fastkey.domain.errors import FastkeyError
from fastkey.logging import _logger
from tests.fakes.world import FakeWorld
from tests.logged import entries, logged
from tests.operations.alarms import STACK, alarms
from tests.operations.cloudwatch import Metrics
from tests.operations.filters import filters
from tests.simulation.shipped import shipped
from tests.unit.journey import Journey

MINUTE = timedelta(minutes=1)


class Context:
    """What a handler learns of its invocation."""

    aws_request_id = "invocation-1"

    def __init__(self, function: str) -> None:
        self.function_name = function

    def get_remaining_time_in_millis(self) -> int:
        return int(shipped().functions[self.function_name].timeout * 1000)


class Deployment:
    """schedules: the functions that run each minute. raised: the alarms that have been in ALARM at any time."""

    def __init__(self) -> None:
        self.world = FakeWorld()
        self.store = self.world.connections
        self.metrics = Metrics()
        self.schedules = ["GuardKeys", "KeepTokens"]
        self.raised: set[str] = set()
        watched = {
            "connections": WatchedConnections(self.store),
            "authorizations": WatchedAuthorizations(self.world.authorizations),
        }
        vars(self.world).update(watched)

    @contextmanager
    def running(self) -> Iterator["Deployment"]:
        """Lets functions run, and has what they log read."""
        clock = SimpleNamespace(time=lambda: self.now.timestamp())
        with shipped().stage.playing(self.world), logged() as self._lines, patch("fastkey.logging.time", clock):
            _logger.append_keys(service=STACK)
            yield self
        _logger.append_keys(service=_logger.service)

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def user(self, name: str, **wishes: Any) -> Journey:
        """A user, with a WhiteBIT account of the same name."""
        return Journey(self.world, user_id=name, account=name, **wishes)

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Lambda invokes a function. An error is an answer, too, whose name it gives."""
        self._count("AWS/Lambda", "Invocations", 1, FunctionName=function)
        try:
            answer = shipped().functions[function].module.handler(event, Context(function))
        except FastkeyError as error:
            answer = type(error).__name__
        self._count("AWS/Lambda", "Errors", int(isinstance(answer, str)), FunctionName=function)
        return answer

    def step(self, function: str, journey: Journey, **more: object) -> Any:
        """A state machine's step for a connection."""
        return self.invoke(function, {"connection_id": journey.connection_id, **more})

    def answer(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """The API's answer to a request."""
        answer: dict[str, Any] = self.invoke(function, event)
        status = answer["statusCode"]
        self._count("AWS/ApiGateway", "Count", 1, ApiId="Api")
        self._count("AWS/ApiGateway", "4xx", int(400 <= status < 500), ApiId="Api")
        self._count("AWS/ApiGateway", "5xx", int(status >= 500), ApiId="Api")
        return answer

    def start_execution(self, machine: str) -> None:
        """Step Functions starts an execution."""
        self._count("AWS/States", "ExecutionsStarted", 1, StateMachineArn=machine)

    def fail_execution(self, machine: str) -> None:
        """Step Functions gives up an execution."""
        self._count("AWS/States", "ExecutionsFailed", 1, StateMachineArn=machine)

    def throttle(self) -> None:
        """Lambda starts no more."""
        self._count("AWS/Lambda", "Throttles", 1)

    def report(self, status: str) -> None:
        """Lambda reports how a run went: success, failure, error or timeout.

        https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
        """
        self._filter({"type": "platform.report", "record": {"requestId": Context.aws_request_id, "status": status}})

    def pass_minutes(self, minutes: int) -> None:
        """Time passes, the schedules run, and alarms are looked at."""
        for _ in range(minutes):
            over = self.now + MINUTE
            self.run_schedules()
            self.world.clock.advance(max(over - self.now, timedelta()))
            self.look()

    def run_schedules(self) -> None:
        """Each fires; and SQS counts what is in the queue."""
        for function in self.schedules:
            self.invoke(function, {})
        buried = len(self.world.events.buried)
        self._count("AWS/SQS", "ApproximateNumberOfMessagesVisible", buried, QueueName="UntoldEvents")

    def look(self) -> None:
        """CloudWatch reads the log, and evaluates the alarms."""
        lines = entries(self._lines.getvalue())
        self.metrics.read(lines)
        for line in lines:
            self._filter(line)
        self._lines.seek(0)
        self._lines.truncate()
        self.raised |= {name for name, alarm in alarms().items() if alarm.is_raised(self.metrics, self.now)}

    def _filter(self, line: Mapping[str, Any]) -> None:
        for each in filters():
            if each.matches(line):
                self._count(each.metric.namespace, each.metric.name, each.value)

    def _count(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        self.metrics.put(namespace, name, value, self.now, **dimensions)
