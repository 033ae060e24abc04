"""Revoke a device, or decide about one that looks wrong, after a question that says what it means."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from doorstep.errors import IllegalTransition
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.standings import clear_device, quarantine_device
from doorstep.server.portal.access import customer_page, staff_page
from doorstep.server.portal.views.devices import find

__all__ = ["clear", "quarantine", "revoke", "revoke_as_staff"]


class RevokeForm(forms.Form):
    """Why the device is revoked; the reason goes into the ledger."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("For example: lost, stolen, broken. It stays in the ledger, so please name no person."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def revoke(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Ask a customer for the reason, then block their device for good."""
    return _revoke(request, principal, find(principal, device_id), reverse("device", args=[device_id]))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def revoke_as_staff(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Ask the maker's staff for the reason, then block any device for good."""
    device = get_object_or_404(Device.objects.select_related("product"), device_id=device_id)
    return _revoke(request, principal, device, reverse("staff-device", args=[device_id]))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def quarantine(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Ask the maker's staff for the reason, then accept nothing of a device for now."""
    return _decide(request, principal, device_id, "Put into quarantine", quarantine_device)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def clear(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Ask the maker's staff for the reason, then end a suspicion or quarantine."""
    return _decide(request, principal, device_id, "Find in order", clear_device)


def _decide(
    request: HttpRequest, principal: Principal, device_id: str, verb: str, decide: Callable[..., Device]
) -> HttpResponse:
    if not principal.may_revoke:
        raise PermissionDenied
    device = get_object_or_404(Device.objects.select_related("product"), device_id=device_id)
    back = reverse("staff-device", args=[device_id])
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            decide(device, principal.actor, form.cleaned_data["reason"], now_us=now_us())
        except IllegalTransition as error:
            messages.error(request, f"{error.message}. {error.next_step}")
        else:
            messages.success(request, "Done. The owner reads it on the page of the device.")
        return redirect(back)
    context = {"device": device, "form": form, "back": back, "verb": verb}
    return render(request, "portal/staff/decide.html", context)


def _revoke(request: HttpRequest, principal: Principal, device: Device, back: str) -> HttpResponse:
    if not principal.may_revoke:
        raise PermissionDenied
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        revoke_device(device, principal.actor, form.cleaned_data["reason"], now_us=now_us())
        messages.success(request, f"{device} is revoked.")
        return redirect(back)
    return render(request, "portal/revoke.html", {"device": device, "form": form, "back": back})
