"""Charts of one device, over a span of time, alone or beside others."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.visible import devices_visible_to
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.asking import asked
from doorstep.server.portal.drawing import Figure, figure_of
from doorstep.server.portal.views.devices import find
from doorstep.server.readings.charts import Span, lines_of
from doorstep.server.readings.limits import ThresholdKind
from doorstep.server.readings.thresholds import thresholds_of

__all__ = ["MOST_BESIDE", "charts"]

MOST_BESIDE: Final = 4
"""Devices that are drawn beside one; more lines than five nobody tells apart."""
_SPANS: Final = {
    Span.HOUR: gettext_lazy("Hour"),
    Span.DAY: gettext_lazy("Day"),
    Span.WEEK: gettext_lazy("Week"),
    Span.MONTH: gettext_lazy("Month"),
    Span.YEAR: gettext_lazy("Year"),
}


@require_safe
@customer_page
def charts(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Draw what a device measured, and what up to four others did."""
    device = find(principal, device_id)
    span = next((one for one in Span if one.key == request.GET.get("span")), Span.DAY)
    beside = _beside(request, principal, device)
    if search := asked(request, "add", 80).strip():
        return _add(request, principal, device, beside, search)
    context = {
        "device": device,
        "span": span.key,
        "span_word": _SPANS[span],
        "spans": [(one.key, word, _query(one.key, beside)) for one, word in _SPANS.items()],
        "beside": [(one, _query(span.key, [two for two in beside if two != one])) for one in beside],
        "may_add": len(beside) < MOST_BESIDE,
        "figures": _figures([device, *beside], span),
        "summed": bool(span.hours),
    }
    return render(request, "portal/charts.html", context)


def _beside(request: HttpRequest, principal: Principal, device: Device) -> list[Device]:
    """Return the other devices that are asked for and seen, in the order of the address."""
    wanted = [one[:8].replace("\0", "") for one in request.GET.getlist("with")[:MOST_BESIDE]]
    found = {one.device_id: one for one in devices_visible_to(principal).filter(device_id__in=wanted)}
    return [found[one] for one in dict.fromkeys(wanted) if one in found and one != device.device_id]


def _add(
    request: HttpRequest, principal: Principal, device: Device, beside: list[Device], search: str
) -> HttpResponse:
    others = devices_visible_to(principal, search).exclude(pk__in=[device.pk, *(one.pk for one in beside)])
    found = others.filter(alias__iexact=search).first() or others.first()
    if found is None:
        messages.warning(request, _("No other device is called “%(search)s”.") % {"search": search})
    elif len(beside) < MOST_BESIDE:
        beside = [*beside, found]
    span = asked(request, "span", 8)
    return redirect(f"{reverse('charts', args=[device.device_id])}?{_query(span, beside)}")


def _query(span: str, beside: Sequence[Device]) -> str:
    query = QueryDict(mutable=True)
    query["span"] = span
    query.setlist("with", [one.device_id for one in beside])
    return query.urlencode()


def _figures(devices: Sequence[Device], span: Span) -> list[Figure]:
    now = now_us()
    own = {line.name: line for line in lines_of(devices[0], span, now)}
    others = [
        {line.name: line for line in lines_of(one, span, now, list(own))} if own else {}
        for one in devices[1:]
    ]
    limits: dict[str, list[Any]] = {}
    for one in thresholds_of(devices[0]).exclude(kind=ThresholdKind.SILENT):
        limits.setdefault(one.name, []).append(one.value)
    return [
        figure_of([line, *(some[name] for some in others if name in some)], span, now, limits.get(name, ()))
        for name, line in own.items()
    ]
