"""The store for an event loop: what comes together is made durable together, in the order it came."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from doorstep.errors import UnavailableError
from doorstep.gateway.store import Limits, Parcel, Stored, StoreFull, open_store

__all__ = ["Vault"]

_T = TypeVar("_T")


class Vault:
    """Use as an asynchronous context manager. One thread owns the file; one commit serves all who wait."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._store = open_store(folder, self._limits)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="gateway-store")
        self._sizes = Counter(self._store.sizes())
        self._total = self._sizes.total()
        self._puts: list[tuple[Parcel, asyncio.Future[None]]] = []
        self._delivered: dict[int, Parcel] = {}
        self._work = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self.children = self._store.children()
        """The devices that the platform named as this gateway's, as far as it is known."""
        self.parked = self._store.parked()
        """Devices that are no children now and whose messages are kept, and since when."""
        self.arrived = asyncio.Event()
        """Set with each commit of new parcels; who waits for some clears it."""

    async def __aenter__(self) -> Self:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is left, and close the file."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._write()
        await self._run(self._store.close)
        self._executor.shutdown()

    @property
    def bytes_stored(self) -> int:
        """What is stored, in bytes."""
        return self._total

    async def put(self, parcel: Parcel) -> None:
        """Return when the parcel is durable; raises StoreFull, and then it was not taken."""
        self._check_room(parcel)
        self._grow(parcel, parcel.size)
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        durable.add_done_callback(lambda done: done.cancelled() or done.exception())  # the sender may be gone
        self._puts.append((parcel, durable))
        self._work.set()
        await asyncio.shield(durable)

    def forget(self, stored: Stored) -> None:
        """Delete what was delivered, soon. A crash before that delivers it twice, which the platform sees."""
        self._delivered[stored.number] = stored.parcel
        self._work.set()

    async def after(self, number: int, limit: int) -> list[Stored]:
        """Return what follows ``number`` and was not delivered, in the order of arrival."""
        found = await self._run(lambda: self._store.after(number, limit))
        while found and all(stored.number in self._delivered for stored in found):
            last = found[-1].number
            found = await self._run(lambda: self._store.after(last, limit))  # noqa: B023 - awaited here
        return [stored for stored in found if stored.number not in self._delivered]

    async def keep_child(self, device: str) -> None:
        """Remember a child."""
        await self._run(lambda: self._store.keep_child(device))
        self.children.add(device)
        self.parked.pop(device, None)

    async def park_child(self, device: str, now_us: int) -> None:
        """Keep the messages of a device that is no child now, in their places."""
        self.children.discard(device)
        await self._run(lambda: self._store.park_child(device, now_us))
        self.parked.setdefault(device, now_us)

    async def drop_child(self, device: str) -> int:
        """Forget a child; return how many messages of it were deleted."""
        self.children.discard(device)
        self.parked.pop(device, None)
        dropped = await self._run(lambda: self._store.drop_child(device))
        self._total -= self._sizes.pop(device, 0)
        for number in [n for n, parcel in self._delivered.items() if parcel.device == device]:
            del self._delivered[number]
        return dropped

    def _check_room(self, parcel: Parcel) -> None:
        if self._sizes[parcel.device] + parcel.size > self._limits.child:
            raise StoreFull(f"the gateway has no more room for {parcel.device}", next_step=_WAIT)
        if self._total + parcel.size > self._limits.all:
            raise StoreFull("the gateway's store is full", next_step=_WAIT)

    def _grow(self, parcel: Parcel, size: int) -> None:
        self._sizes[parcel.device] += size
        self._total += size

    async def _write_for_ever(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            await self._write()

    async def _write(self) -> None:
        puts, self._puts = self._puts, []
        delivered = dict(self._delivered)
        if not puts and not delivered:
            return
        parcels = [parcel for parcel, _ in puts]
        try:
            await self._run(lambda: self._store.write(parcels, delivered))
        except StoreFull as error:
            for parcel in parcels:
                self._grow(parcel, -parcel.size)
            _settle(puts, error)
            return
        for number, parcel in delivered.items():
            if self._delivered.pop(number, None) is not None:
                self._grow(parcel, -parcel.size)
        _settle(puts, None)
        if puts:
            self.arrived.set()

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


_WAIT = "Bring the platform back into reach; senders keep what is refused."


def _settle(puts: list[tuple[Parcel, "asyncio.Future[None]"]], error: UnavailableError | None) -> None:
    for _, durable in puts:
        if durable.cancelled():
            continue
        if error is None:
            durable.set_result(None)
        else:
            durable.set_exception(StoreFull(error.message, next_step=error.next_step))
