"""JWTs by which devices prove themselves: what is taken, and every way to be refused."""

import base64
import contextlib
import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.crypto.p256 import SignatureRefused
from doorstep.errors import DoorstepError, MalformedMessage
from doorstep.identity.client_assertion import ASSERTION_CAP, ForOthers, StaleAssertion, read

_KEY = p256.generate(os.urandom)
_US = "https://devices.example.org"
_NOW = 1_800_000_000
_CLAIMS = {"iss": "abcdefgh", "sub": "abcdefgh", "aud": _US, "exp": _NOW + 60, "nbf": _NOW, "jti": "1"}


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _jwt(key: p256.PrivateKey = _KEY, alg: str = "ES256", **more: Any) -> str:
    signed = f"{_part({'alg': alg})}.{_part(_CLAIMS | more)}"
    signature = base64.urlsafe_b64encode(key.sign(signed.encode())).rstrip(b"=").decode()
    return f"{signed}.{signature}"


@pytest.mark.parametrize("more", [{}, {"aud": ["https://other.example", _US]}, {"nbf": _NOW + 30}])
def test_device_proves_itself(more: dict[str, Any]) -> None:
    said = read(_jwt(**more))
    said.verify(_KEY.public_key, [_US], _NOW)
    assert said.device == "abcdefgh"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"iss": "zzzzzzzz"}, ForOthers),
        ({"aud": "https://other.example"}, ForOthers),
        ({"aud": []}, ForOthers),
        ({"exp": _NOW}, StaleAssertion),
        ({"exp": _NOW + 3600}, StaleAssertion),
        ({"nbf": _NOW + 120}, StaleAssertion),
    ],
)
def test_assertion_for_others_or_other_times_is_refused(
    more: dict[str, Any], error: type[DoorstepError]
) -> None:
    with pytest.raises(error):
        read(_jwt(**more)).verify(_KEY.public_key, [_US], _NOW)


def test_assertion_by_another_key_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        read(_jwt(p256.generate(os.urandom))).verify(_KEY.public_key, [_US], _NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c",
        "é.b.c",
        "=.b.c",
        f"{_part({'alg': 'none'})}.{_part(_CLAIMS)}.",
        _jwt(alg="HS256"),
        _jwt(sub="not a device"),
        _jwt(sub=7),
        _jwt(exp="soon"),
        "a" * (ASSERTION_CAP + 1),
    ],
)
def test_what_is_no_assertion_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        read(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(MalformedMessage):
        read(text)
