import base64
import hashlib
from collections.abc import Callable

import pytest

from doorstep.crypto.srp6a import make_verifier
from doorstep.errors import SettingsError
from doorstep.onboarding.protocomm.credentials import Sec2Verifier, generate
from tests.onboarding.helpers import counted_rng


def _scripted(*draws: bytes) -> Callable[[int], bytes]:
    left = list(draws)
    return lambda size: left.pop(0)[:size]


def test_factory_makes_credentials_that_verify() -> None:
    made = generate(counted_rng(b"one"))
    assert made.verifier == make_verifier(made.username.encode(), made.pop.encode(), made.salt)
    assert len(made.salt) == 16
    assert len(made.pop) == 13
    assert set(made.pop) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert made.for_device() == Sec2Verifier(made.username, made.salt, made.verifier)


def test_factory_refuses_salt_with_leading_zero() -> None:
    zero, good = bytes(16), b"\x01" * 16
    assert generate(_scripted(zero, b"\x02" * 10, zero, good)).salt == good


def test_factory_refuses_code_whose_hash_starts_with_zero() -> None:
    rng = counted_rng(b"search")
    bad = next(draw for draw in iter(lambda: rng(10), b"") if _hash_starts_with_zero(draw))
    made = generate(_scripted(b"\x01" * 16, bad, b"\x02" * 10))
    assert made.pop == _code(b"\x02" * 10)


def _code(draw: bytes) -> str:
    return generate(_scripted(b"\x01" * 16, draw, b"\x02" * 10)).pop


def _hash_starts_with_zero(draw: bytes) -> bool:
    pop = base64.b32encode(draw).decode()[:13].lower()
    return hashlib.sha512(f"doorstep:{pop}".encode()).digest()[0] == 0


def test_credentials_keep_secrets_out_of_their_reprs() -> None:
    made = generate(counted_rng(b"one"))
    shown = repr(made) + repr(made.for_device())
    assert made.pop not in shown
    assert repr(made.verifier) not in shown


@pytest.mark.parametrize(
    ("username", "salt", "verifier"),
    [("", b"s", bytes(384)), ("u", b"", bytes(384)), ("u", b"s", bytes(383))],
)
def test_device_refuses_incomplete_verifier(username: str, salt: bytes, verifier: bytes) -> None:
    with pytest.raises(SettingsError):
        Sec2Verifier(username, salt, verifier)
