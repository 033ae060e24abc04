import pytest

from doorstep.wire import jsontext

BAD = {
    "nothing": b"",
    "no JSON": b"{",
    "another type": b'"1"',
    "a key that is not UTF-8": b'{"\xff":1}',
    "deeper than any stack": b"[" * 100_000,
}


def test_reader_returns_the_typed_value() -> None:
    assert jsontext.decode(b'{"a":1}', dict[str, int]) == {"a": 1}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_reader_refuses(text: bytes) -> None:
    with pytest.raises(jsontext.NotJson):
        jsontext.decode(text, dict[str, object] if text.startswith(b"{") else list[object])
