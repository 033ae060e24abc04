import pytest
from cryptography.hazmat.primitives.asymmetric import dh

from doorstep.crypto.finite_dh import BLUFI_1024, FFDHE_3072, Group
from doorstep.errors import MalformedMessage, MisuseError

TOY = Group(2**64 - 59, 2)


@pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")
def test_library_agrees_on_what_is_shared() -> None:
    """The library on one side, ours on the other."""
    group = FFDHE_3072
    theirs = dh.DHParameterNumbers(group.prime, group.generator).parameters().generate_private_key()
    public = theirs.public_key().public_numbers().y.to_bytes(group.size)
    private = bytes(range(1, 1 + group.size % 251)).ljust(group.size, b"\7")
    peer = dh.DHPublicNumbers(int.from_bytes(group.public(private)), theirs.parameters().parameter_numbers())
    shared = theirs.exchange(peer.public_key()).rjust(group.size, b"\0")
    assert group.shared(private, public) == shared


def test_both_sides_agree_in_the_old_field_which_is_prime() -> None:
    """The library refuses that field: (p - 1) / 2 is not prime, so secrets must be as long as p."""
    prime = BLUFI_1024.prime
    assert all(pow(base, prime - 1, prime) == 1 for base in (2, 3, 5, 7))
    one, other = b"\x5a" * 128, b"\xa5" * 128
    shared = BLUFI_1024.shared(one, BLUFI_1024.public(other))
    assert shared == BLUFI_1024.shared(other, BLUFI_1024.public(one))


@pytest.mark.parametrize("value", [0, 1, TOY.prime - 1, TOY.prime, 2**64 - 1])
def test_public_value_that_gives_the_key_away_is_refused(value: int) -> None:
    with pytest.raises(MalformedMessage):
        TOY.shared(bytes(8), value.to_bytes(8))


def test_public_value_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        TOY.shared(bytes(8), b"\2" * 7)


def test_secret_of_another_length_is_misuse() -> None:
    with pytest.raises(MisuseError):
        TOY.public(b"short")
