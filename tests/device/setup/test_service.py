"""The set-up service with a real phone's side, up to what the app is told."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from doorstep.device.life import State
from doorstep.device.notices import SetupOpened
from doorstep.device.setup import service as setup
from doorstep.device.store import Store
from doorstep.errors import UnavailableError
from doorstep.identity.provisioning import Provisioning, SetupVerifier
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.lock import LockEvent
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.credentials import generate
from doorstep.onboarding.steps import Step
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.provisioner import Provisioner
from doorstep.runtime.authority import Authority
from doorstep.testing.wifi import SimulatedWifi
from tests.device.bench import HOME, Bench, Life, bench
from tests.device.test_agent import problem

NETWORK = NetworkCredentials(HOME.ssid, HOME.passphrase)
CODE = generate(os.urandom)
LABEL = SetupLabel("PROV_device", CODE.username, CODE.pop)


@pytest.fixture
def labelled(made: Provisioning) -> Provisioning:
    return replace(made, setup=SetupVerifier(LABEL.name, CODE.username, CODE.salt, CODE.verifier))


def play(
    authority: Authority, labelled: Provisioning, folder: Path, act: Callable[[Bench, Life], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with asyncio.timeout(30), bench(authority, folder) as platform:
            life = Life(labelled, folder / "d", platform.url, network=False, token=None)
            async with life:
                await life.reached(State.WAITING)
                await act(platform, life)

    asyncio.run(main())


async def address(life: Life) -> str:
    while life.agent.setup_port is None:  # noqa: ASYNC110 - it opens at once
        await asyncio.sleep(0.01)
    return f"http://127.0.0.1:{life.agent.setup_port}"


async def closed(life: Life) -> None:
    while life.agent.setup_port is not None:  # noqa: ASYNC110 - it closes soon
        await asyncio.sleep(0.05)


async def phone(life: Life, platform: Bench, *, network: NetworkCredentials | None = NETWORK) -> Step:
    """Deliver an order, join unless it is joined, and return the device's last word."""

    async def seen() -> bool:
        return life.agent.state is State.OPERATING

    async with Provisioner(HttpLink(await address(life)), LABEL, pause=0.05) as app:
        await app.secure()
        await app.deliver(RegistrationOrder(b"token", platform.url))
        step = Step.CONNECTED if network is None else await app.join(network)
        if step is Step.WRONG_PASSWORD:
            return step
        return (await app.confirm(step, seen, patience=10)).step


def test_set_up_brings_network_and_token_and_is_told_the_end(
    authority: Authority, labelled: Provisioning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "LINGER_S", 0.5)

    async def act(platform: Bench, life: Life) -> None:
        assert await phone(life, platform) is Step.REGISTERED
        await life.reached(State.OPERATING)
        assert life.store.network() == NETWORK
        await closed(life)

    play(authority, labelled, tmp_path, act)


def test_wrong_password_stores_nothing(authority: Authority, labelled: Provisioning, tmp_path: Path) -> None:
    async def act(platform: Bench, life: Life) -> None:
        wrong = NetworkCredentials(HOME.ssid, b"wrong horse")
        assert await phone(life, platform, network=wrong) is Step.WRONG_PASSWORD
        assert (life.store.network(), life.store.ticket()) == (None, None)
        assert life.agent.state is State.WAITING

    play(authority, labelled, tmp_path, act)


@pytest.mark.parametrize(
    ("answer", "told"), [(problem("token-expired", 410), Step.REFUSED), ("held", Step.HELD)]
)
def test_refused_or_held_set_up_takes_another_token(
    authority: Authority,
    labelled: Provisioning,
    tmp_path: Path,
    answer: str | tuple[int, bytes],
    told: Step,
) -> None:
    async def act(platform: Bench, life: Life) -> None:
        platform.say["register"] = answer
        assert await phone(life, platform) is told
        platform.say["register"] = "bound"
        assert await phone(life, platform, network=None) is Step.REGISTERED
        await life.reached(State.OPERATING)

    play(authority, labelled, tmp_path, act)


