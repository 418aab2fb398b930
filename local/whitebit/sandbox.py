"""WhiteBIT, without HTTP: all the state of one sandbox, and the verbs that touch more than one part of it."""

from local.whitebit import refusals
from local.whitebit.clock import Clock
from local.whitebit.faults import Faults
from local.whitebit.journal import Journal
from local.whitebit.keys import Key, Keys
from local.whitebit.limits import RateLimits
from local.whitebit.mint import Mint
from local.whitebit.options import Options, Revision
from local.whitebit.tokens import Tokens
from local.whitebit.users import RESTRICTED_REGIONS, User, Users

FIRST_USER_EMAIL = "ada@example.com"
FIRST_USER_PASSWORD = "sandbox"
FIRST_USER_SECOND_FACTOR = "123456"


class Sandbox:
    """One WhiteBIT with one registered partner. Not thread-safe: the web layer lets one request in at a time."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.reset()

    def reset(self) -> None:
        """As on the first day: one user, real time, nothing issued, no faults ordered."""
        self.clock = Clock()
        self.mint = Mint()
        self.users = Users()
        self.tokens = Tokens(self.options, self.clock, self.mint)
        self.keys = Keys(self.clock, self.mint)
        self.limits = RateLimits()
        self.faults = Faults()
        self.journal = Journal()
        self.users.add(User(FIRST_USER_EMAIL, FIRST_USER_PASSWORD, FIRST_USER_SECOND_FACTOR))

    @property
    def may_create_keys(self) -> bool:
        """Was the partner registered for issuing keys?"""
        return "apikeys.create" in self.options.scopes

    def objection(self, user: User) -> str | None:
        """Why the eligibility gate of revision 2026-08 refuses this user; None where it lets them pass."""
        if self.options.revision is Revision.MAY_2026 or not user.gate:
            return None
        if not user.two_factor:
            return "Turn on two-factor authentication first."
        if self.partner_key(user):
            return "You already have an API key for this partner. Delete it on your dashboard first."
        if not user.kyc:
            return "Verify your identity first."
        if user.region in RESTRICTED_REGIONS:
            return "This is not available in your region."
        return None

    def partner_key(self, user: User) -> Key | None:
        """The user's key for the registered partner, active or disabled."""
        return self.keys.for_partner(user.email, self.options.client_id)

    def create_partner_key(self, user: User, granted: frozenset[str]) -> Key:
        """Raises keys.KeyCreationError."""
        return self.keys.create(user.email, self.options.client_id, granted)

    def bearer(self, authorization: str, scope: str) -> User:
        """The user whose live token this header carries. Raises the 401, or the 403 where the client lacks `scope`."""
        scheme, _, token = authorization.partition(" ")
        email = self.tokens.owner(token) if scheme.lower() == "bearer" else None
        if email is None:
            raise refusals.unauthorized()
        if scope not in self.options.scopes:
            raise refusals.forbidden()
        return self.users.get(email)

    def withdraw_authorization(self, user: User) -> None:
        """The user takes the partner's authorization back: its tokens and its key die."""
        self.tokens.revoke(user.email)
        self.keys.remove_all(user.email, self.options.client_id)

    def change_password(self, user: User, password: str) -> None:
        """Every key, token and session of the user dies."""
        user.password = password
        self._end_everything(user)

    def block(self, user: User) -> None:
        """WhiteBIT blocks or freezes the account."""
        user.blocked = True
        self._end_everything(user)

    def _end_everything(self, user: User) -> None:
        self.tokens.revoke(user.email)
        self.keys.remove_all(user.email)
        self.users.log_out_everywhere(user.email)
