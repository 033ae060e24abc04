import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.wire import base64url


@given(st.binary(max_size=40))
def test_reader_takes_what_the_writer_makes(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


@pytest.mark.parametrize("text", ["A", "QQ==", "+/+/", "QR", "Q Q", "Qé", "Q\n"], ids=ascii)
def test_reader_refuses_every_other_spelling(text: str) -> None:
    with pytest.raises(base64url.NotBase64Url):
        base64url.decode(text)
