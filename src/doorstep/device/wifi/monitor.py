"""The board's Wi-Fi as a listener: every frame on one channel, whoever it is for. Needs root."""

import asyncio
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from doorstep.errors import MalformedMessage, UnavailableError
from doorstep.wire.monitor import MAX_FRAME, DataFrame, parse_monitor

__all__ = ["MonitorInterface", "MonitorRadio"]

ETH_P_ALL: Final = 0x0003
COMMAND_TIMEOUT: Final = 10.0


class MonitorRadio(Protocol):
    """Listens while entered, and is an ordinary station again afterwards."""

    async def __aenter__(self) -> Self:
        """Begin to listen; raises UnavailableError where the radio cannot."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Be a station again."""
        ...

    async def tune(self, channel: int) -> None:
        """Listen on this channel from now on."""
        ...

    async def hear(self, seconds: float) -> DataFrame | None:
        """Return the next data frame, `None` after so many seconds."""
        ...


class MonitorInterface:
    """A `MonitorRadio`: a Linux interface, put into monitor mode with ``ip`` and ``iw``."""

    def __init__(self, interface: str, *, listen: Callable[[str], socket.socket] | None = None) -> None:
        """``listen`` opens the socket that its frames come from; a packet socket where it is left out."""
        self._interface = interface
        self._listen = listen or _packet_socket
        self._socket: socket.socket | None = None
        self._channel = 0

    async def __aenter__(self) -> Self:
        """Switch to monitor mode; raises `UnavailableError` with what the programs say."""
        await self._become("monitor")
        try:
            self._socket = self._listen(self._interface)
        except OSError as error:
            await self._become("managed")
            raise UnavailableError(
                f"{self._interface} cannot be listened on: {error.strerror}.",
                next_step="Run the agent as root, or with the capability CAP_NET_RAW.",
            ) from None
        self._socket.setblocking(False)
        self._channel = 0
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch back, so that the station can use it."""
        listening, self._socket = self._socket, None
        if listening is not None:
            listening.close()
        await self._become("managed")

    async def tune(self, channel: int) -> None:
        """Listen on this channel from now on; nothing happens where it is that one already."""
        if channel != self._channel:
            await _run("iw", "dev", self._interface, "set", "channel", str(channel))
            self._channel = channel

    async def hear(self, seconds: float) -> DataFrame | None:
        """Return the next data frame, `None` after so many seconds."""
        if self._socket is None:
            raise UnavailableError("the monitor interface is not open")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    frame = _read(await loop.sock_recv(self._socket, MAX_FRAME))
                    if frame is not None:
                        return frame
        except TimeoutError:
            return None
        except OSError as error:
            raise UnavailableError(f"{self._interface} went away: {error.strerror}.") from None

    async def _become(self, kind: str) -> None:
        """Down, up and tuned anew: a reused interface goes on hearing its old channel otherwise."""
        await _run("ip", "link", "set", self._interface, "down")
        await _run("iw", "dev", self._interface, "set", "type", kind)
        await _run("ip", "link", "set", self._interface, "up")


def _packet_socket(interface: str) -> socket.socket:
    listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    try:
        listening.bind((interface, 0))
    except OSError:
        listening.close()
        raise
    return listening


def _read(octets: bytes) -> DataFrame | None:
    try:
        return parse_monitor(octets)
    except MalformedMessage:
        return None


async def _run(*command: str) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError:
        raise UnavailableError(
            f"The program {command[0]!r} is not installed.", next_step="Install iproute2 and iw."
        ) from None
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise UnavailableError(f"'{' '.join(command)}' does not come back.") from None
    if process.returncode:
        why = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise UnavailableError(
            f"'{' '.join(command)}' failed: {''.join(why) or process.returncode}.",
            next_step="Check that the agent runs as root and that the radio can monitor ('iw list').",
        )
