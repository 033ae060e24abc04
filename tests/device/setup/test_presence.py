import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from doorstep.device.setup import presence
from doorstep.device.setup.inbox import Inbox
from doorstep.device.setup.presence import (
    FileButton,
    KeyButton,
    Press,
    button_of,
    pulses,
    show_nothing,
    show_of,
)
from doorstep.errors import ProtocolViolation, SettingsError, UnavailableError


def run(use: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await use()

    asyncio.run(limited())


def test_lines_press_and_reset_until_their_end() -> None:
    async def use() -> None:
        here, there = os.pipe()
        button = KeyButton(here)
        os.write(there, b"\nreset\n")
        assert [await button.pressed(), await button.pressed()] == [Press.SHORT, Press.LONG]
        os.close(there)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(button.pressed(), 0.05)
        os.close(here)

    run(use)


def test_nobody_presses_behind_a_file() -> None:
    async def use() -> None:
        nothing = os.open(os.devnull, os.O_RDONLY)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(KeyButton(nothing).pressed(), 0.05)
        os.close(nothing)

    run(use)


def test_pin_of_the_board_presses_and_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "POLL", 0.01)
    pin = tmp_path / "value"
    pin.write_text("0\n")

    async def use() -> None:
        button = FileButton(pin, hold=0.2)
        for held_s, press in ((0.05, Press.SHORT), (0.4, Press.LONG)):
            waiting = asyncio.create_task(button.pressed())
            await asyncio.sleep(0.05)
            pin.write_text("1\n")
            await asyncio.sleep(held_s)
            pin.write_text("0\n")
            assert await waiting is press

    run(use)


def test_pin_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def use() -> None:
        with pytest.raises(UnavailableError, match="gpio17"):
            await FileButton(tmp_path / "gpio17").pressed()

    run(use)


def test_pattern_is_pulsed_twice() -> None:
    steps = pulses((1, 3, 2))
    assert [on for on, _ in steps].count(True) == 2 * (1 + 3 + 2)
    assert not steps[-1][0]


@pytest.mark.parametrize("kind", ["led", "buzzer", "vibrator"])
def test_light_sound_or_motor_pulses_and_ends_off(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "PULSE", 0.001)
    monkeypatch.setattr(presence, "PAUSE", 0.001)
    light = tmp_path / "brightness"
    light.write_bytes(b"0")

    async def use() -> None:
        await show_of(f"{kind}:{light}", print)((2, 1, 1))
        assert light.read_bytes() == b"0"
        with pytest.raises(UnavailableError, match=f"the {kind} "):
            await show_of(f"{kind}:{tmp_path}", print)((1, 1, 1))
        await show_nothing((1, 1, 1))

    run(use)


def test_console_says_the_pattern() -> None:
    said: list[str] = []
    run(lambda: _show(said))
    assert said == ["The pattern is 4, then 2, then 6."]


async def _show(said: list[str]) -> None:
    await show_of("console", said.append)((4, 2, 6))


def test_options_name_buttons_and_lights(tmp_path: Path) -> None:
    assert button_of("power") is None
    kinds = [type(button_of(text)) for text in ("key", f"gpio:{tmp_path}")]
    assert kinds == [KeyButton, FileButton]


@pytest.mark.parametrize("text", ["", "signal", "gpio", "gpio:", "power:1", "bell"])
def test_unknown_options_are_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        button_of(text)
    with pytest.raises(SettingsError):
        show_of(text, print)


def test_inbox_offers_each_content_once_and_outlives_a_missing_stick(tmp_path: Path) -> None:
    taken: list[bytes] = []

    def take(content: bytes) -> None:
        taken.append(content)
        if content == b"bad":
            raise ProtocolViolation("not now")

    async def use() -> None:
        stick = tmp_path / "stick"
        async with Inbox(stick, {".sealed": take}, poll=0.01):
            await asyncio.sleep(0.03)
            stick.mkdir()
            (stick / "a.sealed").write_bytes(b"bad")
            (stick / "b.sealed").write_bytes(b"good")
            (stick / "c.txt").write_bytes(b"letter")
            while len(taken) < 2:  # noqa: ASYNC110 - a stick has no echo
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)

    run(use)
    assert taken == [b"bad", b"good"]
