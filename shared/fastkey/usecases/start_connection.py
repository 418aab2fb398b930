"""A user's frontend asks for a connection."""

from dataclasses import dataclass

from fastkey.domain.connection import Connection
from fastkey.domain.errors import ReturnUrlNotAllowed
from fastkey.domain.secret import Secret
from fastkey.ports import World


@dataclass(frozen=True, slots=True)
class Started:
    """The new connection, and the URL, with its ticket, at which the user's browser has to appear."""

    connection: Connection
    authorize_url: Secret


def start_connection(world: World, user_id: str, return_url: str, *, keep_token: bool = False) -> Started:
    """Starts a connection for the user, whose browser will end up at `return_url`.

    keep_token: whether its tokens are to be kept alive once it is active.

    Raises ReturnUrlNotAllowed unless the URL is one of the deployment's, character by character (RFC 9700, section
    4.11); TooManyStarts for a user who has started too often.
    """
    if return_url not in world.policy.allowed_return_urls:
        raise ReturnUrlNotAllowed
    now = world.clock.now()
    world.starts.count(user_id, now)
    connection_id = world.entropy.identifier()
    # The ticket names its connection: it is found without an index, and recognised by its secret part.
    ticket = Secret(f"{connection_id}.{world.entropy.token().reveal()}")
    connection = Connection.start(connection_id, user_id, return_url, ticket, now, keep_token=keep_token)
    world.connections.add(connection)
    return Started(connection, Secret(f"{world.policy.public_url}/authorize?ticket={ticket.reveal()}"))
