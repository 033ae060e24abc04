"""CoAP children: what requests ask for, repeats, and a real socket."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from doorstep.errors import UnavailableError
from doorstep.gateway import coap
from doorstep.gateway.coap import EXCHANGE_US, MAX_EXCHANGES, MAX_PAYLOAD, Ask, Exchanges, Refused, Send
from doorstep.gateway.coap_door import MAX_AT_ONCE, CoapDoor, open_coap
from doorstep.gateway.hall import Hall
from doorstep.gateway.store import Limits
from doorstep.gateway.vault import Vault
from doorstep.wire.coap import Code, Kind, Message, Option, decode, encode

CHILD, STRANGER = "aaaaaaaa", "bbbbbbbb"


def request(
    path: str = f"d/{CHILD}/up/data",
    code: int = Code.POST,
    payload: bytes = b"sealed",
    *extra: tuple[int, bytes],
) -> Message:
    words = [(int(Option.URI_PATH), word.encode()) for word in path.split("/")]
    options = tuple(sorted([*words, *extra], key=lambda option: option[0]))
    return Message(Kind.CONFIRMABLE, code, 7, b"tok", options, payload)


@pytest.mark.parametrize("code", [Code.POST, Code.PUT])
def test_message_goes_up_by_post_and_put(code: Code) -> None:
    assert coap.read_request(request(code=code)) == Send(CHILD, "data", b"sealed")
    assert "sealed" not in repr(coap.read_request(request()))


def test_message_is_fetched_by_get() -> None:
    asked = request(f"d/{CHILD}/down/cmd", Code.GET, b"")
    assert coap.read_request(asked) == Ask(CHILD, "cmd")


WRONG = {
    "an answer": (request(code=Code.CONTENT), Code.BAD_REQUEST),
    "another path": (request("well-known/core"), Code.NOT_FOUND),
    "sideways": (request(f"d/{CHILD}/in/data"), Code.NOT_FOUND),
    "up by GET": (request(code=Code.GET), Code.METHOD_NOT_ALLOWED),
    "down by POST": (request(f"d/{CHILD}/down/cmd"), Code.METHOD_NOT_ALLOWED),
    "proxy": (request("x", Code.POST, b"", (Option.PROXY_SCHEME, b"coap")), Code.PROXYING_NOT_SUPPORTED),
    "block-wise": (request(f"d/{CHILD}/up/data", Code.POST, b"", (Option.BLOCK1, b"\x08")), Code.TOO_LARGE),
    "too long": (request(payload=bytes(MAX_PAYLOAD + 1)), Code.TOO_LARGE),
    "OSCORE": (request(f"d/{CHILD}/up/data", Code.POST, b"", (9, b"")), Code.BAD_OPTION),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_request_gets_its_code(case: str) -> None:
    message, code = WRONG[case]
    with pytest.raises(Refused) as refused:
        coap.read_request(message)
    assert refused.value.code is code


def test_option_that_is_not_critical_is_passed_over() -> None:
    assert coap.read_request(request(f"d/{CHILD}/up/data", Code.POST, b"sealed", (12, b""))).device == CHILD


def test_answer_rides_on_the_acknowledgement_or_goes_alone() -> None:
    confirmable = request()
    assert decode(coap.reply_to(confirmable, 99, Code.CHANGED)) == Message(
        Kind.ACKNOWLEDGEMENT, Code.CHANGED, 7, b"tok"
    )
    alone = Message(Kind.NON_CONFIRMABLE, Code.POST, 7, b"tok")
    answer = decode(coap.reply_to(alone, 99, Code.UNAVAILABLE, b"later"))
    assert answer == Message(
        Kind.NON_CONFIRMABLE, Code.UNAVAILABLE, 99, b"tok", ((Option.MAX_AGE, b"\x1e"),), b"later"
    )
    assert decode(coap.reply_to(confirmable, 1, Code.TOO_LARGE)).values(Option.SIZE1) == (b"\x04\x00",)
    assert decode(coap.reply_to(confirmable, 1, Code.CONTENT, b"x")).values(Option.CONTENT_FORMAT) == (
        b"\x2a",
    )


def test_repeat_gets_the_answer_of_the_first() -> None:
    exchanges = Exchanges()
    assert exchanges.begin("peer", 1, 0) is None
    assert exchanges.begin("peer", 1, 5) == b""
    exchanges.end("peer", 1, b"answer")
    assert exchanges.begin("peer", 1, 6) == b"answer"
    assert exchanges.begin("other", 1, 6) is None
    assert exchanges.begin("peer", 1, EXCHANGE_US) is None


def test_unanswered_request_is_tried_anew() -> None:
    exchanges = Exchanges()
    exchanges.begin("peer", 1, 0)
    exchanges.abandon("peer", 1)
    assert exchanges.begin("peer", 1, 1) is None


def test_memory_of_requests_is_bounded() -> None:
    exchanges = Exchanges()
    for number in range(MAX_EXCHANGES + 1):
        exchanges.begin("peer", number, 0)
    exchanges.end("peer", 0, b"forgotten")
    assert exchanges.begin("peer", 1, 1) == b""
    assert exchanges.begin("peer", 0, 1) is None


class Phone(asyncio.DatagramProtocol):
    """A client that knows no more than the bytes."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[Message] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's signature
        self.came.put_nowait(decode(data))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    async def ask(self, datagram: bytes) -> Message:
        self.transport.sendto(datagram)
        return await asyncio.wait_for(self.came.get(), 5)