def test_set_up_without_a_token_waits_for_one(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    """Stock apps know nothing of tokens: the device joins, and stays open for ours."""

    async def act(platform: Bench, life: Life) -> None:
        async with Provisioner(HttpLink(await address(life)), LABEL, pause=0.05) as app:
            await app.secure()
            assert await app.join(NETWORK) is Step.CONNECTED
        await life.reached(State.WAITING, times=2)
        assert await phone(life, platform, network=None) is Step.REGISTERED

    play(authority, labelled, tmp_path, act)


def test_window_opens_beside_retries_and_takes_another_network(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    """After a move: the known network is away for good, and is tried for ever all the same."""

    async def main() -> None:
        async with asyncio.timeout(30), bench(authority, tmp_path) as platform:
            old = SimulatedWifi([replace(HOME, ssid=b"elsewhere")])
            life = Life(labelled, tmp_path / "d", platform.url, token=None, station=old)
            async with life:
                await life.until(SetupOpened)
                assert life.agent.state is State.JOINING
                moved = NetworkCredentials(b"elsewhere", HOME.passphrase)
                assert await phone(life, platform, network=moved) is Step.REGISTERED
                assert life.store.network() == moved

    asyncio.run(main())


def test_window_closes_by_itself_and_when_the_network_returns(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def main() -> None:
        async with asyncio.timeout(30), bench(authority, tmp_path) as platform:
            wifi = SimulatedWifi([])
            life = Life(labelled, tmp_path / "d", platform.url, station=wifi, window_s=0.3)
            async with life:
                await life.until(SetupOpened)
                await closed(life)
                assert life.agent.state is State.JOINING
                await life.agent.press_button()
                assert life.agent.setup_port is not None
                wifi.networks.append(HOME)
                await life.reached(State.ONLINE)
                assert life.agent.setup_port is None

    asyncio.run(main())


def test_button_opens_a_window_for_a_working_device(
    authority: Authority, labelled: Provisioning, tmp_path: Path
) -> None:
    async def main() -> None:
        async with asyncio.timeout(30), bench(authority, tmp_path) as platform:
            wifi = SimulatedWifi([HOME, replace(HOME, ssid=b"upstairs")])
            life = Life(labelled, tmp_path / "d", platform.url, station=wifi)
            async with life:
                await life.reached(State.OPERATING)
                for consent in (LockEvent.RELEASE, LockEvent.RESET):
                    life.store.move_lock(consent)
                life.agent._guesses.count(0.0)
                assert life.store.guesses() == 1
                await life.agent.press_button()
                assert life.store.guesses() == 0, "whoever holds the device is locked out by nobody"
                upstairs = NetworkCredentials(b"upstairs", HOME.passphrase)
                assert await phone(life, platform, network=upstairs) is Step.REGISTERED
                assert life.store.network() == upstairs

    asyncio.run(main())


class Jammed:
    """A door whose hardware is missing."""

    async def __aenter__(self) -> Self:
        raise UnavailableError("there is no adapter")

    async def __aexit__(self, *_: object) -> None:
        raise AssertionError("it never opened")


def test_door_that_cannot_open_leaves_the_others_open(made: Provisioning, tmp_path: Path) -> None:
    async def main() -> None:
        store, opened = Store.open(tmp_path / "d"), []

        class Fine:
            async def __aenter__(self) -> Self:
                opened.append("in")
                return self

            async def __aexit__(self, *_: object) -> None:
                opened.append("out")

        service = setup.SetupService(store, SimulatedWifi([]), (lambda _: Jammed(), lambda _: Fine()))
        await service.open()
        await service.open()
        assert service.is_open
        await service.close()
        assert opened == ["in", "out"]
        alone = setup.SetupService(store, SimulatedWifi([]), (lambda _: Jammed(),))
        with pytest.raises(UnavailableError):
            await alone.open()
        assert not alone.is_open
        store.close()

    asyncio.run(main())
