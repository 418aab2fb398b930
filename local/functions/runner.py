"""A small Lambda runtime for Python, for machines on which awslambdaric cannot be installed.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"""

import http.client
import importlib
import json
import os
import sys
import time
import traceback
from typing import Protocol

_RUNTIME = "/2018-06-01/runtime"


class _Handler(Protocol):
    def __call__(self, event: object, context: "Context") -> object: ...


class Context:
    """What a handler learns of its invocation. https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


class Runtime:
    """Asks for events and sends back what the handler makes of them."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)

    def serve(self, handler_name: str) -> None:
        """Serve invocations of `module.function`; ends the process if the module cannot be loaded."""
        try:
            module, _, function = handler_name.rpartition(".")
            handler: _Handler = getattr(importlib.import_module(module.replace("/", ".")), function)
        except Exception as error:  # noqa: BLE001  # whatever a module raises is told as it is
            self._post("/init/error", _describe(error))
            sys.exit(1)
        while True:
            self._serve_one(handler)

    def _serve_one(self, handler: _Handler) -> None:
        headers, event = self._next()
        context = Context(headers)
        try:
            answer = json.dumps(handler(event, context))
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is told as it is
            traceback.print_exc()
            self._post(f"/invocation/{context.aws_request_id}/error", _describe(error))
        else:
            self._post(f"/invocation/{context.aws_request_id}/response", answer)

    def _next(self) -> tuple[http.client.HTTPMessage, object]:
        self._connection.request("GET", f"{_RUNTIME}/invocation/next")
        response = self._connection.getresponse()
        return response.headers, json.loads(response.read())

    def _post(self, path: str, body: str) -> None:
        self._connection.request("POST", _RUNTIME + path, body.encode())
        self._connection.getresponse().read()


def _describe(error: Exception) -> str:
    return json.dumps(
        {
            "errorType": type(error).__name__,
            "errorMessage": str(error),
            "stackTrace": traceback.format_tb(error.__traceback__),
        }
    )


if __name__ == "__main__":
    Runtime(os.environ["AWS_LAMBDA_RUNTIME_API"]).serve(os.environ["_HANDLER"])
