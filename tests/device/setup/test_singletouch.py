"""One touch and no code, against a real agent: what a genuine set-up does, and what each attacker gets."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import pytest

from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.device.life import State
from doorstep.device.setup import service as setup
from doorstep.device.setup.presence import Presence, Press
from doorstep.device.store import Store
from doorstep.identity import statement
from doorstep.identity.provisioning import Provisioning
from doorstep.identity.release import LIFETIME, Release
from doorstep.identity.statement import Purpose
from doorstep.onboarding.attestation.phone import Attestation, attest
from doorstep.onboarding.attestation.transcript import NO_SESSION, Pattern
from doorstep.onboarding.lock import LockState
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.capabilities import parse_capabilities
from doorstep.onboarding.protocomm.configurator import Configurator, Conversation
from doorstep.onboarding.sealed.blob import SealedBlob, seal
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.runtime.authority import Authority
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from tests.device.bench import HOME, Bench, Life, bench
from tests.device.setup.test_service import LABEL, NETWORK, labelled

__all__ = ["labelled"]

T = TypeVar("T")
CHALLENGE = bytes(range(32))


class Hand:
    """A button with a test's finger on it, and a light that a test looks at."""

    def __init__(self) -> None:
        self.presses: asyncio.Queue[Press] = asyncio.Queue()
        self.seen: list[Pattern] = []

    async def pressed(self) -> Press:
        return await self.presses.get()

    async def show(self, pattern: Pattern) -> None:
        self.seen.append(pattern)

    @property
    def presence(self) -> Presence:
        return Presence(self, self.show)


class Phone:
    """A client of the device's own endpoints, with one connection."""

    def __init__(self, life: Life) -> None:
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{life.agent.setup_port}", trust_env=False, timeout=10
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def post(self, endpoint: str, body: bytes = b"") -> tuple[int, bytes]:
        answer = await self.client.post(f"/{endpoint}", content=body)
        return answer.status_code, answer.content

    async def status(self, body: bytes = b"?", endpoint: str = "doorstep-sealed") -> Any:
        code, content = await self.post(endpoint, body)
        assert code == 200, content
        return json.loads(content)

    async def stage(self, *wanted: str) -> str:
        async with asyncio.timeout(10):
            while (stage := str((await self.status())["stage"])) not in wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            return stage

    async def hold(self, conversation: Conversation[T]) -> T:
        try:
            request = next(conversation)
            while True:
                code, body = await self.post(request.endpoint, request.body)
                assert code == 200, body
                request = conversation.send(body)
        except StopIteration as done:
            value: T = done.value
            return value

    async def secured(self) -> Configurator:
        core = Configurator(LABEL, os.urandom)
        await self.hold(core.find())
        await self.hold(core.secure())
        return core

    async def attest(self, session: bytes = NO_SESSION) -> Attestation:
        return await self.hold(attest(CHALLENGE, os.urandom, session))


def play(
    authority: Authority,
    made: Provisioning,
    folder: Path,
    act: Callable[[Bench, Life, Hand], Awaitable[None]],
    **options: Any,
) -> None:
    async def main() -> None:
        async with asyncio.timeout(30), bench(authority, folder) as platform:
            hand = Hand()
            life = Life(
                made, folder / "d", platform.url, network=False, token=None, presence=hand.presence, **options
            )
            async with life:
                await life.reached(State.WAITING)
                await opened(life)
                await act(platform, life, hand)

    asyncio.run(main())


async def opened(life: Life) -> None:
    while life.agent.setup_port is None:  # noqa: ASYNC110 - it opens at once
        await asyncio.sleep(0.01)


async def press(hand: Hand, phone: Phone) -> None:
    hand.presses.put_nowait(Press.SHORT)
    while not (await phone.status())["pairing"]:  # noqa: ASYNC110 - the button has no echo
        await asyncio.sleep(0.01)


def key_of(made: Provisioning) -> PublicKey:
    return PrivateKey.from_pkcs8(made.private_key.encode()).public_key


def sealed(
    made: Provisioning, url: str, *networks: NetworkCredentials, expires_s: float = 600, release: bytes = b""
) -> SealedBlob:
    content = SealedContent(networks or (NETWORK,), RegistrationOrder(b"token", url), release)
    return seal(made.device_id, key_of(made), content, expires=int(time.time() + expires_s), rng=os.urandom)


