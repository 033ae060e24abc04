"""The wire between a configurator and a device: one request, one reply; here over HTTP."""

from abc import ABC, abstractmethod
from typing import Final, TypeVar

import httpx

from doorstep.errors import MalformedMessage, ProtocolViolation, UnavailableError
from doorstep.onboarding.configurator import Conversation
from doorstep.onboarding.failures import TooManyGuesses
from doorstep.wire.provisioning.common import MAX_MESSAGE

__all__ = ["DeviceLink", "DeviceUnreachable", "Link", "SessionLost", "reply_timeout", "shown"]

T = TypeVar("T")
CONNECT_TIMEOUT: Final = 5.0
REPLY_TIMEOUT: Final = 10.0
SCAN_TIMEOUT: Final = 40.0
"""Seconds; a blocking scan of every channel takes most of it."""
MAX_SENTENCE: Final = 200
JOIN_IT: Final = (
    "Check that the device is on and that this computer is on the Wi-Fi that the device opens; "
    "or name the device's address with --url."
)
NOT_NOW: Final = httpx.codes.TOO_MANY_REQUESTS


class DeviceUnreachable(UnavailableError):
    """No reply: the device is not there, or the radio between us is busy elsewhere."""


class SessionLost(ProtocolViolation):
    """The device refused a request and with it ended the session."""


class Link(ABC):
    """Carries requests to one device, whatever the transport."""

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


class DeviceLink(Link):
    """One keep-alive connection to a device's access point; echoes its session cookie."""

    def __init__(self, url: str) -> None:
        """``url`` is the device's address, as ``http://192.168.4.1``."""
        headers = {"Accept": "text/plain", "Content-Type": "application/x-www-form-urlencoded"}
        # A proxy of the environment leads to the internet, never to a device beside us.
        self._client = httpx.AsyncClient(base_url=url, headers=headers, trust_env=False)
        self._url = url

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def _ask(self, endpoint: str, body: bytes) -> bytes:
        wait = httpx.Timeout(reply_timeout(endpoint), connect=CONNECT_TIMEOUT)
        try:
            async with self._client.stream("POST", f"/{endpoint}", content=body, timeout=wait) as response:
                return self._judge(response, await _read(response))
        except httpx.HTTPError as error:
            raise DeviceUnreachable(
                f"The device at {self._url} does not answer ({type(error).__name__}).",
                next_step=JOIN_IT,
            ) from None

    def _judge(self, response: httpx.Response, body: bytes) -> bytes:
        if response.status_code == httpx.codes.OK:
            return body
        wait = response.headers.get("Retry-After", "")
        if response.status_code == NOT_NOW and wait.isascii() and wait.isdecimal():
            raise TooManyGuesses(int(wait[:6]))
        if response.status_code == httpx.codes.NOT_FOUND:
            raise DeviceUnreachable(
                f"What answers at {self._url} is no device that waits for its set-up.", next_step=JOIN_IT
            )
        raise SessionLost(
            f"The device answered {response.status_code}: {shown(body)}", next_step="Run the set-up again."
        )


async def _read(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_MESSAGE:
            raise MalformedMessage(f"the device's reply has more than {MAX_MESSAGE} bytes")
    return body


def reply_timeout(endpoint: str) -> float:
    """Return how many seconds a device may take to answer."""
    return SCAN_TIMEOUT if endpoint == "prov-scan" else REPLY_TIMEOUT


def shown(body: bytes) -> str:
    """Clean a stranger's sentence for a screen."""
    text = body.decode("utf-8", "replace")[:MAX_SENTENCE]
    return "".join(char if char.isprintable() else " " for char in text)
