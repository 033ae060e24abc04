"""What every role does alike."""

import asyncio

import pytest

from doorstep.runtime.role import serve_until


def test_role_serves_until_it_is_told_to_stop() -> None:
    async def scene() -> list[str]:
        stop, heard = asyncio.Event(), list[str]()

        async def serve() -> None:
            heard.append("serves")
            try:
                await asyncio.Event().wait()
            finally:
                heard.append("ends")

        asyncio.get_running_loop().call_soon(stop.set)
        await serve_until(stop, serve())
        return heard

    assert asyncio.run(scene()) == ["serves", "ends"]


def test_role_that_fails_stops_and_says_so() -> None:
    async def scene() -> None:
        stop = asyncio.Event()

        async def serve() -> None:
            raise OSError("no broker")

        try:
            await serve_until(stop, serve())
        finally:
            assert stop.is_set()

    with pytest.raises(OSError, match="no broker"):
        asyncio.run(scene())
