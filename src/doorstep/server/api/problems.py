"""Errors of the REST API as problem documents (RFC 9457): one table from error to answer."""

import json
import logging
from collections.abc import Mapping
from http.client import responses
from typing import Any, Final

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from doorstep.errors import (
    DoorstepError,
    MalformedMessage,
    MisuseError,
    RefusedError,
    UnavailableError,
    VerificationFailed,
)
from doorstep.messaging.legacy.formats import InsecureFormat
from doorstep.onboarding.choice import RiskNotAccepted
from doorstep.server.accounts.api_keys import NoSuchKey
from doorstep.server.accounts.members import NoSuchPerson
from doorstep.server.api.idempotency import KeyReused
from doorstep.server.api.pace import TooFast
from doorstep.server.api.schema import Schema
from doorstep.server.channels.actions import VersionConflict
from doorstep.server.channels.queries import NoSuchCommand
from doorstep.server.custody.actions import SaleRefused
from doorstep.server.custody.actions.attempts import TooManyAttempts
from doorstep.server.custody.actions.codes import CodeRefused
from doorstep.server.custody.actions.vouching import NoSuchClaim
from doorstep.server.custody.attesting import ChallengeRefused, NotGenuine, OtherConversation
from doorstep.server.custody.holdings import NothingHere
from doorstep.server.custody.queries import NoSuchImport, NoSuchSale
from doorstep.server.custody.token_progress import NoSuchToken
from doorstep.server.fleet.access import NoSuchDevice, NotPermitted
from doorstep.server.fleet.blocking import NoSuchLine
from doorstep.server.fleet.grouping import NoSuchGroup
from doorstep.server.fleet.products import NoSuchProduct
from doorstep.server.fleet.queries import NoSuchBatch
from doorstep.server.fleet.sites import NoSuchSite
from doorstep.server.readings.thresholds import NoSuchThreshold
from doorstep.server.webhooks.queries import NoSuchWebhook

__all__ = ["PROBLEM_MEDIA", "TYPES", "Problem", "RowProblem", "install", "plain_problem"]

_log: Final = logging.getLogger(__name__)
_TYPE: Final = "urn:doorstep:problem/"
PROBLEM_MEDIA: Final = "application/problem+json"
_COMPARE: Final = "Compare the request with docs/reference/openapi.json."


class RowProblem(Schema):
    """A row that can't be stored."""

    row: int
    """Which, counted from 1."""
    serial: str
    """As the row has it."""
    reason: str
    """Why, for programs."""
    detail: str
    """Why, for people."""


class Problem(Schema):
    """A problem document (RFC 9457), with the next step for its reader."""

    type: str
    """For programs; docs/reference/rest.md lists them."""
    title: str
    """The type in words."""
    status: int
    """The answer's status."""
    detail: str
    """What happened, and to whom."""
    next_step: str
    """What to do about it."""
    rows: list[RowProblem] | None = None
    """Each bad row, when a sale was refused because of its rows."""


_TABLE: Final[tuple[tuple[type[DoorstepError], int, str], ...]] = (
    (NoSuchDevice, 404, "not-found"),
    (NoSuchProduct, 404, "not-found"),
    (NoSuchPerson, 404, "not-found"),
    (NoSuchGroup, 404, "not-found"),
    (NoSuchLine, 404, "not-found"),
    (NoSuchCommand, 404, "not-found"),
    (NothingHere, 404, "not-found"),
    (NoSuchWebhook, 404, "not-found"),
    (NoSuchBatch, 404, "not-found"),
    (NoSuchToken, 404, "not-found"),
    (NoSuchImport, 404, "not-found"),
    (NoSuchSale, 404, "not-found"),
    (NoSuchClaim, 404, "not-found"),
    (NoSuchSite, 404, "not-found"),
    (NoSuchThreshold, 404, "not-found"),
    (NoSuchKey, 404, "not-found"),
    (VersionConflict, 409, "version-conflict"),
    (RiskNotAccepted, 422, "risk-not-accepted"),
    (InsecureFormat, 422, "risk-not-accepted"),
    (NotPermitted, 403, "not-permitted"),
    (KeyReused, 422, "idempotency-key-reused"),
    (SaleRefused, 422, "rows-refused"),
    (CodeRefused, 422, "code-refused"),
    (NotGenuine, 422, "not-genuine"),
    (OtherConversation, 409, "other-conversation"),
    (ChallengeRefused, 409, "challenge-refused"),
    (TooFast, 429, "too-fast"),
    (TooManyAttempts, 429, "too-many-attempts"),
    (VerificationFailed, 401, "not-authenticated"),
    (MalformedMessage, 400, "malformed"),
    (MisuseError, 422, "invalid"),
    (RefusedError, 409, "refused"),
    (UnavailableError, 503, "unavailable"),
)


