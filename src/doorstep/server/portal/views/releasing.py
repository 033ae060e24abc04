"""An owner allows to set a device up again: its code died when it was claimed."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from doorstep.runtime.authority import load_authority
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.releasing import BlockedNotReleased, release_setup
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.views.devices import find
from doorstep.wire import base64url

__all__ = ["release"]


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def release(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Say what it means; then make a release, shown this once, to bring to the device."""
    device = find(principal, device_id)
    if not principal.may_release or device.blocked:
        raise PermissionDenied
    context: dict[str, Any] = {"device": device}
    if request.method == "POST":
        authority = load_authority(Path(settings.STATE.ca), now=datetime.now(UTC))
        try:
            signed, expires = release_setup(device, principal.actor, authority, now_us=now_us())
        except BlockedNotReleased as error:
            raise PermissionDenied from error
        context |= {
            "text": base64url.encode(signed),
            "file": base64.b64encode(signed).decode(),
            "expires_us": expires * 1_000_000,
        }
    return render(request, "portal/release.html", context)
