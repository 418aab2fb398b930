"""What a key may do: WhiteBIT's groups of permissions, in the three words that matter to a partner."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Ability(StrEnum):
    """What a key can do with somebody's money; each is worse than the one before."""

    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"


# By the `name` of WhiteBIT's groups. Its titles are translated.
_ABILITIES = {
    "trade_balance": frozenset({Ability.READ}),
    "wallet": frozenset({Ability.READ}),
    "convert": frozenset({Ability.READ, Ability.TRADE}),
    "trading": frozenset({Ability.TRADE}),
    "withdraw": frozenset({Ability.WITHDRAW}),
}

# The groups whose paths are known.
GROUPS = frozenset(_ABILITIES)

_ORDER = tuple(Ability)


@dataclass(frozen=True, slots=True)
class Access:
    """What a key with something granted in its groups can do."""

    read: bool
    trade: bool
    withdraw: bool


def access_of(groups: Collection[str]) -> Access:
    """What these groups allow, as far as they are known here."""
    abilities = {ability for group in groups for ability in _ABILITIES.get(group, ())}
    return Access(*(ability in abilities for ability in Ability))


def exceeds(groups: Collection[str], most: Ability) -> bool:
    """Whether a key with something granted in these groups can do more than a partner wants.

    A group that is not known here may be anything, and counts as the worst.
    """
    worst = {Ability.WITHDRAW}
    return any(_ORDER.index(each) > _ORDER.index(most) for group in groups for each in _ABILITIES.get(group, worst))
