"""API Gateway's HTTP API on this machine: the template's routes in front of the function processes."""

from local.gateway.api import HttpApi
from local.gateway.app import Gateway

__all__ = ["Gateway", "HttpApi"]
