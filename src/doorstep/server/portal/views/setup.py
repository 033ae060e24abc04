"""Set up a device from the browser: by Bluetooth, or with Wi-Fi credentials that the page seals for it."""

from dataclasses import asdict
from typing import Final

import segno
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST, require_safe

from doorstep.onboarding.captive.texts import LANGUAGES
from doorstep.onboarding.steps import Step
from doorstep.onboarding.words import FAILURES, Words
from doorstep.server.accounts.queries import Principal
from doorstep.server.portal.access import customer_page
from doorstep.server.settings import DOORSTEP

__all__ = ["qr", "set_up"]

DEVICE_PAGE: Final = "http://192.168.4.1/sealed"
"""Where a device on its own access point takes what was sealed for it."""
_QR_CAP: Final = 2300
"""Bytes: what a phone's camera still reads from a screen."""


@require_safe
@customer_page
def set_up(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show the page; its scripts do the rest with the REST API."""
    if not principal.may_add:
        raise PermissionDenied
    told = {
        **{kind: {key: asdict(one) for key, one in table.items()} for kind, table in _words().items()},
        "server": DOORSTEP.device_api_url,
        "tokens": "/api/v1/registration-tokens",
        "state": reverse("added-state", args=[0]),
        "lookup": "/api/v1/devices/lookup",
        "challenges": "/api/v1/onboarding/challenges",
        "attestations": "/api/v1/onboarding/attestations",
        "release": "/api/v1/devices/0/release-setup",
        "qr": reverse("set-up-qr"),
        "device_page": DEVICE_PAGE,
    }
    response = render(request, "portal/setup.html", {"told": told})
    # The label's QR code is read by the camera of this page alone.
    response.headers["Permissions-Policy"] = "bluetooth=(self), camera=(self), geolocation=(), microphone=()"
    return response


def _words() -> dict[str, dict[str, Words]]:
    """Return what the scripts say by key, in the page's language; steps as the board's own page says them."""
    said = LANGUAGES[get_language() or "en"].steps
    steps = {step.key: Words(*said[step]) for step in Step}
    # What a board's page asks for then, the retry form of this one does by itself.
    steps[Step.REFUSED.key] = Words(said[Step.REFUSED][0], "")
    failures = {
        key: Words(gettext(words.sentence), gettext(words.next_step)) for key, words in FAILURES.items()
    }
    return {"steps": steps, "failures": failures}


@require_POST
@customer_page
def qr(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Return the rows of a QR code for a text, "1" where it is dark; sealed texts are all it is asked for."""
    if not principal.may_add:
        raise PermissionDenied
    text = request.body
    if not 1 <= len(text) <= _QR_CAP:
        return JsonResponse({"detail": f"A QR code here holds 1 to {_QR_CAP} bytes."}, status=400)
    code = segno.make_qr(text.decode("utf-8", "replace"), error="l", boost_error=False)
    return JsonResponse({"rows": ["".join(map(str, row)) for row in code.matrix]})
