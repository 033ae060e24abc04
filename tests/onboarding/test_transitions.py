import enum

import pytest

from doorstep.errors import IllegalTransition
from doorstep.onboarding.transitions import follow


class Door(enum.Enum):
    OPEN = "open"
    SHUT = "shut"


class Hand(enum.Enum):
    PUSH = "push"
    PULL = "pull"


TABLE = {Door.OPEN: {Hand.PUSH: Door.SHUT}, Door.SHUT: {Hand.PULL: Door.OPEN}}


def test_table_says_where_a_move_leads() -> None:
    assert follow(TABLE, Door.OPEN, Hand.PUSH) is Door.SHUT


def test_move_that_the_table_lacks_is_refused_by_name() -> None:
    with pytest.raises(IllegalTransition, match="'push' while shut"):
        follow(TABLE, Door.SHUT, Hand.PUSH)
