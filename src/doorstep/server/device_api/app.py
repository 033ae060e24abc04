"""The device API: time, nonce, register, renew over HTTPS. `docs/spec/device-api.md` is normative."""

import asyncio
import base64
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from doorstep.errors import DoorstepError, MalformedMessage, UnavailableError
from doorstep.identity.statement import STATEMENT_CAP
from doorstep.runtime.authority import Authority, open_authority
from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder, write_private
from doorstep.server import setup
from doorstep.server.clock import now_us
from doorstep.server.serving import listening, serve, uvicorn_config
from doorstep.wire import jsontext

__all__ = ["ROLE", "DeviceApi", "run"]

ROLE: Final = "device-api"

_THREADS: Final = 8
"""Statements judged at once; the database takes one writer at a time anyway."""

_WAITING_CAP: Final = 2000
"""Statements in hand; beyond it devices are told to come back."""

_RENEW_TLS_AFTER: Final = timedelta(days=30)
_NONCE_REQUEST_CAP: Final = 256


class _NonceRequest(msgspec.Struct, forbid_unknown_fields=True):
    device: str


class DeviceApi:
    """The application. Statements are judged in threads; the event loop only moves bytes."""

    def __init__(self, settings: Settings, authority: Authority, nonce_key: bytes) -> None:
        # Models load only after Django is set up, so the desk is imported here and not above.
        from doorstep.server.device_api.desk import Desk  # noqa: PLC0415
        from doorstep.server.device_api.problems import of_error, of_http  # noqa: PLC0415

        self._desk = Desk(settings, authority, nonce_key)
        self._of_error = of_error
        self._of_http = of_http
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=ROLE)
        self._waiting = 0
        self.answered: Counter[str] = Counter()
        """Answers by status code, for the heartbeat."""

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/device/v1/time", self._guarded(self._time), methods=["GET"]),
                Route("/device/v1/nonce", self._guarded(self._nonce), methods=["POST"]),
                Route("/device/v1/register", self._guarded(self._register), methods=["POST"]),
                Route("/device/v1/renew", self._guarded(self._renew), methods=["POST"]),
            ],
            exception_handlers={HTTPException: self._no_such_request},
        )

    async def _no_such_request(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # registered for nothing else
        return self._of_http(error)

    def figures(self) -> dict[str, float | str]:
        """Return what the heartbeat shows."""
        return {"waiting": self._waiting, **{f"answered_{status}": n for status, n in self.answered.items()}}

    def _guarded(
        self, answer: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                response = await answer(request)
            except DoorstepError as error:
                response = self._of_error(error)
            self.answered[str(response.status_code)] += 1
            return response

        return guarded

    async def _time(self, _: Request) -> Response:
        return JSONResponse({"time": now_us() / 1_000_000})

    async def _nonce(self, request: Request) -> Response:
        body = await _body(request, "application/json", _NONCE_REQUEST_CAP)
        try:
            device = jsontext.decode(body, _NonceRequest).device
        except jsontext.NotJson as error:
            raise MalformedMessage('a nonce is asked for with {"device": …}') from error
        nonce = self._desk.nonce(device)
        return JSONResponse({"nonce": base64.urlsafe_b64encode(nonce).rstrip(b"=").decode()})

    async def _register(self, request: Request) -> Response:
        return await self._judge(request, self._desk.register)

    async def _renew(self, request: Request) -> Response:
        return await self._judge(request, self._desk.renew)

    async def _judge(self, request: Request, judge: Callable[[bytes], Response]) -> Response:
        body = await _body(request, "application/cose", STATEMENT_CAP)
        if self._waiting >= _WAITING_CAP:
            raise UnavailableError("too many devices register now", next_step="Ask again in a minute.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, judge, body)
        finally:
            self._waiting -= 1


async def _body(request: Request, kind: str, cap: int) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip() != kind:
        raise MalformedMessage(f"the body must be {kind}", next_step="Set the Content-Type header.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > cap:
            raise MalformedMessage(f"the body is longer than {cap} bytes")
    return body


def run(settings: Settings) -> None:
    """Serve devices until SIGTERM or SIGINT; raise UnavailableError when the port is taken."""
    setup.start()
    state = StateFolder.open(settings.state)
    key_file = KeyFile.open(state.key_file)
    with listening(settings.bind, settings.device_api_port, "DOORSTEP_DEVICE_API_PORT") as listener:
        authority = open_authority(state.ca, "Maker", now=datetime.now(UTC)).published_at(settings.base_url)
        api = DeviceApi(settings, authority, key_file.derive("device-api/nonce"))
        tls = _ServerTls(settings, state, authority)
        config = uvicorn_config(api.application(), ssl_certfile=tls.certificate, ssl_keyfile=tls.key)

        def figures() -> dict[str, float | str]:
            tls.renew_when_due(config)
            return api.figures()

        serve(config, listener, Heartbeat(state, ROLE), figures)


class _ServerTls:
    """The listener's certificate, made at start and again before it grows old."""

    def __init__(self, settings: Settings, state: StateFolder, authority: Authority) -> None:
        self._names = list(dict.fromkeys([settings.public_host, "localhost", "127.0.0.1", "::1"]))
        self._authority = authority
        self.certificate = state.run / f"{ROLE}.crt"
        self.key = state.run / f"{ROLE}.key"
        self._made = self._make()

    def renew_when_due(self, config: uvicorn.Config) -> None:
        """Give new connections a fresh certificate once the present one is a month old."""
        if datetime.now(UTC) - self._made < _RENEW_TLS_AFTER:
            return
        self._made = self._make()
        context: Any = config.ssl
        if isinstance(context, ssl.SSLContext):
            context.load_cert_chain(self.certificate, self.key)

    def _make(self) -> datetime:
        now = datetime.now(UTC)
        identity = self._authority.issue_server(self._names, now=now)
        write_private(self.key, identity.key.to_pem())
        write_private(self.certificate, identity.chain_pem)
        return now
