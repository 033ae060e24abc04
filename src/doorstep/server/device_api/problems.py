"""Errors of the device API as problem documents (RFC 9457): one table from error to answer."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from doorstep.crypto.x509 import CertificateRefused
from doorstep.errors import DoorstepError, MalformedMessage, UnavailableError
from doorstep.ownership.claims import Decision, Reason
from doorstep.server.custody.actions.registration import DeviceBlocked, NotOwned
from doorstep.server.device_api.nonces import StaleNonce
from doorstep.server.fleet.challenges import OtherCopyAnswered

__all__ = [
    "NotAccepted",
    "TooManyFailures",
    "name_of_error",
    "name_of_refusal",
    "of_decision",
    "of_error",
    "of_http",
]

_TYPE: Final = "urn:doorstep:problem/"
_NEXT_STEP: Final = "Compare the request with docs/spec/device-api.md."


class NotAccepted(DoorstepError):
    """One answer for an unknown device, a wrong signature and an unknown token: it tells nobody which."""

    def __init__(self) -> None:
        super().__init__(
            "the platform does not accept this statement",
            next_step="Make a new registration token in the portal, and check whose device this is.",
        )


class TooManyFailures(DoorstepError):
    """Too many failed attempts in the name of one device."""

    def __init__(self) -> None:
        super().__init__(
            "too many failed attempts in the name of this device",
            next_step="Wait a minute. A correctly signed statement is always taken.",
        )


_ERRORS: Final[tuple[tuple[type[DoorstepError], int, str], ...]] = (
    (NotAccepted, 403, "not-accepted"),
    (TooManyFailures, 429, "too-many-failures"),
    (StaleNonce, 428, "nonce-expired"),
    (DeviceBlocked, 403, "device-blocked"),
    (NotOwned, 403, "device-not-owned"),
    (OtherCopyAnswered, 403, "other-copy-answered"),
    (CertificateRefused, 400, "bad-signing-request"),
    (MalformedMessage, 400, "malformed-statement"),
    (UnavailableError, 503, "unavailable"),
    (DoorstepError, 400, "refused"),
)

_REASONS: Final = {
    Reason.TOKEN_USED: (409, "token-used"),
    Reason.TOKEN_EXPIRED: (410, "token-expired"),
    Reason.BLOCKED: (403, "device-blocked"),
    Reason.OUT_OF_SERVICE: (403, "device-out-of-service"),
    Reason.OTHER_OWNER: (403, "not-accepted"),
}


def of_error(error: DoorstepError) -> Response:
    """Answer an error by its class."""
    status, kind = _kind(error)
    return _problem(status, kind, error.message, error.next_step or _NEXT_STEP)


def name_of_error(error: DoorstepError) -> str:
    """Return the last part of the problem's type."""
    return _kind(error)[1]


def name_of_refusal(decision: Decision) -> str:
    """Return the same for a refused claim."""
    return _REASONS[decision.reason][1]


def of_http(error: HTTPException) -> Response:
    """Answer what the web framework refuses: an address or a method that is not there."""
    return _problem(error.status_code, "no-such-request", error.detail, _NEXT_STEP)


def of_decision(decision: Decision) -> Response:
    """Answer a refused claim."""
    status, kind = _REASONS[decision.reason]
    return _problem(status, kind, decision.sentence, "")


def _kind(error: DoorstepError) -> tuple[int, str]:
    return next((status, kind) for cls, status, kind in _ERRORS if isinstance(error, cls))


def _problem(status: int, kind: str, detail: str, next_step: str) -> Response:
    body = {
        "type": _TYPE + kind,
        "title": kind.replace("-", " "),
        "status": status,
        "detail": detail,
        "next_step": next_step,
    }
    headers = {"Retry-After": "60"} if status in {429, 503} else None
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")
