import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.messaging.channels import MAX_SETTINGS, MAX_VERSION, Call, Settings, read_values, write_values
from doorstep.messaging.command import MAX_BODY

NAMES = st.from_regex(r"[a-z][a-z0-9._-]{0,20}", fullmatch=True).filter(lambda n: not n.startswith("config."))
VALUES = st.dictionaries(
    NAMES,
    st.booleans()
    | st.integers(-(2**53), 2**53).map(float)
    | st.floats(-1e6, 1e6)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    max_size=10,
)


@given(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True), VALUES)
def test_device_reads_the_call_that_the_platform_wrote(
    name: str, arguments: dict[str, float | bool | str]
) -> None:
    assert Call.decode(Call(name, arguments).encode()) == Call(name, arguments)


@given(st.integers(1, MAX_VERSION), VALUES)
def test_device_reads_the_settings_that_the_platform_wrote(
    version: int, values: dict[str, float | bool | str]
) -> None:
    assert Settings.decode(Settings(version, values).encode()) == Settings(version, values)


def test_bodies_stand_on_the_wire_as_the_page_says() -> None:
    assert Call("relay", {"on": True, "for": 30.0}).encode() == b'\x05relay{"on":true,"for":30}'
    assert Call("identify").encode() == b"\x08identify"
    assert Settings(7, {"interval": 2.5}).encode() == b'{"config.version":7,"interval":2.5}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\x05rel",
        b"\x05Relay",
        b"\x03a b",
        b"\x02\xc3\xa9",
        b"\x21" + b"a" * 33,
        b"\x05relay[1]",
        b"\x05relay{",
        b"\x05relay{}",
        b'\x05relay{"on":null}',
        b'\x05relay{"on":{"a":1}}',
    ],
)
def test_device_refuses_what_is_no_call(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Call.decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"a":1}',
        b'{"config.version":0}',
        b'{"config.version":1.5}',
        b'{"config.version":true}',
        b'{"config.version":"1"}',
        b'{"config.version":9007199254740992}',
        b'{"config.version":1,"config.other":2}',
        b'[{"n":"config.version","v":1}]',
    ],
)
def test_device_refuses_what_are_no_settings(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Settings.decode(body)


@pytest.mark.parametrize(
    "bad",
    [
        Call(""),
        Call("UP"),
        Call("x" * 300),
        Call("ok", {"a b": 1.0}),
        Settings(0),
        Settings(1, {"config.x": 1.0}),
        Settings(1, {"config.version": 3.0}),
        Settings(1, {f"n{i}": 1.0 for i in range(MAX_SETTINGS + 1)}),
        Settings(1, {"a": "x" * 257}),
    ],
)
def test_platform_refuses_to_write_what_no_device_reads(bad: Call | Settings) -> None:
    with pytest.raises(MisuseError):
        bad.encode()


def test_platform_refuses_settings_longer_than_a_message() -> None:
    long = {f"n{i}": "x" * 255 for i in range(15)} | {"last": "x" * (MAX_BODY - 4000)}
    body = len(Settings(1, long).encode())
    long["last"] = "x" * (MAX_BODY - body + len(str(long["last"])) + 1)
    with pytest.raises(MisuseError, match="at most"):
        Settings(1, long).encode()


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a=true", True),
        ("a = 30 ", 30.0),
        ("a=2.5", 2.5),
        ("a=on", "on"),
        ('a="30"', "30"),
        ("a=x=y", "x=y"),
        ("a=", ""),
        ("a=null", "null"),
        ("a=[1]", "[1]"),
    ],
)
def test_person_writes_a_value_on_a_line(line: str, value: float | str) -> None:
    assert read_values([line]) == {"a": value}


@given(VALUES)
def test_values_written_for_people_are_read_back(values: dict[str, float | bool | str]) -> None:
    assert read_values(write_values(values)) == values


def test_line_without_a_value_is_refused() -> None:
    with pytest.raises(MisuseError, match="is no value"):
        read_values(["interval"])
