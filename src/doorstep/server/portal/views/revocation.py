"""Revoke a device, after a question that says what it means."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import Device
from doorstep.server.portal.access import customer_page, staff_page
from doorstep.server.portal.views.devices import find

__all__ = ["revoke", "revoke_as_staff"]


class RevokeForm(forms.Form):
    """Why the device is revoked; the reason goes into the ledger."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="For example: lost, stolen, broken. It stays in the ledger, so please name no person.",
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


def _revoke(request: HttpRequest, principal: Principal, device: Device, back: str) -> HttpResponse:
    if not principal.may_revoke:
        raise PermissionDenied
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        revoke_device(device, f"user:{principal.user.pk}", form.cleaned_data["reason"], now_us=now_us())
        messages.success(request, f"{device} is revoked.")
        return redirect(back)
    return render(request, "portal/revoke.html", {"device": device, "form": form, "back": back})
