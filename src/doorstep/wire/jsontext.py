"""JSON from strangers into typed values, with one error for whatever is wrong with it."""

from typing import TypeVar

import msgspec

from doorstep.errors import MalformedMessage

__all__ = ["NotJson", "decode"]

T = TypeVar("T")


class NotJson(MalformedMessage):
    """Bytes are not JSON, or not of the form that is asked for."""


def decode(data: bytes, kind: type[T]) -> T:
    """Read ``data`` as a value of ``kind``; raises `NotJson`. The caller caps the size."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJson(str(error)) from error
    except RecursionError:
        raise NotJson("the JSON nests too deeply") from None
