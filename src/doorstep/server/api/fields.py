"""Texts of requests: one line, no control characters, capped where they are used."""

from typing import Annotated, Final

from ninja import Field, Path
from pydantic import StringConstraints

__all__ = [
    "LATEST_US",
    "Alias",
    "DeviceId",
    "Line",
    "Name",
    "Note",
    "Number",
    "ProductKey",
    "Reason",
    "RowNumber",
    "ShortId",
]


LATEST_US: Final = 2**62
"""No moment that somebody asks for is later: databases hold it."""
_NUMBER_CAP: Final = 2**53
"""What every program's numbers hold."""
_LINE_CAP: Final = 254
_ONE_LINE: Final = r"^[^\u0000-\u001F\u007F-\u009F\u2028\u2029]*$"
"""No control characters and no other end of a line."""

Line = Annotated[str, StringConstraints(max_length=_LINE_CAP, pattern=_ONE_LINE)]
"""A name, number or address."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=_ONE_LINE)]
"""What people call something."""
Alias = Annotated[str, StringConstraints(max_length=80, pattern=_ONE_LINE)]
"""What somebody calls a device."""
Note = Annotated[str, StringConstraints(max_length=200, pattern=_ONE_LINE)]
"""A word for the other side, or nothing."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_ONE_LINE)]
"""Why."""
RowNumber = Annotated[int, Field(ge=1, le=_NUMBER_CAP)]
"""Which one, in a body or a question."""
Number = Annotated[int, Path(ge=0, le=_NUMBER_CAP, description="Of the row, as lists tell it.")]
"""Which one, in a path."""
DeviceId = Annotated[str, Path(description="Of the device, as its label and lists have it.")]
ProductKey = Annotated[str, Path(description="Of the product, as programs write it.")]
ShortId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{0,8}$")]
"""A device id, or nothing."""
