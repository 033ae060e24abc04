"""ESP-Touch version 1: each octet in the lengths of three datagrams, in the open.

A guide of lengths 515, 514, 513, 512 shows where the sender is and what its frames add. Then follow for
each octet ``i``: 40 + (high nibble of a CRC-8 over octet and i, high nibble of the octet), 296 + i,
40 + (the low nibbles). The octets are: total length, password length, CRC-8 of SSID and of BSSID, the
XOR of all others, the phone's IPv4 address, password, SSID (newer apps, always) and BSSID (newer apps).
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import xor
from typing import Final

from doorstep.errors import SettingsError
from doorstep.onboarding.esptouch.announcement import MAX_OVERHEAD, MIN_OVERHEAD, Announcement, leader
from doorstep.onboarding.network import MAX_PASSPHRASE, NetworkCredentials
from doorstep.wire.crc import crc8_maxim
from doorstep.wire.provisioning.scan import BSSID_SIZE, MAX_SSID

__all__ = ["GUIDE", "PACE", "GuideLock", "V1Decoder", "encode_v1", "rounds_v1"]

GUIDE: Final = (515, 514, 513, 512)
PACE: Final = 0.008
"""Seconds between two datagrams."""
GUIDE_TIMES: Final = 63
"""Repeats of the guide before each stretch of data: two seconds."""
STRETCH: Final = 498
"""Datagrams of data before the guide comes again: four seconds."""
BASE: Final = 40
INDEX: Final = 0x100
MAX_INDEX: Final = 127
HEAD: Final = 5
ADDRESS: Final = 4
PASSWORD_AT: Final = HEAD + ADDRESS
TOTAL, PASSWORD_LENGTH, SSID_CRC, BSSID_CRC, CHECK = range(HEAD)
REMEMBERED: Final = 24
ENOUGH: Final = 6
"""Guide frames in the last 24 of one sender, each of the four among them, that make a lock."""


def encode_v1(network: NetworkCredentials, phone: bytes) -> tuple[int, ...]:
    """Return the lengths that carry a network; ``phone`` is the sender's IPv4 address, four octets.

    Raises `SettingsError` where the network's BSSID is missing: its checksum must go along.
    """
    network.check_plain("ESP-Touch")
    if len(phone) != ADDRESS or len(network.bssid) != BSSID_SIZE:
        raise SettingsError(
            "ESP-Touch needs the phone's IPv4 address and the access point's BSSID.",
            next_step="Join the network with this computer first.",
        )
    total = PASSWORD_AT + len(network.passphrase) + len(network.ssid)
    head = bytes((total, len(network.passphrase), crc8_maxim(network.ssid), crc8_maxim(network.bssid)))
    body = phone + network.passphrase + network.ssid
    octets = head + bytes((reduce(xor, head + body),)) + body + network.bssid
    return tuple(length for index, octet in enumerate(octets) for length in _three(index, octet))


def rounds_v1(data: Sequence[int]) -> Iterator[int]:
    """Yield lengths for ever, guide and data by turns, as `encode_v1` gave them."""
    at = 0
    while True:
        yield from GUIDE * GUIDE_TIMES
        for step in range(STRETCH):
            yield data[(at + step) % len(data)]
        at = (at + STRETCH) % len(data)


def _three(index: int, octet: int) -> tuple[int, int, int]:
    crc = crc8_maxim(bytes((octet, index)))
    high, low = crc & 0xF0 | octet >> 4, crc << 4 & 0xF0 | octet & 0x0F
    return BASE + high, BASE + INDEX + index, BASE + low


class GuideLock:
    """Finds the guide among one sender's frames, and with it what every frame adds to the payload."""

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=REMEMBERED)

    def take(self, size: int) -> int | None:
        """Return the overhead once the guide is certain."""
        self._last.append(size)
        seen = Counter(self._last)
        for top in range(size, size + len(GUIDE)):
            overhead = top - GUIDE[0]
            counts = [seen[overhead + length] for length in GUIDE]
            if MIN_OVERHEAD <= overhead <= MAX_OVERHEAD and all(counts) and sum(counts) >= ENOUGH:
                return overhead
        return None


class V1Decoder:
    """Reads one sender's frame sizes; loses, repeats and swaps only cost it more rounds.

    ``networks`` are names that the board hears itself: older apps leave the SSID out and send its CRC.
    """

    def __init__(self, overhead: int, networks: Sequence[bytes] = ()) -> None:
        self._base = overhead + BASE
        self._networks = networks
        self._last: deque[int] = deque(maxlen=3)
        self._votes = [Counter[int]() for _ in range(MAX_INDEX + 1)]

    def take(self, size: int) -> Announcement | None:
        """Take a frame; return the announcement once it is whole and its checks hold."""
        code = size - self._base
        if not 0 <= code <= INDEX + MAX_INDEX:
            return None
        self._last.append(code)
        if len(self._last) < 3 or not self._last[0] < INDEX <= self._last[1] or code >= INDEX:  # noqa: PLR2004
            return None
        high, index, low = self._last[0], self._last[1] - INDEX, code
        octet = high << 4 & 0xF0 | low & 0x0F
        if crc8_maxim(bytes((octet, index))) != high & 0xF0 | low >> 4:
            return None
        self._votes[index][octet] += 1
        return self._whole()

    def _octets(self, start: int, count: int) -> bytes | None:
        octets = [leader(votes) for votes in self._votes[start : start + count]]
        known = [octet for octet in octets if octet is not None]
        return bytes(known) if len(known) == count else None

    def _whole(self) -> Announcement | None:
        head = self._octets(0, PASSWORD_AT)
        if head is None:
            return None
        password_length = head[PASSWORD_LENGTH]
        ssid_length = head[TOTAL] - PASSWORD_AT - password_length
        if password_length > MAX_PASSPHRASE + 1 or not 0 <= ssid_length <= MAX_SSID:
            return None
        password = self._octets(PASSWORD_AT, password_length)
        if password is None:
            return None
        body = PASSWORD_AT + password_length
        for ssid in (self._octets(body, ssid_length), *self._networks):
            if ssid is not None and len(ssid) == ssid_length and _holds(head, password, ssid):
                return self._announcement(head, password, ssid)
        return None

    def _announcement(self, head: bytes, password: bytes, ssid: bytes) -> Announcement | None:
        at = PASSWORD_AT + len(password) + len(ssid)
        bssid = self._octets(at, BSSID_SIZE) or b""
        if not bssid or crc8_maxim(bssid) != head[BSSID_CRC]:
            bssid = b""
        try:
            network = NetworkCredentials(ssid, password, bssid)
        except SettingsError:
            return None
        return Announcement(network, phone=".".join(map(str, head[HEAD:])))


def _holds(head: bytes, password: bytes, ssid: bytes) -> bool:
    return crc8_maxim(ssid) == head[SSID_CRC] and reduce(xor, head + password + ssid) == 0
