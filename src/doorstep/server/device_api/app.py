"""The device API: time, nonce, register, renew over HTTPS. `docs/spec/device-api.md` is normative.

Beside it, where the operator says so, one address over plain HTTP takes sealed requests
(`docs/spec/registration.md`).
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from doorstep.errors import DoorstepError, MalformedMessage, UnavailableError
from doorstep.identity.statement import STATEMENT_CAP
from doorstep.messaging.registration import MAX_REQUEST
from doorstep.runtime.authority import Authority, open_authority
from doorstep.runtime.heartbeat import Heartbeat
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder, write_private
from doorstep.server import setup
from doorstep.server.clock import now_us
from doorstep.server.device_api.gathering import Gathering
from doorstep.server.device_api.processes import ROLE, name_of, processes
from doorstep.server.serving import listening, serve, uvicorn_config
from doorstep.wire import base64url, jsontext

__all__ = ["ROLE", "DeviceApi", "run"]

_THREADS: Final = 8
"""Renewals judged at once; the database takes one writer at a time anyway."""

_WAITING_CAP: Final = 2000
"""Statements in hand; beyond it devices are told to come back."""

_RENEW_TLS_AFTER: Final = timedelta(days=30)
_NONCE_REQUEST_CAP: Final = 256
_NONCE_TEXT_CAP: Final = 88
_VERSION_DIGITS: Final = 10


class _NonceRequest(msgspec.Struct, forbid_unknown_fields=True):
    device: str


class DeviceApi:
    """The application. Statements are judged in threads; the event loop only moves bytes."""

    def __init__(self, settings: Settings, authority: Authority, nonce_key: bytes) -> None:
        # Models load only after Django is set up, so the desk is imported here and not above.
        from doorstep.server.device_api.desk import Desk  # noqa: PLC0415
        from doorstep.server.device_api.grant_desk import (  # noqa: PLC0415
            AUTHORIZE,
            FORM_CAP,
            METADATA,
            TOKEN,
            GrantDesk,
        )
        from doorstep.server.device_api.problems import of_error, of_http  # noqa: PLC0415
        from doorstep.server.device_api.sealed_desk import PATH, SealedDesk  # noqa: PLC0415

        self._desk = Desk(settings, authority, nonce_key)
        self._grants = GrantDesk(settings, self._desk.attempts)
        self._sealed_desk = SealedDesk(settings, authority, self._desk.attempts)
        self._sealed_path = PATH
        self._grant_routes = {AUTHORIZE: self._grants.authorize, TOKEN: self._grants.token}
        self._metadata_path, self._form_cap = METADATA, FORM_CAP
        self._of_error = of_error
        self._of_http = of_http
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=ROLE)
        self._registering = Gathering(self._desk.register, ThreadPoolExecutor(1, thread_name_prefix=ROLE))
        self._waiting = 0
        self.answered: Counter[str] = Counter()
        """Answers by status code, for the heartbeat."""

    def application(self) -> ASGIApp:
        """Return the ASGI application."""
        ways = self._ways()
        often = {
            "/device/v1/nonce": self._guarded(self._nonce),
            "/device/v1/register": self._guarded(self._register),
        }

        async def shortest(scope: Scope, receive: Receive, send: Send) -> None:
            # Starlette's layers and routes cost as much as a nonce.
            answer = often.get(scope["path"]) if scope.get("method") == "POST" else None
            if answer is None:
                await ways(scope, receive, send)
            else:
                response = await answer(Request(scope, receive))
                await response(scope, receive, send)

        return shortest

    def _ways(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/device/v1/time", self._guarded(self._time), methods=["GET"]),
                Route("/device/v1/anchors", self._guarded(self._anchors), methods=["GET"]),
                Route("/device/v1/nonce", self._guarded(self._nonce), methods=["POST"]),
                Route("/device/v1/register", self._guarded(self._register), methods=["POST"]),
                Route("/device/v1/renew", self._guarded(self._renew), methods=["POST"]),
                Route(self._metadata_path, self._guarded(self._metadata), methods=["GET"]),
                *(
                    Route(path, self._guarded(self._granting(answer)), methods=["POST"])
                    for path, answer in self._grant_routes.items()
                ),
            ],
            exception_handlers={HTTPException: self._no_such_request},
        )

    def plain_application(self) -> Starlette:
        """Return the ASGI application of the listener without TLS: sealed requests, nothing else."""
        path = self._sealed_path + "/{device}"
        return Starlette(
            routes=[Route(path, self._guarded(self._sealed), methods=["POST"])],
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

    async def _time(self, request: Request) -> Response:
        at_us = now_us()
        answer: dict[str, Any] = {"time": at_us / 1_000_000}
        nonce = request.query_params.get("nonce")
        if nonce is not None:
            answer["signed"] = base64url.encode(self._desk.signed_time(_bytes(nonce), at_us // 1_000_000))
        return JSONResponse(answer)

    async def _anchors(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal() or len(after) > _VERSION_DIGITS:
            raise MalformedMessage("after is the version of the device's trust anchors")
        return JSONResponse(
            {"updates": [base64url.encode(one) for one in self._desk.anchor_updates(int(after))]}
        )

    async def _nonce(self, request: Request) -> Response:
        body = await _body(request, "application/json", _NONCE_REQUEST_CAP)
        try:
            device = jsontext.decode(body, _NonceRequest).device
        except jsontext.NotJson as error:
            raise MalformedMessage('a nonce is asked for with {"device": …}') from error
        nonce = self._desk.nonce(device)
        return JSONResponse({"nonce": base64url.encode(nonce)})

    async def _register(self, request: Request) -> Response:
        with self._place():
            return await self._registering.ask(await _body(request, "application/cose", STATEMENT_CAP))

    async def _renew(self, request: Request) -> Response:
        with self._place():
            body = await _body(request, "application/cose", STATEMENT_CAP)
            return await self._in_a_thread(self._desk.renew, body)

    async def _metadata(self, _: Request) -> Response:
        return self._grants.metadata()

    def _granting(self, judge: Callable[[bytes], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            with self._place():
                body = await _body(request, "application/x-www-form-urlencoded", self._form_cap)
                return await self._in_a_thread(judge, body)

        return answer

    async def _sealed(self, request: Request) -> Response:
        with self._place():
            body = await _body(request, "application/octet-stream", MAX_REQUEST)
            return await self._in_a_thread(self._sealed_desk.answer, request.path_params["device"], body)

    async def _in_a_thread(self, judge: Callable[..., Response], *asked: str | bytes) -> Response:
        return await asyncio.get_running_loop().run_in_executor(self._pool, judge, *asked)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Count what is in hand; raise UnavailableError when there is too much."""
        if self._waiting >= _WAITING_CAP:
            raise UnavailableError("too many devices register now", next_step="Ask again in a minute.")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1


