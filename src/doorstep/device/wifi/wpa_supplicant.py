"""The board's Wi-Fi by a wpa_supplicant that runs for one interface and has no networks of its own."""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from doorstep.device.wifi.addressing import Addressing, address_of
from doorstep.device.wifi.control_socket import CommandRefused, ControlEvents, ControlSocket
from doorstep.errors import DoorstepError
from doorstep.onboarding.network import (
    EapMethod,
    Enterprise,
    Joined,
    JoinFailure,
    JoinOutcome,
    NetworkCredentials,
)
from doorstep.wire.provisioning.scan import MAX_SCAN_ENTRIES, AuthMode, ScanEntry, ScanStart
from doorstep.wire.wpa_control import channel_of, decode_bss

__all__ = ["WpaSupplicantStation", "network_settings"]

SCAN_TIMEOUT: Final = 20.0
ASSOCIATION_TIMEOUT: Final = 40.0
BUSY_PAUSE: Final = 1.0
UNSEEN_SCANS: Final = 2
"""Scans in a row without the network that make it one that is not there."""
HEX_KEY_SIZE: Final = 64
BSS_FIELDS: Final = 0x1887
"""Number, address, frequency, level, flags and name: what `decode_bss` reads."""

_AUTH: Final[Mapping[str, AuthMode]] = {
    "NONE": AuthMode.OPEN,
    "WPA-PSK": AuthMode.WPA,
    "WPA2-PSK": AuthMode.WPA2,
    "WPA2-PSK-SHA256": AuthMode.WPA2,
    "SAE": AuthMode.WPA3,
    "WPA2/IEEE 802.1X/EAP": AuthMode.WPA2_ENTERPRISE,
    "WPA2-EAP-SHA256": AuthMode.WPA2_ENTERPRISE,
}
_INNER: Final = {EapMethod.PEAP: "auth=MSCHAPV2", EapMethod.TTLS: "auth=PAP"}

log = logging.getLogger(__name__)


class WpaSupplicantStation:
    """A `WifiStation` on wpa_supplicant's control socket, such as ``/run/wpa_supplicant/wlan0``."""

    def __init__(self, control: Path, addressing: Addressing) -> None:
        self._control = control
        self._addressing = addressing
        self._radio = asyncio.Lock()
        self._current: NetworkCredentials | None = None

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Return the networks heard; the driver chooses its own pace.

        Raises UnavailableError where wpa_supplicant does not answer.
        """
        async with self._radio, ControlSocket(self._control) as control:
            with control.listen() as events:
                await _start_scan(control, passive=request.passive)
                async with asyncio.timeout(SCAN_TIMEOUT):
                    await events.next("CTRL-EVENT-SCAN-RESULTS", "CTRL-EVENT-SCAN-FAILED")
            return await _heard(control)

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Join and wait for an address; on a network that it is on already, only for a fresh address."""
        async with self._radio:
            try:
                async with ControlSocket(self._control) as control:
                    if network == self._current and await self._is_refreshed(control, network):
                        return await self._joined(control)
                    return await self._join(control, network)
            except DoorstepError as error:
                log.warning(
                    "the Wi-Fi radio does not do as it is told: %s %s", error.message, error.next_step
                )
                return JoinFailure.RADIO_FAILED

    async def leave(self) -> None:
        """Be on no network, so that the radio is free for something else."""
        async with self._radio:
            self._current = None
            async with ControlSocket(self._control) as control:
                await control.order("REMOVE_NETWORK all")
            await self._addressing.drop()

    async def _join(self, control: ControlSocket, network: NetworkCredentials) -> JoinOutcome:
        self._current = None
        await control.order("REMOVE_NETWORK all")
        await self._addressing.drop()
        with control.listen() as events:
            failure = await _associate(control, events, network)
        if failure is None and await self._addressing.obtain(network.static) is None:
            failure = JoinFailure.NO_ADDRESS
        if failure is not None:
            await control.order("REMOVE_NETWORK all")
            return failure
        self._current = network
        return await self._joined(control)

    async def _is_refreshed(self, control: ControlSocket, network: NetworkCredentials) -> bool:
        """Tell whether a network that was joined before still holds, and gives an address now.

        The address is asked for anew: a router that restarted may have other ones to give.
        """
        status = await control.fields("STATUS")
        if (status.get("wpa_state"), status.get("mode")) != ("COMPLETED", "station"):
            return False
        return await self._addressing.obtain(network.static) is not None

    async def _joined(self, control: ControlSocket) -> Joined:
        status = await control.fields("STATUS")
        return Joined(
            address_of(self._addressing.interface) or "",
            _AUTH.get(status.get("key_mgmt", ""), AuthMode.OTHER),
            bytes.fromhex(status.get("bssid", "").replace(":", "")),
            channel_of(int(status.get("freq", "0"))),
        )


async def _start_scan(control: ControlSocket, *, passive: bool) -> None:
    command = "SCAN passive=1" if passive else "SCAN"
    async with asyncio.timeout(SCAN_TIMEOUT):
        while True:
            try:
                return await control.order(command)
            except CommandRefused as refusal:
                if not refusal.reply.startswith("FAIL-BUSY"):
                    raise
            await asyncio.sleep(BUSY_PAUSE)