def test_one_touch_sets_a_device_up_without_a_code(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            await press(hand, phone)
            told = await phone.status(sealed(labelled, platform.url).to_text().encode(), "sealed")
            assert told["device"] == labelled.device_id
            assert told["stage"] in {"trying", "connected", "registering"}
            assert await phone.stage("registered") == "registered"
            assert not (await phone.status())["pairing"]
        await life.reached(State.OPERATING)
        assert life.store.network() == NETWORK

    play(authority, labelled, tmp_path, act)


def test_device_tries_networks_in_order_and_takes_another_blob_after_a_wrong_password(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    wrong = NetworkCredentials(HOME.ssid, b"wrong horse")

    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            await press(hand, phone)
            await phone.status(sealed(labelled, platform.url, wrong).encode())
            assert await phone.stage("wrong-password") == "wrong-password"
            assert (life.store.network(), life.store.ticket()) == (None, None)
            absent = NetworkCredentials(b"not here")
            await phone.status(sealed(labelled, platform.url, absent, NETWORK).encode())
            await phone.stage("registered")

    play(authority, labelled, tmp_path, act)


REFUSED = 403, b'{"type": "/problems/token-refused", "title": "no", "detail": "this token has expired"}'


@pytest.mark.parametrize("network", [NETWORK, NetworkCredentials(b"guests")], ids=["same", "another"])
def test_refused_device_takes_a_new_token_and_another_network(
    authority: Authority, labelled: Provisioning, tmp_path: Path, network: NetworkCredentials
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            await press(hand, phone)
            platform.say["register"] = REFUSED
            await phone.status(sealed(labelled, platform.url).encode())
            await phone.stage("refused")
            platform.say["register"] = "bound"
            await press(hand, phone)
            await phone.status(sealed(labelled, platform.url, network).encode())
            await phone.stage("registered")
        await life.reached(State.OPERATING)
        assert life.store.network() == network
        assert wifi.joined is not None
        assert wifi.joined.ssid == network.ssid

    wifi = SimulatedWifi([HOME, SimulatedNetwork(b"guests")])
    play(authority, labelled, tmp_path, act, station=wifi)


def test_device_refuses_a_blob_while_nobody_has_pressed_its_button(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            code, words = await phone.post("doorstep-sealed", sealed(labelled, platform.url).encode())
            assert (code, b"button" in words) == (403, True)
            assert (await phone.status())["stage"] == "waiting"
            found = parse_capabilities((await phone.post("proto-ver", b"---"))[1]).apps["doorstep"].caps
            assert ("sealed" in found, "pairing" in found) == (True, False)
            await press(hand, phone)
            found = parse_capabilities((await phone.post("proto-ver", b"---"))[1]).apps["doorstep"].caps
            assert "pairing" in found

    play(authority, labelled, tmp_path, act)


def test_device_refuses_replayed_expired_foreign_and_forged_blobs(
    authority: Authority, labelled: Provisioning, make_device: Callable[[], Provisioning], tmp_path: Path
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        wrong = NetworkCredentials(HOME.ssid, b"wrong horse")
        used = sealed(labelled, platform.url, wrong).encode()
        fresh = sealed(labelled, platform.url).encode()
        async with Phone(life) as phone:
            await press(hand, phone)
            await phone.status(used)
            await phone.stage("wrong-password")
            answers = {
                "replayed": await phone.post("doorstep-sealed", used),
                "expired": await phone.post(
                    "doorstep-sealed", sealed(labelled, platform.url, expires_s=-1).encode()
                ),
                "foreign": await phone.post("doorstep-sealed", sealed(make_device(), platform.url).encode()),
                "forged": await phone.post("doorstep-sealed", fresh[:-1] + bytes((fresh[-1] ^ 1,))),
                "nonsense": await phone.post("doorstep-sealed", b"hello"),
            }
            assert {name: code for name, (code, _) in answers.items()} == {
                "replayed": 409,
                "expired": 409,
                "foreign": 403,
                "forged": 403,
                "nonsense": 400,
            }
            await phone.status(fresh)
            await phone.stage("registered")

    play(authority, labelled, tmp_path, act)


def test_device_remembers_blobs_over_a_power_cut(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    blob = sealed(labelled, "https://maker.example", NetworkCredentials(HOME.ssid, b"wrong horse")).encode()

    async def first(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            await press(hand, phone)
            await phone.status(blob)

    async def second(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            await press(hand, phone)
            assert (await phone.post("doorstep-sealed", blob))[0] == 409

    play(authority, labelled, tmp_path, first)
    play(authority, labelled, tmp_path, second)


def test_attestation_names_the_device_and_its_pattern_is_the_phones(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            quiet = await phone.attest()
            await press(hand, phone)
            seen = await phone.attest()
        for made, presence in ((quiet, False), (seen, True)):
            said = statement.verify(made.statement, key_of(labelled), purpose=Purpose.ATTEST)
            assert (said.device, said.nonce) == (labelled.device_id, CHALLENGE)
            assert (said.transcript, said.presence) == (made.transcript, presence)
        assert hand.seen == [seen.pattern]

    play(authority, labelled, tmp_path, act)


def test_somebody_between_who_knows_the_code_has_another_transcript(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone, Phone(life) as between:
            core = await phone.secured()
            good = await phone.attest(core.transcript)
            passing = await between.attest(core.transcript)
        said = statement.verify(good.statement, key_of(labelled), purpose=Purpose.ATTEST)
        assert said.transcript == good.transcript
        said = statement.verify(passing.statement, key_of(labelled), purpose=Purpose.ATTEST)
        assert said.transcript != passing.transcript

    play(authority, labelled, tmp_path, act)


def test_fourth_attestation_in_one_window_is_refused(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            await press(hand, phone)
            for _ in range(3):
                await phone.attest()
            assert (await phone.post("doorstep-attest", b"\x01" + bytes(32)))[0] == 403
            await press(hand, phone)
            async with asyncio.timeout(5):
                while (await phone.post("doorstep-attest", b"\x01" + bytes(32)))[0] != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    play(authority, labelled, tmp_path, act)


def test_status_and_attestation_disturb_no_session(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone, Phone(life) as passer_by:
            core = await phone.secured()
            await passer_by.status()
            await passer_by.attest()
            assert (await passer_by.post("doorstep-sealed", b"nonsense"))[0] == 403
            assert await phone.hold(core.networks())

    play(authority, labelled, tmp_path, act)


def test_code_and_blob_are_dead_after_the_claim_until_reset_and_release(
    authority: Authority, labelled: Provisioning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "LINGER_S", 0.5)

    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            await press(hand, phone)
            await phone.status(sealed(labelled, platform.url).encode())
        await life.reached(State.OPERATING)
        stale = signed(authority, labelled, life.store.lock().claimed_at - 10)
        hand.presses.put_nowait(Press.LONG)
        await life.reached(State.WAITING, times=2)
        await opened(life)
        assert life.store.network() is None
        async with Phone(life) as phone:
            assert (await phone.status())["locked"]
            await refused(phone, platform, hand)
            for words in (stale, signed(authority, labelled, other="aaaaaaaa")):
                assert (await phone.post("doorstep-release", words))[0] in {403, 409}
            await refused(phone, platform, hand)
            told = await phone.status(signed(authority, labelled), "doorstep-release")
            assert not told["locked"]
            await phone.status(sealed(labelled, platform.url).encode())
            await phone.stage("registered")
        await life.reached(State.OPERATING, times=2)
        assert life.store.lock().state is LockState.CLAIMED

    async def refused(phone: Phone, platform: Bench, hand: Hand) -> None:
        await press(hand, phone)
        code, words = await phone.post("doorstep-sealed", sealed(labelled, platform.url).encode())
        assert (code, b"Allow set-up again" in words) == (403, True)
        handshake = Configurator(LABEL, os.urandom)
        await phone.hold(handshake.find())
        code, words = await phone.post("prov-session", next(handshake.secure()).body)
        assert (code, b"Allow set-up again" in words) == (403, True)

    play(authority, labelled, tmp_path, act)


def test_a_blob_brings_the_release_along(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            await press(hand, phone)
            blob = sealed(labelled, platform.url, release=signed(authority, labelled))
            await phone.status(blob.encode())
            await phone.stage("registered")

    folder = tmp_path / "d"
    before = Store.open(folder)
    before.claim(int(time.time()) - 100)
    before.reset()
    before.close()
    play(authority, labelled, tmp_path, act)


def test_stick_brings_a_release_too(authority: Authority, labelled: Provisioning, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    before = Store.open(tmp_path / "d")
    before.claim(int(time.time()) - 100)
    before.reset()
    before.close()

    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        async with Phone(life) as phone:
            assert (await phone.status())["locked"]
            (stick / "x.release").write_bytes(signed(authority, labelled))
            async with asyncio.timeout(5):
                while (await phone.status())["locked"]:  # noqa: ASYNC110 - a stick has no echo
                    await asyncio.sleep(0.05)

    play(authority, labelled, tmp_path, act, inbox=stick)


def test_stick_sets_a_device_up_without_a_radio_or_a_button(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"

    async def act(platform: Bench, life: Life, hand: Hand) -> None:
        stick.mkdir()
        (stick / "a.sealed").write_text("nonsense")
        (stick / "b.sealed").write_text(sealed(labelled, platform.url).to_text() + "\n")
        await life.reached(State.OPERATING)

    play(authority, labelled, tmp_path, act, inbox=stick)


def signed(
    authority: Authority, made: Provisioning, issued: int | None = None, *, other: str | None = None
) -> bytes:
    at = int(time.time()) if issued is None else issued
    return Release(other or made.device_id, at, at + LIFETIME).sign(authority.operations)
