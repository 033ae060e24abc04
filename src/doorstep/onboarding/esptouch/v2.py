"""ESP-Touch version 2: six bits in the length of each datagram, optionally encrypted with a product's key.

A round: length 1048 and 1071 + number of blocks, both twice, then the head's block, then each further
block behind three times 128 + its number. A block is eight lengths ``128 i + 64 + v``: ``v`` holds bit
``i`` of six octets. Of octets beyond ASCII a block carries five and their CRC-8 in the sixth, of ASCII
six and in the eighth length six bits of the CRC-8.

The head: lengths of SSID, password and reserved data, each with bit 7 for beyond ASCII; CRC-8 of the
BSSID; flags; CRC-8 of the head. Then password and reserved data (together where both are ASCII or
encrypted), an initialisation vector, SSID.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from doorstep.crypto.unauthenticated import BLOCK_SIZE, cbc_open, cbc_seal
from doorstep.errors import PeerError, RefusedError, SettingsError
from doorstep.onboarding.esptouch.announcement import (
    ACK_PORTS,
    MAX_OVERHEAD,
    MIN_OVERHEAD,
    Announcement,
    leader,
)
from doorstep.onboarding.esptouch.v2_head import BEYOND_ASCII, CARRIED, IV_SIZE, RANDOM_IV, Head, step
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.crc import crc8_maxim
from doorstep.wire.provisioning.scan import BSSID_SIZE

__all__ = ["KEY_SIZE", "MAX_RESERVED", "PACE", "AnnouncementRefused", "SyncLock", "V2Decoder", "encode_v2"]

PACE: Final = 0.015
"""Seconds between two datagrams."""
KEY_SIZE: Final = 16
MAX_RESERVED: Final = 127
SYNC: Final = 1048
SIZES: Final = 1071
MAX_BLOCKS: Final = 64
NUMBER: Final = 128
DATA: Final = 64
BITS: Final = 8
HEAD_BLOCK: Final = -1
IPV4: Final = 0x01
MAX_SSID_INFO: Final = 32
MAX_PASSWORD_INFO: Final = 64
SURE: Final = 2
"""Pairs of sync and number of blocks that make a lock."""


class AnnouncementRefused(RefusedError):
    """A whole announcement came that this product does not take."""


def encode_v2(
    network: NetworkCredentials,
    rng: Callable[[int], bytes],
    *,
    reserved: bytes = b"",
    key: bytes = b"",
    port: int = ACK_PORTS[0],
) -> tuple[int, ...]:
    """Return the lengths of one round; ``rng`` returns that many unpredictable bytes.

    ``key`` encrypts password and reserved data, always with a fresh IV. Raises `SettingsError` on what
    does not fit, or where the network's BSSID is missing.
    """
    network.check_plain("ESP-Touch")
    if len(network.bssid) != BSSID_SIZE or len(reserved) > MAX_RESERVED or len(key) not in (0, KEY_SIZE):
        raise SettingsError(
            f"ESP-Touch 2 needs the access point's BSSID, takes at most {MAX_RESERVED} bytes along, and a "
            f"key of {KEY_SIZE} bytes or none."
        )
    secret = network.passphrase + reserved
    security = RANDOM_IV if key and secret else 0
    flags = IPV4 | security << 1 | ACK_PORTS.index(port) << 3
    infos = _info(network.ssid), _info(network.passphrase), _info(reserved)
    head = Head(infos[0], infos[1], infos[2], crc8_maxim(network.bssid), flags)
    vector = bytes(octet & ~BEYOND_ASCII for octet in rng(IV_SIZE)) if security else b""
    if security:
        parts = [cbc_seal(key, vector[:BLOCK_SIZE], secret), vector + network.ssid]
    else:
        parts = [network.passphrase, reserved, network.ssid]
        if len(head.sections()) < len(parts):
            parts = [secret, network.ssid]
    blocks = [_block(head.octets(), tail=False)]
    for part, (size, wide) in zip(parts, head.sections(), strict=True):
        octets = part + bytes(size - len(part))
        starts = range(0, size, step(wide=wide))
        blocks += [_checked(octets[at : at + step(wide=wide)], wide=wide) for at in starts]
    return tuple(_lengths(blocks))


def _info(octets: bytes) -> int:
    return len(octets) | (0 if octets.isascii() else BEYOND_ASCII)


def _checked(octets: bytes, *, wide: bool) -> tuple[int, ...]:
    crc = crc8_maxim(octets)
    if wide:
        return _block(octets + bytes(CARRIED - 1 - len(octets)) + bytes((crc,)), tail=False)
    return (*_block(octets + bytes(CARRIED - len(octets)), tail=True), crc & 0x3F)


def _block(six: bytes, *, tail: bool) -> tuple[int, ...]:
    """Turn six octets into one value for each bit, the first octet's bit highest."""
    return tuple(
        sum((octet >> bit & 1) << CARRIED - 1 - place for place, octet in enumerate(six))
        for bit in range(BITS - tail)
    )


def _lengths(blocks: list[tuple[int, ...]]) -> Iterator[int]:
    yield from (SYNC, SIZES + len(blocks)) * 2
    for number, values in enumerate(blocks, HEAD_BLOCK):
        if number > HEAD_BLOCK:
            yield from (NUMBER + number,) * 3
        for bit, value in enumerate(values):
            yield bit << 7 | DATA | value


