from bumble.crypto import f4
from bumble.crypto.cryptography import EccKey
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.bluetooth import confirm_key

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@given(st.integers(1, ORDER - 1), st.binary(min_size=16, max_size=16))
def test_commitment_is_what_another_stack_computes(scalar: int, random: bytes) -> None:
    secret = scalar.to_bytes(32)
    x = EccKey.from_private_key_bytes(secret).x[::-1]
    assert confirm_key(secret, random)[::-1] == f4(x, x, random[::-1], bytes(1))
