"""BluFi's frames: type, control, sequence, length, data, and a CRC-16 where the control says so.

A fragment's data begin with the length of its own content and all that follows, 16 bits, little-endian.
The sequence counts every frame of one direction from zero, for the length of a connection.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from doorstep.crypto.unauthenticated import BLOCK_SIZE, cfb_open, cfb_seal
from doorstep.errors import ProtocolViolation
from doorstep.wire.crc import crc16_genibus

__all__ = [
    "MAX_CONTENT",
    "Control",
    "ErrorCode",
    "FrameReader",
    "FrameRefused",
    "FrameWriter",
    "Kind",
    "Message",
    "Mode",
    "SessionSpent",
]

HEAD: Final = 4
CRC: Final = 2
LENGTH: Final = 2
MAX_DATA: Final = 255
MAX_CONTENT: Final = 2048
"""Bytes of a message put together; stock firmware takes 65535, and keeps memory for them."""
SEQUENCES: Final = 256
LEAST_ROOM: Final = 20


class Kind(enum.IntEnum):
    """A frame's first byte: 0 control or 1 data in the low two bits, the subtype above."""

    ACK = 0x00 << 2
    SET_SECURITY = 0x01 << 2
    SET_MODE = 0x02 << 2
    CONNECT = 0x03 << 2
    DISCONNECT = 0x04 << 2
    GET_STATUS = 0x05 << 2
    DEAUTHENTICATE = 0x06 << 2
    GET_VERSION = 0x07 << 2
    HANG_UP = 0x08 << 2
    GET_NETWORKS = 0x09 << 2
    NEGOTIATION = 0x00 << 2 | 1
    BSSID = 0x01 << 2 | 1
    SSID = 0x02 << 2 | 1
    PASSWORD = 0x03 << 2 | 1
    STATUS = 0x0F << 2 | 1
    VERSION = 0x10 << 2 | 1
    NETWORKS = 0x11 << 2 | 1
    ERROR = 0x12 << 2 | 1
    CUSTOM = 0x13 << 2 | 1

    @property
    def is_data(self) -> bool:
        """Tell whether it carries content that may be encrypted."""
        return bool(self & 1)


class Control(enum.IntFlag):
    """A frame's second byte."""

    ENCRYPTED = 0x01
    CHECKED = 0x02
    FROM_DEVICE = 0x04
    WANTS_ACK = 0x08
    FRAGMENT = 0x10


class ErrorCode(enum.IntEnum):
    """What a device reports."""

    SEQUENCE = 0x00
    CHECKSUM = 0x01
    DECRYPTION = 0x02
    ENCRYPTION = 0x03
    NOT_READY = 0x04
    MEMORY = 0x05
    PARAMETERS = 0x06
    READ_PARAMETERS = 0x07
    PUBLIC_VALUE = 0x08
    FORMAT = 0x09
    HASH = 0x0A
    SCAN = 0x0B
    STATE = 0x0C


class FrameRefused(ProtocolViolation):
    """A frame that cannot be taken; ``code`` is what the peer is told."""

    def __init__(self, code: ErrorCode, sentence: str) -> None:
        super().__init__(sentence, next_step="Connect again and run the set-up anew.")
        self.code = code


class SessionSpent(ProtocolViolation):
    """No sequence number is left under this key."""

    def __init__(self) -> None:
        super().__init__(
            "The connection has used up its sequence numbers.",
            next_step="Connect again and run the set-up anew.",
        )


