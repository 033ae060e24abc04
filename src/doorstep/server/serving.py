"""Serve one ASGI application as a role: own socket, optional TLS, heartbeat, clean stop on signals."""

import asyncio
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

import uvicorn

from doorstep.errors import UnavailableError
from doorstep.runtime.heartbeat import BEAT_S, Heartbeat

__all__ = ["Figures", "listen", "serve", "uvicorn_config"]

Figures = Callable[[], Mapping[str, float | str]]
"""What the heartbeat shows, asked for at each beat."""

_BACKLOG: Final = 1024
_GRACE_S: Final = 5


def listen(address: str, port: int, setting: str) -> socket.socket:
    """Bind a listening socket; raise UnavailableError that names the setting when the port is taken."""
    listener = None
    try:
        family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise UnavailableError(
            f"can't listen on {address} port {port}: {error.strerror or error}",
            next_step=f"Stop what uses the port, or choose another with {setting}.",
        ) from error
    return listener


def serve(config: uvicorn.Config, listener: socket.socket, heartbeat: Heartbeat, figures: Figures) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun and return."""
    # uvicorn raises the signal again after its clean stop; for a role that stop is the success.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server = uvicorn.Server(config)
    asyncio.run(_serve(server, listener, heartbeat, figures))


def uvicorn_config(app: Any, **more: Any) -> uvicorn.Config:
    """Return what all our servers share: no access log, no banner, bounded waiting at the end."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
        **more,
    )


async def _serve(
    server: uvicorn.Server, listener: socket.socket, heartbeat: Heartbeat, figures: Figures
) -> None:
    beating = asyncio.create_task(_beat(server, heartbeat, figures))
    try:
        await server.serve(sockets=[listener])
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _beat(server: uvicorn.Server, heartbeat: Heartbeat, figures: Figures) -> None:
    while True:
        if server.started:
            heartbeat.beat(**figures())
        await asyncio.sleep(BEAT_S)