def _bytes(text: str) -> bytes:
    if len(text) > _NONCE_TEXT_CAP:
        raise MalformedMessage("a nonce for the time has 16 to 64 bytes")
    return base64url.decode(text)


async def _body(request: Request, kind: str, cap: int) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip() != kind:
        raise MalformedMessage(f"the body must be {kind}", next_step="Set the Content-Type header.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > cap:
            raise MalformedMessage(f"the body is longer than {cap} bytes")
    return body


def run(settings: Settings, number: int = 1) -> None:
    """Serve devices until SIGTERM or SIGINT; raise UnavailableError when the port is taken.

    ``number`` says which of `processes` this one is.
    """
    setup.start()
    state = StateFolder.open(settings.state)
    key_file = KeyFile.open(state.key_file)
    shared = processes(settings) > 1
    with ExitStack() as stack:

        def listener(port: int, setting: str) -> socket.socket:
            return stack.enter_context(listening(settings.bind, port, setting, shared=shared))

        https = listener(settings.device_api_port, "DOORSTEP_DEVICE_API_PORT")
        authority = open_authority(state.ca, "Maker", now=datetime.now(UTC)).published_at(settings.base_url)
        api = DeviceApi(settings, authority, key_file.derive("device-api/nonce"))
        tls = _ServerTls(settings, state, authority, name_of(number))
        config = uvicorn_config(api.application(), ssl_certfile=tls.certificate, ssl_keyfile=tls.key)

        def figures() -> dict[str, float | str]:
            tls.renew_when_due(config)
            return api.figures()

        beside = []
        if settings.device_api_plain_port:
            http = listener(settings.device_api_plain_port, "DOORSTEP_DEVICE_API_PLAIN_PORT")
            beside.append((uvicorn_config(api.plain_application()), http))
        serve(config, https, Heartbeat(state, name_of(number)), figures, beside)


class _ServerTls:
    """The listener's certificate, made at start and again before it grows old."""

    def __init__(self, settings: Settings, state: StateFolder, authority: Authority, name: str) -> None:
        self._names = list(dict.fromkeys([settings.public_host, "localhost", "127.0.0.1", "::1"]))
        self._authority = authority
        self.certificate = state.run / f"{name}.crt"
        self.key = state.run / f"{name}.key"
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
