"""The board's own access point, for phones that set it up."""

from asyncio import timeout
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Final, Protocol

from doorstep.device.wifi.addressing import Addressing
from doorstep.device.wifi.control_socket import ControlSocket
from doorstep.device.wifi.dhcp_server import DhcpServer
from doorstep.errors import SettingsError, UnavailableError
from doorstep.onboarding.network import NetworkCredentials

__all__ = ["AccessPoint", "AccessPointPlan", "SupplicantAccessPoint", "start_within"]

START_TIMEOUT: Final = 20.0
FIRST_CHANNEL_MHZ: Final = 2407
LAST_CHANNEL: Final = 11
"""The channels from 1 on that every country allows."""


@dataclass(frozen=True, slots=True)
class AccessPointPlan:
    """How the access point is: WPA2 with ``key`` (8 to 63 octets), or open without one."""

    ssid: bytes
    key: bytes = field(default=b"", repr=False)
    channel: int = 1
    address: str = "192.168.4.1/24"
    portal: str = ""
    """Told to phones by DHCP option 114 (RFC 8910), unless empty."""

    def __post_init__(self) -> None:
        """Refuse what no access point can be."""
        NetworkCredentials(self.ssid, self.key)
        if not self.ssid or not 1 <= self.channel <= LAST_CHANNEL or not self.portal.isascii():
            raise SettingsError(
                "The board's access point has no name, or a channel or portal that cannot be.",
                next_step=f"Give it a name and a channel from 1 to {LAST_CHANNEL}.",
            )

    @property
    def frequency(self) -> int:
        """The channel in MHz."""
        return FIRST_CHANNEL_MHZ + 5 * self.channel


class AccessPoint(Protocol):
    """Takes the radio when started and leaves it free when stopped."""

    async def start(self) -> None:
        """Open it, phones' addresses included; raises UnavailableError where the radio does not."""
        ...

    async def stop(self) -> None:
        """Close it, unless it is closed."""
        ...


class SupplicantAccessPoint:
    """By the same wpa_supplicant that joins networks, on the same radio."""

    def __init__(self, control: Path, addressing: Addressing, plan: AccessPointPlan) -> None:
        self._control = control
        self._addressing = addressing
        self._plan = plan
        self._open = AsyncExitStack()

    async def start(self) -> None:
        """Open it."""
        await self.stop()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            async with ControlSocket(self._control) as control:
                await start_within(START_TIMEOUT, self._start(control))
            await self._addressing.hold(self._plan.address)
            own = IPv4Interface(self._plan.address)
            await stack.enter_async_context(DhcpServer(self._addressing.interface, own, self._plan.portal))
            self._open = stack.pop_all()

    async def stop(self) -> None:
        """Close it."""
        await self._open.aclose()

    async def _start(self, control: ControlSocket) -> None:
        await control.order("REMOVE_NETWORK all")
        number = await control.ask("ADD_NETWORK")
        for name, value in _settings(self._plan).items():
            await control.order(f"SET_NETWORK {number} {name} {value}")
        with control.listen() as events:
            await control.order(f"SELECT_NETWORK {number}")
            await events.next("AP-ENABLED")

    async def _close(self) -> None:
        try:
            async with ControlSocket(self._control) as control:
                await control.order("REMOVE_NETWORK all")
        finally:
            await self._addressing.drop()


async def start_within(seconds: float, starting: Coroutine[None, None, None]) -> None:
    """Wait so long for an access point to stand; raises UnavailableError after it."""
    try:
        async with timeout(seconds):
            await starting
    except TimeoutError:
        raise UnavailableError(
            f"the board's access point did not start within {seconds:.0f} s",
            next_step="Check that the radio can be an access point: iw phy, 'Supported interface modes'.",
        ) from None


def _settings(plan: AccessPointPlan) -> dict[str, str]:
    settings = {"ssid": plan.ssid.hex(), "mode": "2", "frequency": str(plan.frequency)}
    if not plan.key:
        return settings | {"key_mgmt": "NONE"}
    key = pbkdf2_hmac("sha1", plan.key, plan.ssid, 4096, 32).hex()
    return settings | {"key_mgmt": "WPA-PSK", "proto": "RSN", "pairwise": "CCMP", "psk": key}