class Mode(enum.IntFlag):
    """What is done to frames of one kind; of a security mode the upper four bits are for control frames."""

    CHECKED = 0x01
    ENCRYPTED = 0x02


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message; ``protected`` where every frame of it was encrypted and checked."""

    kind: Kind
    content: bytes = field(repr=False)
    protected: bool = False
    acks: tuple[int, ...] = ()
    """Sequence numbers whose arrival the sender wants to hear of."""


class FrameReader:
    """Reads one direction of one connection; raises `FrameRefused`, after which nothing is right any more."""

    def __init__(self, *, from_device: bool) -> None:
        self.key = b""
        self._way = Control.FROM_DEVICE if from_device else Control(0)
        self._count = 0
        self._begun: list[bytes] = []
        self._kind: Kind | None = None
        self._left = 0
        self._protected = True
        self._acks: list[int] = []

    def take(self, octets: bytes) -> Message | None:
        """Take a frame; return the message once its last frame is here."""
        kind, control, sequence, data = self._parse(octets)
        if sequence != self._count % SEQUENCES:
            raise FrameRefused(ErrorCode.SEQUENCE, "a frame is lost, repeated or out of order")
        if self.key and self._count >= SEQUENCES:
            raise FrameRefused(
                ErrorCode.SEQUENCE, "256 frames were sent with one key: from here on each could be a replay"
            )
        self._count += 1
        data = self._opened(control, sequence, data, octets[HEAD + len(data) :])
        if control & Control.WANTS_ACK:
            self._acks.append(sequence)
        self._protected &= control & (Control.ENCRYPTED | Control.CHECKED) == 0x03  # noqa: PLR2004 - both
        return self._joined(kind, control, data)

    def _parse(self, octets: bytes) -> tuple[Kind, Control, int, bytes]:
        if len(octets) < HEAD:
            raise FrameRefused(ErrorCode.FORMAT, "a frame is shorter than its head")
        raw_kind, raw_control, sequence, size = octets[:HEAD]
        try:
            kind, control = Kind(raw_kind), Control(raw_control)
        except ValueError:
            raise FrameRefused(ErrorCode.FORMAT, f"frames of type {raw_kind:#04x} are not taken") from None
        if raw_control & ~0x1F or control & Control.FROM_DEVICE != self._way:
            raise FrameRefused(ErrorCode.FORMAT, "a frame has a control byte that cannot be")
        if len(octets) != HEAD + size + (CRC if control & Control.CHECKED else 0):
            raise FrameRefused(ErrorCode.FORMAT, "a frame is longer or shorter than it says")
        return kind, control, sequence, octets[HEAD : HEAD + size]

    def _opened(self, control: Control, sequence: int, data: bytes, crc: bytes) -> bytes:
        if control & Control.ENCRYPTED:
            if not self.key:
                raise FrameRefused(ErrorCode.DECRYPTION, "a frame is encrypted before a key was agreed on")
            data = cfb_open(self.key, _vector(sequence), data)
        if control & Control.CHECKED and crc != _checksum(sequence, data):
            raise FrameRefused(ErrorCode.CHECKSUM, "a frame's checksum does not hold")
        return data

    def _joined(self, kind: Kind, control: Control, data: bytes) -> Message | None:
        if self._kind is not None and kind is not self._kind:
            raise FrameRefused(ErrorCode.STATE, "another message came within one")
        if control & Control.FRAGMENT:
            self._begin(kind, data)
            return None
        if self._kind is not None and len(data) != self._left:
            raise FrameRefused(ErrorCode.FORMAT, "a message is longer or shorter than it says")
        content, protected, acks = b"".join((*self._begun, data)), self._protected, tuple(self._acks)
        self._begun, self._kind, self._protected, self._acks = [], None, True, []
        return Message(kind, content, protected, acks)

    def _begin(self, kind: Kind, data: bytes) -> None:
        left, data = int.from_bytes(data[:LENGTH], "little"), data[LENGTH:]
        if self._kind is None:
            self._kind, self._left = kind, left
        if left != self._left or left > MAX_CONTENT or not 0 < len(data) < left:
            raise FrameRefused(ErrorCode.FORMAT, f"a fragment's lengths are wrong, or beyond {MAX_CONTENT}")
        self._begun.append(data)
        self._left -= len(data)


class FrameWriter:
    """Writes one direction of one connection; ``room`` is how many bytes a frame may have.

    Raises `SessionSpent` rather than use a sequence number twice under one key.
    """

    def __init__(self, *, from_device: bool, room: int = LEAST_ROOM) -> None:
        self.key = b""
        self.data_mode, self.control_mode = Mode(0), Mode(0)
        self.room = room
        self._way = Control.FROM_DEVICE if from_device else Control(0)
        self._count = 0

    def write(self, kind: Kind, content: bytes = b"", mode: Mode | None = None) -> list[bytes]:
        """Return the frames of a message, in the mode of its kind where none is named."""
        if mode is None:
            mode = self.data_mode if kind.is_data else self.control_mode
        return list(self._frames(kind, content, mode))

    def _frames(self, kind: Kind, content: bytes, mode: Mode) -> Iterator[bytes]:
        most = min(max(self.room, LEAST_ROOM) - HEAD - CRC, MAX_DATA)
        while len(content) > most:
            length = len(content).to_bytes(LENGTH, "little")
            yield self._frame(kind, length + content[: most - LENGTH], mode, Control.FRAGMENT)
            content = content[most - LENGTH :]
        yield self._frame(kind, content, mode, Control(0))

    def _frame(self, kind: Kind, data: bytes, mode: Mode, control: Control) -> bytes:
        if self.key and self._count >= SEQUENCES:
            raise SessionSpent
        sequence = self._count % SEQUENCES
        self._count += 1
        crc = b""
        if mode & Mode.CHECKED:
            control |= Control.CHECKED
            crc = _checksum(sequence, data)
        if mode & Mode.ENCRYPTED:
            control |= Control.ENCRYPTED
            data = cfb_seal(self.key, _vector(sequence), data)
        return bytes((kind, control | self._way, sequence, len(data))) + data + crc


def _checksum(sequence: int, data: bytes) -> bytes:
    return crc16_genibus(bytes((sequence, len(data))) + data).to_bytes(CRC, "little")


def _vector(sequence: int) -> bytes:
    return bytes((sequence,)) + bytes(BLOCK_SIZE - 1)
