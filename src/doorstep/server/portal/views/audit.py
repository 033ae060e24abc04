"""The audit page: who did what to which device, from where; for managers of an organisation and the staff."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from doorstep.server.accounts.queries import Principal, actor_name
from doorstep.server.audit.queries import Deed, Search, deed, deeds_for, lines
from doorstep.server.clock import from_us, to_us
from doorstep.server.files import attached
from doorstep.server.portal.access import member_page
from doorstep.server.portal.asking import asked

__all__ = ["export", "trail"]

_ROWS: Final = 50
_DAY_US: Final = 86_400 * 1_000_000
_EXPORT_CAP: Final = 20_000
"""Rows of one file; REST pages through more."""
_COLUMNS: Final = (
    "number",
    "at",
    "actor",
    "action",
    "looked",
    "way",
    "device_id",
    "before",
    "after",
    "address",
    "digest",
)


@require_safe
@member_page
def trail(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show the entries that somebody may read, newest first, and search them."""
    rows = deeds_for(principal.organisation, _search(request, principal))
    page = Paginator(rows, _ROWS).get_page(request.GET.get("page"))
    found = [
        (one, actor_name(one.actor, principal)) for one in (deed(row, principal.organisation) for row in page)
    ]
    query = request.GET.copy()
    query.pop("page", None)
    context: dict[str, Any] = {
        "page": page,
        "deeds": found,
        "asked": request.GET,
        "query": query.urlencode(),
        "page_query": f"&{query.urlencode()}",
    }
    return render(request, "portal/audit.html", context)


@require_safe
@member_page
def export(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Return what the page's search finds as CSV, oldest first."""
    rows = deeds_for(principal.organisation, _search(request, principal))
    found = islice(lines(rows, principal.organisation), _EXPORT_CAP)
    return attached("".join(_csv(found)), "text/csv; charset=utf-8", "audit.csv")


def _search(request: HttpRequest, principal: Principal) -> Search:
    if not principal.may_audit:
        raise PermissionDenied
    until = _day(asked(request, "until", 10))
    return Search(
        device_id=asked(request, "device", 8),
        actor=asked(request, "actor", 60),
        action=asked(request, "action", 60),
        since_us=_day(asked(request, "since", 10)),
        until_us=None if until is None else until + _DAY_US,
        staff_only=asked(request, "staff", 1) == "1",
    )


def _day(text: str) -> int | None:
    try:
        return to_us(datetime.fromisoformat(f"{text}T00:00:00+00:00"))
    except ValueError:
        return None


def _csv(deeds: Iterator[Deed]) -> Iterator[str]:
    yield _line(_COLUMNS)
    for one in deeds:
        at = from_us(one.at_us).isoformat()
        changes = (_told(one.before), _told(one.after))
        yield _line(
            (
                one.number,
                at,
                one.actor,
                one.action,
                one.looked,
                one.way,
                one.device_id,
                *changes,
                one.address,
                one.digest,
            )
        )


def _told(values: Any) -> str:
    return "; ".join(f"{name}={value}" for name, value in values.items())


def _line(values: tuple[Any, ...]) -> str:
    buffer = io.StringIO()
    # A cell that begins like a formula would be run by a spreadsheet.
    csv.writer(buffer).writerow(
        [f"'{one}" if str(one)[:1] in {"=", "+", "-", "@"} else one for one in values]
    )
    return buffer.getvalue()
