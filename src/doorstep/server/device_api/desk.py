"""What the device API does with a statement: verify it, let custody decide, word the answer."""

import logging
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from django.db import DatabaseError, connection
from starlette.responses import JSONResponse, Response

from doorstep.crypto import p256
from doorstep.crypto.p256 import PublicKey
from doorstep.errors import DoorstepError, UnavailableError, VerificationFailed
from doorstep.identity import statement
from doorstep.identity.ids import check_device_id
from doorstep.identity.signed_time import SignedTime
from doorstep.identity.statement import Purpose, Statement
from doorstep.ownership.claims import Outcome
from doorstep.runtime.authority import Authority
from doorstep.runtime.rollover import newest_version, updates_after
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import Registration, register_device, renew_credential
from doorstep.server.custody.actions.registration import UnknownToken
from doorstep.server.device_api import nonces
from doorstep.server.device_api.attempts import Attempts
from doorstep.server.device_api.problems import NotAccepted, TooManyFailures, of_decision, of_error
from doorstep.server.fleet.models import Device

__all__ = ["STATUS", "Desk"]

_log: Final = logging.getLogger(__name__)


@dataclass
class Desk:
    """Everything that answers need; safe for many threads at once."""

    settings: Settings
    authority: Authority
    nonce_key: bytes = field(repr=False)
    attempts: Attempts = field(default_factory=Attempts)

    def nonce(self, device: str) -> bytes:
        """Make a nonce; it is given for any well-formed id, so that it tells nobody which exist."""
        return nonces.make(self.nonce_key, check_device_id(device), now_us(), os.urandom)

    def signed_time(self, nonce: bytes, second: int) -> bytes:
        """Return the time in the platform's signed word, good for this nonce alone."""
        return SignedTime(nonce, second).sign(self.authority.operations)

    def anchor_updates(self, version: int) -> list[bytes]:
        """Return the signed updates of the trust anchors that a device with ``version`` lacks."""
        return updates_after(StateFolder(self.settings.state).ca, version)

    def register(self, body: bytes) -> Response:
        """Answer a registration."""
        return self._answered("/device/v1/register", body, Purpose.REGISTER)

    def renew(self, body: bytes) -> Response:
        """Answer a renewal."""
        return self._answered("/device/v1/renew", body, Purpose.RENEW)

    def _answered(self, path: str, body: bytes, purpose: Purpose) -> Response:
        try:
            return self._judged(path, body, purpose)
        except DoorstepError as error:
            return of_error(error)
        except DatabaseError as error:
            connection.close()
            _log.warning("the database does not answer: %s", type(error).__name__)
            return of_error(
                UnavailableError(
                    "the platform's database does not answer or has no room",
                    next_step="Nothing was changed. Ask again later.",
                )
            )

    def _judged(self, path: str, body: bytes, purpose: Purpose) -> Response:
        device = statement.claimed_device(body)
        at_us = now_us()
        try:
            said = self._verified(device, body, purpose)
            nonces.check(self.nonce_key, device, said.nonce, at_us)
            act = register_device if purpose is Purpose.REGISTER else renew_credential
            return self._worded(act(said, authority=self.authority, now_us=at_us), at_us)
        except (_Unproved, UnknownToken) as error:
            plainly = self.attempts.failed(device, path, error.message, len(body), at_us)
            raise (NotAccepted() if plainly else TooManyFailures()) from error

    def _verified(self, device: str, body: bytes, purpose: Purpose) -> Statement:
        known = Device.objects.filter(device_id=device).values_list("public_key", flat=True).first()
        key = PublicKey.from_spki(bytes(known)) if known else _NOBODY
        try:
            said = statement.verify(body, key, purpose=purpose)
        except VerificationFailed as error:
            raise _Unproved(error.message) from error
        return said

    def _worded(self, registration: Registration, at_us: int) -> Response:
        decision = registration.decision
        if decision is not None and decision.outcome is Outcome.REFUSED:
            return of_decision(decision)
        answer: dict[str, Any] = {
            "status": STATUS[decision.outcome] if decision else "bound",
            "reason": decision.sentence if decision else "",
            "time": at_us / 1_000_000,
            "anchors": newest_version(StateFolder(self.settings.state).ca),
        }
        if answer["status"] == "bound":
            answer["mqtt"] = self._brokers
            answer["sealed"] = {"epoch": registration.epoch}
        if registration.certificate is not None:
            chain = registration.certificate.pem + self.authority.operations.certificate.pem
            answer["certificate"] = chain.decode("ascii")
        return JSONResponse(answer)

    @cached_property
    def _brokers(self) -> dict[str, Any]:
        host = self.settings.public_host
        return {
            "tls": {"host": host, "port": self.settings.mqtt_tls_port},
            "plain": {"host": host, "port": self.settings.mqtt_plain_port},
        }


class _Unproved(VerificationFailed):
    """The statement is not signed by the device that it names."""


_NOBODY: Final = p256.generate(os.urandom).public_key
"""Checked instead of the key of a device that is unknown or has none, so that the answer takes as long."""

STATUS: Final[dict[Outcome, Literal["bound", "held", "disputed"]]] = {
    Outcome.BOUND: "bound",
    Outcome.ALREADY_YOURS: "bound",
    Outcome.HELD: "held",
    Outcome.DISPUTED: "disputed",
}
"""What a device is told; a refusal is a problem instead."""
