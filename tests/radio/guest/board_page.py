"""A phone sets a board up on the board's access point: page behind WPA2, PIN in the open, pinned HTTPS."""

import asyncio
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from doorstep.crypto import p256
from doorstep.device.setup.captive import CaptiveServer
from doorstep.device.setup.dns import CaptiveDns
from doorstep.device.setup.door import Door
from doorstep.device.setup.https import HttpsServer, shown_fingerprint, tls_context
from doorstep.device.setup.joiner import Joiner
from doorstep.identity.certificates import issue_setup_server, new_certificate_serial
from doorstep.onboarding.access_point import access_point_key
from doorstep.onboarding.captive.exchange import Air, PageFacts
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import Joined, JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.onboarding.pin.secret import make_pin
from doorstep.onboarding.protocomm.credentials import generate
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.provisioner.https import WrongCertificate, open_link
from doorstep.provisioner.provisioner import Provisioner
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry, ScanStart
from tests.radio.guest.lab import PASSPHRASE, Host, Lab, until, wpa2

SECONDS: Final = 35.0

BOARD: Final = "192.168.4.1"
NAME: Final = "PROV_lab"


class HoppingStation:
    """One radio: it leaves the access point to join, and comes back to it where that failed."""

    def __init__(self, host: Host) -> None:
        """Listen now, while the access point is not open yet."""
        self._host = host
        host.run(f"ip link set {host.interface} up")
        printed = until(lambda: _scan(host), "network in reach")
        self._heard = [ScanEntry(name.encode(), 6, -50, b"", AuthMode.WPA2) for name in printed]

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Return what was heard."""
        del request
        return self._heard

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Hop."""
        return await asyncio.to_thread(self._hop, network)

    def _hop(self, network: NetworkCredentials) -> JoinOutcome:
        host = self._host
        time.sleep(0.5)  # the phone has its answer before the air is gone
        host.hostapd_cli("disable")
        host.run(f"ip link set {host.interface} down; iw dev {host.interface} set type managed")
        key = f'psk="{network.passphrase.decode()}"'
        host.supplicant(f"network={{\nssid={network.ssid.hex()}\nscan_ssid=1\n{key}\n}}\n")
        until(lambda: _is_decided(host), "end of the attempt", 30)
        if host.status().get("wpa_state") != "COMPLETED":
            host.wpa_cli("terminate")
            until(lambda: not host.control.exists(), "end of the attempt")
            host.hostapd_cli("enable")
            host.address(f"{BOARD}/24")
            return JoinFailure.WRONG_PASSWORD
        return Joined(host.dhcp_client()["ip"])


def proof_phone_sets_up_over_the_wpa2_page(lab: Lab) -> str:
    code = generate(os.urandom)
    profile, key = DeviceProfile("lab", code.for_device()), access_point_key(code.verifier)
    facts = PageFacts(NAME, Air.KEY)
    with _street(lab) as station:
        lab.device.serve(NAME, wpa2(key))
        lab.device.dhcp_server(f"{BOARD}/24")
        doors: list[Callable[[Joiner], Door]] = [
            lambda joiner: CaptiveServer(profile, joiner, facts, host=BOARD),
            lambda _joiner: CaptiveDns(IPv4Address(BOARD)),
        ]
        with _board(lab, station, doors) as came:
            lab.phone.join(NAME, key)
            lab.phone.dhcp_client()
            assert lab.phone.inside(_resolve, "captive.apple.com") == BOARD
            lab.phone.inside(_walk, lab)
            until(lambda: came, "network that worked")
            until(lambda: lab.device.mac in lab.router.hostapd_cli("all_sta"), "board on the home network")
    return f"{came[0].network.ssid.decode()}, {came[0].joined.ip4_addr}"


def proof_phone_proves_a_pin_over_the_open_air_and_nobody_hears_it(lab: Lab) -> str:
    pin = make_pin(os.urandom)
    profile = DeviceProfile("lab", pin.for_device())
    facts = PageFacts(NAME, Air.CODE, username=pin.username)
    with _street(lab) as station:
        lab.device.serve(NAME)
        lab.device.dhcp_server(f"{BOARD}/24")
        lab.sniffer.monitor()
        make: list[Callable[[Joiner], Door]] = [
            lambda joiner: CaptiveServer(profile, joiner, facts, host=BOARD)
        ]
        with _board(lab, station, make) as came, _listening(lab.sniffer) as frames:
            lab.phone.join(NAME)
            lab.phone.dhcp_client()
            folder = Path(mkdtemp())
            (folder / "label").write_text(SetupLabel(NAME, pin.username, pin.pop).encode())
            (folder / "password").write_text(PASSPHRASE)
            lab.phone.start(
                f"python3 -m doorstep provision --label {folder}/label --ssid home "
                f"--passphrase-file {folder}/password --json",
                "cli",
            )
            until(lambda: came, "network that worked", 60)
        air = b"".join(frames)
        assert b"POST /prov-session" in air, "the sniffer heard the handshake"
        assert pin.pop.encode() not in air
        assert PASSPHRASE.encode() not in air
        assert '"step": "secured"' in lab.phone.said("cli")
    return f"{len(frames)} frames heard, neither PIN nor password among them"


