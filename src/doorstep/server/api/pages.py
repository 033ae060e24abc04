"""Cursor pages: each answer says where the next begins, so that lists may grow while they are read."""

import base64
from typing import Annotated, Final

from ninja import Query

from doorstep.errors import MalformedMessage

__all__ = ["DEFAULT_LIMIT", "MAX_LIMIT", "Cursor", "Limit", "number_of", "pack", "unpack"]

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
_CURSOR_CAP: Final = 120
_NUMBER_CAP: Final = 18

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows in one answer.")]
Cursor = Annotated[str, Query(max_length=_CURSOR_CAP, description="`next` of the answer before.")]


def pack(place: str | int | None) -> str | None:
    """Write a place in a list as an opaque cursor."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(str(place).encode()).rstrip(b"=").decode()


def unpack(cursor: str) -> str:
    """Read a cursor; raise MalformedMessage for what ``pack`` never wrote."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except ValueError as error:
        raise _not_ours() from error
    if not place.isprintable():
        raise _not_ours()
    return place


def number_of(cursor: str) -> int | None:
    """Read the cursor of a list that is ordered by number; None for the beginning."""
    place = unpack(cursor)
    if not place:
        return None
    if not place.isdecimal() or len(place) > _NUMBER_CAP:
        raise _not_ours()
    return int(place)


def _not_ours() -> MalformedMessage:
    return MalformedMessage("this cursor is not one of ours", next_step="Begin without a cursor.")
