"""The board's IPv4 address on one interface: by the DHCP client that the board has, or fixed."""

import asyncio
import fcntl
import logging
import shutil
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from doorstep.errors import UnavailableError
from doorstep.onboarding.network import StaticAddress

__all__ = ["Addressing", "address_of", "run_tool"]

ADDRESS_TIMEOUT: Final = 25.0
"""Seconds for the network to give an address."""
TOOL_TIMEOUT: Final = 10.0
POLL_S: Final = 0.2
SIOCGIFADDR: Final = 0x8915
EVERYWHERE: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DHCP_CLIENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "dhclient": ("-4", "-d", "-q"),
    "udhcpc": ("-f", "-i"),
    "dhcpcd": ("-4", "-B", "-q"),
}
"""Each stays in the foreground, renews, and takes the interface's name last; the first one there is used."""

log = logging.getLogger(__name__)


class Addressing:
    """Gets an address for an interface after it has joined a network, and gives it up before the next."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self._client: asyncio.subprocess.Process | None = None

    async def obtain(self, static: StaticAddress | None = None) -> str | None:
        """Return the address, None where the network gave none in time.

        On a board without any DHCP client that we know, something else is waited for to set the address.
        """
        await self.drop()
        if static is not None:
            await self._set(static)
        else:
            await self._start_client()
        with suppress(TimeoutError):
            async with asyncio.timeout(ADDRESS_TIMEOUT):
                return await self._wait()
        await self.drop()
        return None

    async def hold(self, cidr: str) -> None:
        """Have a fixed address, as an access point does."""
        await self.drop()
        await run_tool("ip", "address", "replace", cidr, "dev", self.interface)

    async def drop(self) -> None:
        """Have no address."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(ProcessLookupError):
                client.kill()
            await client.wait()
        await run_tool("ip", "-4", "address", "flush", "dev", self.interface)

    async def _start_client(self) -> None:
        for program, options in DHCP_CLIENTS.items():
            if path := shutil.which(program, path=EVERYWHERE):
                self._client = await asyncio.create_subprocess_exec(
                    path,
                    *options,
                    self.interface,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                )
                return
        log.info("no DHCP client is installed; something else must give %s its address", self.interface)

    async def _set(self, static: StaticAddress) -> None:
        await run_tool("ip", "address", "replace", static.address, "dev", self.interface)
        await run_tool("ip", "route", "replace", "default", "via", static.gateway, "dev", self.interface)
        if static.name_servers and shutil.which("resolvconf", path=EVERYWHERE):
            lines = "".join(f"nameserver {server}\n" for server in static.name_servers)
            await run_tool("resolvconf", "-a", self.interface, told=lines.encode("ascii"))

    async def _wait(self) -> str:
        while True:
            if address := address_of(self.interface):
                return address
            await asyncio.sleep(POLL_S)


def address_of(interface: str) -> str | None:
    """Return the interface's IPv4 address, None while it has none."""
    request = struct.pack("16s16x8x", interface.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket, suppress(OSError):
        answer = fcntl.ioctl(any_socket.fileno(), SIOCGIFADDR, request)
        return socket.inet_ntoa(answer[20:24])
    return None


async def run_tool(program: str, *arguments: str, told: bytes = b"") -> None:
    """Run a program of the system; raises UnavailableError where it fails or is missing."""
    path = shutil.which(program, path=EVERYWHERE)
    if path is None:
        raise UnavailableError(f"the program {program} is not installed on this board")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(path, *arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(TOOL_TIMEOUT):
            _, complaint = await process.communicate(told)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise UnavailableError(
            f"{program} {' '.join(arguments)} failed: {complaint.decode(errors='replace').strip()[-200:]}",
            next_step="Run the agent as root, or with CAP_NET_ADMIN.",
        )
