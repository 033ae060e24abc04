import pytest

from doorstep.crypto.siv import TAG_SIZE, open_siv, seal_siv
from doorstep.errors import MisuseError, VerificationFailed

# RFC 5297 appendix A.1
KEY = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
BOUND = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
PLAIN = bytes.fromhex("112233445566778899aabbccddee")
SEALED = bytes.fromhex("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c")


def test_cipher_agrees_with_rfc_5297() -> None:
    assert seal_siv(KEY, PLAIN, [BOUND]) == SEALED
    assert open_siv(KEY, SEALED, [BOUND]) == PLAIN


def test_cipher_counts_an_empty_bound_part() -> None:
    assert seal_siv(KEY, PLAIN, [BOUND, b""]) != SEALED


@pytest.mark.parametrize(
    ("sealed", "bound"),
    [
        (SEALED[:-1] + b"\0", [BOUND]),
        (b"\0" + SEALED[1:], [BOUND]),
        (SEALED, [BOUND[1:]]),
        (SEALED, [BOUND, b""]),
        (SEALED, []),
        (SEALED[: TAG_SIZE - 1], [BOUND]),
        (b"", [BOUND]),
    ],
    ids=["ciphertext", "tag", "bound", "one bound more", "nothing bound", "shorter than a tag", "empty"],
)
def test_cipher_refuses_any_change(sealed: bytes, bound: list[bytes]) -> None:
    with pytest.raises(VerificationFailed):
        open_siv(KEY, sealed, bound)


def test_cipher_refuses_key_of_another_size() -> None:
    with pytest.raises(MisuseError, match="32 bytes"):
        seal_siv(KEY + KEY, PLAIN)
