"""Serve ASGI applications as a role: own socket, optional TLS, heartbeat, clean stop on signals."""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import uvicorn

from doorstep.errors import UnavailableError
from doorstep.runtime.heartbeat import BEAT_S, Heartbeat
from doorstep.runtime.loop import run_loop
from doorstep.server.http import BoundedHttp

__all__ = ["Figures", "Listener", "listening", "serve", "uvicorn_config"]

Figures = Callable[[], Mapping[str, float | str]]
"""What the heartbeat shows besides the number of requests, asked for at each beat."""

Listener = tuple[uvicorn.Config, socket.socket]
"""An application and the bound socket that it answers on."""

_BACKLOG: Final = 2048
_STOP_WITHIN_S: Final = 5
_LOOK_S: Final = 0.05


@contextlib.contextmanager
def listening(address: str, port: int, setting: str, *, shared: bool = False) -> Iterator[socket.socket]:
    """Yield a bound socket; raise UnavailableError that names the setting when it can't be had.

    A ``shared`` port takes further processes of this user that share it, and no others.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind((address, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            what = "is taken by another program" if taken else f"can't be opened: {error.strerror}"
            raise UnavailableError(
                f"port {port} on {address} {what}",
                next_step=f"Stop the other program, or choose another port with {setting}.",
            ) from error
        yield listener


def uvicorn_config(app: Any, **more: Any) -> uvicorn.Config:
    """Return what all our servers share: bounded heads, no access log, no banner, bounded end."""
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_STOP_WITHIN_S,
        **more,
    )


def serve(
    config: uvicorn.Config,
    listener: socket.socket,
    heartbeat: Heartbeat,
    figures: Figures,
    beside: Sequence[Listener] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun and return; ``beside`` stops with it."""
    with _returning_on_signals():
        run_loop(_serve(uvicorn.Server(config), listener, heartbeat, figures, beside))


class _Beside(uvicorn.Server):
    """A server that another one's signals stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(
    server: uvicorn.Server,
    listener: socket.socket,
    heartbeat: Heartbeat,
    figures: Figures,
    beside: Sequence[Listener],
) -> None:
    others = [(_Beside(config), each) for config, each in beside]
    serving = [asyncio.create_task(other.serve(sockets=[each])) for other, each in others]
    beating = asyncio.create_task(_beat(server, heartbeat, figures))
    try:
        await server.serve(sockets=[listener])
    finally:
        for other, _ in others:
            other.should_exit = True
        beating.cancel()
        await asyncio.gather(beating, *serving, return_exceptions=True)


async def _beat(server: uvicorn.Server, heartbeat: Heartbeat, figures: Figures) -> None:
    while True:
        if server.started:
            # A full disk silences a beat, never the role.
            with contextlib.suppress(OSError):
                heartbeat.beat(requests=server.server_state.total_requests, **figures())
        await asyncio.sleep(BEAT_S if server.started else _LOOK_S)


@contextlib.contextmanager
def _returning_on_signals() -> Iterator[None]:
    # uvicorn stops on these signals and raises them again once it has stopped; a clean stop must return.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
