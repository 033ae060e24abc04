"""What the device API does with a sealed request: open and count it, let custody decide, seal the answer."""

import logging
from dataclasses import dataclass, field
from typing import Final

from django.db import DatabaseError, connection
from starlette.responses import Response

from doorstep.errors import DoorstepError, RefusedError, UnavailableError
from doorstep.identity.ids import check_device_id
from doorstep.messaging.registration import OpenedRequest, Place, Reply, seal_reply
from doorstep.ownership.claims import Outcome
from doorstep.runtime.authority import Authority
from doorstep.runtime.settings import Settings
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import Registration, register_device
from doorstep.server.custody.actions.registration import NotOwned, Request, UnknownToken, renew
from doorstep.server.custody.proofs import Unproved, take_request
from doorstep.server.device_api.attempts import Attempts
from doorstep.server.device_api.desk import STATUS
from doorstep.server.device_api.problems import (
    NotAccepted,
    TooManyFailures,
    name_of_error,
    name_of_refusal,
    of_error,
)

__all__ = ["PATH", "SealedDesk"]

PATH: Final = "/device/v1/sealed"

_log: Final = logging.getLogger(__name__)
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """A proven request in the form that custody takes."""

    device: str
    token: str | None = field(repr=False)
    csr: None = None


@dataclass
class SealedDesk:
    """Everything that sealed answers need; safe for many threads at once."""

    settings: Settings
    authority: Authority
    attempts: Attempts

    def answer(self, device: str, body: bytes) -> Response:
        """Answer a request in the name of ``device``; only a genuine one gets a sealed reply."""
        try:
            return self._answered(check_device_id(device), body)
        except DoorstepError as error:
            return of_error(error)
        except DatabaseError as error:
            connection.close()
            _log.warning("the database does not answer: %s", type(error).__name__)
            return of_error(UnavailableError("the platform's database does not answer or has no room"))

    def _answered(self, device: str, body: bytes) -> Response:
        at_us = now_us()
        try:
            opened = take_request(device, body, at_us)
        except Unproved as error:
            raise self._refusal(device, error, body, at_us) from error
        reply = self._reply(device, opened, len(body), at_us)
        return Response(seal_reply(opened.exchange, reply), media_type="application/octet-stream")

    def _refusal(self, device: str, error: DoorstepError, body: bytes, at_us: int) -> DoorstepError:
        plainly = self.attempts.failed(device, PATH, error.message, len(body), at_us)
        return NotAccepted() if plainly else TooManyFailures()

    def _reply(self, device: str, opened: OpenedRequest, size: int, at_us: int) -> Reply:
        asked = _Asked(device, opened.request.token)
        try:
            made = self._acted(asked, at_us)
        except UnknownToken as error:
            self.attempts.failed(device, PATH, error.message, size, at_us)
            return _refused(at_us, NotAccepted(), "not-accepted")
        except RefusedError as error:
            return _refused(at_us, error, name_of_error(error))
        return self._worded(made, at_us)

    def _acted(self, asked: _Asked, at_us: int) -> Registration:
        if asked.token is None:
            return self._without_token(asked, at_us)
        return register_device(asked, authority=self.authority, now_us=at_us)

    def _without_token(self, asked: _Asked, at_us: int) -> Registration:
        """Renew; a device that nobody owns completes the claim that waits for it, if one does."""
        try:
            return renew(Request(asked, fresh=None), at_us)
        except NotOwned as error:
            try:
                return register_device(asked, authority=self.authority, now_us=at_us)
            except UnknownToken:
                raise error from None

    def _worded(self, made: Registration, at_us: int) -> Reply:
        time, decision = at_us // _SECOND_US, made.decision
        if decision is not None and decision.outcome is Outcome.REFUSED:
            return Reply("refused", time, decision.sentence, name_of_refusal(decision))
        status = STATUS[decision.outcome] if decision else "bound"
        reason = decision.sentence if decision else ""
        if status != "bound":
            return Reply(status, time, reason)
        broker = Place(self.settings.public_host, self.settings.mqtt_plain_port)
        return Reply(status, time, reason, epoch=made.epoch, mqtt=broker)


def _refused(at_us: int, error: DoorstepError, problem: str) -> Reply:
    return Reply("refused", at_us // _SECOND_US, f"{error.message}. {error.next_step}".strip(), problem)
