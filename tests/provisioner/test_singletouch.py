"""The whole way without a code: a touched agent, its attestation judged by the cores, and a blob."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.device.life import State
from doorstep.device.setup.presence import Press
from doorstep.errors import RefusedError
from doorstep.identity import statement
from doorstep.identity.provisioning import Provisioning
from doorstep.identity.statement import Purpose
from doorstep.onboarding.attestation.phone import Attestation
from doorstep.onboarding.attestation.verdict import Facts, Owner, Sale, judge
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.presence import NobodyPairing, PairingOverlap
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.steps import Step
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.singletouch import KnownDevice, NotForYou, SingleTouch, only_pairing
from doorstep.runtime.authority import Authority
from doorstep.server.device_api import nonces
from tests.device.bench import HOME, Bench, Life, bench
from tests.device.conftest import authority, made, make_device
from tests.device.setup.test_singletouch import Hand

__all__ = ["authority", "made", "make_device"]

NETWORK = NetworkCredentials(HOME.ssid, HOME.passphrase)


@dataclass
class Records:
    """The platform's side of the two requests, made of the cores that the server uses."""

    devices: list[Provisioning]
    owner: Owner = Owner.NOBODY
    key: bytes = field(default_factory=lambda: os.urandom(32))

    async def challenge(self) -> bytes:
        return nonces.make(self.key, "organisation/1", self.now_us, os.urandom)

    async def judge(self, attestation: Attestation) -> KnownDevice:
        name = statement.claimed_device(attestation.statement)
        made = next((one for one in self.devices if one.device_id == name), None)
        key = p256.generate(os.urandom).public_key if made is None else key_of(made)
        said = statement.verify(attestation.statement, key, purpose=Purpose.ATTEST)
        nonces.check(self.key, "organisation/1", said.nonce, self.now_us)
        if said.transcript != attestation.transcript:
            raise RefusedError("another conversation")
        verdict = judge(Facts(Sale.YOURS, False, self.owner, False, True, bool(said.presence), False))
        assert made is not None
        return KnownDevice(made.device_id, made.serial, verdict.may_set_up, verdict.sentence, key)

    @property
    def now_us(self) -> int:
        return int(time.time() * 1e6)


def key_of(made: Provisioning) -> PublicKey:
    return PrivateKey.from_pkcs8(made.private_key.encode()).public_key


def play(
    authority: Authority,
    devices: list[Provisioning],
    folder: Path,
    act: Callable[[Bench, list[Life], list[Hand]], Awaitable[None]],
) -> None:
    async def main() -> None:
        hands = [Hand() for _ in devices]
        async with asyncio.timeout(30), bench(authority, folder) as platform:
            lives = [
                Life(
                    one,
                    folder / one.device_id,
                    platform.url,
                    network=False,
                    token=None,
                    presence=hand.presence,
                )
                for one, hand in zip(devices, hands, strict=True)
            ]
            for life in lives:
                await life.__aenter__()
            try:
                for life in lives:
                    await life.reached(State.WAITING)
                    while life.agent.setup_port is None:  # noqa: ASYNC110 - it opens at once
                        await asyncio.sleep(0.01)
                await act(platform, lives, hands)
            finally:
                for life in lives:
                    await life.__aexit__()

    asyncio.run(main())


def link(life: Life) -> HttpLink:
    return HttpLink(f"http://127.0.0.1:{life.agent.setup_port}")


async def press(hand: Hand, phone: SingleTouch) -> None:
    hand.presses.put_nowait(Press.SHORT)
    while not await phone.is_pairing():  # noqa: ASYNC110 - the button has no echo
        await asyncio.sleep(0.01)


def test_touched_device_is_attested_and_set_up(
    authority: Authority, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, lives: list[Life], hands: list[Hand]) -> None:
        async with SingleTouch(link(lives[0]), pause=0.05) as phone:
            assert not await phone.is_pairing()
            await press(hands[0], phone)
            found = await phone.identify(Records([made]))
            assert found.device.serial == made.serial
            assert hands[0].seen == [found.pattern]
            order = RegistrationOrder(b"token", platform.url)
            wrong = SealedContent((NetworkCredentials(HOME.ssid, b"wrong horse"),), order)
            assert await phone.bring(found.device, wrong) is Step.WRONG_PASSWORD
            step = await phone.bring(found.device, SealedContent((NETWORK,), order))
            assert step in {Step.CONNECTED, Step.REGISTERING, Step.REGISTERED}
        await lives[0].reached(State.OPERATING)

    play(authority, [made], tmp_path, act)


def test_second_device_in_the_window_stops_the_set_up(
    authority: Authority, make_device: Callable[[], Provisioning], tmp_path: Path
) -> None:
    async def act(platform: Bench, lives: list[Life], hands: list[Hand]) -> None:
        links = [(life.agent.device, link(life)) for life in lives]
        phones = [SingleTouch(one) for _, one in links]
        with pytest.raises(NobodyPairing):
            await only_pairing(links)
        await press(hands[0], phones[0])
        assert await only_pairing(links) == lives[0].agent.device
        await press(hands[1], phones[1])
        with pytest.raises(PairingOverlap):
            await only_pairing(links)
        for one in phones:
            await one.__aexit__(None, None, None)

    play(authority, [make_device(), make_device()], tmp_path, act)


def test_device_of_somebody_else_gets_nothing(
    authority: Authority, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, lives: list[Life], hands: list[Hand]) -> None:
        async with SingleTouch(link(lives[0])) as phone:
            with pytest.raises(NotForYou, match="belongs to somebody else"):
                await phone.identify(Records([made], owner=Owner.ANOTHER))
            stranger = KnownDevice("aaaaaaaa", "SN", may_set_up=False, sentence="No.")
            with pytest.raises(NotForYou):
                await phone.bring(stranger, SealedContent((NETWORK,)))

    play(authority, [made], tmp_path, act)


def test_relay_to_another_genuine_device_shows_another_pattern_on_the_touched_one(
    authority: Authority, make_device: Callable[[], Provisioning], tmp_path: Path
) -> None:
    """The residual risk: the platform sees a genuine device; only the person sees that it is not theirs."""
    here, there = make_device(), make_device()

    async def act(platform: Bench, lives: list[Life], hands: list[Hand]) -> None:
        async with SingleTouch(link(lives[0])) as phone, SingleTouch(link(lives[1])) as relayed:
            await press(hands[0], phone)
            await press(hands[1], relayed)
            found = await relayed.identify(Records([here, there]))
            assert found.device.serial == there.serial
            assert (hands[0].seen, hands[1].seen) == ([], [found.pattern])

    play(authority, [here, there], tmp_path, act)


def test_silent_device_is_being_checked_and_not_failed(
    authority: Authority, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, lives: list[Life], hands: list[Hand]) -> None:
        async with SingleTouch(link(lives[0]), pause=0.01) as phone:
            await press(hands[0], phone)
            device = KnownDevice(made.device_id, made.serial, True, "Yes.", key_of(made))
            known = replace(device, sentence="Yours.")
            assert await phone.bring(known, SealedContent((NETWORK,)), patience=0) is Step.CHECKING

    play(authority, [made], tmp_path, act)
