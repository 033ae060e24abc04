"""Improv's packets on a serial line: ``IMPROV``, version, type, length, data, a sum of all, a line end.

A device writes its log on the same line, so what is no packet is passed over.
"""

import enum
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.onboarding.improv.rpc import checked, unchecked

__all__ = ["BROKEN", "Broken", "Packet", "PacketKind", "PacketReader"]

HEADER: Final = b"IMPROV\x01"
HEAD: Final = len(HEADER) + 2
LINE_END: Final = b"\n"


class PacketKind(enum.IntEnum):
    """What a packet holds."""

    STATE = 1
    ERROR = 2
    COMMAND = 3
    RESULT = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet."""

    kind: PacketKind
    data: bytes = field(repr=False)

    def octets(self) -> bytes:
        """Return the packet with its line end."""
        return checked(HEADER + bytes((self.kind, len(self.data))) + self.data) + LINE_END


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that began as a packet and was none."""


BROKEN: Final = Broken()


class PacketReader:
    """Finds packets in a stream, at whatever places it is cut."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, octets: bytes) -> list[Packet | Broken]:
        """Take octets; return the packets that they complete."""
        self._begun += octets
        found: list[Packet | Broken] = []
        while (packet := self._next()) is not None:
            found.append(packet)
        return found

    def _next(self) -> Packet | Broken | None:
        start = self._begun.find(HEADER)
        if start < 0:
            self._begun = self._begun[-len(HEADER) + 1 :]
            return None
        self._begun = self._begun[start:]
        if len(self._begun) < HEAD:
            return None
        end = HEAD + self._begun[HEAD - 1] + 1
        if len(self._begun) < end:
            return None
        whole = self._begun[:end]
        try:
            packet = Packet(PacketKind(unchecked(whole)[HEAD - 2]), whole[HEAD:-1])
        except (MalformedMessage, ValueError):
            self._begun = self._begun[len(HEADER) :]
            return BROKEN
        self._begun = self._begun[end:]
        return packet
