"""What the device API does with a statement: verify it, let custody decide, word the answer."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final, Literal, TypeVar

import msgspec
from django.db import DatabaseError, connection
from starlette.responses import Response

from doorstep.crypto import p256
from doorstep.crypto.p256 import PublicKey
from doorstep.errors import DoorstepError, UnavailableError, VerificationFailed
from doorstep.identity import statement
from doorstep.identity.ids import check_device_id
from doorstep.identity.signed_time import SignedTime
from doorstep.identity.statement import Purpose, Unproved
from doorstep.ownership.claims import Outcome
from doorstep.runtime.authority import Authority
from doorstep.runtime.rollover import newest_version, updates_after
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder
from doorstep.server import bulk
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import Registration, register_devices
from doorstep.server.custody.actions.registration import Request, UnknownToken, renew
from doorstep.server.device_api import nonces
from doorstep.server.device_api.attempts import Attempts
from doorstep.server.device_api.problems import NotAccepted, TooManyFailures, of_decision, of_error
from doorstep.server.device_api.processes import processes
from doorstep.wire import base64url

__all__ = ["STATUS", "Desk"]

_log: Final = logging.getLogger(__name__)
_Made = TypeVar("_Made")


@dataclass
class Desk:
    """Everything that answers need; safe for many threads at once."""

    settings: Settings
    authority: Authority
    nonce_key: bytes = field(repr=False)
    attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        """Take this process's share of the attempts that are answered plainly."""
        self.attempts = Attempts(processes(self.settings))

    def nonce(self, device: str) -> bytes:
        """Make a nonce; it is given for any well-formed id, so that it tells nobody which exist."""
        return nonces.make(self.nonce_key, check_device_id(device), now_us(), os.urandom)

    def signed_time(self, nonce: bytes, second: int) -> bytes:
        """Return the time in the platform's signed word, good for this nonce alone."""
        return SignedTime(nonce, second).sign(self.authority.operations)

    def anchor_updates(self, version: int) -> list[bytes]:
        """Return the signed updates of the trust anchors that a device with ``version`` lacks."""
        return updates_after(StateFolder(self.settings.state).ca, version)

    def register(self, bodies: Sequence[bytes]) -> list[Response]:
        """Answer registrations in their order; those of different devices share a transaction."""
        at_us = now_us()
        asked = self._asked(bodies, Purpose.REGISTER, at_us)
        made = iter(_registered([one for one in asked if isinstance(one, Request)]))
        anchors = self._anchors()
        return [
            self._answer("register", body, next(made) if isinstance(one, Request) else one, anchors, at_us)
            for body, one in zip(bodies, asked, strict=True)
        ]

    def renew(self, body: bytes) -> Response:
        """Answer a renewal."""
        at_us = now_us()
        [asked] = self._asked([body], Purpose.RENEW, at_us)
        made = _tried(partial(renew, asked, at_us)) if isinstance(asked, Request) else asked
        return self._answer("renew", body, made, self._anchors(), at_us)

    def _asked(self, bodies: Sequence[bytes], purpose: Purpose, at_us: int) -> list[Request | DoorstepError]:
        """Verify statements and sign what they ask for."""
        read = [_tried(partial(statement.read, body)) for body in bodies]
        keys = _tried(lambda: _public_keys([one.device for one in read if isinstance(one, Unproved)]))
        if isinstance(keys, DoorstepError):
            return [keys] * len(bodies)
        return [
            _tried(partial(self._request, one, keys, purpose, at_us)) if isinstance(one, Unproved) else one
            for one in read
        ]

    def _request(
        self, unproved: Unproved, keys: Mapping[str, bytes], purpose: Purpose, at_us: int
    ) -> Request:
        device = unproved.device
        key = PublicKey.from_spki(keys[device]) if device in keys else _NOBODY
        try:
            said = unproved.proved(key, purpose=purpose)
        except VerificationFailed as error:
            raise _Unproved(error.message) from error
        nonces.check(self.nonce_key, device, said.nonce, at_us)
        return Request.prepare(said, self.authority, at_us)

    def _anchors(self) -> int:
        return newest_version(StateFolder(self.settings.state).ca)

    def _answer(
        self, path: str, body: bytes, made: Registration | DoorstepError, anchors: int, at_us: int
    ) -> Response:
        if isinstance(made, Registration):
            return self._worded(made, anchors, at_us)
        if not isinstance(made, _Unproved | UnknownToken):
            return of_error(made)
        device = statement.claimed_device(body)
        plainly = _tried(
            lambda: self.attempts.failed(device, f"/device/v1/{path}", made.message, len(body), at_us)
        )
        if isinstance(plainly, DoorstepError):
            return of_error(plainly)
        return of_error(NotAccepted() if plainly else TooManyFailures())

    def _worded(self, registration: Registration, anchors: int, at_us: int) -> Response:
        decision = registration.decision
        if decision is not None and decision.outcome is Outcome.REFUSED:
            return of_decision(decision)
        answer: dict[str, Any] = {
            "status": STATUS[decision.outcome] if decision else "bound",
            "reason": decision.sentence if decision else "",
            "time": at_us / 1_000_000,
            "anchors": anchors,
        }
        if answer["status"] == "bound":
            answer["mqtt"] = self._brokers
            answer["sealed"] = _sealed(registration)
        if registration.certificate is not None:
            answer["certificate"] = registration.certificate.pem.decode("ascii") + self._issuer
        return Response(msgspec.json.encode(answer), media_type="application/json")

    @cached_property
    def _issuer(self) -> str:
        return self.authority.operations.certificate.pem.decode("ascii")

    @cached_property
    def _brokers(self) -> dict[str, Any]:
        host = self.settings.public_host
        return {
            "tls": {"host": host, "port": self.settings.mqtt_tls_port},
            "plain": {"host": host, "port": self.settings.mqtt_plain_port},
        }


def _registered(requests: Sequence[Request]) -> list[Registration | DoorstepError]:
    made: list[Registration | DoorstepError] = []
    for group in _groups(requests):
        answers = _tried(partial(register_devices, group, now_us()))
        made += [answers] * len(group) if isinstance(answers, DoorstepError) else answers
    return made


def _groups(requests: Sequence[Request]) -> Iterator[list[Request]]:
    """Cut where a device or a token comes for the second time."""
    group: list[Request] = []
    names = set[str | None]()
    for request in requests:
        named = {request.asked.device, request.asked.token}
        if names & named:
            yield group
            group, names = [], set()
        group.append(request)
        names |= named
    if group:
        yield group


def _public_keys(devices: Sequence[str]) -> dict[str, bytes]:
    rows = bulk.select("SELECT device_id, public_key FROM device WHERE device_id = ANY(%s)", devices)
    return {device: bytes(key) for device, key in rows if key}


def _tried(act: Callable[[], _Made]) -> _Made | DoorstepError:
    """Return what came of it, or why nothing did."""
    try:
        return act()
    except DoorstepError as error:
        return error
    except DatabaseError as error:
        connection.close()
        _log.warning("the database does not answer: %s", type(error).__name__)
        return UnavailableError(
            "the platform's database does not answer or has no room",
            next_step="Nothing was changed. Ask again later.",
        )


def _sealed(registration: Registration) -> dict[str, Any]:
    mix = registration.mix
    if mix is None:
        return {"epoch": registration.epoch}
    nonce = base64url.encode(mix.nonce)
    return {"epoch": mix.epoch, "mix": nonce}


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
