"""Pages of long lists: each begins behind a row, so that the thousandth costs what the first does."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from doorstep.wire import base64url

__all__ = ["ROWS", "Slice", "cursor_of", "slice_of"]

ROWS: Final = 50
_CAP: Final = 600
"""Characters of a cursor: two names and what surrounds them."""

_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Slice(Generic[_Row]):
    """Some rows of a list, and where it goes on in both directions; empty at the ends."""

    rows: Sequence[_Row]
    before: str
    after: str

    def __iter__(self) -> Iterator[_Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def slice_of(
    request: HttpRequest, rows: "QuerySet[_Row]", order: Sequence[str], size: int = ROWS
) -> Slice[_Row]:
    """Return the rows behind ``?after=`` or before ``?before=``; the first ones for what is no cursor.

    ``order`` names fields as ``order_by`` does; the last must be unique, and none may be null.
    """
    backwards = bool(request.GET.get("before"))
    place = _unpack(request.GET.get("before") or request.GET.get("after") or "", len(order))
    backwards = backwards and place is not None
    wanted = [_flipped(name) for name in order] if backwards else list(order)
    if place is not None:
        rows = rows.filter(_behind(wanted, place))
    found = list(rows.order_by(*wanted)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    earlier, later = (more, True) if backwards else (place is not None, more)
    if not found:
        return Slice((), "", "")
    return Slice(
        found, cursor_of(found[0], order) if earlier else "", cursor_of(found[-1], order) if later else ""
    )


def _behind(order: Sequence[str], place: Sequence[Any]) -> Q:
    """Return the condition of rows behind a place: bounded by the first field, so that its index is used."""
    either = []
    for number, name in enumerate(order):
        same = Q(*((_field(one), value) for one, value in zip(order[:number], place, strict=False)))
        either.append(same & Q((f"{_field(name)}__{_past(name)}", place[number])))
    return Q((f"{_field(order[0])}__{_past(order[0])}e", place[0])) & reduce(or_, either)


def _field(name: str) -> str:
    return name.removeprefix("-")


def _past(name: str) -> str:
    return "lt" if name.startswith("-") else "gt"


def _flipped(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def cursor_of(row: Model, order: Sequence[str]) -> str:
    """Return where a list goes on behind a row, or ends before it."""
    values = [getattr(row, _field(name)) for name in order]
    return base64url.encode(json.dumps(values).encode())


def _unpack(cursor: str, length: int) -> list[str | int] | None:
    if not cursor or len(cursor) > _CAP:
        return None
    try:
        values = json.loads(base64url.decode(cursor))
    except (base64url.NotBase64Url, ValueError):
        return None
    if not isinstance(values, list) or len(values) != length or not all(map(_is_plain, values)):
        return None
    return values


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return "\0" not in value
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62
