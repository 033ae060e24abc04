"""The device authorization grant at the device API: metadata, request, token (RFC 8414, 8628, 7523).

`docs/spec/device-grant.md` is normative.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from django.db import DatabaseError, connection
from starlette.responses import JSONResponse, Response

from doorstep.crypto import p256
from doorstep.crypto.p256 import PublicKey
from doorstep.errors import MalformedMessage, PeerError
from doorstep.identity import client_assertion
from doorstep.ownership.device_grant import Heard
from doorstep.runtime.settings import Settings
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.grants import (
    INTERVAL_S,
    LIFETIME_S,
    TOKEN_LIFETIME_S,
    begin_grant,
    poll_grant,
)
from doorstep.server.device_api.attempts import Attempts
from doorstep.server.fleet.models import Device

__all__ = ["AUTHORIZE", "FORM_CAP", "METADATA", "TOKEN", "GrantDesk"]

METADATA: Final = "/.well-known/oauth-authorization-server"
AUTHORIZE: Final = "/device/v1/device_authorization"
TOKEN: Final = "/device/v1/token"  # noqa: S105 - an address

FORM_CAP: Final = 4096
"""Bytes of a request."""

_FIELDS_CAP: Final = 12
_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_SCOPE: Final = "register"
_NO_STORE: Final = {"Cache-Control": "no-store"}
_Form = Mapping[str, str]
_log: Final = logging.getLogger(__name__)

_WORDS: Final = {
    Heard.PENDING: "Nobody has typed the code yet.",
    Heard.SLOW_DOWN: "Wait five seconds longer between two polls from now on.",
    Heard.DENIED: "The person said no.",
    Heard.EXPIRED: "This device code is unknown or too old. Ask for a new one.",
}


class _Refused(Exception):
    """An OAuth error: its code and a sentence (RFC 6749 section 5.2)."""

    def __init__(self, error: str, sentence: str, status: int = 400) -> None:
        super().__init__(error)
        self.answer = JSONResponse(
            {"error": error, "error_description": sentence}, status, headers=dict(_NO_STORE)
        )


@dataclass
class GrantDesk:
    """Everything that answers need; safe for many threads at once."""

    settings: Settings
    attempts: Attempts

    def metadata(self) -> Response:
        """Say where everything is (RFC 8414)."""
        issuer = self.settings.device_api_url
        return JSONResponse(
            {
                "issuer": issuer,
                "device_authorization_endpoint": issuer + AUTHORIZE,
                "token_endpoint": issuer + TOKEN,
                "grant_types_supported": [_GRANT],
                "response_types_supported": [],
                "scopes_supported": [_SCOPE],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            }
        )

    def authorize(self, body: bytes) -> Response:
        """Take a device's request and tell it what to show."""
        return self._answered(AUTHORIZE, body, self._authorize)

    def token(self, body: bytes) -> Response:
        """Tell a device that polls how its request stands."""
        return self._answered(TOKEN, body, self._poll)

    def _answered(self, path: str, body: bytes, answer: Callable[[_Form, Device], Response]) -> Response:
        try:
            form = _form(body)
            return answer(form, self._client(form, path, len(body)))
        except _Refused as refused:
            return refused.answer
        except DatabaseError as error:
            connection.close()
            _log.warning("the database does not answer: %s", type(error).__name__)
            sentence = "The platform's database does not answer. Ask again later."
            return _Refused("temporarily_unavailable", sentence, 503).answer

    def _client(self, form: _Form, path: str, size: int) -> Device:
        """Return the device that proved itself; unknown, unproved and nameless ones hear one answer."""
        at_us = now_us()
        name = ""
        try:
            if form.get("client_assertion_type") != client_assertion.ASSERTION_TYPE:
                raise MalformedMessage("a device proves itself by a JWT")
            said = client_assertion.read(form.get("client_assertion", ""))
            name = said.device
            device = Device.objects.filter(device_id=name).first()
            known = device is not None and bool(device.public_key)
            key = PublicKey.from_spki(bytes(device.public_key)) if device and known else _NOBODY
            issuer = self.settings.device_api_url
            said.verify(key, (issuer, issuer + "/", issuer + path), at_us / 1_000_000)
        except PeerError as error:
            self.attempts.failed(name, path, error.message, size, at_us)
            raise _no_client() from error
        if device is None or form.get("client_id", name) != name:
            raise _no_client()
        return device

    def _authorize(self, form: _Form, device: Device) -> Response:
        if form.get("scope", _SCOPE).split() not in ([], [_SCOPE]):
            raise _Refused("invalid_scope", f"The one scope is {_SCOPE}.")
        device_code, shown = begin_grant(device, now_us())
        page = f"{self.settings.base_url}/activate/"
        answer = {
            "device_code": device_code,
            "user_code": shown.shown,
            "verification_uri": page,
            # Behind #, where no server and no log of one sees it.
            "verification_uri_complete": f"{page}#{shown.shown}",
            "expires_in": LIFETIME_S,
            "interval": INTERVAL_S,
        }
        return JSONResponse(answer, headers=dict(_NO_STORE))

    def _poll(self, form: _Form, device: Device) -> Response:
        if form.get("grant_type") != _GRANT:
            raise _Refused("unsupported_grant_type", f"The one grant type is {_GRANT}.")
        if "device_code" not in form:
            raise _Refused("invalid_request", "The device_code is missing.")
        heard, token = poll_grant(device.device_id, form["device_code"], now_us())
        if heard is not Heard.GRANTED:
            raise _Refused(heard, _WORDS[heard])
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME_S,
            "scope": _SCOPE,
        }
        return JSONResponse(answer, headers=dict(_NO_STORE))


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=_FIELDS_CAP
        )
    except ValueError as error:
        raise _Refused("invalid_request", "The body is no form.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _Refused("invalid_request", "A parameter comes twice.")
    return form


def _no_client() -> _Refused:
    sentence = "The platform does not know this device, or the assertion is not by it or not for now."
    return _Refused("invalid_client", sentence, 401)


_NOBODY: Final = p256.generate(os.urandom).public_key
"""Checked instead of an unknown device's key, so that the answer takes as long."""
