"""Payloads of channel ``data``: SenML in JSON or CBOR (RFC 8428), or a plain JSON object.

docs/spec/readings.md is the normative text. The first byte tells the three apart.
"""

import io
import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeAlias

import cbor2
import msgspec
from msgspec import UNSET, UnsetType

from doorstep.errors import MalformedMessage, MisuseError

__all__ = [
    "MAX_NAME",
    "MAX_NUMBER",
    "MAX_PAYLOAD",
    "MAX_READINGS",
    "MAX_STRING",
    "MAX_TIME",
    "MAX_UNIT",
    "RELATIVE_BELOW",
    "Reading",
    "absolute_time",
    "check",
    "decode",
    "encode_cbor",
    "encode_json",
]

MAX_PAYLOAD: Final = 4_096  # bytes
MAX_READINGS: Final = 64  # in one payload
MAX_NAME: Final = 64  # characters, base name included
MAX_UNIT: Final = 32  # characters
MAX_STRING: Final = 256  # characters of a text value
MAX_NUMBER: Final = 1e300  # size of a value or base value, so that their sum is finite
RELATIVE_BELOW: Final = 1 << 28  # seconds: smaller times count from arrival, RFC 8428 section 4.5.3
MAX_TIME: Final = 1 << 36  # seconds since 1970 of a time or base time: the year 4147

_ONE_NAME: Final = rf"[A-Za-z0-9][A-Za-z0-9:./_-]{{0,{MAX_NAME - 1}}}+"  # RFC 8428 section 4.5.1
_match_names: Final = re.compile(rf"{_ONE_NAME}(?:\n{_ONE_NAME})*+").fullmatch
_NUL_ESCAPE: Final = b"\\u0000"  # no database keeps the character in text
_BACKSLASH: Final = ord("\\")  # looked for first: a byte is found ten times faster
_CBOR_DEPTH: Final = 4  # array, map, and a decimal fraction: a tagged array
_SHOWN: Final = 100  # characters of a decoder's words that an error repeats

Value: TypeAlias = float | bool | str
_Number = Annotated[float, msgspec.Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
_Time = Annotated[float, msgspec.Meta(gt=-RELATIVE_BELOW, le=MAX_TIME)]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_STRING)]
_Unit = Annotated[str, msgspec.Meta(max_length=MAX_UNIT)]


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One measured value. ``time`` is in seconds as sent: see `absolute_time`."""

    name: str
    unit: str | None
    value: Value
    time: float | None


class _Record(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A SenML record with the fields that we store; any other field is an error."""

    n: str = ""
    u: _Unit | UnsetType = UNSET
    v: _Number | UnsetType = UNSET
    vs: _Text | UnsetType = UNSET
    vb: bool | UnsetType = UNSET
    t: _Time | UnsetType = UNSET
    bn: str | UnsetType = UNSET
    bt: _Time | UnsetType = UNSET
    bu: _Unit | UnsetType = UNSET
    bv: _Number | UnsetType = UNSET
    bver: Literal[10] = 10  # RFC 8428 section 4.4


_LABELS: Final = {  # RFC 8428 section 6
    -1: "bver",
    -2: "bn",
    -3: "bt",
    -4: "bu",
    -5: "bv",
    0: "n",
    1: "u",
    2: "v",
    3: "vs",
    4: "vb",
    6: "t",
}
_Records = Annotated[list[_Record], msgspec.Meta(min_length=1, max_length=MAX_READINGS)]
_decode_records: Final = msgspec.json.Decoder(_Records).decode
_JSON_STARTS: Final = (b"{", b"[")
_decode_object: Final = msgspec.json.Decoder(
    Annotated[dict[str, _Number | bool | _Text], msgspec.Meta(min_length=1, max_length=MAX_READINGS)]
).decode


def check(payload: bytes) -> int:
    """Return how many readings ``payload`` holds; raises MalformedMessage where `decode` does."""
    parsed = _parse(payload)
    if len(parsed) == 1 and isinstance(parsed, list):  # what most devices send, at two thirds of the cost
        record = parsed[0]
        if record.bn is UNSET and record.v is not UNSET and record.vs is record.vb:
            _check_names((record.n,))
            return 1
    return len(_names(parsed))


def decode(payload: bytes) -> tuple[Reading, ...]:
    """Return the readings of ``payload``, base fields resolved; raises MalformedMessage."""
    parsed = _parse(payload)
    names = _names(parsed)
    if isinstance(parsed, dict):
        return tuple([Reading(name, None, value, None) for name, value in parsed.items()])
    return tuple(_resolve(names, parsed))


def absolute_time(reading: Reading, arrived: float) -> float:
    """Return when ``reading`` was taken, in seconds since 1970; ``arrived`` if it does not say."""
    if reading.time is None:
        return arrived
    return reading.time + arrived if reading.time < RELATIVE_BELOW else reading.time


