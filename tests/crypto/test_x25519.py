import pytest

from doorstep.crypto import x25519
from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed


def test_peers_agree_as_the_known_answer_says() -> None:
    client, device = bytes(range(1, 0x21)), bytes(range(0x21, 0x41))
    public = "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"
    shared = "a84dc7c3c8f058b1b2dc4cd1e9b5dc0a7987f88b6a9564cde3391fc421159e77"
    assert x25519.public_of(client).hex() == public
    assert x25519.agree(client, x25519.public_of(device)).hex() == shared
    assert x25519.agree(device, x25519.public_of(client)).hex() == shared


@pytest.mark.parametrize("public", [bytes(32), b"\x01" + bytes(31)], ids=["zero", "one"])
def test_public_key_that_makes_the_secret_predictable_is_refused(public: bytes) -> None:
    with pytest.raises(VerificationFailed):
        x25519.agree(bytes(range(32)), public)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_keys_of_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(MalformedMessage):
        x25519.agree(bytes(range(32)), bytes(size))
    with pytest.raises(MisuseError):
        x25519.public_of(bytes(size))
