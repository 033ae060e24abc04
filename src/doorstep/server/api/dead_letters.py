"""Messages and attempts that were not accepted, for the maker's staff."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.fields import Line, ShortId
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.readings.models import DeadLetter
from doorstep.server.readings.queries import letters_of

__all__ = ["router"]

router = Router(tags=["dead letters"])


class LetterOut(Schema):
    """A refused message or attempt; repeats within a minute are counted in one row."""

    at_us: int
    """When it last came."""
    device_id: str
    """As the topic or credential named it; it may not exist."""
    topic: str
    """Where it came."""
    reason: str
    """Why, for programs."""
    detail: str
    """Why, for people."""
    size: int
    """In bytes."""
    count: int
    """Repeats that the row counts."""


class LetterPage(Page[LetterOut]):
    """Dead letters, newest first."""


@router.get(
    "/dead-letters",
    response={200: LetterPage},
    operation_id="list_dead_letters",
    openapi_extra=needs(Permission.MAKER_DEAD_LETTERS_READ),
)
def list_dead_letters(
    request: HttpRequest,
    device_id: Annotated[ShortId | None, Query(description="As the topic or credential named it.")] = None,
    reason: Annotated[Line | None, Query(description="Why they were refused.")] = None,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
) -> Any:
    """List what was refused, newest first."""
    found = letters_of(device_id or "")
    rows = found if reason is None else found.filter(reason=reason)
    return page(rows, "-pk", _shown, cursor, limit)


def _shown(row: DeadLetter) -> dict[str, Any]:
    return {name: getattr(row, name) for name in LetterOut.model_fields}
