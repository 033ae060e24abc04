"""The wire between a configurator and a device: one request, one reply, whatever the transport."""

from abc import ABC, abstractmethod
from typing import ClassVar, Final, TypeVar

from doorstep.errors import ProtocolViolation, UnavailableError
from doorstep.onboarding.protocomm.configurator import PAGE, Conversation

__all__ = ["DeviceUnreachable", "Link", "SessionLost", "reply_timeout", "shown"]

T = TypeVar("T")
REPLY_TIMEOUT: Final = 10.0
SCAN_TIMEOUT: Final = 40.0
"""Seconds; a blocking scan of every channel takes most of it."""
MAX_SENTENCE: Final = 200


class DeviceUnreachable(UnavailableError):
    """No reply: the device is not there, or the radio between us is busy elsewhere."""


class SessionLost(ProtocolViolation):
    """The device refused a request and with it ended the session."""


class Link(ABC):
    """Carries requests to one device, whatever the transport."""

    scan_page: ClassVar[int] = PAGE
    """How many networks fit into one reply."""

    @abstractmethod
    async def close(self) -> None:
        """Hang up."""

    async def hold(self, conversation: Conversation[T]) -> T:
        """Carry a conversation to its end and return what it learnt."""
        try:
            request = next(conversation)
            while True:
                request = conversation.send(await self._ask(request.endpoint, request.body))
        except StopIteration as done:
            learnt: T = done.value
            return learnt
        finally:
            conversation.close()

    @abstractmethod
    async def _ask(self, endpoint: str, body: bytes) -> bytes:
        """Return the reply; raises `DeviceUnreachable`, `SessionLost`, `TooManyGuesses`."""


def reply_timeout(endpoint: str) -> float:
    """Return how many seconds a device may take to answer."""
    return SCAN_TIMEOUT if endpoint == "prov-scan" else REPLY_TIMEOUT


def shown(body: bytes) -> str:
    """Clean a stranger's sentence for a screen."""
    text = body.decode("utf-8", "replace")[:MAX_SENTENCE]
    return "".join(char if char.isprintable() else " " for char in text)
