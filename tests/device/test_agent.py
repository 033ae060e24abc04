"""The agent's steps against a platform that a test plays by ear."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from doorstep.device.agent import Agent
from doorstep.device.life import State
from doorstep.device.notices import AskedToShowItself, CameDown, ClockCorrected, DownlinkRefused, ReadingsSent
from doorstep.device.store import MAX_SKIPPED_EPOCHS, Store
from doorstep.errors import MisuseError
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging.channels import Call
from doorstep.messaging.command import Command
from doorstep.messaging.envelope import parse
from doorstep.messaging.sealer import seal_downlink
from doorstep.messaging.state import SealedState
from doorstep.runtime.authority import Authority
from doorstep.testing.device import simulated_sensor
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from tests.device.bench import HOME, Bench, Life, bench


def problem(kind: str, status: int = 403) -> tuple[int, bytes]:
    return status, json.dumps({"type": f"urn:doorstep:problem/{kind}", "detail": kind}).encode()


@pytest.fixture
def play(authority: Authority, tmp_path: Path) -> Callable[[Callable[[Bench], Awaitable[None]]], None]:
    def run(act: Callable[[Bench], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(30), bench(authority, tmp_path) as platform:
                await act(platform)

        asyncio.run(main())

    return run


Play = Callable[[Callable[[Bench], Awaitable[None]]], None]


def test_agent_goes_from_network_to_readings_and_stops_cleanly(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.until(ReadingsSent)
        assert life.path == [
            State.JOINING,
            State.ONLINE,
            State.REGISTERING,
            State.CONNECTING,
            State.OPERATING,
            State.STOPPED,
        ]
        assert [parse(message).epoch for message in platform.published[:1]] == [0]

    play(act)


def test_agent_reconnects_and_sends_on(play: Play, made: Provisioning, tmp_path: Path) -> None:
    async def act(platform: Bench) -> None:
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.until(ReadingsSent)
            platform.hang_up()
            await life.reached(State.OPERATING, times=2)
            before = len(platform.published)
            while len(platform.published) < before + 2:  # noqa: ASYNC110 - the bench tells nobody
                await asyncio.sleep(0.01)

    play(act)


def test_refused_session_asks_and_a_new_certificate_mends_it(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        platform.connack = 5
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(State.ASKING)
            platform.connack = 0
            await life.reached(State.OPERATING)
        assert platform.asked == ["register", "renew"]

    play(act)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("device-blocked", State.BLOCKED),
        ("device-not-owned", State.WAITING),
        ("other-copy-answered", State.BLOCKED),
    ],
)
def test_refused_session_of_a_lost_device_ends_where_the_platform_says(
    play: Play, made: Provisioning, tmp_path: Path, kind: str, state: State
) -> None:
    async def act(platform: Bench) -> None:
        platform.connack = 5
        platform.say["renew"] = problem(kind)
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(state)
            assert life.agent.state is state
            assert (life.store.operational() is None) is (state is State.WAITING)
        if kind == "other-copy-answered":  # asked with a fresh key, then with the one in use
            assert platform.asked == ["register", "renew", "renew"]

    play(act)


@pytest.mark.parametrize(
    ("answer", "state", "keeps_token"),
    [
        (problem("token-expired", 410), State.WAITING, False),
        (problem("device-blocked"), State.BLOCKED, False),
        ("held", State.HELD, True),
        ("disputed", State.HELD, True),
    ],
)
def test_registration_that_does_not_bind(  # noqa: PLR0913, PLR0917 - fixtures and a table's row
    play: Play,
    made: Provisioning,
    tmp_path: Path,
    answer: str | tuple[int, bytes],
    state: State,
    keeps_token: bool,  # noqa: FBT001 - a table's column
) -> None:
    async def act(platform: Bench) -> None:
        platform.say["register"] = answer
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(state)
            assert (life.store.ticket() is not None) is keeps_token
            assert platform.published == []

    play(act)


def test_held_device_learns_after_a_restart_that_it_was_bound(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        platform.say = {"register": "held", "renew": problem("device-not-owned")}
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(State.HELD)
        async with Life(made, tmp_path / "d", platform.url, token=None) as life:
            await life.reached(State.HELD)
        platform.say["renew"] = "bound"
        async with Life(made, tmp_path / "d", platform.url, token=None) as life:
            await life.reached(State.OPERATING)
            assert life.store.ticket() is None
        assert platform.asked == ["register", "renew", "renew"]

    play(act)


@pytest.mark.parametrize("status", ["held", "disputed"])
def test_new_claim_does_not_stop_a_device_that_has_an_owner(
    play: Play, made: Provisioning, tmp_path: Path, status: str
) -> None:
    async def act(platform: Bench) -> None:
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(State.OPERATING)
        platform.say["register"] = status
        async with Life(made, tmp_path / "d", platform.url, token="photographed") as life:
            await life.reached(State.OPERATING)
            assert life.store.ticket() is None

    play(act)


def test_silent_platform_is_asked_again_and_then_the_network_joined_anew(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        platform.say["register"] = 503, b""
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(State.JOINING, times=2)
            platform.say["register"] = "bound"
            await life.reached(State.OPERATING)
        assert len(platform.asked) >= 4

    play(act)


def test_broker_that_is_away_is_tried_again_and_then_the_network_joined_anew(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        platform.connack = 3
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(State.JOINING, times=2)
            platform.connack = 0
            await life.reached(State.OPERATING)

    play(act)


def test_known_network_that_is_away_is_tried_for_ever(play: Play, made: Provisioning, tmp_path: Path) -> None:
    async def act(platform: Bench) -> None:
        radio = SimulatedWifi([SimulatedNetwork(b"neighbour", b"other password")])
        async with Life(made, tmp_path / "d", platform.url, station=radio) as life:
            await life.reached(State.JOINING, times=5)
            radio.networks.append(HOME)
            await life.reached(State.OPERATING)

    play(act)


def test_certificate_is_renewed_while_the_session_stands(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(State.OPERATING)
        days_s = timedelta(days=5).total_seconds()
        platform.say["renew"] = 503, b""
        platform.first_epoch = 9
        async with Life(made, tmp_path / "d", platform.url, token=None, ahead_s=days_s) as life:
            await life.reached(State.RENEWING)
            await life.reached(State.OPERATING, times=2)
            platform.say["renew"] = "bound"
            await life.reached(State.CONNECTING, times=2)
            await life.reached(State.OPERATING, times=3)
            assert life.agent.epoch == 9
            corrected = await life.until(ClockCorrected)
            assert isinstance(corrected, ClockCorrected)
            assert corrected.seconds == pytest.approx(-days_s, abs=5)

    play(act)


def test_agent_outlives_a_platform_that_names_an_epoch_out_of_reach(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        platform.first_epoch = MAX_SKIPPED_EPOCHS + 2
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(State.REGISTERING, times=2)
            platform.first_epoch = 0
            await life.reached(State.OPERATING)

    play(act)


def test_expired_certificate_is_not_shown_but_replaced(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        async with Life(made, tmp_path / "d", platform.url) as life:
            await life.reached(State.OPERATING)
        sessions = len(platform.sessions)
        platform.say["renew"] = problem("device-blocked")
        ahead_s = timedelta(days=8).total_seconds()
        async with Life(made, tmp_path / "d", platform.url, token=None, ahead_s=ahead_s) as life:
            await life.reached(State.BLOCKED)
        assert len(platform.sessions) == sessions

    play(act)


def test_what_comes_down_is_opened_or_refused(play: Play, made: Provisioning, tmp_path: Path) -> None:
    command = Command(b"commandA", 0, Call("identify").encode()).encode()
    sealed = seal_downlink(SealedState.first(made.root_key), 0, b"down/cmd", command)

    def delivery(channel: str, payload: bytes) -> bytes:
        topic = f"d/{made.device_id}/down/{channel}".encode()
        body = len(topic).to_bytes(2, "big") + topic + payload
        return b"\x30" + bytes((len(body),)) + body

    async def act(platform: Bench) -> None:
        platform.down = delivery("cmd", sealed) + delivery("cmd", sealed) + delivery("config", b"")
        async with Life(made, tmp_path / "d", platform.url) as life:
            assert await life.until(CameDown) == CameDown("cmd", len(command))
            await life.until(AskedToShowItself)
            await life.until(DownlinkRefused)

    play(act)


def test_device_without_a_network_opens_its_set_up_service(
    play: Play, made: Provisioning, tmp_path: Path
) -> None:
    async def act(platform: Bench) -> None:
        async with Life(made, tmp_path / "d", platform.url, network=False, token=None) as life:
            await life.reached(State.WAITING)
            while life.agent.setup_port is None:  # noqa: ASYNC110 - it opens at once
                await asyncio.sleep(0.01)
        assert life.agent.setup_port is None

    play(act)


def test_agent_without_identity_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "empty")
    with pytest.raises(MisuseError, match="has no identity"):
        Agent(store, SimulatedWifi([HOME]), simulated_sensor())
    store.close()
