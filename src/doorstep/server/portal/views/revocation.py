"""Revoke a device, after a question that says what it means."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.portal.access import member_page
from doorstep.server.portal.views.devices import find

__all__ = ["revoke"]


class RevokeForm(forms.Form):
    """Why the device is revoked; the reason goes into the ledger."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="For example: lost, stolen, broken. It stays in the ledger, so please name no person.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def revoke(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Ask for the reason, then block the device for good."""
    device = find(principal, device_id)
    if not principal.manages:
        raise PermissionDenied
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        revoke_device(device, f"user:{principal.user.pk}", form.cleaned_data["reason"], now_us=now_us())
        messages.success(request, f"{device} is revoked.")
        return redirect("device", device_id=device.device_id)
    return render(request, "portal/revoke.html", {"device": device, "form": form})
