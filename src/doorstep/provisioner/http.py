"""The configurator's link over HTTP, as to a device's access point."""

import ssl
from typing import Final

import httpx

from doorstep.errors import MalformedMessage
from doorstep.onboarding.failures import TooManyGuesses
from doorstep.provisioner.link import DeviceUnreachable, Link, SessionLost, reply_timeout, shown
from doorstep.wire.provisioning.common import MAX_MESSAGE

__all__ = ["HttpLink"]

CONNECT_TIMEOUT: Final = 5.0
JOIN_IT: Final = (
    "Check that the device is on and that this computer is on the Wi-Fi that the device opens; "
    "or name the device's address with --url."
)
NOT_NOW: Final = httpx.codes.TOO_MANY_REQUESTS


class HttpLink(Link):
    """One keep-alive connection to a device's access point; echoes its session cookie."""

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None) -> None:
        """``url`` is the device's address, as ``http://192.168.4.1``; ``tls`` judges an HTTPS server."""
        headers = {"Accept": "text/plain", "Content-Type": "application/x-www-form-urlencoded"}
        # A proxy of the environment leads to the internet, never to a device beside us.
        # Loading the web's authorities costs as much as a handshake, and a plain address needs none.
        verify = tls or url.startswith("https:")
        self._client = httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, verify=verify)
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