Scene = Callable[[Phone, Hall, Vault, CoapDoor], Awaitable[None]]


def play(folder: Path, scene: Scene, limits: Limits | None = None) -> None:
    async def whole() -> None:
        clock = count()
        async with Vault(folder, limits or Limits(room=0)) as vault:
            await vault.keep_child(CHILD)
            hall = Hall(vault, lambda: next(clock))
            door, port = await open_coap(hall, "127.0.0.1", 0, lambda: next(clock))
            with pytest.raises(UnavailableError, match=f"port {port}"):
                await open_coap(hall, "127.0.0.1", port, lambda: 0)
            loop = asyncio.get_running_loop()
            transport, phone = await loop.create_datagram_endpoint(Phone, remote_addr=("127.0.0.1", port))
            try:
                await scene(phone, hall, vault, door)
            finally:
                transport.close()
                await door.close()

    asyncio.run(whole())


def again(message: Message, number: int, kind: Kind = Kind.CONFIRMABLE) -> bytes:
    return encode(Message(kind, message.code, number, message.token, message.options, message.payload))


def test_message_is_on_disk_before_the_answer_and_a_repeat_stores_nothing(tmp_path: Path) -> None:
    async def scene(phone: Phone, hall: Hall, vault: Vault, _door: CoapDoor) -> None:
        first = await phone.ask(encode(request()))
        assert (first.kind, first.code, first.token) == (Kind.ACKNOWLEDGEMENT, Code.CHANGED, b"tok")
        assert [s.parcel.message for s in await vault.after(0, 9)] == [b"sealed"]
        assert await phone.ask(encode(request())) == first
        assert len(await vault.after(0, 9)) == 1
        hall.deliver(CHILD, "cmd", b"sealed down")
        alone = await phone.ask(again(request(), 8, Kind.NON_CONFIRMABLE))
        assert (alone.kind, alone.code, alone.payload) == (Kind.NON_CONFIRMABLE, Code.CHANGED, b"cmd")
        fetch = request(f"d/{CHILD}/down/cmd", Code.GET, b"")
        found = await phone.ask(again(fetch, 9))
        assert (found.code, found.payload) == (Code.CONTENT, b"sealed down")
        assert await phone.ask(again(fetch, 9)) == found
        assert (await phone.ask(again(fetch, 10))).code == Code.NOT_FOUND

    play(tmp_path, scene)


def test_what_is_not_taken_is_told(tmp_path: Path) -> None:
    async def scene(phone: Phone, hall: Hall, _vault: Vault, _door: CoapDoor) -> None:
        assert (await phone.ask(again(request("x"), 1))).code == Code.NOT_FOUND
        assert (await phone.ask(again(request(f"d/{CHILD}/up/other"), 2))).code == Code.BAD_REQUEST
        unknown = again(request(f"d/{STRANGER}/up/data"), 3)
        assert (await phone.ask(unknown)).code == Code.UNAVAILABLE
        hall.relay._refused[STRANGER] = None
        assert (await phone.ask(unknown)).code == Code.FORBIDDEN  # an unanswered one was not remembered

    play(tmp_path, scene)


def test_full_store_is_told(tmp_path: Path) -> None:
    async def scene(phone: Phone, _hall: Hall, _vault: Vault, _door: CoapDoor) -> None:
        answer = await phone.ask(again(request(), 1))
        assert (answer.code, answer.values(Option.MAX_AGE)) == (Code.UNAVAILABLE, (b"\x1e",))

    play(tmp_path, scene, Limits(all=10, room=0))


def test_ping_and_rubbish_are_reset_and_the_rest_is_passed_over(tmp_path: Path) -> None:
    async def scene(phone: Phone, _hall: Hall, vault: Vault, door: CoapDoor) -> None:
        assert await phone.ask(bytes.fromhex("40000102")) == Message(Kind.RESET, Code.EMPTY, 0x0102)
        assert await phone.ask(bytes.fromhex("400103040f")) == Message(Kind.RESET, Code.EMPTY, 0x0304)
        for silent in ("50000102", "500101020f", "60000102", "70000102", "00", "80010102"):
            phone.transport.sendto(bytes.fromhex(silent))
        door._working.update(asyncio.create_task(asyncio.sleep(60)) for _ in range(MAX_AT_ONCE))
        phone.transport.sendto(again(request(), 1))
        await asyncio.sleep(0.05)
        assert phone.came.empty()
        assert await vault.after(0, 1) == []

    play(tmp_path, scene)
