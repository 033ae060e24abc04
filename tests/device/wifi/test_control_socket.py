"""The control socket's client against a real wpa_supplicant."""

import asyncio
import socket
from pathlib import Path

import pytest

from doorstep.device.wifi.control_socket import (
    MAX_WAITING_EVENTS,
    CommandRefused,
    ControlEvents,
    ControlSocket,
)
from doorstep.errors import UnavailableError
from doorstep.wire.wpa_control import ControlEvent
from tests.wait import until_soon

KEY = "correct horse battery"


@pytest.mark.peer
def test_client_asks_and_orders(supplicant: Path) -> None:
    async def talk() -> None:
        async with ControlSocket(supplicant) as control:
            assert await control.ask("PING") == "PONG"
            assert (await control.fields("STATUS"))["wpa_state"] == "DISCONNECTED"
            number = await control.ask("ADD_NETWORK")
            await control.order(f"SET_NETWORK {number} ssid 6122ff")
            assert await control.ask(f"GET_NETWORK {number} ssid") == "6122ff"

    asyncio.run(talk())


@pytest.mark.peer
def test_client_answers_many_askers_each_its_own(supplicant: Path) -> None:
    async def talk() -> None:
        async with ControlSocket(supplicant) as control:
            replies = await asyncio.gather(*(control.ask(word) for word in ("PING", "ADD_NETWORK") * 4))
            assert replies[::2] == ["PONG"] * 4
            assert replies[1::2] == ["0", "1", "2", "3"]

    asyncio.run(talk())


@pytest.mark.peer
def test_refusal_never_shows_the_key(supplicant: Path) -> None:
    async def talk() -> None:
        async with ControlSocket(supplicant) as control:
            await control.order(f'SET_NETWORK 77 psk "{KEY}"')

    with pytest.raises(CommandRefused) as refusal:
        asyncio.run(talk())
    assert "SET_NETWORK psk" in str(refusal.value)
    assert KEY not in f"{refusal.value!r}{refusal.value.__cause__!r}{refusal.value.__context__!r}"


@pytest.mark.peer
def test_listener_hears_that_wpa_supplicant_ends(supplicant: Path) -> None:
    async def talk() -> None:
        async with ControlSocket(supplicant) as control:
            with control.listen() as events:
                await control.order("TERMINATE")
                async with asyncio.timeout(10):
                    await events.next("CTRL-EVENT-NEVER")

    with pytest.raises(UnavailableError, match="has ended"):
        asyncio.run(talk())


@pytest.mark.peer
def test_client_says_that_the_conversation_is_over(supplicant: Path) -> None:
    async def talk() -> None:
        async with ControlSocket(supplicant) as control:
            with control.listen() as events:
                await control.order("TERMINATE")
                with pytest.raises(UnavailableError):
                    await events.next("CTRL-EVENT-NEVER")
            await control.ask(f"PING {KEY}")

    with pytest.raises(UnavailableError) as failure:
        asyncio.run(talk())
    assert KEY not in str(failure.value)


@pytest.mark.peer
def test_client_says_that_wpa_supplicant_is_gone(supplicant: Path) -> None:
    async def talk() -> None:
        async with ControlSocket(supplicant) as control, ControlSocket(supplicant) as other:
            await other.order("DETACH")
            await control.order("TERMINATE")
            await until_soon(lambda: not supplicant.exists())
            await other.ask(f"PING {KEY}")

    with pytest.raises(UnavailableError, match="does not answer") as failure:
        asyncio.run(talk())
    assert KEY not in str(failure.value)


def test_client_says_that_nobody_listens(tmp_path: Path) -> None:
    async def talk() -> None:
        async with ControlSocket(tmp_path / "wlan0"):
            pass

    with pytest.raises(UnavailableError, match="cannot be used"):
        asyncio.run(talk())


def test_client_gives_up_on_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.device.wifi.control_socket.REPLY_TIMEOUT", 0.05)

    async def talk() -> None:
        async with ControlSocket(tmp_path / "wlan0"):
            pass

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as silent:
        silent.bind(str(tmp_path / "wlan0"))
        with pytest.raises(UnavailableError, match="does not answer"):
            asyncio.run(talk())


def test_listener_forgets_the_oldest_of_too_many_events() -> None:
    async def hear() -> str:
        events = ControlEvents()
        for number in range(MAX_WAITING_EVENTS + 1):
            events.put(ControlEvent(str(number)))
        return (await events.next()).name

    assert asyncio.run(hear()) == "1"
