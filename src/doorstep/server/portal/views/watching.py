"""Thresholds of a device, and the alerts that came of them."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from doorstep.errors import MisuseError
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.keyset import slice_of
from doorstep.server.portal.sentences import sentences
from doorstep.server.portal.templatetags.portal import label_of
from doorstep.server.portal.views.devices import find
from doorstep.server.readings.limits import ThresholdKind
from doorstep.server.readings.rolling import LARGEST
from doorstep.server.readings.thresholds import (
    LEAST_MINUTES,
    MOST_MINUTES,
    NoSuchThreshold,
    add_threshold,
    alerts_of,
    alerts_seen,
    names_of,
    remove_threshold,
    thresholds_of,
)

__all__ = ["alerts", "remove", "thresholds"]

_KINDS: Final = {
    ThresholdKind.ABOVE: gettext_lazy("goes above"),
    ThresholdKind.BELOW: gettext_lazy("falls below"),
}


class ReadingForm(forms.Form):
    """Tell us when a reading crosses a value."""

    name = forms.ChoiceField(label=gettext_lazy("Reading"))
    kind = forms.ChoiceField(
        label=gettext_lazy("When it"), choices=[(kind.value, word) for kind, word in _KINDS.items()]
    )
    value = forms.FloatField(
        label=gettext_lazy("Value"),
        min_value=-LARGEST,
        max_value=LARGEST,
        help_text=gettext_lazy("In the unit that the device measures in."),
    )
    mail = forms.BooleanField(
        label=gettext_lazy("Send a mail to everybody who manages devices"), required=False
    )

    def __init__(self, names: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        assert isinstance(name, forms.ChoiceField)
        name.choices = [(one, label_of(one)) for one in names]


class SilenceForm(forms.Form):
    """Tell us when a device says nothing."""

    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes without a message"),
        min_value=LEAST_MINUTES,
        max_value=MOST_MINUTES,
        help_text=gettext_lazy(
            "Choose three times what is usual for the device, so that one lost message is no alarm."
        ),
    )
    silence_mail = forms.BooleanField(
        label=gettext_lazy("Send a mail to everybody who manages devices"), required=False
    )


@require_safe
@customer_page
def alerts(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List alerts, newest first."""
    page = slice_of(request, alerts_seen(principal), ["-opened_us", "-pk"])
    return render(request, "portal/alerts.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def thresholds(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Show what is watched of a device, and watch more."""
    device = find(principal, device_id)
    if request.method == "POST" and not principal.may_place:
        raise PermissionDenied
    silent = "minutes" in request.POST
    names = names_of(device)
    reading = ReadingForm(
        names, request.POST if request.POST and not silent else None, initial={"mail": True}
    )
    silence = SilenceForm(request.POST if silent else None, initial={"minutes": 60, "silence_mail": True})
    form = silence if silent else reading
    if request.method == "POST" and form.is_valid() and _add(principal, device, form):
        messages.success(request, _("From now on you are told."))
        return redirect("thresholds", device_id=device.device_id)
    context = {
        "device": device,
        "thresholds": thresholds_of(device),
        "alerts": alerts_of(device)[:10],
        "names": names,
        "reading": reading,
        "silence": silence,
        "may_write": principal.may_place,
    }
    return render(request, "portal/thresholds.html", context)


@require_POST
@customer_page
def remove(request: HttpRequest, principal: Principal, device_id: str, number: int) -> HttpResponse:
    """Watch for something no longer."""
    device = find(principal, device_id)
    if not principal.may_place:
        raise PermissionDenied
    try:
        remove_threshold(device, number, now_us())
    except NoSuchThreshold as error:
        raise Http404 from error
    messages.success(request, _("Nobody is told about that any more."))
    return redirect("thresholds", device_id=device.device_id)


def _add(principal: Principal, device: Device, form: forms.Form) -> bool:
    said = form.cleaned_data
    if isinstance(form, SilenceForm):
        kind, name, value, mail = ThresholdKind.SILENT, "", float(said["minutes"]), said["silence_mail"]
    else:
        kind, name, value, mail = ThresholdKind(said["kind"]), said["name"], said["value"], said["mail"]
    try:
        add_threshold(device, kind, name, value, mail=mail, by=principal.actor, now_us=now_us())
    except MisuseError as error:
        form.add_error(None, sentences(error))
        return False
    return True
