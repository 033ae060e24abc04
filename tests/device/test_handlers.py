import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from doorstep.device.handlers import Handlers, Inbound
from doorstep.device.store import Store
from doorstep.errors import MalformedMessage, MisuseError, RefusedError, UnavailableError
from doorstep.messaging.command import MAX_DETAIL, REMEMBERED, Acknowledgement, Command, Outcome

ID = b"commandA"


class Board:
    """Handlers over a store, and what they did."""

    def __init__(self, store: Store, *, repeatable: bool = False, now_s: float = 1_800_000_000) -> None:
        self.done: list[bytes] = []
        self.answers: list[bytes] = []
        handlers = Handlers()
        handlers.register("cmd", self.handle, repeatable=repeatable)
        self.inbound = Inbound(store, handlers, answer=self.answers.append, clock_s=lambda: now_s)

    async def handle(self, body: bytes) -> bytes | None:
        self.done.append(body)
        match body:
            case b"refuse":
                raise RefusedError("not at night")
            case b"malformed":
                raise MalformedMessage("no such thing")
            case b"fail":
                raise UnavailableError("the valve is stuck")
            case b"bug":
                raise ZeroDivisionError
            case b"long":
                return bytes(MAX_DETAIL + 1)
            case b"power cut":
                raise PowerCut
            case _:
                return b"ok " + body

    def carry(
        self, body: bytes, *, expires_s: int = 0, channel: str = "cmd", name: bytes = ID
    ) -> Acknowledgement:
        return asyncio.run(self.inbound.carry_out(channel, Command(name, expires_s, body)))


class PowerCut(BaseException):
    pass


@pytest.mark.parametrize(
    ("body", "outcome", "detail"),
    [
        (b"on", Outcome.DONE, b"ok on"),
        (b"refuse", Outcome.REFUSED, b"not at night"),
        (b"malformed", Outcome.REFUSED, b"no such thing"),
        (b"fail", Outcome.FAILED, b"the valve is stuck"),
        (b"bug", Outcome.FAILED, b"ZeroDivisionError"),
        (b"long", Outcome.DONE, bytes(MAX_DETAIL)),
    ],
)
def test_device_answers_with_what_became_of_the_command(
    store: Store, body: bytes, outcome: Outcome, detail: bytes
) -> None:
    assert Board(store).carry(body) == Acknowledgement(ID, outcome, detail)


def test_device_carries_a_repeated_command_out_once_also_after_a_boot(store: Store) -> None:
    first, rebooted = Board(store), Board(store)
    answers = [first.carry(b"on"), first.carry(b"on")]
    rebooted = Board(store)
    answers.append(rebooted.carry(b"on"))
    assert answers == [Acknowledgement(ID, Outcome.DONE, b"ok on")] * 3
    assert first.done + rebooted.done == [b"on"]


@pytest.mark.parametrize(
    ("repeatable", "outcome", "times"), [(False, Outcome.FAILED, 0), (True, Outcome.DONE, 1)]
)
def test_interrupted_command_is_repeated_only_where_the_handler_can(
    store: Store, *, repeatable: bool, outcome: Outcome, times: int
) -> None:
    with pytest.raises(PowerCut):
        Board(store).carry(b"power cut")
    rebooted = Board(store, repeatable=repeatable)
    assert rebooted.carry(b"on").outcome is outcome
    assert len(rebooted.done) == times
    assert Board(store).carry(b"on").outcome is outcome


@pytest.mark.parametrize(
    ("now_s", "outcome"),
    [(1_800_000_000, Outcome.EXPIRED), (1_799_999_999, Outcome.DONE), (5.0, Outcome.DONE)],
    ids=["too late", "in time", "clock never set"],
)
def test_device_with_a_clock_refuses_an_expired_command(store: Store, now_s: float, outcome: Outcome) -> None:
    board = Board(store, now_s=now_s)
    assert board.carry(b"on", expires_s=1_800_000_000).outcome is outcome
    assert bool(board.done) is (outcome is Outcome.DONE)


def test_device_answers_an_expired_repeat_of_what_it_carried_out(store: Store) -> None:
    Board(store, now_s=1_799_999_999).carry(b"on", expires_s=1_800_000_000)
    assert Board(store).carry(b"on", expires_s=1_800_000_000).outcome is Outcome.DONE


def test_device_refuses_a_channel_that_nobody_serves(store: Store) -> None:
    assert Board(store).carry(b"on", channel="keys").outcome is Outcome.REFUSED
    assert store.commands() == []


def test_channel_has_one_handler(store: Store) -> None:
    handlers = Handlers()
    handlers.register("cmd", Board(store).handle)
    with pytest.raises(MisuseError, match="handler already"):
        handlers.register("cmd", Board(store).handle)


def test_device_forgets_the_oldest_command(store: Store) -> None:
    board = Board(store)
    for number in range(REMEMBERED + 1):
        board.carry(b"on", name=number.to_bytes(8, "big"))
    kept = [one.command_id for one in store.commands()]
    assert kept == [number.to_bytes(8, "big") for number in range(1, REMEMBERED + 1)]


def test_full_disk_carries_nothing_out(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    board = Board(store)
    monkeypatch.setattr("doorstep.device.store.write_private", full)
    with pytest.raises(UnavailableError):
        board.carry(b"on")
    assert board.done == []


class CutStore:
    """A store whose power goes at one of its writes: before or after it took effect."""

    def __init__(self, store: Store, at: int, *, after: bool) -> None:
        self.store, self.left, self.after = store, at, after

    def __getattr__(self, name: str) -> Callable[..., object]:
        real: Callable[..., object] = getattr(self.store, name)
        if name != "keep_commands":
            return real

        def cut(*given: object) -> object:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise PowerCut
            result = real(*given)
            if self.left == 0:
                raise PowerCut
            return result

        return cut


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_power_cut_at_any_write_carries_no_command_out_twice(store: Store, at: int, *, after: bool) -> None:
    done: list[bytes] = []
    board: Store = CutStore(store, at, after=after)  # type: ignore[assignment]
    for _ in range(3):  # boots; the platform sends both commands again at each
        running = Board(board)
        try:
            for name in (b"commandA", b"commandB"):
                running.carry(name, name=name)
        except PowerCut:
            pass
        done += running.done
    assert sorted(done) in ([b"commandA", b"commandB"], [b"commandA"], [b"commandB"])
    assert len(store.commands()) == 2
    assert all(one.outcome is not None for one in store.commands())


def test_inbound_answers_in_order_and_drops_what_is_no_command(store: Store) -> None:
    board = Board(store)

    async def scene() -> None:
        running = asyncio.create_task(board.inbound.run())
        board.inbound.put("cmd", b"short")
        names = [os.urandom(8) for _ in range(3)]
        for name in names:
            board.inbound.put("cmd", Command(name, 0, name).encode())
        while len(board.answers) < 3:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        running.cancel()
        assert [Acknowledgement.decode(answer).command_id for answer in board.answers] == names

    asyncio.run(scene())


def test_inbound_says_when_it_is_full(store: Store) -> None:
    board = Board(store)
    taken = [board.inbound.put("cmd", b"") for _ in range(65)]
    assert taken == [True] * 64 + [False]


def test_memory_is_private(store: Store, tmp_path: Path) -> None:
    Board(store).carry(b"on")
    assert (store.folder / "commands.json").stat().st_mode & 0o777 == 0o600
