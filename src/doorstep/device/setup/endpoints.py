"""The protocomm endpoints over HTTP: ``POST /<endpoint>``, raw bytes of at most 4096 in and out.

One session at a time, named by a bare ``session=N`` cookie or by the connection that opened it, because
official clients do either.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from doorstep.device.setup.httpd import HttpRefusal, Request, Response
from doorstep.device.setup.httpserver import Connection
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.runner import DeviceRunner
from doorstep.errors import DoorstepError, ProtocolViolation
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["EndpointHandler"]

MAX_ENDPOINT: Final = 64

log = logging.getLogger(__name__)


class EndpointHandler:
    """Answers one device's onboarding requests in turn."""

    def __init__(self, profile: DeviceProfile, joiner: Joiner, rng: Callable[[int], bytes]) -> None:
        """``rng`` returns that many unpredictable bytes."""
        self._runner = DeviceRunner(profile, joiner, rng)
        self._core = self._runner.core
        self._rng = rng
        self._turn = asyncio.Lock()
        self._cookie = ""
        self._opener: Connection | None = None

    async def close(self) -> None:
        """Give up the scans under way; an attempt to join goes on."""
        await self._runner.close()

    async def answer(self, request: Request, connection: Connection) -> Response:
        """Answer one request; raises `HttpRefusal` on what is no endpoint's."""
        endpoint = _endpoint(request, connection)
        async with self._turn:
            cookie = ""
            try:
                known = self._is_known(request.header("cookie"), connection)
                cookie = "" if known else self._admit(endpoint, connection)
                response = Response(200, await self._runner.ask(endpoint, request.body, stranger=not known))
            except Exception as error:  # noqa: BLE001 — logged, and answered with 500
                response = Response.refusing(self._refuse(error))
            return _with_cookie(response, cookie)

    def _refuse(self, error: Exception) -> HttpRefusal:
        if isinstance(error, DoorstepError):
            return HttpRefusal.of(error)
        log.error("the set-up server failed", exc_info=error)
        self._core.end_session()
        return HttpRefusal(500, "The device failed. Run the set-up again.")

    def _is_known(self, cookie: str, connection: Connection) -> bool:
        return cookie == self._cookie if cookie else connection is self._opener

    def _admit(self, endpoint: str, connection: Connection) -> str:
        """Return the cookie of a session that this request opens, or nothing.

        A session under way is displaced only by another handshake, not by a passer-by's question.
        """
        if self._runner.is_beside(endpoint) or (self._core.busy and endpoint == "proto-ver"):
            return ""
        if self._core.busy and endpoint != "prov-session":
            raise ProtocolViolation(
                "Another phone is setting this device up.", next_step="Open a session first."
            )
        self._core.end_session()
        self._opener = connection
        self._cookie = f"session={int.from_bytes(self._rng(4))}"
        return self._cookie


def _endpoint(request: Request, connection: Connection) -> str:
    """Return the endpoint asked for; a page of another site may ask for none.

    Apps send no Origin. A browser does, and an address of our own in it cannot be forged by a name that
    leads here (DNS rebinding).
    """
    if request.method != "POST":
        raise HttpRefusal(405, "Set up this device with an app, or with 'doorstep provision'.")
    if len(request.path) > MAX_ENDPOINT or request.query:
        raise HttpRefusal(400, "An endpoint's name is short and asks nothing.")
    scheme = "https" if connection.secure else "http"
    if request.header("origin") not in ("", f"{scheme}://{connection.here}"):
        raise HttpRefusal(403, "This device is not set up from another site's page.")
    return request.path[1:]


def _with_cookie(response: Response, cookie: str) -> Response:
    """Set the cookie bare, because clients echo the whole header."""
    if not cookie:
        return response
    headers = (*response.headers, ("Set-Cookie", cookie))
    return Response(response.status, response.body, response.content_type, headers)
