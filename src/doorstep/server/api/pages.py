"""Cursor pages: each answer says where the next begins, so that lists may grow while they are read."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

from django.db import models
from django.db.models import QuerySet
from ninja import Query

from doorstep.errors import MalformedMessage
from doorstep.server.api.schema import Schema
from doorstep.wire import base64url

__all__ = ["DEFAULT_LIMIT", "MAX_LIMIT", "Cursor", "Limit", "Page", "page", "page_of"]

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
_CURSOR_CAP: Final = 120
_NUMBER_CAP: Final = 18

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows in one answer.")]
Cursor = Annotated[
    str,
    Query(max_length=_CURSOR_CAP, pattern="^[A-Za-z0-9_-]*$", description="`next` of the answer before."),
]

_Row = TypeVar("_Row", bound=models.Model)
_Item = TypeVar("_Item")


class Page(Schema, Generic[_Item]):
    """One page of a list."""

    items: list[_Item]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


def page(
    rows: QuerySet[_Row], by: str, shown: Callable[[_Row], Any], cursor: str, limit: int
) -> dict[str, Any]:
    """Return one page of rows, ``{"items": […], "next": cursor or None}``.

    ``by`` names a unique column of the rows that they are ordered by, with a minus for the newest first.
    Raises MalformedMessage for a cursor that no page gave out.
    """
    name = by.removeprefix("-")
    place = _place(cursor, is_number=_is_number(rows.model, name))
    if place is not None:
        rows = rows.filter(**{f"{name}__{'lt' if by.startswith('-') else 'gt'}": place})
    found = list(rows.order_by(by)[: limit + 1])
    more = _pack(getattr(found[limit - 1], name)) if len(found) > limit else None
    return {"items": [shown(row) for row in found[:limit]], "next": more}


def page_of(
    items: Sequence[_Item] | QuerySet[Any, _Item], shown: Callable[[_Item], Any], cursor: str, limit: int
) -> dict[str, Any]:
    """Return one page of what keeps its order: a list in memory, or rows without a column to go by."""
    start = int(_place(cursor, is_number=True) or 0)
    found = list(items[start : start + limit + 1])
    more = _pack(start + limit) if len(found) > limit else None
    return {"items": [shown(item) for item in found[:limit]], "next": more}


def _is_number(model: type[models.Model], name: str) -> bool:
    found = model._meta.pk if name == "pk" else model._meta.get_field(name)  # noqa: SLF001 - Django's documented API
    return isinstance(found, models.IntegerField)


def _pack(place: str | int) -> str:
    return base64url.encode(str(place).encode())


def _place(cursor: str, *, is_number: bool) -> str | int | None:
    if not cursor:
        return None
    try:
        place = base64url.decode(cursor).decode()
    except (base64url.NotBase64Url, UnicodeDecodeError) as error:
        raise _not_ours() from error
    if not place or not place.isprintable():
        raise _not_ours()
    if not is_number:
        return place
    if not (place.isascii() and place.isdecimal()) or len(place) > _NUMBER_CAP:
        raise _not_ours()
    return int(place)


def _not_ours() -> MalformedMessage:
    return MalformedMessage("this cursor is not one of ours", next_step="Begin without a cursor.")
