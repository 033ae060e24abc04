"""Public addresses: everybody may ask, nobody logs in, and every answer carries its own signature."""

import base64
import binascii
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from doorstep.crypto.revocation import OCSP_REQUEST_CAP
from doorstep.runtime.authority import Authority, load_authority
from doorstep.server.clock import now_us
from doorstep.server.pki.lists import current_list
from doorstep.server.pki.responder import Responder

__all__ = ["crl", "issuer", "ocsp"]

_OCSP_RESPONSE: Final = "application/ocsp-response"


@require_safe
def crl(_request: HttpRequest) -> HttpResponse:
    """Serve the operations CA's revocation list (RFC 5280 section 5), DER."""
    newest = current_list(_authority().operations, now_us())
    answer = HttpResponse(bytes(newest.content), content_type="application/pkix-crl")
    # A minute at most: whoever keeps the list longer learns late that a device was revoked.
    answer["Cache-Control"] = "public, max-age=60"
    answer["Last-Modified"] = http_date(newest.at_us / 1_000_000)
    return answer


@require_safe
def issuer(_request: HttpRequest) -> HttpResponse:
    """Serve the operations CA's own certificate, DER."""
    content = _authority().operations.certificate.der
    return HttpResponse(content, content_type="application/pkix-cert")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def ocsp(request: HttpRequest, question: str = "") -> HttpResponse:
    """Answer OCSP over HTTP (RFC 6960 appendix A): POST of a request, or GET with it in base64."""
    der = _posted(request) if request.method == "POST" else _in_path(question)
    return HttpResponse(_responder().answer(der, now_us()), content_type=_OCSP_RESPONSE)


def _posted(request: HttpRequest) -> bytes:
    return request.read(OCSP_REQUEST_CAP + 1)


def _in_path(question: str) -> bytes:
    try:
        return base64.b64decode(question, validate=True)
    except binascii.Error:
        return b""  # malformed, as the answer says


@cache
def _authority() -> Authority:
    return load_authority(Path(settings.STATE.ca), now=datetime.now(UTC))


@cache
def _responder() -> Responder:
    return Responder(_authority())
