"""What the bodies of commands and settings say (docs/spec/channels.md sections 4 and 5)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import msgspec

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.messaging.command import MAX_BODY
from doorstep.wire import senml

__all__ = [
    "MAX_CALL_NAME",
    "MAX_SETTINGS",
    "MAX_VERSION",
    "SETTINGS_VERSION",
    "Call",
    "Settings",
    "Values",
    "read_values",
    "write_values",
]

Values = Mapping[str, float | bool | str]
"""Flat values as in a plain JSON object of readings: numbers, truth values, texts."""

MAX_CALL_NAME: Final = 32  # characters
MAX_SETTINGS: Final = senml.MAX_READINGS - 1  # beside the version
MAX_VERSION: Final = (1 << 53) - 1  # what every JSON number holds exactly
SETTINGS_VERSION: Final = "config.version"
"""The member that says which version of the settings it is, in ``config`` and in ``state``."""

_RESERVED: Final = "config."
_match_name: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{MAX_CALL_NAME - 1}}}").fullmatch


@dataclass(frozen=True, slots=True)
class Call:
    """The body of a message on ``down/cmd``: what to do, and with what."""

    name: str
    arguments: Values = field(default_factory=dict, repr=False)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Return the call in a body; raises MalformedMessage."""
        length = body[0] if body else 0
        name = body[1 : 1 + length].decode("ascii", "replace")
        if len(name) != length or _match_name(name) is None:
            raise MalformedMessage(f"a command has a name of 1 to {MAX_CALL_NAME} characters a-z 0-9 . _ -")
        arguments = body[1 + length :]
        return cls(name, _values(arguments) if arguments else {})

    def encode(self) -> bytes:
        """Return the body; raises MisuseError for what `decode` would refuse."""
        arguments = _text(self.arguments) if self.arguments else b""
        body = bytes((len(self.name) & 0xFF,)) + self.name.encode() + arguments
        try:
            Call.decode(body)
        except MalformedMessage as error:
            raise MisuseError(f"this command can't be sent: {error.message}") from None
        return _capped(body)


@dataclass(frozen=True, slots=True)
class Settings:
    """The body of a message on ``down/config``: all settings of one version."""

    version: int
    values: Values = field(default_factory=dict, repr=False)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Return the settings in a body; raises MalformedMessage."""
        values = _values(body)
        version = values.pop(SETTINGS_VERSION, None)
        if type(version) is not float or not (1 <= version <= MAX_VERSION and version.is_integer()):
            raise MalformedMessage(f"settings have a whole number from 1 as {SETTINGS_VERSION}")
        _check_names(values)
        return cls(int(version), values)

    def encode(self) -> bytes:
        """Return the body; raises MisuseError for what `decode` would refuse."""
        body = _text({SETTINGS_VERSION: self.version, **self.values})
        try:
            _check_names(self.values)
            Settings.decode(body)
        except MalformedMessage as error:
            raise MisuseError(f"these settings can't be sent: {error.message}") from None
        return _capped(body)


def _check_names(values: Values) -> None:
    if any(name.startswith(_RESERVED) for name in values):
        raise MalformedMessage(f"the name of a setting does not begin with {_RESERVED}")


def read_values(lines: Iterable[str]) -> dict[str, float | bool | str]:
    """Read what a person wrote as NAME=VALUE; raises MisuseError.

    A value is true, false, a number, or a text; text that looks like one of those stands in "quotes".
    """
    values: dict[str, float | bool | str] = {}
    for line in lines:
        name, sign, value = line.partition("=")
        if not sign:
            raise MisuseError(
                f"{line[:40]!a} is no value", next_step="Write NAME=VALUE, such as interval=30."
            )
        values[name.strip()] = _value(value.strip())
    return values


def write_values(values: Values) -> list[str]:
    """Write values as `read_values` reads them."""
    return [f"{name}={_written(value)}" for name, value in values.items()]


def _value(text: str) -> float | bool | str:
    try:
        value: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    if isinstance(value, bool | str):
        return value
    return float(value) if isinstance(value, int | float) else text


def _written(value: float | bool | str) -> str:  # noqa: FBT001 - a value, not a switch
    plain = isinstance(value, str) and _value(value) == value and value == value.strip()
    return str(value) if plain else msgspec.json.encode(_short(value)).decode()


def _values(text: bytes) -> dict[str, float | bool | str]:
    if text[:1] != b"{":
        raise MalformedMessage("the values are no plain JSON object")
    return {reading.name: reading.value for reading in senml.decode(text)}


def _text(values: Values) -> bytes:
    """Write whole numbers without a point: a small chip may know no other."""
    return msgspec.json.encode({name: _short(value) for name, value in values.items()})


def _short(value: float | bool | str) -> float | bool | str:  # noqa: FBT001 - a value, not a switch
    whole = isinstance(value, float) and value.is_integer() and abs(value) <= MAX_VERSION
    return int(value) if whole else value


def _capped(body: bytes) -> bytes:
    if len(body) > MAX_BODY:
        raise MisuseError(f"a command has at most {MAX_BODY} bytes, not {len(body)}", next_step="Say less.")
    return body
