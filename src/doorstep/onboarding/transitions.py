"""The one step that every state machine of the set-up takes: its table decides."""

import enum
from collections.abc import Mapping
from typing import TypeVar

from doorstep.errors import IllegalTransition

__all__ = ["follow"]

S = TypeVar("S", bound=enum.Enum)
E = TypeVar("E", bound=enum.Enum)


def follow(table: Mapping[S, Mapping[E, S]], state: S, event: E) -> S:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    try:
        return table[state][event]
    except KeyError:
        raise IllegalTransition(f"there is no move {event.value!r} while {state.value}") from None
