import base64
import json

import pytest

from doorstep.broker.nkeys import MAX_TOKEN, MalformedToken, NatsKey, decode
from doorstep.errors import PeerError, VerificationFailed

KEY = NatsKey(bytes(range(32)))


def test_public_key_is_spelled_as_an_account() -> None:
    assert KEY.public.startswith("A")
    assert len(KEY.public) == 56


def test_token_decodes_to_its_claims_with_issuer_time_and_id() -> None:
    claims = decode(KEY.encode({"sub": "U", "nats": {"type": "user"}}, 1_700_000_000))
    assert claims.pop("jti")
    assert claims == {"sub": "U", "nats": {"type": "user"}, "iat": 1_700_000_000, "iss": KEY.public}


def _altered() -> bytes:
    header, body, signature = KEY.encode({"sub": "U"}, 1).split(b".")
    claims = json.loads(base64.urlsafe_b64decode(body + b"=="))
    claims["sub"] = "V"
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    return b".".join((header, changed, signature))


def _issued_by(name: str) -> bytes:
    header, _, signature = KEY.encode({}, 1).split(b".")
    body = base64.urlsafe_b64encode(json.dumps({"iss": name}).encode()).rstrip(b"=")
    return b".".join((header, body, signature))


BAD = {
    "empty": b"",
    "two parts": b"a.b",
    "too long": b"a." * MAX_TOKEN,
    "no base64": b"a.\xff.c",
    "no JSON": b"a.YWJj.c",
    "no map": b"a.W10.c",
    "altered": _altered(),
    "issuer is no nkey": _issued_by("A" * 56),
    "issuer is short": _issued_by("AAAA"),
    "issuer is a number": b"a." + base64.urlsafe_b64encode(b'{"iss": 5}').rstrip(b"=") + b".c",
}


@pytest.mark.parametrize("case", BAD)
def test_decoder_refuses_bad_tokens(case: str) -> None:
    with pytest.raises(PeerError) as caught:
        decode(BAD[case])
    assert isinstance(caught.value, MalformedToken | VerificationFailed)