_PLAIN: Final = {
    400: "malformed",
    403: "not-permitted",
    404: "not-found",
    405: "method-not-allowed",
    500: "internal",
    503: "unavailable",
}
"""Status that HTTP or a framework gives by itself → type."""

_NOT_AS_DESCRIBED: Final = "not-as-described"
"""A request that contradicts openapi.json; one that agrees with it never gets this."""

TYPES: Final = frozenset(
    _TYPE + kind for kind in (*(kind for _, _, kind in _TABLE), *_PLAIN.values(), _NOT_AS_DESCRIBED)
)
"""Every type that a problem can have; programs may rely on them."""


def install(api: NinjaAPI) -> None:
    """Make every error of the API a problem document."""
    api.add_exception_handler(DoorstepError, _of_doorstep)
    api.add_exception_handler(AuthenticationError, _of_stranger)
    api.add_exception_handler(ValidationError, _of_validation)
    api.add_exception_handler(HttpError, _of_http)
    api.add_exception_handler(Http404, _of_missing)
    api.add_exception_handler(DatabaseError, _of_database)
    api.add_exception_handler(Exception, _of_bug)


def _of_doorstep(_: HttpRequest, error: Any) -> HttpResponse:
    status, kind = next(
        ((status, kind) for cls, status, kind in _TABLE if isinstance(error, cls)), (400, "refused")
    )
    more: dict[str, Any] = {}
    if isinstance(error, SaleRefused):
        more["rows"] = [
            {"row": bad.row, "serial": bad.serial, "reason": bad.reason, "detail": bad.sentence}
            for bad in error.rows
        ]
    response = _answer(status, kind, error.message, error.next_step, more)
    if isinstance(error, TooFast):
        response.headers["Retry-After"] = str(error.left.reset_s)
    return response


def _of_stranger(_: HttpRequest, __: object) -> HttpResponse:
    step = "Send Authorization: Bearer <API key>, or log in."
    return _answer(401, "not-authenticated", "this needs an API key or a session", step)


def _of_validation(_: HttpRequest, error: Any) -> HttpResponse:
    places = [
        f"{'.'.join(str(part) for part in one.get('loc', ()))}: {one.get('msg', '')}" for one in error.errors
    ]
    detail = "; ".join(places)[:500]
    return _answer(422, _NOT_AS_DESCRIBED, detail, _COMPARE)


def _of_http(_: HttpRequest, error: Any) -> HttpResponse:
    return _answer(error.status_code, _PLAIN.get(error.status_code, "refused"), str(error), _COMPARE)


def _of_missing(_: HttpRequest, __: object) -> HttpResponse:
    return plain_problem(404)


def plain_problem(status: int) -> HttpResponse:
    """Return the document for an answer that says nothing but its status."""
    kind = _PLAIN.get(status, "refused")
    return _answer(status, kind, responses[status].lower(), _COMPARE)


def _of_database(_: HttpRequest, error: Any) -> HttpResponse:
    _log.error("the database refused: %s", type(error).__name__)
    return _answer(
        503,
        "unavailable",
        "the database does not answer or has no room",
        "Nothing was changed. Ask again later.",
    )


def _of_bug(_: HttpRequest, error: Any) -> HttpResponse:
    _log.error("an error that nobody expected", exc_info=error)
    return _answer(
        500, "internal", "something went wrong here", "Nothing was changed. The maker can see why."
    )


def _answer(
    status: int, kind: str, detail: str, next_step: str, more: Mapping[str, Any] | None = None
) -> HttpResponse:
    body = {
        "type": _TYPE + kind,
        "title": kind.replace("-", " "),
        "status": status,
        "detail": detail,
        "next_step": next_step,
        **(more or {}),
    }
    response = HttpResponse(json.dumps(body), status=status, content_type=PROBLEM_MEDIA)
    if status == 401:  # noqa: PLR2004 - RFC 9110 section 15.5.2
        response["WWW-Authenticate"] = "Bearer"
    return response
