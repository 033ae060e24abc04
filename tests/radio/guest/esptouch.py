"""ESP-Touch by monitor-mode frame lengths: a phone announces its network, a board without a key joins it."""

import asyncio
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from doorstep.device.setup.esptouch import EspTouchDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi.addressing import Addressing
from doorstep.device.wifi.monitor import MonitorInterface
from doorstep.device.wifi.wpa_supplicant import WpaSupplicantStation
from doorstep.errors import RefusedError
from doorstep.onboarding.esptouch.ack import Ack
from doorstep.onboarding.esptouch.listening import Listener
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.network import JoinOutcome, NetworkCredentials
from doorstep.provisioner.esptouch import Plan, announce, plan_v1, plan_v2
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart
from tests.radio.guest.lab import PASSPHRASE, Host, Lab, wpa2

SECONDS: Final = 40.0
CHANNELS: Final = (1, 6, 11)
PATIENCE: Final = 100.0
PACE: Final = 0.02
"""Seconds between datagrams: an emulated processor that also listens twice needs more than a phone does."""
KEY: Final = bytes(range(16))
TOKEN: Final = b"dst_k3j5h2mnbv7qwx4z"


class Station:
    """A board's one radio: wpa_supplicant gets it only when there is something to join."""

    def __init__(self, board: Host) -> None:
        self._board = board

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Hear nothing: the radio listens elsewhere."""
        del request
        return ()

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Start wpa_supplicant and join."""
        await asyncio.to_thread(self._board.supplicant)
        station = WpaSupplicantStation(self._board.control, Addressing(self._board.interface))
        return await station.try_connect(network)


async def _board(host: Host, key: bytes) -> Onboarded:
    joiner = Joiner(Station(host))
    door = EspTouchDoor(
        MonitorInterface(host.interface), joiner, mac=bytes.fromhex(host.mac.replace(":", "")),
        server="https://maker.example", key=key, channels=CHANNELS,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE), door:
        onboarded = await joiner.wait_connected()
        await asyncio.sleep(2)  # the door tells the phone meanwhile
    return onboarded


async def _eavesdrop(host: Host) -> str:
    """Listen without any key; return the password, or why there is none to be had."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE), MonitorInterface(host.interface) as radio:
        listener, channel = Listener(loop.time(), channels=CHANNELS), 0
        while True:
            if (wanted := listener.channel(loop.time())) != channel:
                channel = wanted
                await radio.tune(channel)
                listener.tuned(loop.time())
            frame = await radio.hear(0.05)
            if frame is None:
                continue
            try:
                heard = listener.hear(frame, loop.time())
            except RefusedError as refusal:
                return refusal.message
            if heard is not None:
                return heard.network.passphrase.decode()


def _announced(lab: Lab, plan: Plan, key: bytes) -> tuple[Sequence[Ack], Onboarded, str]:
    """Have the phone announce while board and eavesdropper listen."""
    acks: list[Sequence[Ack]] = []
    words: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: acks.append(
                lab.phone.inside(asyncio.run, announce(replace(plan, pace=PACE), PATIENCE))
            )
        ),
        threading.Thread(
            target=lambda: words.append(lab.sniffer.inside(asyncio.run, _eavesdrop(lab.sniffer)))
        ),
    ]
    for thread in threads:
        thread.start()
    onboarded = lab.device.inside(asyncio.run, _board(lab.device, key))
    for thread in threads:
        thread.join()
    return acks[0], onboarded, words[0]


def _home(lab: Lab) -> tuple[NetworkCredentials, bytes]:
    """Put phone and router on one network; return it, and the phone's address."""
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    lab.phone.join("home", PASSPHRASE)
    address = lab.phone.dhcp_client()["ip"]
    lab.phone.run("ip route replace default via 10.1.0.1")
    bssid = bytes.fromhex(lab.router.mac.replace(":", ""))
    return NetworkCredentials(b"home", PASSPHRASE.encode(), bssid), bytes(map(int, address.split(".")))


def proof_board_joins_what_a_phone_announces_and_so_could_anybody(lab: Lab) -> str:
    network, phone = _home(lab)
    acks, onboarded, words = _announced(lab, plan_v1(network, phone), b"")
    assert (onboarded.network.ssid, onboarded.network.passphrase) == (network.ssid, network.passphrase)
    assert [ack.mac.hex(":") for ack in acks] == [lab.device.mac]
    assert ".".join(map(str, acks[0].address)) == onboarded.joined.ip4_addr
    assert words == PASSPHRASE
    return f"{onboarded.joined.ip4_addr}; the eavesdropper read {words!r}"


def proof_board_joins_what_a_phone_announces_encrypted(lab: Lab) -> str:
    network, _ = _home(lab)
    acks, onboarded, words = _announced(lab, plan_v2(network, os.urandom, token=TOKEN, key=KEY), KEY)
    assert onboarded.network.passphrase == network.passphrase
    assert onboarded.order is not None
    assert onboarded.order.token == TOKEN
    assert [ack.mac.hex(":") for ack in acks] == [lab.device.mac]
    assert "no key" in words
    return f"{onboarded.joined.ip4_addr}; the eavesdropper read nothing"
