"""The board's Wi-Fi by NetworkManager: the station, and the access point."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from ipaddress import IPv4Interface
from typing import Any, Final

from doorstep.device.wifi.access_point import START_TIMEOUT, AccessPointPlan, start_within
from doorstep.device.wifi.addressing import address_of
from doorstep.device.wifi.dhcp_server import DhcpServer
from doorstep.device.wifi.nm_bus import ACTIVATED, AP, SETTLED, WIRELESS, NmBus, NmRefused
from doorstep.device.wifi.nm_settings import access_point_settings, heard_network, station_settings
from doorstep.errors import DoorstepError, UnavailableError
from doorstep.onboarding.network import Joined, JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.scan import MAX_SCAN_ENTRIES, ScanEntry, ScanStart

__all__ = ["NetworkManagerAccessPoint", "NetworkManagerStation"]

SCAN_TIMEOUT: Final = 20.0
JOIN_TIMEOUT: Final = 80.0
POLL_S: Final = 0.3
PREPARING: Final = 40
NEVER: Final = -1

_REASONS: Final[Mapping[int, JoinFailure]] = {
    5: JoinFailure.NO_ADDRESS,
    7: JoinFailure.WRONG_PASSWORD,
    8: JoinFailure.WRONG_PASSWORD,
    10: JoinFailure.WRONG_PASSWORD,
    11: JoinFailure.WRONG_PASSWORD,
    15: JoinFailure.NO_ADDRESS,
    16: JoinFailure.NO_ADDRESS,
    17: JoinFailure.NO_ADDRESS,
    53: JoinFailure.NO_SUCH_NETWORK,
}
"""``NMDeviceStateReason``: secrets, supplicant and DHCP; what is not here is the radio's failure."""

log = logging.getLogger(__name__)


class NetworkManagerStation:
    """A `WifiStation` by NetworkManager, which keeps none of the networks that it is told."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._radio = asyncio.Lock()

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Return the networks heard; NetworkManager chooses the pace. Raises UnavailableError without it."""
        del request
        async with self._radio, NmBus(self._interface) as bus:
            await _scan(bus)
            return [heard_network(point) for point in await _heard(bus)]

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Join, anew where it is on that network already, and wait for an address."""
        async with self._radio:
            try:
                async with NmBus(self._interface) as bus:
                    return await self._join(bus, network)
            except DoorstepError as error:
                log.warning("the Wi-Fi radio disobeys: %s %s", error.message, error.next_step)
                return JoinFailure.RADIO_FAILED

    async def _join(self, bus: NmBus, network: NetworkCredentials) -> JoinOutcome:
        if not network.ssid:
            return JoinFailure.NO_SUCH_NETWORK
        await _scan(bus)
        there = _named(network.ssid, await _heard(bus))
        active = await bus.activate(station_settings(network, self._interface, there))
        failure = await _settled(bus)
        if failure is None:
            return await self._joined(bus)
        # NetworkManager calls a WPA3 network missing that refused the password, and a missing one locked. A
        # hidden network has its name once it has answered.
        is_there = bool(there or _named(network.ssid, await _heard(bus)))
        if not is_there:
            failure = JoinFailure.NO_SUCH_NETWORK
        elif failure is JoinFailure.NO_SUCH_NETWORK:
            failure = JoinFailure.WRONG_PASSWORD
        with suppress(NmRefused):  # it is gone already where NetworkManager gave up by itself
            await bus.deactivate(active)
        return failure

    async def _joined(self, bus: NmBus) -> Joined:
        point = await bus.get(bus.device, WIRELESS, "ActiveAccessPoint")
        heard = heard_network(await bus.get_all(point, AP)) if point != "/" else ScanEntry(b"")
        return Joined(address_of(self._interface) or "", heard.auth, heard.bssid, heard.channel)


class NetworkManagerAccessPoint:
    """The board's access point; phones get their addresses from us, not from NetworkManager's dnsmasq."""

    def __init__(self, interface: str, plan: AccessPointPlan) -> None:
        self._interface = interface
        self._plan = plan
        self._open = AsyncExitStack()

    async def start(self) -> None:
        """Open it."""
        await self.stop()
        async with AsyncExitStack() as stack:
            async with NmBus(self._interface) as bus:
                active = await bus.activate(access_point_settings(self._plan, self._interface))
                stack.push_async_callback(self._close, active)
                await start_within(START_TIMEOUT, _stands(bus))
            own = IPv4Interface(self._plan.address)
            await stack.enter_async_context(DhcpServer(self._interface, own, self._plan.portal))
            self._open = stack.pop_all()

    async def stop(self) -> None:
        """Close it."""
        await self._open.aclose()

    async def _close(self, active: str) -> None:
        async with NmBus(self._interface) as bus:
            with suppress(NmRefused):  # another connection took the radio
                await bus.deactivate(active)


async def _scan(bus: NmBus) -> None:
    before = await bus.get(bus.device, WIRELESS, "LastScan")
    with suppress(NmRefused):  # it scanned a moment ago, or does
        await bus.call(bus.device, WIRELESS, "RequestScan", "a{sv}", {})
    with suppress(TimeoutError):
        async with asyncio.timeout(SCAN_TIMEOUT):
            while await bus.get(bus.device, WIRELESS, "LastScan") == before:  # noqa: ASYNC110 - looked at
                await asyncio.sleep(POLL_S)


async def _heard(bus: NmBus) -> list[dict[str, Any]]:
    (paths,) = await bus.call(bus.device, WIRELESS, "GetAllAccessPoints")
    points = []
    for path in paths[:MAX_SCAN_ENTRIES]:
        with suppress(NmRefused):  # it went out of reach meanwhile
            points.append(await bus.get_all(path, AP))
    # One that was never seen is NetworkManager's own placeholder for a hidden network that it looks for.
    return [point for point in points if point.get("LastSeen", NEVER) != NEVER]


def _named(ssid: bytes, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [point for point in points if bytes(point.get("Ssid", b"")) == ssid]


async def _settled(bus: NmBus) -> JoinFailure | None:
    """Wait until NetworkManager has joined, None, or given up, with why."""
    begun = False
    try:
        async with asyncio.timeout(JOIN_TIMEOUT):
            while True:
                state, reason = await bus.next_state()
                begun = begun or PREPARING <= state < ACTIVATED
                if begun and state in SETTLED:
                    return None if state == ACTIVATED else _REASONS.get(reason, JoinFailure.RADIO_FAILED)
    except TimeoutError:
        return JoinFailure.RADIO_FAILED


async def _stands(bus: NmBus) -> None:
    failure = await _settled(bus)
    if failure is not None:
        raise UnavailableError(
            "NetworkManager did not open the board's access point.",
            next_step="Check that the radio can be an access point: iw phy, 'Supported interface modes'.",
        )
