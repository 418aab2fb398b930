"""The authorization request: what the partner's redirect asks for, and how the browser is sent back."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode, urlsplit, urlunsplit

from local.whitebit.options import Options

S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636, section 4.2: 256 bits, base64url, no padding


class AuthorizationRequestError(Exception):
    """The request is not one of a registered partner: the user sees a page, and the browser is sent nowhere."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check."""

    redirect_uri: str
    state: str
    challenge: str

    @classmethod
    def parse(cls, values_of: Callable[[str], list[str]], options: Options) -> Self:
        """Check the query, read through `values_of(name)`. Raises AuthorizationRequestError."""

        def only(name: str) -> str:
            match values_of(name):
                case [value] if value:
                    return value
            raise AuthorizationRequestError(f"The parameter {name} is needed, exactly once.")

        if only("clientId") != options.client_id:
            raise AuthorizationRequestError("There is no such client.")
        if only("redirect_uri") not in options.redirect_uris:
            raise AuthorizationRequestError("The redirect_uri is not registered for this client.")
        if only("code_challenge_method") != "S256" or not S256_CHALLENGE.fullmatch(only("code_challenge")):
            raise AuthorizationRequestError("A code_challenge of method S256 is needed.")
        return cls(only("redirect_uri"), only("state"), only("code_challenge"))

    def answer(self, **parameters: str) -> str:
        """The URL to which the browser goes back, with `parameters` and the request's state."""
        parts = urlsplit(self.redirect_uri)
        added = urlencode(parameters | {"state": self.state})
        return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))
