"""The board's page and its protocomm endpoints on one port, and the name server that leads phones there.

``POST`` to a page's form goes to the page, every other ``POST`` to the endpoints: no form is called like one.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from types import TracebackType
from typing import Final

from doorstep.device.setup.endpoints import EndpointHandler
from doorstep.device.setup.httpd import HttpRefusal, Request, Response
from doorstep.device.setup.httpserver import Connection, HttpServer
from doorstep.device.setup.joiner import Joiner
from doorstep.onboarding.captive.exchange import PageAnswer, PageFacts, PageRequest
from doorstep.onboarding.captive.page import FORMS, CaptivePage
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.protocomm.device import DeviceProfile, JoinWanted, ScanWanted, Secured
from doorstep.runtime.webfiles import web_folder

__all__ = ["CaptiveServer"]

WEB: Final = "/web/"
SCRIPT_TYPE: Final = "text/javascript; charset=utf-8"


class CaptiveServer(HttpServer):
    """A `Door` for browsers and apps alike; ``tls`` makes it the board's HTTPS server."""

    def __init__(  # noqa: PLR0913 - a door's parts, one each
        self,
        profile: DeviceProfile,
        joiner: Joiner,
        facts: PageFacts,
        *,
        host: str,
        port: int = 80,
        tls: ssl.SSLContext | None = None,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``host`` is the board's address on its own access point; ``port`` 0 takes a free one."""
        self._endpoints = EndpointHandler(profile, joiner, rng)
        self._page = CaptivePage(facts, joiner.joining, rng)
        self._joiner = joiner
        self._scan: asyncio.Task[None] | None = None
        super().__init__(self._route, host, port, tls=tls)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, hang up, and give up what is under way."""
        await super().__aexit__(kind, error, trace)
        if self._scan is not None:
            self._scan.cancel()
            await asyncio.gather(self._scan, return_exceptions=True)
        await self._endpoints.close()

    async def _route(self, request: Request, connection: Connection) -> Response:
        if request.method == "POST" and request.path not in FORMS:
            return await self._endpoints.answer(request, connection)
        if request.path.startswith(WEB) and request.header("host").lower() == connection.here:
            return _script(request.path)
        answer = self._page.receive(_asked(request, connection), time.monotonic())
        self._grant(answer)
        return Response(answer.status, answer.body, answer.content_type, answer.headers)

    def _grant(self, answer: PageAnswer) -> None:
        for wish in answer.wishes:
            match wish:
                case ScanWanted():
                    self._page.scan_begun()
                    self._scan = asyncio.create_task(self._listen(wish))
                case JoinWanted():
                    self._joiner.start(wish.network)
                case Onboarded():
                    self._joiner.announce(wish)
                case Secured():
                    pass  # a session's wish; the page has none

    async def _listen(self, wish: ScanWanted) -> None:
        self._page.scanned(await self._joiner.scan(wish.request), time.monotonic())


def _asked(request: Request, connection: Connection) -> PageRequest:
    return PageRequest(
        method=request.method,
        path=request.path,
        query=request.query,
        host=request.header("host"),
        here=connection.here,
        peer=connection.peer,
        origin=request.header("origin"),
        languages=request.header("accept-language"),
        content_type=request.header("content-type"),
        body=request.body,
        secure=connection.secure,
    )


def _script(path: str) -> Response:
    scripts = _scripts()
    body = scripts.get(path.removeprefix(WEB))
    if body is None:
        raise HttpRefusal(404, "There is no such script on this device.")
    return Response(200, body, SCRIPT_TYPE, (("X-Content-Type-Options", "nosniff"),))


@cache
def _scripts() -> Mapping[str, bytes]:
    """Return the modules of the page by name; a name that is not among them reaches no file."""
    return {script.name: script.read_bytes() for script in web_folder().glob("*.js")}
