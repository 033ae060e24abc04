"""Readings of a device as a file."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from asgiref.sync import sync_to_async
from django import forms
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import from_us, now_us, to_us
from doorstep.server.fleet.models import Device
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.views.devices import find
from doorstep.server.readings.downloads import csv_of, parquet_is_there, parquet_of

__all__ = ["download"]

_FORMATS: Final = (("csv", "CSV"), ("parquet", "Parquet"))
_MOST_DAYS_PARQUET: Final = 366


class SpanForm(forms.Form):
    """From which day to which, and as which kind of file."""

    since = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(
        label=gettext_lazy("To, included"), widget=forms.DateInput(attrs={"type": "date"})
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("File"), choices=_FORMATS,
        help_text=gettext_lazy("CSV opens in every spreadsheet; Parquet keeps numbers as numbers."),
    )  # fmt: skip

    def clean(self) -> None:
        """Check what two fields say together."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first."))
        if self.cleaned_data.get("kind") != "parquet":
            return
        if not parquet_is_there():
            self.add_error("kind", _("This server makes no Parquet files. Ask for CSV."))
        if since and until and (until - since).days >= _MOST_DAYS_PARQUET:
            self.add_error("until", _("Ask for at most a year of Parquet at once."))


@require_safe
@customer_page
def download(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponseBase:
    """Ask for which time; then send it, day by day of UTC."""
    device = find(principal, device_id)
    today = from_us(now_us()).date()
    form = SpanForm(
        request.GET if "since" in request.GET else None,
        initial={
            "since": (today - timedelta(days=30)).isoformat(),
            "until": today.isoformat(),
            "kind": "csv",
        },
    )
    if not form.is_bound or not form.is_valid():
        return render(request, "portal/download.html", {"device": device, "form": form})
    said = form.cleaned_data
    since_us = to_us(datetime.combine(said["since"], datetime.min.time(), UTC))
    until_us = to_us(datetime.combine(said["until"], datetime.min.time(), UTC) + timedelta(days=1))
    name = f"{device.device_id}-{said['since']}-{said['until']}.{said['kind']}"
    return _file(request, device, since_us, until_us, name)


def _file(request: HttpRequest, device: Device, since_us: int, until_us: int, name: str) -> HttpResponseBase:
    answer: HttpResponseBase
    if name.endswith(".parquet"):
        answer = HttpResponse(
            parquet_of(device, since_us, until_us), content_type="application/vnd.apache.parquet"
        )
    else:
        pieces = csv_of(device, since_us, until_us)
        stream = _awaited(pieces) if isinstance(request, ASGIRequest) else pieces
        answer = StreamingHttpResponse(stream, content_type="text/csv; charset=utf-8; header=present")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


async def _awaited(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Take one piece after the other from the thread that reads the database."""
    take = sync_to_async(lambda: next(pieces, None))
    while (piece := await take()) is not None:
        yield piece
