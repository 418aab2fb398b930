"""The local world: WhiteBIT's sandbox, a partner, AWS, an identity provider and the gateway, around the template."""

import secrets
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from local.aws.logs import LogGroups
from local.aws.policy import permissions
from local.aws.resources import CREATORS
from local.aws.server import ADMINISTRATOR, Aws, Client
from local.aws.stack import Stack
from local.aws.template import Value, load
from local.functions import Functions
from local.gateway import Gateway, HttpApi
from local.issuer import Issuer
from local.partner import RETURN_PATH, Partner
from local.scheduler import invoke
from local.web import WebServer
from local.whitebit import Options, Revision
from local.whitebit.web.app import create_app
from local.whitebit.web.faulty import CONTROL

TEMPLATE = Path(__file__).parents[1] / "template.yaml"

_REGION = "eu-central-1"
_STACK_NAME = "fastkey"
_AUDIENCE = "local-partner"
_CLIENT_ID = "local-client"
_CLIENT_SECRET_NAME = "fastkey/client-secret"
# To a browser, the others are on another site than fastkey: what it sends along from there, it sends in production.
_ELSEWHERE = "localhost"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of the local world's servers; 0 picks a free one."""

    gateway: int = 0
    whitebit: int = 0
    aws: int = 0
    issuer: int = 0
    partner: int = 0


class World:
    """Everything that fastkey needs, running on this machine; closed by `with`. One at a time in a process.

    `gateway`, `whitebit`, `aws`, `issuer`, `partner` and `sandbox_control` are URLs. `tables` (names), `queues` (URLs)
    and `state_machines` (ARNs) are by logical id, and `schedules` by the function's. `functions` invokes and kills
    functions, and has their logs. `guard` holds roles to their policies. `return_url` is the allowed one, a page of the
    partner's. No schedule fires by itself.
    """

    def __init__(
        self,
        revision: Revision = Revision.AUGUST_2026,
        host: str = "127.0.0.1",
        ports: Ports = Ports(),  # immutable
        **parameters: str,
    ) -> None:
        """parameters: of the template, where they are not to have their defaults."""
        self._own_parameters = parameters
        self.client_secret = secrets.token_urlsafe(24)
        with ExitStack() as running:
            self._start(running, revision, host, ports)
            self._running = running.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every server and every process."""
        self._running.close()

    def client(self, service: str, role: str = ADMINISTRATOR) -> Client:
        """A boto3 client of a service of the local AWS, for a role by its name or, without one, the administrator."""
        return self._aws.client(service, role)

    def token(self, sub: str, **claims: object) -> str:
        """A JWT that the gateway takes; `claims` are added to the usual ones or replace them (None takes one away)."""
        return self._issuer.token(sub, **claims)

    def fire(self, function: str) -> Value:
        """Fires the schedule of a function (its logical id) once: see `local.scheduler.invoke`."""
        return invoke(self.schedules[function], self.client)

    def output(self, name: str) -> str:
        """The value of one of the template's outputs."""
        return str(self._stack.output(name))

    def attach(self, policy_arn: str, role: str) -> None:
        """Has a role of the partner's own, new or not, do what a managed policy of the template allows, and no more."""
        self.guard.roles = {**self.guard.roles, role: permissions(self._stack.policies[policy_arn])}

    def _start(self, running: ExitStack, revision: Revision, host: str, ports: Ports) -> None:
        self.functions = running.enter_context(closing(Functions(_REGION, LogGroups(_REGION).write)))
        self._aws = running.enter_context(closing(Aws(host, ports.aws, _REGION, self.functions.invoke)))
        self._issuer = running.enter_context(closing(Issuer(host, ports.issuer, _AUDIENCE)))
        whitebit = running.enter_context(closing(WebServer(host, ports.whitebit, _ELSEWHERE)))
        partner = running.enter_context(closing(WebServer(host, ports.partner, _ELSEWHERE)))
        gateway = running.enter_context(closing(WebServer(host, ports.gateway)))
        self.gateway, self.whitebit, self.aws, self.issuer = gateway.url, whitebit.url, self._aws.url, self._issuer.url
        self.sandbox_control = self.whitebit + CONTROL
        self.partner, self.return_url = partner.url, partner.url + RETURN_PATH
        self._stack = self._create_stack()
        whitebit.start(create_app(self._registration(revision)))
        partner.start(Partner(self.gateway, self._issuer.token).application)
        gateway.start(running.enter_context(closing(self._api())))

    def _create_stack(self) -> Stack:
        self.client("secretsmanager").create_secret(Name=_CLIENT_SECRET_NAME, SecretString=self.client_secret)
        template = load(TEMPLATE, self._parameters(), _REGION)
        stack = Stack(_STACK_NAME, template, CREATORS, self.client, _REGION, self.gateway)
        stack.create()
        self.guard = self._aws.guard
        self.guard.roles = stack.roles
        for spec in stack.functions.values():
            self.functions.add(spec, self.aws)
        self.schedules = stack.schedules
        self.tables = stack.created("AWS::DynamoDB::Table")
        self.queues = stack.created("AWS::SQS::Queue")
        self.state_machines = stack.created("AWS::StepFunctions::StateMachine")
        return stack

    def _registration(self, revision: Revision) -> Options:
        return Options(revision, _CLIENT_ID, self.client_secret, redirect_uris=(self.output("RedirectUri"),))

    def _api(self) -> Gateway:
        ((logical_id, body),) = self._stack.apis.items()
        return Gateway(HttpApi.parse(self._stack.resource(logical_id).ref, body), self.functions.invoke)

    def _parameters(self) -> Mapping[str, str]:
        return {
            "ClientId": _CLIENT_ID,
            "ClientSecretName": _CLIENT_SECRET_NAME,
            "WhiteBitBaseUrl": self.whitebit,
            "PublicUrl": self.gateway,
            "JwtIssuer": self.issuer,
            "JwtAudience": _AUDIENCE,
            "AllowedOrigins": self.partner,
            "AllowedReturnUrls": self.return_url,
            **self._own_parameters,
        }
