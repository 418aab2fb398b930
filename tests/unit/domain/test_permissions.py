"""What a key may do, in three words."""

import pytest

from fastkey.domain.permissions import GROUPS, Ability, Access, access_of, exceeds
from local.whitebit.permissions import CATALOGUE

READ, TRADE, WITHDRAW = Ability


def test_the_groups_are_whitebits() -> None:
    assert {group.name for group in CATALOGUE} == GROUPS


@pytest.mark.parametrize(
    ("groups", "access"),
    [
        ([], Access(read=False, trade=False, withdraw=False)),
        (["trade_balance"], Access(read=True, trade=False, withdraw=False)),
        (["wallet"], Access(read=True, trade=False, withdraw=False)),
        (["convert"], Access(read=True, trade=True, withdraw=False)),
        (["trading"], Access(read=False, trade=True, withdraw=False)),
        (["withdraw"], Access(read=False, trade=False, withdraw=True)),
        (["wallet", "trading"], Access(read=True, trade=True, withdraw=False)),
        (sorted(GROUPS), Access(read=True, trade=True, withdraw=True)),
    ],
)
def test_groups_add_up(groups: list[str], access: Access) -> None:
    assert access_of(groups) == access


def test_of_a_group_that_is_not_known_nobody_says_what_it_allows() -> None:
    assert access_of(["staking"]) == access_of([])
    assert access_of(["staking", "wallet"]) == access_of(["wallet"])


WORST = {"trade_balance": READ, "wallet": READ, "convert": TRADE, "trading": TRADE, "withdraw": WITHDRAW}


@pytest.mark.parametrize("most", Ability)
@pytest.mark.parametrize("group", sorted(GROUPS))
def test_a_group_exceeds_what_its_worst_is_worse_than(group: str, most: Ability) -> None:
    order = list(Ability)
    assert exceeds([group], most) is (order.index(WORST[group]) > order.index(most))


def test_one_group_too_many_is_enough() -> None:
    assert exceeds(["wallet", "trade_balance", "trading"], READ)
    assert not exceeds(["wallet", "trade_balance"], READ)


@pytest.mark.parametrize(("most", "is_too_much"), [(READ, True), (TRADE, True), (WITHDRAW, False)])
def test_a_group_that_is_not_known_counts_as_the_worst(most: Ability, is_too_much: bool) -> None:
    assert exceeds(["staking"], most) is is_too_much


@pytest.mark.parametrize("most", Ability)
def test_a_key_that_may_do_nothing_exceeds_nothing(most: Ability) -> None:
    assert not exceeds([], most)
