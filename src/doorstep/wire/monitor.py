"""What a radio in monitor mode hears: radiotap and the open head of an IEEE 802.11 data frame.

Nothing is decrypted: who sends, to whom, and how long the frame is stand in the open.
"""

from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage

__all__ = ["MAX_FRAME", "DataFrame", "parse_monitor"]

MAX_FRAME: Final = 4096
_RADIOTAP_HEAD: Final = 8
_PRESENT_AT: Final = 4
_MORE_PRESENT: Final = 1 << 31
_TSFT, _FLAGS = 1 << 0, 1 << 1
_TSFT_SIZE: Final = 8
_HAS_FCS: Final = 0x10
_FCS_SIZE: Final = 4
_HEAD: Final = 24
_TYPE_MASK, _DATA, _NO_PAYLOAD = 0x0C, 0x08, 0x40
_TO_AP, _FROM_AP, _RETRY = 0x01, 0x02, 0x08
_GROUP: Final = 0x01


@dataclass(frozen=True, slots=True)
class DataFrame:
    """A data frame between a station and an access point; ``size`` is without radiotap and check sum."""

    transmitter: bytes
    source: bytes
    destination: bytes
    bssid: bytes
    size: int
    sequence: int = 0
    retry: bool = False

    @property
    def to_group(self) -> bool:
        """Tell whether it is a broadcast or a multicast."""
        return bool(self.destination[0] & _GROUP)


def parse_monitor(octets: bytes) -> DataFrame | None:
    """Read what a monitor interface gives, `None` for what is no data frame; raises `MalformedMessage`."""
    if len(octets) > MAX_FRAME:
        raise MalformedMessage(f"a frame has {len(octets)} bytes, more than {MAX_FRAME}")
    frame = _without_radiotap(octets)
    if len(frame) < 2 or frame[0] & _TYPE_MASK != _DATA or frame[0] & _NO_PAYLOAD:  # noqa: PLR2004
        return None
    way = frame[1] & (_TO_AP | _FROM_AP)
    if way not in (_TO_AP, _FROM_AP):
        return None
    if len(frame) < _HEAD:
        raise MalformedMessage("a data frame ends within its head")
    first, second, third = (frame[at : at + 6] for at in (4, 10, 16))
    source, destination, bssid = (second, third, first) if way == _TO_AP else (third, first, second)
    sequence = int.from_bytes(frame[22:24], "little") >> 4
    retry = bool(frame[1] & _RETRY)
    return DataFrame(second, source, destination, bssid, len(frame), sequence, retry)


def _without_radiotap(octets: bytes) -> bytes:
    if len(octets) < _RADIOTAP_HEAD or octets[0]:
        raise MalformedMessage("no radiotap stands before the frame")
    end = int.from_bytes(octets[2:4], "little")
    if not _RADIOTAP_HEAD <= end <= len(octets):
        raise MalformedMessage("radiotap is longer than the frame")
    return octets[end : len(octets) - _FCS_SIZE] if _flags(octets[:end]) & _HAS_FCS else octets[end:]


def _flags(radiotap: bytes) -> int:
    """Return the flags field, which follows the time stamp where there is one."""
    at = _PRESENT_AT
    present = int.from_bytes(radiotap[at : at + 4], "little")
    word = present
    while word & _MORE_PRESENT:
        at += 4
        if at + 4 > len(radiotap):
            raise MalformedMessage("radiotap ends within its list of fields")
        word = int.from_bytes(radiotap[at : at + 4], "little")
    at += 4
    if not present & _FLAGS:
        return 0
    if present & _TSFT:
        at = -(-at // _TSFT_SIZE) * _TSFT_SIZE + _TSFT_SIZE
    if at >= len(radiotap):
        raise MalformedMessage("radiotap ends before its flags")
    return radiotap[at]
