"""A phone without the label: one touch, an attestation, and the network sealed to the board's own key."""

import asyncio
import os
import signal
from dataclasses import replace
from typing import Final

from doorstep.crypto.p256 import PrivateKey
from doorstep.errors import DoorstepError
from doorstep.identity import statement
from doorstep.identity.ids import new_device_id
from doorstep.identity.statement import Purpose
from doorstep.onboarding.attestation.phone import Attestation
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.singletouch import KnownDevice, SingleTouch
from tests.radio.guest.board import BOARD, Board
from tests.radio.guest.board_page import listening
from tests.radio.guest.lab import PASSPHRASE, Lab
from tests.radio.guest.micro_ap import HOME, TOKEN, by_supplicant, home, new_board, visit

SECONDS: Final = 20.0


class Account:
    """The customer's account at the maker's platform: it knows the key of each device that was made."""

    def __init__(self, board: Board) -> None:
        self._made = board.made
        self._challenge = os.urandom(32)

    async def challenge(self) -> bytes:
        return self._challenge

    async def judge(self, attestation: Attestation) -> KnownDevice:
        key = PrivateKey.from_pkcs8(self._made.private_key.encode()).public_key
        said = statement.verify(attestation.statement, key, purpose=Purpose.ATTEST)
        assert (said.nonce, said.presence) == (self._challenge, True)
        return KnownDevice(said.device, self._made.serial, may_set_up=True, sentence="", key=key)


def proof_phone_without_the_label_sets_up_the_board_that_was_touched(lab: Lab) -> str:
    platform, url = home(lab)
    board = new_board(lab, platform)
    running = board.switch_on("--access-point", "open", *by_supplicant(lab))
    visit(lab, board, "")
    lab.sniffer.monitor(2412)
    with listening(lab.sniffer) as frames:
        assert running.pid is not None
        os.kill(running.pid, signal.SIGUSR1)
        pattern = lab.phone.inside(asyncio.run, _set_up(board, url))
        board.reached("operating")
    air = b"".join(frames)
    assert b"POST /doorstep-sealed" in air, "the sniffer heard the blob"
    for secret in (PASSPHRASE.encode(), TOKEN):
        assert secret not in air
    return f"pattern {pattern}; {len(frames)} frames heard, neither password nor token among them"


async def _set_up(board: Board, url: str) -> str:
    content = SealedContent((HOME,), RegistrationOrder(TOKEN, url))
    async with SingleTouch(HttpLink(BOARD)) as touch, asyncio.timeout(60):
        while not await touch.is_pairing():  # noqa: ASYNC110 - the press is on its way
            await asyncio.sleep(0.2)
        found = await touch.identify(Account(board))
        try:
            await touch.bring(replace(found.device, device_id=new_device_id(os.urandom)), content, patience=2)
        except DoorstepError:
            pass
        else:
            raise AssertionError("a blob for another serial was taken")
        # The board's radio leaves while it tries: silence is no failure.
        await touch.bring(found.device, content, patience=2)
        return str(found.pattern)
