"""The web role: portal and REST API in one server process."""

import asyncio
import contextlib
import errno
import signal
import socket
import warnings
from collections.abc import Iterator

import uvicorn

from doorstep.errors import UnavailableError
from doorstep.runtime.heartbeat import BEAT_S, Heartbeat
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder

__all__ = ["run"]

ROLE = "web"
_BACKLOG = 2048
_STOP_WITHIN_S = 5


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raise UnavailableError when the port is taken.

    The process's environment must name the same settings, because Django loads them from there.
    """
    # WhiteNoise's files are read synchronously also below ASGI; they are few and small.
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
    with _listener(settings.bind, settings.portal_port) as listener, _returning_on_signals():
        config = uvicorn.Config(
            "doorstep.server.asgi:application",
            lifespan="off",
            server_header=False,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=_STOP_WITHIN_S,
        )
        asyncio.run(
            _serve(uvicorn.Server(config), listener, Heartbeat(StateFolder.open(settings.state), ROLE))
        )


async def _serve(server: uvicorn.Server, listener: socket.socket, heartbeat: Heartbeat) -> None:
    beating = asyncio.create_task(_beat(server, heartbeat))
    try:
        await server.serve(sockets=[listener])
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating


async def _beat(server: uvicorn.Server, heartbeat: Heartbeat) -> None:
    while True:
        if server.started:
            heartbeat.beat(requests=server.server_state.total_requests)
        await asyncio.sleep(BEAT_S if server.started else 0.05)


@contextlib.contextmanager
def _returning_on_signals() -> Iterator[None]:
    # uvicorn stops on these signals and raises them again once it has stopped; a clean stop must return.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _listener(address: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            what = (
                "is taken by another program"
                if error.errno == errno.EADDRINUSE
                else f"can't be opened: {error.strerror}"
            )
            raise UnavailableError(
                f"the portal's port {port} on {address} {what}",
                next_step="Stop the other program, or choose another port with DOORSTEP_PORTAL_PORT.",
            ) from error
        yield listener