async def _heard(control: ControlSocket) -> list[ScanEntry]:
    """Ask for one network after the other, because a reply for all is cut at 4096 bytes."""
    entries: list[ScanEntry] = []
    which = "FIRST"
    while len(entries) < MAX_SCAN_ENTRIES:
        reply = await control.ask(f"BSS {which} MASK=0x{BSS_FIELDS:x}")
        if not reply:
            break
        number, entry = decode_bss(reply)
        entries.append(entry)
        which = f"NEXT-{number}"
    return entries


async def _associate(
    control: ControlSocket, events: ControlEvents, network: NetworkCredentials
) -> JoinFailure | None:
    """Put the network forward and return why it did not let the device in, None where it did."""
    if not network.ssid:
        return JoinFailure.NO_SUCH_NETWORK
    number = await control.ask("ADD_NETWORK")
    for name, blob in _blobs(network.enterprise).items():
        await control.order(f"SET blob {name} {blob.hex()}")
    for name, value in network_settings(network).items():
        await control.order(f"SET_NETWORK {number} {name} {value}")
    await control.order(f"SELECT_NETWORK {number}")
    return await _verdict(events)


async def _verdict(events: ControlEvents) -> JoinFailure | None:
    """Wait for what settles it: one that lets in, one that refuses, or silence."""
    unseen = 0
    try:
        async with asyncio.timeout(ASSOCIATION_TIMEOUT):
            while unseen < UNSEEN_SCANS:
                event = await events.next(*_JUDGED)
                if event.name == "CTRL-EVENT-CONNECTED":
                    return None
                if _is_refusal(event.name, event.fields):
                    return JoinFailure.WRONG_PASSWORD
                unseen += event.name == "CTRL-EVENT-NETWORK-NOT-FOUND"
    except TimeoutError:
        log.info("the network neither took the device in nor refused it")
    return JoinFailure.NO_SUCH_NETWORK if unseen else JoinFailure.RADIO_FAILED


_JUDGED: Final = (
    "CTRL-EVENT-CONNECTED",
    "CTRL-EVENT-NETWORK-NOT-FOUND",
    "CTRL-EVENT-SSID-TEMP-DISABLED",
    "CTRL-EVENT-AUTH-REJECT",
    "CTRL-EVENT-EAP-FAILURE",
)
_REFUSALS: Final = frozenset({"WRONG_KEY", "AUTH_FAILED"})
_SAE, _CONFIRM = "3", "2"


def _is_refusal(name: str, fields: Mapping[str, str]) -> bool:
    """Tell a wrong key from a passing trouble."""
    if name == "CTRL-EVENT-SSID-TEMP-DISABLED":
        return fields.get("reason") in _REFUSALS
    if name == "CTRL-EVENT-AUTH-REJECT":  # WPA3 refuses the second message of those who have another password
        return (fields.get("auth_type"), fields.get("auth_transaction")) == (_SAE, _CONFIRM)
    return name == "CTRL-EVENT-EAP-FAILURE"


def network_settings(network: NetworkCredentials) -> dict[str, str]:
    """Return the network as wpa_supplicant's settings, in the order they are set in."""
    settings = {"ssid": network.ssid.hex(), "scan_ssid": "1"}
    if network.enterprise is not None:
        return settings | _enterprise(network.enterprise)
    if not network.passphrase:
        return settings | {"key_mgmt": "NONE"}
    if len(network.passphrase) == HEX_KEY_SIZE:
        return settings | {"key_mgmt": "WPA-PSK WPA-PSK-SHA256", "psk": network.passphrase.decode("ascii")}
    # The key itself instead of the passphrase, which could have octets that no command can carry.
    key = hashlib.pbkdf2_hmac("sha1", network.passphrase, network.ssid, 4096, 32).hex()
    both = {"key_mgmt": "WPA-PSK WPA-PSK-SHA256 SAE", "ieee80211w": "1"}
    return settings | both | {"psk": key, "sae_password": network.passphrase.hex()}


def _enterprise(network: Enterprise) -> dict[str, str]:
    settings = {
        "key_mgmt": "WPA-EAP WPA-EAP-SHA256",
        "ieee80211w": "1",
        "eap": network.method.name,
        "identity": network.identity.encode().hex(),
        "ca_cert": '"blob://doorstep-ca"',
    }
    if network.server_name:
        settings["domain_suffix_match"] = network.server_name.encode().hex()
    if network.method is EapMethod.TLS:
        own = {"client_cert": '"blob://doorstep-certificate"', "private_key": '"blob://doorstep-key"'}
        return settings | own
    return settings | {"password": network.password.hex(), "phase2": f'"{_INNER[network.method]}"'}


def _blobs(network: Enterprise | None) -> dict[str, bytes]:
    if network is None:
        return {}
    blobs = {
        "doorstep-ca": network.ca_certificate,
        "doorstep-certificate": network.certificate,
        "doorstep-key": network.private_key,
    }
    return {name: blob for name, blob in blobs.items() if blob}
