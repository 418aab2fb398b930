"""The browser comes back from WhiteBIT."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from fastkey.domain import errors
from fastkey.domain.authorization import Authorization, AuthorizationResponse, completion
from fastkey.domain.connection import EXCHANGE_LIFE, Connection
from fastkey.domain.secret import Secret
from fastkey.domain.status import Status
from fastkey.ports import Purpose, World
from fastkey.usecases.change import change, change_and_resume, insist
from fastkey.usecases.refresh_token import seal_tokens

# 16 s for the answer at the most; keeping it takes the fraction of a second that is usual, or a repetition or two.
TIME_TO_EXCHANGE = timedelta(seconds=20)


def callback(world: World, response: AuthorizationResponse, cookie: Secret, deadline: datetime) -> Secret:
    """Takes a browser back from WhiteBIT, spends the code once, and gives the URL to send the browser to.

    deadline: when Lambda stops this. The same browser may come twice: it is sent to the same page, and WhiteBIT is not
    asked again. Raises AuthorizationInvalid, the same in each case, for a state that is unknown or expired, for a
    browser without its cookie and for another issuer; NoTimeLeft, and the code is not spent.
    """
    authorization = _pending(world, response, cookie)
    connection = world.connections.get(authorization.connection_id)
    if connection.status is Status.CONSENTING:
        if response.code:
            connection = _exchange(world, authorization, response.code, deadline)
        else:
            connection = _deny(world, connection, response.error)
    query = {"connection_id": connection.connection_id}
    if connection.status not in (Status.DENIED, Status.FAILED):
        query["completion"] = completion(cookie, response.state).reveal()
    separator = "&" if "?" in connection.return_url else "?"
    return Secret(f"{connection.return_url}{separator}{urlencode(query)}")


def _pending(world: World, response: AuthorizationResponse, cookie: Secret) -> Authorization:
    authorization = world.authorizations.find(response.state)
    # Compared in any case, so that it takes the same steps whether the state is known or not.
    same_browser = cookie.matches(authorization.cookie_digest if authorization else None)
    if authorization is None or not same_browser or world.clock.now() >= authorization.expires_at:
        raise errors.AuthorizationInvalid
    # WhiteBIT names no issuer today. If it begins to, its address is the name that a deployment knows it by.
    if response.issuer not in (None, Secret(world.policy.whitebit_base_url)):
        raise errors.AuthorizationInvalid
    return authorization


def _deny(world: World, connection: Connection, error: Secret | None) -> Connection:
    declined = error == Secret("access_denied")
    cause = errors.ConsentDenied if declined else errors.ConsentFailed
    return change(world, connection.connection_id, lambda c: c.deny(cause, world.clock.now()))


def _exchange(world: World, authorization: Authorization, code: Secret, deadline: datetime) -> Connection:
    connection_id = authorization.connection_id
    verifier = world.sealer.open(authorization.verifier, connection_id, Purpose.VERIFIER)
    # Everything that can fail without the code is tried before the code is spent.
    world.whitebit.prepare()
    world.sealer.seal(verifier, connection_id, Purpose.TOKEN)
    # First the workflow, then the code: if this function dies after the code is spent, somebody is there to bring the
    # connection to an end.
    world.workflows.start_provision(connection_id)
    asked_at = world.clock.now()
    if asked_at + TIME_TO_EXCHANGE > deadline:
        raise errors.NoTimeLeft
    lease = asked_at + EXCHANGE_LIFE + world.entropy.moment()
    try:
        insist(lambda: change(world, connection_id, lambda c: c.exchange(lease, world.clock.now())))
    except errors.ConnectionClosed:
        return world.connections.get(connection_id)
    try:
        grant = world.whitebit.exchange_code(code, verifier)
    except errors.ExchangeRefused:
        return _fail(world, connection_id, errors.ExchangeRefused, lease)
    except (errors.WhiteBitUnavailable, errors.UnexpectedAnswer):
        return _fail(world, connection_id, errors.ExchangeLost, lease)
    tokens = insist(lambda: seal_tokens(world, connection_id, grant, asked_at))
    return insist(lambda: change(world, connection_id, lambda c: c.authorize(tokens, lease, world.clock.now())))


def _fail(world: World, connection_id: str, cause: type[errors.FastkeyError], lease: datetime) -> Connection:
    return change_and_resume(world, connection_id, lambda c: c.fail_exchange(cause, lease, world.clock.now()))