def proof_configurator_pins_the_boards_certificate(lab: Lab) -> str:
    code = generate(os.urandom)
    profile = DeviceProfile("lab", code.for_device())
    key = p256.generate(os.urandom)
    certificate = issue_setup_server(key, "abcdefgh", serial=new_certificate_serial(os.urandom))
    file = Path(mkdtemp()) / "https.pem"
    file.write_bytes(key.to_pem() + certificate.pem)
    label = SetupLabel(NAME, code.username, code.pop, fingerprint=shown_fingerprint(file))
    facts, tls = PageFacts(NAME, Air.TLS), tls_context(file)
    with _street(lab) as station:
        lab.device.serve(NAME)
        lab.device.dhcp_server(f"{BOARD}/24")
        make: list[Callable[[Joiner], Door]] = [
            lambda joiner: HttpsServer(profile, joiner, facts, tls, host=BOARD)
        ]
        with _board(lab, station, make) as came:
            lab.phone.join(NAME)
            lab.phone.dhcp_client()
            other = SetupLabel(NAME, code.username, code.pop, fingerprint="0" * 64)
            try:
                lab.phone.inside(asyncio.run, _set_up(other))
            except WrongCertificate:
                pass
            else:
                raise AssertionError("another certificate was taken")
            assert not came
            lab.phone.inside(asyncio.run, _set_up(label))
            until(lambda: came, "network that worked", 60)
    return label.fingerprint[:16]


async def _set_up(label: SetupLabel) -> None:
    async with Provisioner(open_link(label), label) as app:
        await app.secure()
        # The board's radio leaves while it tries: silence is no failure.
        await app.join(NetworkCredentials(b"home", PASSPHRASE.encode()), patience=2)


def _is_decided(host: Host) -> bool:
    return host.status().get("wpa_state") == "COMPLETED" or "WRONG_KEY" in host.said("wpa_supplicant")


@contextmanager
def _street(lab: Lab) -> Iterator[HoppingStation]:
    lab.router.serve("home", wpa2())
    lab.router.dhcp_server()
    yield HoppingStation(lab.device)


@contextmanager
def _board(
    lab: Lab, station: HoppingStation, makers: Sequence[Callable[[Joiner], Door]]
) -> Iterator[list[Onboarded]]:
    """Run the board's doors in its namespace; yields the networks that worked."""
    came: list[Onboarded] = []
    open_, stop = threading.Event(), threading.Event()

    async def live() -> None:
        joiner = Joiner(station)
        doors = [make(joiner) for make in makers]
        for door in doors:
            await door.__aenter__()
        open_.set()
        waiting = asyncio.create_task(joiner.wait_connected())
        while not stop.is_set():
            if waiting.done() and not came:
                came.append(waiting.result())
            await asyncio.sleep(0.1)
        waiting.cancel()
        for door in doors:
            await door.__aexit__(None, None, None)
        await joiner.close()

    thread = threading.Thread(target=lambda: lab.device.inside(asyncio.run, live()))
    thread.start()
    assert open_.wait(20), "the board's doors stayed closed"
    try:
        yield came
    finally:
        stop.set()
        thread.join(20)


def _walk(lab: Lab) -> None:
    """What a phone and its person do: a probe, the page, a wrong password, the right one."""
    status, _, where = _ask("/hotspot-detect.html", host="captive.apple.com")
    assert (status, where) == (302, f"http://{BOARD}/")
    until(lambda: "home" in _ask("/")[1], "list of networks")
    _submit("wrong password")
    until(lambda: "refused the password" in _retry("/status"), "sentence about the password", 60)
    _submit(PASSPHRASE)


def _submit(password: str) -> None:
    shown = _ask("/network?ssid=" + b"home".hex())[1]
    key = re.search('name="key" value="([^"]+)"', shown)
    assert key is not None
    form = {"key": key.group(1), "ssid": b"home".hex(), "password": password}
    status, _, where = _ask("/join", form)
    assert (status, where) == (303, "/status")


def _retry(path: str) -> str:
    try:
        return _ask(path)[1]
    except OSError:
        return ""  # the board's radio is on its way to the other network


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_more: object) -> None:
        return None


def _ask(path: str, form: dict[str, str] | None = None, host: str = BOARD) -> tuple[int, str, str]:
    body = None if form is None else urlencode(form).encode()
    request = Request(f"http://{BOARD}{path}", body, {"Host": host, "Accept-Language": "en"})
    try:
        with build_opener(_NoRedirect).open(request, timeout=5) as answer:
            return answer.status, answer.read().decode(), ""
    except HTTPError as other:
        return other.code, other.read().decode(), other.headers.get("Location", "")


def _resolve(name: str) -> str:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"\x12\x34\x01\0\0\x01" + bytes(6) + labels + b"\0\0\x01\0\x01", (BOARD, 53))
        return socket.inet_ntoa(client.recv(512)[-4:])


@contextmanager
def _listening(sniffer: Host) -> Iterator[list[bytes]]:
    """Collect all frames of the air."""
    frames: list[bytes] = []
    stop = threading.Event()

    def listen() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as air:
            air.bind((sniffer.interface, 0))
            air.settimeout(0.2)
            while not stop.is_set():
                try:
                    frames.append(air.recv(65536))
                except TimeoutError:
                    continue

    thread = threading.Thread(target=lambda: sniffer.inside(listen))
    thread.start()
    try:
        yield frames
    finally:
        stop.set()
        thread.join(10)


def _scan(host: Host) -> list[str]:
    printed = host.run(f"iw dev {host.interface} scan", check=False)
    return [name for name in re.findall(r"SSID: (.+)", printed) if name.isprintable()]
