"""The port Starts."""

from datetime import timedelta

import pytest

from fastkey.domain.errors import TooManyStarts
from fastkey.domain.pace import STARTS_AN_HOUR
from fastkey.ports import World
from tests.contract.given import NOW, unique


def use_up(world: World, user_id: str) -> None:
    """All the starts that a user has in this hour."""
    for _ in range(STARTS_AN_HOUR):
        world.starts.count(user_id, NOW)


def test_a_user_starts_so_often_in_an_hour_and_no_more(world: World) -> None:
    user_id = unique("user")
    use_up(world, user_id)
    for later in (timedelta(0), timedelta(minutes=55)):
        with pytest.raises(TooManyStarts):
            world.starts.count(user_id, NOW + later)


def test_the_next_hour_is_another(world: World) -> None:
    user_id = unique("user")
    use_up(world, user_id)
    use_up(world, unique("user"))
    world.starts.count(user_id, NOW + timedelta(hours=1))


def test_what_one_user_did_is_nothing_to_another(world: World) -> None:
    use_up(world, unique("user"))
    world.starts.count(unique("user"), NOW)
