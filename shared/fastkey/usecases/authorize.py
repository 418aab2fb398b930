"""A browser appears with its ticket, and leaves for WhiteBIT."""

from dataclasses import dataclass

from fastkey.domain.authorization import AUTHORIZATION_LIFE, Authorization, authorization_url, completion, cookie_name
from fastkey.domain.errors import Conflict, ConnectionNotFound, TicketInvalid
from fastkey.domain.secret import Secret
from fastkey.ports import Purpose, World


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the cookie by which it is known when it comes back."""

    url: Secret
    cookie_name: str
    cookie: Secret


def authorize(world: World, ticket: Secret) -> Departure:
    """Uses up the ticket and makes the authorization request.

    Raises TicketInvalid for a ticket that is unknown, used or expired.
    """
    connection_id = ticket.reveal().partition(".")[0]
    state, verifier, cookie = world.entropy.token(), world.entropy.token(), world.entropy.token()
    now = world.clock.now()
    try:
        connection = world.connections.get(connection_id)
        consenting = connection.consent(ticket, completion(cookie, state).digest(), now)
        world.authorizations.add(
            Authorization(
                state_digest=state.digest(),
                connection_id=connection_id,
                verifier=world.sealer.seal(verifier, connection_id, Purpose.VERIFIER),
                cookie_digest=cookie.digest(),
                expires_at=now + AUTHORIZATION_LIFE,
            )
        )
        # Last, because it uses up the ticket: whatever fails before can be tried again.
        world.connections.save(connection, consenting)
    except (ConnectionNotFound, Conflict):
        raise TicketInvalid from None
    policy = world.policy
    url = authorization_url(
        policy.whitebit_base_url, policy.client_id, f"{policy.public_url}/callback", state, verifier
    )
    return Departure(Secret(url), cookie_name(state), cookie)
