import json
import math
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.wire import senml
from doorstep.wire.senml import Reading

REPOSITORY = Path(__file__).parents[2]
SPEC = (REPOSITORY / "docs" / "spec" / "readings.md").read_text(encoding="utf-8")
VECTORS = json.loads((REPOSITORY / "vectors" / "readings.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["payloads"]}

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:./_-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.floats(-1e300, 1e300)
TIMES = st.floats(-(2**28), 2**36, exclude_min=True)
READINGS = st.builds(Reading, NAMES, st.none() | TEXTS, NUMBERS | st.booleans() | TEXTS, st.none() | TIMES)
RECORD = st.fixed_dictionaries(
    {},
    optional={
        "n": NAMES | TEXTS,
        "u": TEXTS,
        "v": NUMBERS | st.integers(),
        "vs": TEXTS,
        "vb": st.booleans(),
        "t": TIMES,
        "bn": NAMES,
        "bt": TIMES,
        "bu": TEXTS,
        "bv": NUMBERS,
        "bver": st.just(10),
        "x": st.none(),
    },
)
LABELS = {
    "bver": -1,
    "bn": -2,
    "bt": -3,
    "bu": -4,
    "bv": -5,
    "n": 0,
    "u": 1,
    "v": 2,
    "vs": 3,
    "vb": 4,
    "t": 6,
    "x": 9,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_decoder_agrees_with_vectors(case: dict[str, Any]) -> None:
    payload = bytes.fromhex(case["payload"])
    if case["readings"] is None:
        for entry in (senml.decode, senml.check):
            with pytest.raises(MalformedMessage):
                entry(payload)
        return
    assert senml.decode(payload) == tuple(Reading(*row) for row in case["readings"])
    assert senml.check(payload) == len(case["readings"])


@given(st.lists(READINGS, min_size=1, max_size=9))
def test_decoder_returns_what_was_encoded(readings: list[Reading]) -> None:
    for encode in (senml.encode_json, senml.encode_cbor):
        assert senml.decode(encode(readings)) == tuple(readings)


def agree(payload: bytes) -> int | None:
    """Return how many readings both entry points find, None if both refuse."""
    try:
        readings = senml.decode(payload)
    except MalformedMessage:
        with pytest.raises(MalformedMessage):
            senml.check(payload)
        return None
    assert senml.check(payload) == len(readings)
    for reading in readings:
        assert isinstance(reading.value, bool | str) or math.isfinite(reading.value)
        assert 1 <= len(reading.name) <= senml.MAX_NAME
    return len(readings)


@given(st.lists(RECORD, min_size=1, max_size=4))
def test_json_and_cbor_of_the_same_records_fare_alike(records: list[dict[str, Any]]) -> None:
    labelled = [{LABELS[name]: value for name, value in record.items()} for record in records]
    assert agree(msgspec.json.encode(records)) == agree(cbor2.dumps(labelled))


@given(
    st.binary(max_size=60)
    | st.binary(max_size=60).map(b"\x81".__add__)
    | TEXTS.map(lambda text: b"[" + text.encode())
)
def test_decoder_answers_noise_with_the_documented_error(payload: bytes) -> None:
    agree(payload)


@given(st.integers(0, 300), st.binary(max_size=20))
def test_decoder_answers_tagged_values_with_the_documented_error(tag: int, inner: bytes) -> None:
    head = bytes((0xC0 | tag,)) if tag < 24 else b"\xd9" + tag.to_bytes(2, "big")
    agree(b"\x81\xa2\x00\x61x\x02" + head + inner)


@pytest.mark.parametrize(
    "reading",
    [
        Reading("", None, 1.0, None),
        Reading("x", None, math.nan, None),
        Reading("x", None, math.inf, None),
        Reading("x", None, "\0", None),
        Reading("x", "u" * 33, 1.0, None),
        Reading("x", None, 1.0, 1e11),
    ],
    ids=repr,
)
def test_device_does_not_encode_what_would_be_refused(reading: Reading) -> None:
    for encode in (senml.encode_json, senml.encode_cbor):
        with pytest.raises(MisuseError, match="cannot be sent"):
            encode([reading])


def test_encoders_refuse_no_readings() -> None:
    for encode in (senml.encode_json, senml.encode_cbor):
        with pytest.raises(MisuseError):
            encode([])


def test_error_shows_no_raw_text_of_a_peer() -> None:
    field = "\x1b[31m" * 60
    with pytest.raises(MalformedMessage) as caught:
        senml.decode(json.dumps([{field: 1}], ensure_ascii=False).replace("\x1b", "\\u001b").encode())
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("time", "expected"), [(None, 1e9), (-60.0, 1e9 - 60), (0.0, 1e9), (60.0, 1e9 + 60), (1.7e9, 1.7e9)]
)
def test_reader_resolves_relative_times(time: float | None, expected: float) -> None:
    assert senml.absolute_time(Reading("x", None, 1.0, time), 1e9) == expected


@pytest.mark.parametrize(
    "row",
    [
        f"| payload | {senml.MAX_PAYLOAD:,} bytes |",
        f"| readings in a payload | 1 to {senml.MAX_READINGS} |",
        f"| name, base name included | 1 to {senml.MAX_NAME} of",
        f"| unit | {senml.MAX_UNIT} characters |",
        f"| text value | {senml.MAX_STRING} characters |",
        f"| number, base value | from -10^{math.log10(senml.MAX_NUMBER):.0f} to",
        f"| time, base time | above -2^{math.log2(senml.RELATIVE_BELOW):.0f}, ",
        f", up to 2^{math.log2(senml.MAX_TIME):.0f} seconds |",
    ],
)
def test_spec_names_the_limits_of_the_code(row: str) -> None:
    assert row in SPEC


@pytest.mark.parametrize(("label", "name"), senml._LABELS.items())
def test_spec_names_the_fields_of_the_code(label: int, name: str) -> None:
    assert f"| `{name}` | {label} |" in SPEC
