import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.device.outbox import Outbox, OutboxFull, Parcel


def seal(channel: str, plaintext: bytes) -> bytes:
    return f"{channel}:".encode() + plaintext


def take_all(outbox: Outbox, count: int) -> list[Parcel]:
    async def take() -> list[Parcel]:
        return [await outbox.take(seal) for _ in range(count)]

    return asyncio.run(take())


def test_outbox_gives_in_order_and_seals_once() -> None:
    calls: list[bytes] = []

    def counting(channel: str, plaintext: bytes) -> bytes:
        calls.append(plaintext)
        return seal(channel, plaintext)

    async def main() -> None:
        outbox = Outbox()
        for name in (b"a", b"b"):
            outbox.offer("data", name)
        first = await outbox.take(counting)
        outbox.give_back()
        again = await outbox.take(counting)
        assert again.number == first.number
        assert again.sealed == b"data:a"
        assert (await outbox.take(counting)).plaintext == b"b"
        assert calls == [b"a", b"b"]

    asyncio.run(main())


def test_outbox_refuses_when_full_and_keeps_what_it_has() -> None:
    outbox = Outbox(capacity=2)
    outbox.offer("data", b"1")
    outbox.offer("data", b"2")
    lent = take_all(outbox, 1)[0]
    with pytest.raises(OutboxFull, match="2 messages wait"):
        outbox.offer("data", b"3")
    outbox.done(lent)
    outbox.offer("data", b"3")
    assert [parcel.plaintext for parcel in take_all(outbox, 2)] == [b"2", b"3"]


def test_take_waits_for_the_first_offer() -> None:
    async def main() -> None:
        outbox = Outbox()
        waiting = asyncio.create_task(outbox.take(seal))
        await asyncio.sleep(0)
        assert not waiting.done()
        outbox.offer("event", b"door")
        assert (await waiting).sealed == b"event:door"

    asyncio.run(main())


def test_parcel_stays_when_it_cannot_be_sealed() -> None:
    def broken(_channel: str, _plaintext: bytes) -> bytes:
        raise OSError("disk")

    async def main() -> None:
        outbox = Outbox()
        outbox.offer("data", b"1")
        with pytest.raises(OSError, match="disk"):
            await outbox.take(broken)
        assert (await outbox.take(seal)).plaintext == b"1"

    asyncio.run(main())


def test_cleared_outbox_forgets_what_waits() -> None:
    outbox = Outbox()
    outbox.offer("data", b"1")
    outbox.clear()
    assert len(outbox) == 0


@given(moves=st.lists(st.sampled_from(["offer", "take", "done", "lose"]), max_size=60))
def test_everything_offered_is_acknowledged_once_and_in_order(moves: list[str]) -> None:
    """A broker that acknowledges the oldest first, sessions that end at any moment."""
    outbox = Outbox(capacity=10)
    offered, acknowledged, lent = 0, [], list[Parcel]()

    async def main() -> None:
        nonlocal offered
        for move in moves:
            if move == "offer" and len(outbox) < outbox.capacity:
                outbox.offer("data", offered.to_bytes(2, "big"))
                offered += 1
            elif move == "take" and len(lent) < len(outbox):
                lent.append(await outbox.take(seal))
            elif move == "done" and lent:
                acknowledged.append(lent[0].plaintext)
                outbox.done(lent.pop(0))
            elif move == "lose":
                outbox.give_back()
                lent.clear()
        outbox.give_back()
        while len(outbox):
            parcel = await outbox.take(seal)
            acknowledged.append(parcel.plaintext)
            outbox.done(parcel)

    asyncio.run(main())
    assert acknowledged == [number.to_bytes(2, "big") for number in range(offered)]


def test_outbox_is_there_again_in_order_with_what_was_sealed(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = Outbox(file=file)
    for name in (b"a", b"b", b"c"):
        outbox.offer("data", name)
    sent, acknowledged = take_all(outbox, 2)
    outbox.done(acknowledged)
    outbox.close()
    again = Outbox(file=file)
    assert len(again) == 2
    first, second = take_all(again, 2)
    assert (first.number, first.sealed) == (sent.number, b"data:a")
    assert (second.plaintext, second.sealed) == (b"c", b"data:c")
    assert file.stat().st_mode & 0o777 == 0o600


def test_cleared_outbox_is_empty_after_a_restart(tmp_path: Path) -> None:
    outbox = Outbox(file=tmp_path / "outbox.db")
    outbox.offer("data", b"1")
    outbox.clear()
    outbox.close()
    assert len(Outbox(file=tmp_path / "outbox.db")) == 0


def test_outbox_seals_anew_what_no_key_opens_any_more() -> None:
    outbox = Outbox()
    outbox.offer("data", b"1")
    take_all(outbox, 1)
    outbox.give_back()
    outbox.forget_seals()

    async def take() -> Parcel:
        return await outbox.take(lambda _channel, _plaintext: b"new")

    assert asyncio.run(take()).sealed == b"new"


def test_outbox_that_can_not_be_read_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    file.write_bytes(b"no database at all" * 100)
    outbox = Outbox(file=file)
    outbox.offer("data", b"1")
    assert (tmp_path / "outbox.db.damaged").read_bytes().startswith(b"no database")


def test_outbox_that_can_not_be_written_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    outbox = Outbox(file=tmp_path / "outbox.db")
    outbox.offer("data", b"1")
    other = sqlite3.connect(tmp_path / "outbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutboxFull, match="can't be written"):
        outbox.offer("data", b"2")
    other.execute("ROLLBACK")
    other.close()
    assert len(outbox) == 1


KILLED = """
import pathlib, sys
from doorstep.device.outbox import Outbox
outbox, number = Outbox(file=pathlib.Path(sys.argv[1])), 0
while True:
    outbox.offer("data", str(number).encode())
    print(number, flush=True)
    number += 1
"""


def test_outbox_survives_kill_9_with_everything_that_it_took(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    with subprocess.Popen([sys.executable, "-c", KILLED, file], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(50):
            child.stdout.readline()
        child.kill()
        said = 50 + sum(line.endswith("\n") for line in child.stdout)
    outbox = Outbox(file=file)
    held = [parcel.plaintext for parcel in take_all(outbox, len(outbox))]
    # What was said to be taken is there, in order; the one that it was writing may be there too.
    assert len(held) in {said, said + 1}
    assert held == [str(number).encode() for number in range(len(held))]
