"""The legacy envelopes, what an attacker can do with each, and which of them a product takes."""

import enum
from collections.abc import Collection, Iterable
from typing import Final

from doorstep.errors import MisuseError, RefusedError

__all__ = [
    "RISKS",
    "SESSION_CHANNEL",
    "Format",
    "InsecureFormat",
    "UnknownFormat",
    "choose",
    "read_formats",
]

SESSION_CHANNEL: Final = "session"
"""Where ids are asked for, announced (up) and given out (down)."""


class Format(enum.StrEnum):
    """A legacy envelope; also the channel that carries it, and the name under which its readings are kept."""

    ARTICLE = "article"  # encrypted IV, node id, data and MAC as hex, under a session id that is used once
    IOT1 = "iot1-aessha1"  # the JSON message of PyPI iot-message 1.2, without a session id

    @property
    def risk(self) -> str:
        """The sentence that is shown before it is put on, and wherever it is."""
        return RISKS[self]


RISKS: Final = {
    Format.ARTICLE: (
        "Its login is sent in the clear, its keys never change, and whoever copies one board's flash can read"
        " and forge everything of that board, past and future."
    ),
    Format.IOT1: (
        "Its login is sent in the clear, its keys never change, whoever copies one board's flash can read and"
        " forge everything of that board, past and future, and a recorded message may be sent again later."
    ),
}
"""One sentence a format."""


class UnknownFormat(MisuseError):
    """There is no legacy format of that name."""


class InsecureFormat(RefusedError):
    """A legacy format was asked for and nobody has accepted its risk; ``format`` says which."""

    def __init__(self, wanted: Format) -> None:
        super().__init__(
            f"messages in format {wanted} are insecure: {RISKS[wanted]}",
            next_step=f"Leave {wanted} off, or accept the risk: --accept-risk {wanted}",
        )
        self.format = wanted


def choose(wanted: Iterable[str], accepted: Collection[str] = ()) -> tuple[Format, ...]:
    """Return the formats in the table's order; ``accepted`` are those whose risk a person took.

    Raises `UnknownFormat` and `InsecureFormat`.
    """
    keys = set(wanted)
    if unknown := sorted({*keys, *accepted} - set(Format)):
        raise UnknownFormat(
            f"there is no legacy format {unknown[0][:40]!r}", next_step=f"There are: {', '.join(Format)}."
        )
    for one in Format:
        if one in keys and one not in accepted:
            raise InsecureFormat(one)
    return tuple(one for one in Format if one in keys)


def read_formats(column: str) -> tuple[Format, ...]:
    """Return the formats in a product's column: their names, with blanks between."""
    return tuple(Format(word) for word in column.split())
