"""Readings of a device as a file."""

from datetime import timedelta
from typing import Final

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import from_us, now_us
from doorstep.server.files import streamed
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.views.devices import find
from doorstep.server.readings.downloads import MOST_DAYS_PARQUET, Format, file_of, parquet_is_there

__all__ = ["download"]

_FORMATS: Final = ((Format.CSV.value, "CSV"), (Format.PARQUET.value, "Parquet"))


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
        if since and until and (until - since).days >= MOST_DAYS_PARQUET:
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
    file = file_of(device, said["since"], said["until"], Format(said["kind"]))
    return streamed(request, file.pieces, file.media, file.name)
