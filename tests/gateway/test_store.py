"""What is on a gateway's disk: order, caps, a full disk, a file that is none."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from doorstep.errors import MisuseError
from doorstep.gateway.store import Limits, Parcel, StoreFull, open_store
from doorstep.gateway.vault import Vault

SOME = Limits(all=10_000, child=1_000, room=0)


def parcel(device: str = "aaaaaaaa", size: int = 30, number: int = 0) -> Parcel:
    return Parcel(device, "data", bytes((number,)) * size, number)


def test_order_of_arrival_is_kept_over_a_restart(tmp_path: Path) -> None:
    with open_store(tmp_path, SOME) as store:
        store.write([parcel(number=n) for n in range(5)], [])
    with open_store(tmp_path, SOME) as store:
        assert [s.parcel.received_us for s in store.after(0, 3)] == [0, 1, 2]
        store.write([], [1, 2])
        assert [s.parcel.received_us for s in store.after(0, 9)] == [2, 3, 4]


def test_number_of_a_delivered_message_is_not_used_again(tmp_path: Path) -> None:
    with open_store(tmp_path, SOME) as store:
        store.write([parcel()], [])
        store.write([parcel()], [1])
        assert [s.number for s in store.after(0, 9)] == [2]


def test_parcel_shows_no_message() -> None:
    assert "message" not in repr(parcel())


def test_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "gateway.sqlite").write_bytes(b"no database at all, whatever it is" * 40)
    with pytest.raises(MisuseError, match=r"gateway\.sqlite can't be used"):
        open_store(tmp_path, SOME)


def test_disk_without_room_takes_nothing_and_still_forgets(tmp_path: Path) -> None:
    with open_store(tmp_path, SOME) as store:
        store.write([parcel(), parcel()], [])
    with open_store(tmp_path, Limits(room=1 << 62)) as store:
        with pytest.raises(StoreFull, match="disk is full"):
            store.write([parcel()], [1])
        assert [s.number for s in store.after(0, 9)] == [2]


def test_failed_write_takes_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path, SOME) as store:
        other = sqlite3.connect(tmp_path / "gateway.sqlite", timeout=0)
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON stored WHEN NEW.received_us = 1"
            " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        other.close()
        with pytest.raises(StoreFull, match="database or disk is full"):
            store.write([parcel(number=0), parcel(number=1)], [])
        assert store.after(0, 9) == []


def test_vault_counts_each_child_and_all(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Vault(tmp_path, Limits(all=450, child=200, room=0)) as vault:
            await vault.put(parcel("aaaaaaaa", 36))
            await vault.put(parcel("aaaaaaaa", 36))
            with pytest.raises(StoreFull, match="no more room for aaaaaaaa"):
                await vault.put(parcel("aaaaaaaa", 36))
            await vault.put(parcel("bbbbbbbb", 36))
            await vault.put(parcel("cccccccc", 36))
            with pytest.raises(StoreFull, match="store is full"):
                await vault.put(parcel("dddddddd", 36))
            for stored in (await vault.after(0, 9))[:2]:
                vault.forget(stored)
            assert [s.parcel.device for s in await vault.after(0, 2)] == ["bbbbbbbb", "cccccccc"]
            await vault.put(parcel("bbbbbbbb", 36))  # one commit forgets and takes
            assert vault.bytes_stored == 300
            assert await vault.drop_child("bbbbbbbb") == 2
            assert vault.bytes_stored == 100
        async with Vault(tmp_path, SOME) as vault:
            assert vault.bytes_stored == 100
            assert [s.parcel.device for s in await vault.after(0, 9)] == ["cccccccc"]

    asyncio.run(scene())


def test_vault_gives_back_the_room_of_what_it_could_not_write(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Vault(tmp_path, Limits(room=1 << 62)) as vault:
            outcomes = await asyncio.gather(
                vault.put(parcel()), vault.put(parcel("bbbbbbbb")), return_exceptions=True
            )
            assert [type(outcome) for outcome in outcomes] == [StoreFull, StoreFull]
            assert vault.bytes_stored == 0

    asyncio.run(scene())


def test_sender_that_leaves_does_not_undo_what_it_sent(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Vault(tmp_path, SOME) as vault:
            sending = asyncio.create_task(vault.put(parcel()))
            await asyncio.sleep(0)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await vault.put(parcel("bbbbbbbb"))
            assert len(await vault.after(0, 9)) == 2

    asyncio.run(scene())


def test_vault_forgets_what_was_delivered_of_a_child_that_left(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Vault(tmp_path, SOME) as vault:
            await vault.keep_child("aaaaaaaa")
            await vault.put(parcel())
            for stored in await vault.after(0, 9):
                vault.forget(stored)
            await vault.drop_child("aaaaaaaa")
            assert (vault.bytes_stored, vault.children) == (0, set())
            await vault.put(parcel())
            assert vault.bytes_stored == 94

    asyncio.run(scene())
