"""What a board in monitor mode hears, and reads from frame lengths."""

import struct
from collections.abc import Iterable

from doorstep.onboarding.esptouch.ack import Ack
from doorstep.onboarding.esptouch.listening import Listener
from doorstep.onboarding.esptouch.v1 import GUIDE, V1Decoder, encode_v1
from doorstep.onboarding.esptouch.v2 import V2Decoder, encode_v2
from doorstep.wire.monitor import DataFrame, parse_monitor
from tests.fuzz.targets import target
from tests.onboarding.esptouch.test_ack import ACK
from tests.onboarding.esptouch.test_v1 import HOME, IP
from tests.onboarding.esptouch.test_v2 import KEY
from tests.wire.test_monitor import PLAIN, RADIOTAPS, UP


def _octets(sizes: Iterable[int]) -> bytes:
    """Write frame sizes as the targets read them: 16 bits each, the top three bits say who sends."""
    return b"".join(struct.pack("<H", size) for size in sizes)


def _sizes(data: bytes) -> list[int]:
    return [size for (size,) in struct.iter_unpack("<H", data[: len(data) // 2 * 2])]


_V1 = encode_v1(HOME, IP)
_V2 = encode_v2(HOME, bytes, reserved=b"token")
_SEALED = encode_v2(HOME, bytes, key=KEY)


@target("monitor", [PLAIN + UP, *(radiotap + UP for radiotap in RADIOTAPS.values())])
def fuzz_monitor(data: bytes) -> None:
    parse_monitor(data)


@target("esptouch-v1", [_octets(_V1)])
def fuzz_esptouch_v1(data: bytes) -> None:
    decoder = V1Decoder(0, (HOME.ssid,))
    for size in _sizes(data):
        decoder.take(size)


@target("esptouch-v2", [_octets(_V2 * 2)])
def fuzz_esptouch_v2(data: bytes) -> None:
    decoder = V2Decoder(0)
    for size in _sizes(data):
        decoder.take(size)


@target("esptouch-v2-sealed", [_octets(_SEALED * 2)])
def fuzz_esptouch_v2_sealed(data: bytes) -> None:
    decoder = V2Decoder(0, KEY)
    for size in _sizes(data):
        decoder.take(size)


@target(
    "esptouch-listener", [_octets(size + 78 for size in (*GUIDE * 3, *_V1)), _octets(n + 78 for n in _V2 * 2)]
)
def fuzz_esptouch_listener(data: bytes) -> None:
    listener = Listener(0.0, channels=(1, 6))
    for number, word in enumerate(_sizes(data)):
        sender = bytes((2, word >> 13)) * 3
        frame = DataFrame(sender, sender, b"\xff" * 6, sender, word & 0x1FFF, number)
        listener.channel(0.01 * number)
        listener.hear(frame, 0.01 * number)


@target("esptouch-ack", [ACK.octets()])
def fuzz_esptouch_ack(data: bytes) -> None:
    assert Ack.decode(data).octets() == data
