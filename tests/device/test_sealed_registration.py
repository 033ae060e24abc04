"""A device hears the platform's sealed word, and nobody else's."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from doorstep.device.registration import (
    Answer,
    DeviceBlocked,
    NotOwned,
    PlatformMisbehaved,
    PlatformUnreachable,
    Refused,
)
from doorstep.device.sealed_registration import SealedApi
from doorstep.device.store import Broker, Endpoint
from doorstep.errors import DoorstepError, PeerError
from doorstep.identity.ids import kid_of
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.errors import Rejected
from doorstep.messaging.proof import NO_PROOF_YET, Standing
from doorstep.messaging.registration import Place, Reply, Request, open_request, seal_reply, seal_request
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState

TOKEN = "T" * 43
BOUND = Reply("bound", 1_763_765_000, "", epoch=7, mqtt=Place("broker", 1883))


def ask(made: Provisioning, answer: Callable[[bytes], tuple[int, bytes]]) -> Answer:
    """Ask a platform that answers what ``answer`` makes of the request."""
    sealer = DeviceSealer(kid_of(made.device_id), DeviceState(made.root_key))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith(f"post /device/v1/sealed/{made.device_id} ")
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        status, body = answer(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)))
        writer.write(body)
        await writer.drain()
        writer.close()

    async def main() -> Answer:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            there = replace(made, servers=replace(made.servers, device_api=f"http://127.0.0.1:{port}"))
            api = SealedApi(there, lambda token: seal_request(sealer, Request(token)))
            return await api.ask(TOKEN)

    return asyncio.run(main())


def platform(made: Provisioning, reply: Reply) -> Callable[[bytes], tuple[int, bytes]]:
    def answer(message: bytes) -> tuple[int, bytes]:
        stands = Standing(SealedState.first(made.root_key), NO_PROOF_YET, Allowance())
        opened = open_request(kid_of(made.device_id), stands, message, 0)
        assert opened.request.token == TOKEN
        assert TOKEN.encode() not in message
        return 200, seal_reply(opened.exchange, reply)

    return answer


def test_device_takes_the_platforms_answer(made: Provisioning) -> None:
    answer = ask(made, platform(made, BOUND))
    assert (answer.status, answer.first_epoch, answer.certificate) == ("bound", 7, "")
    assert answer.broker == Broker(None, Endpoint("broker", 1883))
    assert answer.time_us == 1_763_765_000_000_000


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ("token-expired", Refused),
        ("device-blocked", DeviceBlocked),
        ("device-not-owned", NotOwned),
        ("something-new", Refused),
    ],
)
def test_device_believes_a_sealed_refusal(
    made: Provisioning, problem: str, kind: type[DoorstepError]
) -> None:
    with pytest.raises(kind, match="because"):
        ask(made, platform(made, Reply("refused", 1, "because", problem)))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, b'{"type":"urn:doorstep:problem/device-blocked"}', PlatformUnreachable),
        (410, b'{"type":"urn:doorstep:problem/token-expired"}', PlatformUnreachable),
        (302, b"", PlatformUnreachable),
        (200, b'{"status":"refused","time":1,"reason":"","problem":"token-used"}', Rejected),
        (200, b"", Rejected),
        (200, bytes(2_000), PlatformMisbehaved),
    ],
    ids=["blocked", "expired", "redirect", "readable", "empty", "endless"],
)
def test_strangers_answer_decides_nothing(
    made: Provisioning, status: int, body: bytes, kind: type[DoorstepError]
) -> None:
    """Whoever stands between can neither bind, block nor use the token up."""
    with pytest.raises(kind) as caught:
        ask(made, lambda _: (status, body))
    assert not isinstance(caught.value, Refused | DeviceBlocked | NotOwned)
    assert isinstance(caught.value, PeerError | PlatformUnreachable)


def test_silence_is_no_answer(made: Provisioning) -> None:
    there = replace(made, servers=replace(made.servers, device_api="http://127.0.0.1:9"))
    sealer = DeviceSealer(kid_of(made.device_id), DeviceState(made.root_key))
    with pytest.raises(PlatformUnreachable):
        asyncio.run(SealedApi(there, lambda token: seal_request(sealer, Request(token))).ask(TOKEN))
