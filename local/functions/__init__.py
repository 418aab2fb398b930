"""Lambda functions as processes of this machine, one invocation at a time each, under the Lambda Runtime API."""

from local.functions.environment import Outcome
from local.functions.pool import Functions
from local.functions.spec import FunctionSpec

__all__ = ["FunctionSpec", "Functions", "Outcome"]
