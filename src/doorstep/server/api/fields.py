"""Texts of requests: one line, no control characters, capped where they are used."""

from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

__all__ = ["Alias", "Line", "Note", "Reason", "ShortId"]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control characters can't stand here")
    return text


_LINE_CAP: Final = 254

Line = Annotated[str, StringConstraints(max_length=_LINE_CAP), AfterValidator(_printable)]
"""A name, number or address."""
Alias = Annotated[str, StringConstraints(max_length=80), AfterValidator(_printable)]
"""What somebody calls a device."""
Note = Annotated[str, StringConstraints(max_length=200), AfterValidator(_printable)]
"""A word for the other side, or nothing."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
"""Why."""
ShortId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{0,8}$")]
"""A device id, or nothing."""