class SyncLock:
    """Finds the begin of rounds among one sender's frames, and with it what every frame adds."""

    def __init__(self) -> None:
        self._before = 0
        self._pairs: Counter[int] = Counter()

    def take(self, size: int) -> int | None:
        """Return the overhead once it is certain."""
        overhead = self._before - SYNC
        if MIN_OVERHEAD <= overhead <= MAX_OVERHEAD and 0 < size - overhead - SIZES <= MAX_BLOCKS:
            self._pairs[overhead] += 1
            if self._pairs[overhead] >= SURE:
                return overhead
        self._before = size
        return None


class V2Decoder:
    """Reads one sender's frame sizes; loses, repeats and swaps only cost it more rounds.

    ``key`` is the product's, or empty where it has none.
    """

    def __init__(self, overhead: int, key: bytes = b"") -> None:
        self._overhead = overhead
        self._key = key
        self._number = HEAD_BLOCK
        self._votes: dict[tuple[int, int], Counter[int]] = {}

    def take(self, size: int) -> Announcement | None:
        """Take a frame; return the announcement once it is whole.

        Raises `AnnouncementRefused` on a whole one in the open where the product has a key, and on one
        with the constant IV of CVE-2024-53845.
        """
        code = size - self._overhead
        if code == SYNC or SIZES < code <= SIZES + MAX_BLOCKS:
            return self._begin(HEAD_BLOCK)
        if NUMBER <= code < NUMBER + MAX_BLOCKS:
            return self._begin(code - NUMBER)
        bit, value = code >> 7, code & 0x7F
        if 0 <= bit < BITS and value & DATA:
            votes = self._votes.setdefault((self._number, bit), Counter())
            votes[value & ~DATA] += 1
        return None

    def _begin(self, number: int) -> Announcement | None:
        if number == self._number != HEAD_BLOCK:
            return None
        self._number = number
        return self._whole()

    def _whole(self) -> Announcement | None:
        octets = self._values(HEAD_BLOCK)
        if octets is None or crc8_maxim(octets[:-1]) != octets[-1]:
            return None
        head = Head(*octets[:-1])
        if head.ssid & ~BEYOND_ASCII > MAX_SSID_INFO or head.password & ~BEYOND_ASCII > MAX_PASSWORD_INFO:
            return None
        parts = self._parts(head)
        return None if parts is None else self._announcement(head, parts)

    def _parts(self, head: Head) -> list[bytes] | None:
        number, parts = 0, []
        for size, wide in head.sections():
            part = b""
            for at in range(0, size, step(wide=wide)):
                octets = self._carried(number, min(step(wide=wide), size - at), wide=wide)
                if octets is None:
                    return None
                part, number = part + octets, number + 1
            parts.append(part)
        return parts

    def _carried(self, number: int, count: int, *, wide: bool) -> bytes | None:
        octets = self._values(number)
        if octets is None:
            return None
        crc = crc8_maxim(octets[:count] if wide else bytes(octet & ~BEYOND_ASCII for octet in octets[:count]))
        if wide:
            return octets[:count] if octets[-1] == crc else None
        there = leader(self._votes[number, BITS - 1])
        return bytes(octet & ~BEYOND_ASCII for octet in octets[:count]) if there == crc & 0x3F else None

    def _values(self, number: int) -> bytes | None:
        values = [leader(self._votes.get((number, bit), Counter())) for bit in range(BITS)]
        known = [value for value in values if value is not None]
        if len(known) < BITS:
            return None
        return bytes(
            sum((value >> CARRIED - 1 - place & 1) << bit for bit, value in enumerate(known))
            for place in range(CARRIED)
        )

    def _announcement(self, head: Head, parts: list[bytes]) -> Announcement | None:
        password, reserved = head.password & ~BEYOND_ASCII, head.reserved & ~BEYOND_ASCII
        secret = self._secret(head, parts)
        ssid = parts[-1][IV_SIZE if head.security == RANDOM_IV else 0 :][: head.ssid & ~BEYOND_ASCII]
        try:
            network = NetworkCredentials(ssid, secret[:password])
        except SettingsError:
            return None
        port = ACK_PORTS[head.flags >> 3 & 3]
        return Announcement(network, secret[password : password + reserved], port=port)

    def _secret(self, head: Head, parts: list[bytes]) -> bytes:
        """Return password and reserved data, decrypted where they must be."""
        if not head.security:
            if self._key and (head.password or head.reserved):
                raise AnnouncementRefused(
                    "Somebody announces a network in the open, but this product takes encrypted ones only.",
                    next_step="Give the app this product's key.",
                )
            return _joined(head, parts)
        if head.security != RANDOM_IV:
            raise AnnouncementRefused(
                "The app encrypts every announcement with one and the same IV (CVE-2024-53845).",
                next_step="Update the app.",
            )
        if not self._key:
            raise AnnouncementRefused(
                "Somebody announces an encrypted network, and this product has no key for it."
            )
        sealed = (head.password & ~BEYOND_ASCII) + (head.reserved & ~BEYOND_ASCII)
        size = sealed // BLOCK_SIZE * BLOCK_SIZE + BLOCK_SIZE
        try:
            return cbc_open(self._key, parts[1][:BLOCK_SIZE], parts[0][:size])
        except PeerError as error:
            raise AnnouncementRefused(
                "The announcement is encrypted with another product's key.",
                next_step="Give the app this product's key.",
            ) from error


def _joined(head: Head, parts: list[bytes]) -> bytes:
    if len(parts) == len(("secret", "ssid")):
        return parts[0]
    return parts[0][: head.password & ~BEYOND_ASCII] + parts[1]
