"""A phone sets a board up on the board's access point: page behind WPA2, PIN in the open, pinned HTTPS."""

import asyncio
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from doorstep.crypto.x509 import load_chain
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.pin.secret import make_pin
from doorstep.onboarding.protocomm.credentials import Sec2Credentials, generate
from doorstep.provisioner.https import WrongCertificate, open_link
from doorstep.provisioner.provisioner import Provisioner
from tests.radio.guest.board import Board, Platform
from tests.radio.guest.lab import PASSPHRASE, Host, Lab, until
from tests.radio.guest.micro_ap import HOME, TOKEN, by_supplicant, home, new_board, visit

SECONDS: Final = 18.0
BOARD: Final = "192.168.4.1"


def proof_phone_sets_up_over_the_wpa2_page_without_an_app(lab: Lab) -> str:
    platform, url = home(lab)
    board = _board(lab, platform, generate(os.urandom), "micro-ap")
    board.switch_on("--access-point", "wpa2", *by_supplicant(lab))
    visit(lab, board, board.key)
    lab.phone.inside(_walk, url)
    board.reached("operating")
    assert [notice["reason"] for notice in board.notices(notice="JoinFailed")] == []
    return "a probe, a wrong password, the right one, registered"


def proof_phone_proves_a_pin_over_the_open_air_and_nobody_hears_it(lab: Lab) -> str:
    platform, url = home(lab)
    pin = make_pin(os.urandom)
    board = _board(lab, platform, pin, "pin")
    board.switch_on("--access-point", "open", *by_supplicant(lab))
    lab.sniffer.monitor(2412)
    folder = Path(mkdtemp())
    (folder / "label").write_text(board.label.encode())
    (folder / "password").write_text(PASSPHRASE)
    with listening(lab.sniffer) as frames:
        visit(lab, board, "")
        assert "JavaScript" in lab.phone.inside(_ask, "/")[1]
        assert lab.phone.inside(_ask, "/join", {"password": PASSPHRASE[:5]})[0] == 403
        lab.phone.start(
            f"python3 -m doorstep provision --label {folder}/label --ssid home "
            f"--passphrase-file {folder}/password --token {TOKEN.decode()} --server {url} --json",
            "cli",
        )
        board.reached("operating")
    air = b"".join(frames)
    assert b"POST /prov-session" in air, "the sniffer heard the handshake"
    for secret in (pin.pop.encode(), PASSPHRASE.encode(), TOKEN):
        assert secret not in air
    assert '"step": "secured"' in lab.phone.said("cli")
    return f"{len(frames)} frames heard, neither PIN nor password nor token among them"


def proof_configurator_pins_the_boards_certificate(lab: Lab) -> str:
    platform, url = home(lab)
    board = _board(lab, platform, generate(os.urandom), "protocomm-sec2", "https-pinned")
    board.switch_on("--access-point", "open", *by_supplicant(lab))
    lease = visit(lab, board, "")
    assert bytes.fromhex(lease["opt114"]).decode() == f"https://{BOARD}/captive-portal/api"
    another = replace(board, label=replace(board.label, fingerprint="0" * 64))
    try:
        lab.phone.inside(asyncio.run, _set_up(another, url))
    except WrongCertificate:
        pass
    else:
        raise AssertionError("another certificate was taken")
    lab.phone.inside(asyncio.run, _set_up(board, url))
    board.reached("operating")
    return board.label.fingerprint[:16]


async def _set_up(board: Board, url: str) -> None:
    async with Provisioner(open_link(board.label), board.label) as app:
        await app.secure()
        await app.deliver(RegistrationOrder(TOKEN, url))
        # The board's radio leaves while it tries: silence is no failure.
        await app.join(HOME, patience=2)


def _board(lab: Lab, platform: Platform, code: Sec2Credentials, *methods: str) -> Board:
    """Make a device of a product with these methods, and its label."""
    board = new_board(lab, platform)
    setup = replace(board.made.setup, username=code.username, salt=code.salt, verifier=code.verifier)
    idevid = load_chain(board.made.certificate_chain.encode())[0]
    label = replace(board.label, username=code.username, pop=code.pop)
    if "https-pinned" in methods:
        label = replace(label, fingerprint=idevid.fingerprint)
    return replace(board, made=replace(board.made, onboarding=methods, setup=setup), label=label)


def _walk(url: str) -> None:
    """What a phone and its person do: a probe, the page, a wrong password, the right one."""
    assert _resolve("captive.apple.com") == BOARD
    status, _, where = _ask("/hotspot-detect.html", host="captive.apple.com")
    assert (status, where) == (302, f"http://{BOARD}/")
    until(lambda: f'value="{b"home".hex()}"' in _ask("/")[1], "list of networks")
    _submit("wrong password", url)
    until(lambda: "refused the password" in _retry("/status"), "sentence about the password", 60)
    _submit(PASSPHRASE, url)


def _submit(password: str, url: str) -> None:
    shown = _ask("/network?ssid=" + b"home".hex())[1]
    key = re.search('name="key" value="([^"]+)"', shown)
    assert key is not None
    form = {"key": key.group(1), "ssid": b"home".hex(), "password": password}
    status, _, where = _ask("/join", form | {"token": TOKEN.decode(), "server": url})
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
def listening(sniffer: Host) -> Iterator[list[bytes]]:
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
