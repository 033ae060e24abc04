"""Security scheme 0, which protects nothing: both roles, for `doorstep.testing` alone."""

from typing import ClassVar

from doorstep.errors import ProtocolViolation
from doorstep.onboarding.protocomm.session import DeviceSession, Handshake, Turn, check_status
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.session import (
    Sec0Command,
    Sec0Response,
    SessionMessage,
    decode_session,
    encode_session,
)

__all__ = ["Plain", "Sec0Device", "handshake_as_configurator"]


class Plain:
    """The cipher of sessions that have none."""

    def seal(self, plain: bytes) -> bytes:
        """Return it as it is."""
        return plain

    def open(self, sealed: bytes) -> bytes:
        """Return it as it is."""
        return sealed


class Sec0Device(DeviceSession[None]):
    """The device's side of one session."""

    scheme: ClassVar = 0
    caps: ClassVar = ("no_sec",)
    refusal: ClassVar = Sec0Response(Status.CRYPTO_ERROR)

    def _take(self, message: SessionMessage, agreed: None) -> Turn[None]:  # noqa: ARG002 — there is no first half
        if not isinstance(message, Sec0Command):
            raise self._other_scheme()
        return Turn(Sec0Response(), cipher=Plain())


def handshake_as_configurator() -> Handshake:
    """Open a session."""
    reply = decode_session((yield encode_session(Sec0Command())))
    if not isinstance(reply, Sec0Response):
        raise ProtocolViolation("the device did not answer with security 0")
    check_status(reply.status)
    return Plain()
