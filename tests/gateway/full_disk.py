"""On a small disk: fill a gateway's store until it refuses, see that all it took is there, make room."""

import asyncio
import sys
from pathlib import Path

from doorstep.gateway.store import Parcel, StoreFull
from doorstep.gateway.vault import Vault
from tests.wait import until_soon

SIZE = 4_000


async def fill(folder: Path) -> None:
    taken = 0
    async with Vault(folder) as vault:
        while True:
            batch = [
                Parcel("aaaaaaaa", "data", n.to_bytes(4) * (SIZE // 4), 0) for n in range(taken, taken + 200)
            ]
            done = await asyncio.gather(*(vault.put(parcel) for parcel in batch), return_exceptions=True)
            assert all(outcome is None or isinstance(outcome, StoreFull) for outcome in done)
            taken += done.count(None)
            if done.count(None) < len(done):
                break
        assert vault.bytes_stored == taken * (SIZE + 64)
    async with Vault(folder) as vault:
        found, last = 0, 0
        while rows := await vault.after(last, 500):
            found, last = found + len(rows), rows[-1].number
            for stored in rows:
                vault.forget(stored)
        assert found == taken
        await until_soon(lambda: not vault.bytes_stored)
    assert taken > 500
    print(taken)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