def encode_json(readings: Iterable[Reading]) -> bytes:
    """Return ``readings`` as SenML JSON; raises MisuseError where `decode` would refuse the result."""
    return _checked(msgspec.json.encode([_record(reading) for reading in readings]))


def encode_cbor(readings: Iterable[Reading]) -> bytes:
    """Return ``readings`` as SenML CBOR; raises MisuseError where `decode` would refuse the result."""
    records = map(_record, readings)
    labelled = [{label: rec[name] for label, name in _LABELS.items() if name in rec} for rec in records]
    return _checked(cbor2.dumps(labelled, canonical=True))


def _record(reading: Reading) -> dict[str, Value]:
    kind = "vb" if isinstance(reading.value, bool) else "vs" if isinstance(reading.value, str) else "v"
    record: dict[str, Value] = {"n": reading.name, kind: reading.value}
    if reading.unit is not None:
        record["u"] = reading.unit
    if reading.time is not None:
        record["t"] = reading.time
    return record


def _checked(payload: bytes) -> bytes:
    try:
        check(payload)
    except MalformedMessage as error:
        raise MisuseError(f"these readings cannot be sent: {error.message}") from None
    return payload


def _parse(payload: bytes) -> dict[str, Value] | list[_Record]:
    if len(payload) > MAX_PAYLOAD:
        raise MalformedMessage(f"a payload has at most {MAX_PAYLOAD} bytes, not {len(payload)}")
    first = payload[:1]
    try:
        if first not in _JSON_STARTS:
            return _cbor_records(payload)
        if _BACKSLASH in payload and _NUL_ESCAPE in payload:
            raise MalformedMessage("the payload has a NUL character")
        return _decode_object(payload) if first == b"{" else _decode_records(payload)
    except (msgspec.MsgspecError, cbor2.CBORError, UnicodeDecodeError) as error:
        raise MalformedMessage(f"the payload holds no readings: {str(error)[:_SHOWN]!a}") from None


def _cbor_records(payload: bytes) -> list[_Record]:
    stream = io.BytesIO(payload)
    records = cbor2.CBORDecoder(stream, max_depth=_CBOR_DEPTH, allow_duplicate_keys=False).decode()
    if stream.tell() != len(payload) or not isinstance(records, list):
        raise MalformedMessage("the payload is neither a JSON object nor one SenML array")
    return msgspec.convert([_named(record) for record in records], _Records)


def _named(record: object) -> dict[str, object]:
    """Return a CBOR record under the names of the JSON form; refuse what JSON cannot say."""
    if not isinstance(record, dict):
        raise MalformedMessage("a SenML record is no map")
    named: dict[str, object] = {}
    for label, value in record.items():
        if type(label) is not int or label not in _LABELS:
            raise MalformedMessage("a SenML record has a label that we do not know")
        if value != value or (isinstance(value, str) and "\0" in value):  # noqa: PLR0124  (finds NaN)
            raise MalformedMessage("the payload has a NaN or a NUL character")
        named[_LABELS[label]] = value
    return named


def _names(parsed: dict[str, Value] | list[_Record]) -> Collection[str]:
    """Return the resolved name of each reading; refuse a bad name, and a record without just one value."""
    names = parsed if isinstance(parsed, dict) else _record_names(parsed)
    _check_names(tuple(names))
    return names


@lru_cache(maxsize=4_096)
def _check_names(names: tuple[str, ...]) -> None:
    """Refuse a bad name. A device says the same names again and again."""
    joined = "\n".join(names)
    if _match_names(joined) is None or joined.count("\n") != len(names) - 1:
        raise MalformedMessage(f"a name has 1 to {MAX_NAME} of A-Z a-z 0-9 - : . / _, letter or digit first")


def _record_names(records: list[_Record]) -> list[str]:
    unset, base = UNSET, ""  # a local UNSET: this loop is hot
    names = []
    for record in records:
        if record.bn is not unset:
            base = record.bn
        names.append(base + record.n)
        if (record.v is unset or record.vs is not record.vb) and _value_count(record) != 1:
            raise MalformedMessage("a SenML record has just one of v, vs and vb")
    return names


def _value_count(record: _Record) -> int:
    return sum(value is not UNSET for value in (record.v, record.vs, record.vb))


def _resolve(names: Collection[str], records: list[_Record]) -> Iterator[Reading]:
    """Apply base fields (RFC 8428 section 4.6)."""
    unit: str | None = None
    base_time: float | None = None
    base_value = 0.0
    for name, record in zip(names, records, strict=True):
        unit = unit if record.bu is UNSET else record.bu
        base_time = base_time if record.bt is UNSET else record.bt
        base_value = base_value if record.bv is UNSET else record.bv
        time = base_time if record.t is UNSET else record.t + (base_time or 0.0)
        yield Reading(name, unit if record.u is UNSET else record.u, _value(record, base_value), time)


def _value(record: _Record, base: float) -> Value:
    if record.v is not UNSET:
        return record.v + base
    if record.vs is not UNSET:
        return record.vs
    return bool(record.vb)
