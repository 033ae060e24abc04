"""What goes down and its answer, as they stand inside sealed messages (docs/spec/channels.md).

```
down  id (8) ‖ expiry (4, seconds since 1970, 0 = none) ‖ body
ack   id (8) ‖ outcome (1) ‖ detail
```
"""

import enum
from dataclasses import dataclass, field
from typing import Final, Self

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.messaging.envelope import MAX_PLAINTEXT

__all__ = [
    "COMMAND_ID_LENGTH",
    "MAX_BODY",
    "MAX_DETAIL",
    "MAX_EXPIRY_S",
    "OPEN_AT_ONCE",
    "REMEMBERED",
    "Acknowledgement",
    "Command",
    "Outcome",
]

COMMAND_ID_LENGTH: Final = 8  # bytes, random
MAX_BODY: Final = MAX_PLAINTEXT - COMMAND_ID_LENGTH - 4  # bytes of one command
MAX_DETAIL: Final = 1_024  # bytes of an answer
MAX_EXPIRY_S: Final = (1 << 32) - 1  # the year 2106
OPEN_AT_ONCE: Final = 32
"""Commands of one device that may be on their way together; the next waits for the oldest of them."""
REMEMBERED: Final = 2 * OPEN_AT_ONCE
"""Ids that a device remembers, so that none of those that may come again is carried out twice."""

_HEAD: Final = COMMAND_ID_LENGTH + 4
_ACK_HEAD: Final = COMMAND_ID_LENGTH + 1


class Outcome(enum.IntEnum):
    """What became of a command on the device; the value stands on the wire."""

    DONE = 0  # carried out
    FAILED = 1  # tried and failed, or interrupted half-way
    REFUSED = 2  # not carried out: unknown, malformed, or against the device's rules
    EXPIRED = 3  # came after its expiry


@dataclass(frozen=True, slots=True)
class Command:
    """One message to a device, the same each time that it is sent."""

    command_id: bytes
    expires_s: int
    """Seconds since 1970 after which nobody carries it out; 0: it does not expire."""
    body: bytes = field(repr=False)

    @classmethod
    def decode(cls, plaintext: bytes) -> Self:
        """Return the command in an opened message; raises MalformedMessage."""
        if len(plaintext) < _HEAD:
            raise MalformedMessage(f"a command has at least {_HEAD} bytes, not {len(plaintext)}")
        expires_s = int.from_bytes(plaintext[COMMAND_ID_LENGTH:_HEAD], "big")
        return cls(plaintext[:COMMAND_ID_LENGTH], expires_s, plaintext[_HEAD:])

    def encode(self) -> bytes:
        """Return the plaintext to seal; raises MisuseError for what has no place in it."""
        if len(self.command_id) != COMMAND_ID_LENGTH or not 0 <= self.expires_s <= MAX_EXPIRY_S:
            raise MisuseError("a command has an id of 8 bytes and an expiry before 2106")
        if len(self.body) > MAX_BODY:
            raise MisuseError(f"a command has at most {MAX_BODY} bytes, not {len(self.body)}")
        return self.command_id + self.expires_s.to_bytes(4, "big") + self.body

    def expired(self, now_s: float) -> bool:
        """Say whether it is too late to carry it out."""
        return self.expires_s != 0 and now_s >= self.expires_s


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The device's word on one command; the same each time that the command comes again."""

    command_id: bytes
    outcome: Outcome
    detail: bytes = field(default=b"", repr=False)
    """For a person as UTF-8, or what the channel says."""

    @classmethod
    def decode(cls, plaintext: bytes) -> Self:
        """Return the answer in an opened message; raises MalformedMessage."""
        if not _ACK_HEAD <= len(plaintext) <= _ACK_HEAD + MAX_DETAIL:
            raise MalformedMessage(
                f"an acknowledgement has {_ACK_HEAD} to {_ACK_HEAD + MAX_DETAIL} bytes, not {len(plaintext)}"
            )
        code = plaintext[COMMAND_ID_LENGTH]
        if code > max(Outcome):
            raise MalformedMessage(f"an acknowledgement has no outcome {code}")
        return cls(plaintext[:COMMAND_ID_LENGTH], Outcome(code), plaintext[_ACK_HEAD:])

    def encode(self) -> bytes:
        """Return the plaintext to seal, a detail that is too long cut."""
        if len(self.command_id) != COMMAND_ID_LENGTH:
            raise MisuseError("a command id has 8 bytes")
        return self.command_id + bytes((self.outcome,)) + self.detail[:MAX_DETAIL]
