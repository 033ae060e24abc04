from typing import TypeAlias

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.wire import cbor

Tree: TypeAlias = st.SearchStrategy[cbor.Value]

INTEGERS = st.integers(-(2**64), 2**64 - 1) | st.integers(-300, 70_000)
LEAVES: Tree = st.none() | st.booleans() | INTEGERS | st.binary(max_size=40) | st.text(max_size=40)


def grown(inner: Tree) -> Tree:
    return (
        st.lists(inner, max_size=5)
        | st.dictionaries(INTEGERS | st.text(max_size=9), inner, max_size=5)
        | st.builds(cbor.Tag, st.integers(0, 2**64 - 1), inner)
    )


VALUES: Tree = st.recursive(LEAVES, grown, max_leaves=20)

ENCODINGS = {  # RFC 8949 appendix A, as far as the subset goes
    "00": 0,
    "17": 23,
    "1818": 24,
    "1903e8": 1000,
    "1a000f4240": 1_000_000,
    "1b000000e8d4a51000": 1_000_000_000_000,
    "1bffffffffffffffff": 2**64 - 1,
    "20": -1,
    "3903e7": -1000,
    "3bffffffffffffffff": -(2**64),
    "f4": False,
    "f5": True,
    "f6": None,
    "4401020304": b"\x01\x02\x03\x04",
    "62c3bc": "ü",
    "8301820203820405": [1, [2, 3], [4, 5]],
    "a201020304": {1: 2, 3: 4},
    "a26161016162820203": {"a": 1, "b": [2, 3]},
    "d74401020304": cbor.Tag(23, b"\x01\x02\x03\x04"),
}

REFUSED = {
    "empty": "",
    "two values": "0000",
    "cut in a head": "19ff",
    "cut in a string": "4301",
    "cut in an array": "8201",
    "cut in a map": "a101",
    "cut behind a tag": "c1",
    "longer form of 0": "1800",
    "longer form of 255": "1900ff",
    "longer form of 65535": "1a0000ffff",
    "longer form of 2^32-1": "1b00000000ffffffff",
    "longer length": "580100",
    "reserved length": "1c",
    "indefinite bytes": "5f4101ff",
    "indefinite array": "9f01ff",
    "break alone": "ff",
    "half float": "f93c00",
    "double": "fb3ff0000000000000",
    "undefined": "f7",
    "simple value": "e0",
    "simple value in two bytes": "f8ff",
    "invalid UTF-8": "61ff",
    "surrogate in UTF-8": "63eda080",
    "keys out of order": "a203040102",
    "keys by length first": "a2626161016162" + "02",
    "key twice": "a201020103",
    "bytes as key": "a1410001",
    "null as key": "a1f601",
    "true as key": "a1f501",
    "array as key": "a18001",
    "too deep": "81" * 17 + "00",
    "tags too deep": "c1" * 17 + "00",
    "more items than the cap": "991000" + "00" * 4096,
    "array longer than the input": "9b7fffffffffffffff",
    "map longer than the input": "bb7fffffffffffffff",
    "string longer than the input": "5b7fffffffffffffff",
}


@pytest.mark.parametrize(("data", "value"), ENCODINGS.items(), ids=ENCODINGS)
def test_codec_agrees_with_rfc_8949(data: str, value: cbor.Value) -> None:
    assert cbor.encode(value).hex() == data
    assert cbor.decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_decoder_refuses_other_forms(data: str) -> None:
    with pytest.raises(MalformedMessage):
        cbor.decode(bytes.fromhex(data))


@given(VALUES)
def test_decoder_returns_what_was_encoded(value: cbor.Value) -> None:
    data = cbor.encode(value)
    assert cbor.decode(data) == value
    assert cbor.encode(cbor.decode(data)) == data


@given(
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(INTEGERS, inner, max_size=5)
    )
)
def test_encoder_agrees_with_cbor2(value: cbor.Value) -> None:
    assert cbor2.loads(cbor.encode(value)) == value


@given(st.binary(max_size=60))
def test_decoder_takes_only_what_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except MalformedMessage:
        return
    assert cbor.encode(value) == data


@given(VALUES, st.data())
def test_decoder_refuses_a_cut_message(value: cbor.Value, data: st.DataObject) -> None:
    whole = cbor.encode(value)
    with pytest.raises(MalformedMessage):
        cbor.decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_decoder_counts_every_item() -> None:
    at_cap = cbor.encode([0] * (cbor.MAX_ITEMS - 1))
    assert cbor.decode(at_cap) == [0] * (cbor.MAX_ITEMS - 1)
    with pytest.raises(MalformedMessage, match="items"):
        cbor.decode(cbor.encode([[0] * 3000, [0] * 3000]))
    with pytest.raises(MalformedMessage, match="items"):
        cbor.decode(cbor.encode([[]] * 10 + [dict.fromkeys(range(2050), 0)]))


def test_decoder_keeps_the_callers_cap() -> None:
    data = cbor.encode(b"x" * 100)
    assert cbor.decode(data, max_bytes=len(data)) == b"x" * 100
    with pytest.raises(MalformedMessage, match="cap of 101"):
        cbor.decode(data, max_bytes=len(data) - 1)


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        {1, 2},
        pytest.param(object(), id="object"),
        bytearray(b"x"),
        range(3),
        2**64,
        -(2**64) - 1,
        "\ud800",
        {b"x": 1},
        {True: 1},
        {None: 1},
        {"\ud800": 1},
        cbor.Tag(-1, 0),
        cbor.Tag(2**64, 0),
    ],
    ids=repr,
)
def test_encoder_refuses_what_is_outside_the_subset(value: cbor.Value) -> None:
    with pytest.raises(MisuseError):
        cbor.encode(value)


def test_encoder_refuses_deep_nesting() -> None:
    value: cbor.Value = 0
    for _ in range(cbor.MAX_DEPTH):
        value = [value]
    assert cbor.decode(cbor.encode(value)) == value
    with pytest.raises(MisuseError, match="deeper"):
        cbor.encode([value])
