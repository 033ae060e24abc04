"""Documents hold for whoever has the key, and a changed one does not."""

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.ed25519 import SigningKey
from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed
from doorstep.ownership.documents import (
    CONTEXT,
    DOCUMENT_CAP,
    FACT_CAP,
    Document,
    Paper,
    digest_of,
    read,
    write,
)

_KEY = SigningKey.from_seed(bytes(range(32)))
_PUBLIC = _KEY.verifying_key.raw
_VERIFY = _KEY.verifying_key.verify
_DOCUMENT = Document(Paper.ERASURE, 7, "abcdefgh", "SN-1", 1_700_000_000_000_000, {"messages": 12})


def _written(document: Document = _DOCUMENT) -> str:
    return write(document, _PUBLIC, _KEY.sign)


def _signed(body: str) -> str:
    fields = json.loads(_written())
    signature = base64.b64encode(_KEY.sign(CONTEXT + body.encode())).decode()
    return json.dumps(fields | {"body": body, "signature": signature})


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40) | st.integers(0, 2**53), max_size=5))
def test_document_is_read_as_it_was_written(facts: dict[str, str | int]) -> None:
    document = replace(_DOCUMENT, facts=facts)
    assert read(_written(document), _PUBLIC, _VERIFY) == document


def test_stranger_verifies_a_document_without_our_code() -> None:
    fields = json.loads(_written())
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(fields["key"]))
    key.verify(base64.b64decode(fields["signature"]), b"doorstep document 1\0" + fields["body"].encode())
    assert json.loads(fields["body"])["facts"] == {"messages": 12}


def _changed(**fields: object) -> str:
    return json.dumps(json.loads(_written()) | fields)


BODY = _DOCUMENT.body()
BAD: dict[str, tuple[str, type[Exception], str]] = {
    "no json": ("{", MalformedMessage, "."),
    "too long": (" " * (DOCUMENT_CAP + 1), MalformedMessage, "at most 8192"),
    "not ascii": ("\u00e9", MalformedMessage, "in ASCII"),
    "no body": (json.dumps({"key": "", "signature": ""}), MalformedMessage, "has body, key"),
    "body not ascii": (_changed(body="\u00e9"), MalformedMessage, "in ASCII"),
    "signature not base64": (_changed(signature="*"), MalformedMessage, "base64"),
    "another key": (_changed(key="00" * 32), VerificationFailed, "another key"),
    "another number": (_changed(body=BODY.replace("12", "13")), VerificationFailed, "."),
    "another form": (_signed(BODY.replace(":", ": ")), MalformedMessage, "one form"),
    "more in the body": (_signed(BODY[:-1] + ',"more":1}'), MalformedMessage, "one form"),
    "another paper": (_signed(BODY.replace("erasure", "praise")), MalformedMessage, "."),
    "long fact": (_signed(BODY.replace('"messages":12', f'"m":"{"x" * 201}"')), MalformedMessage, "200"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_document_is_refused(name: str) -> None:
    text, error, says = BAD[name]
    with pytest.raises(error, match=says):
        read(text, _PUBLIC, _VERIFY)


def test_writer_refuses_what_could_not_be_read() -> None:
    with pytest.raises(MisuseError, match="at most 200"):
        replace(_DOCUMENT, facts={"reason": "x" * (FACT_CAP + 1)})
    many = replace(_DOCUMENT, facts={f"fact{number}": "x" * FACT_CAP for number in range(50)})
    with pytest.raises(MisuseError, match="at most 8192"):
        _written(many)


def test_digest_names_a_document() -> None:
    assert digest_of("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
