"""What a legacy message says, as the plain JSON object that readings are kept in (docs/spec/readings.md)."""

import json
import re
from typing import Any, Final

from doorstep.errors import MalformedMessage
from doorstep.messaging.legacy.formats import Format

__all__ = ["payload_of"]

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?").fullmatch


def payload_of(kind: Format, said: bytes) -> bytes:
    """Return the readings in what a genuine message carried; raises MalformedMessage where there are none.

    Their names and values are yet to be checked.
    """
    try:
        text = said.decode()
        values = {"data": _value(text)} if kind is Format.ARTICLE else _parameters(json.loads(text))
        return json.dumps(values, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        raise MalformedMessage("the legacy message carries no text that can be read") from None


def _value(text: str) -> float | str:
    """Return a number for what looks like one: the article's boards send nothing but text."""
    if _NUMBER(text) is None:
        return text
    return float(text) if "." in text else int(text)


def _parameters(inner: dict[str, Any]) -> dict[str, Any]:
    parameters = inner.get("parameters")
    if isinstance(parameters, dict) and parameters:
        return parameters
    return {"event": inner.get("event")}
