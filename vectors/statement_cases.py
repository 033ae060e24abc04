"""What stands in statement.json: the vectors of docs/spec/statement.md.

Signatures are deterministic (RFC 6979), so an implementation that is too gives the same bytes; others only
have to verify them.
"""

from typing import Any, Final

from doorstep.crypto import p256
from doorstep.crypto.x509 import build_request
from doorstep.identity import statement
from doorstep.identity.statement import STATEMENT_CONTEXT, Purpose, Statement
from doorstep.wire import cbor

SCALAR: Final = bytes(range(1, 33))
KEY: Final = p256.generate(lambda _: SCALAR)
OTHER: Final = p256.generate(lambda _: bytes(range(2, 34)))
DEVICE: Final = "binsypko"
TOKEN: Final = "dst_k3j5h2mnbv7qwx4z"  # noqa: S105 - the token of a vector opens nothing
PROTECTED: Final = b"\xa1\x01\x26"

Json = dict[str, Any]


def document() -> Json:
    """Return the whole file."""
    register = Statement(Purpose.REGISTER, DEVICE, bytes(range(16)), token=TOKEN, csr=request())
    return {
        "context": STATEMENT_CONTEXT.decode("ascii"),
        "private_key": SCALAR.hex(),
        "public_key": KEY.public_key.point.hex(),
        "statements": [
            case("register with token and request", register),
            case("register without token", Statement(Purpose.REGISTER, DEVICE, bytes(16), csr=request())),
            case("renew", Statement(Purpose.RENEW, DEVICE, bytes(range(64)), csr=request())),
            case("shortest", Statement(Purpose.RENEW, DEVICE, b"\xff" * 16)),
        ],
        "refused": refused(),
    }


def request() -> bytes:
    """Return a signing request of the same key."""
    return build_request(KEY, DEVICE)


def case(name: str, said: Statement) -> Json:
    """Return one statement with everything that goes into it."""
    sent = statement.sign(said, KEY.sign)
    decoded: Any = cbor.decode(sent)
    return {
        "name": name,
        "purpose": said.purpose.value,
        "device": said.device,
        "nonce": said.nonce.hex(),
        "token": said.token,
        "csr": said.csr.hex() if said.csr else None,
        "payload": decoded.value[2].hex(),
        "statement": sent.hex(),
    }


def refused() -> list[Json]:
    """Return what a platform that expects a registration must refuse, and in which class of error."""
    good: dict[str, cbor.Value] = {"purpose": "register", "device": DEVICE, "nonce": bytes(16)}
    signed = statement.sign(Statement(Purpose.REGISTER, DEVICE, bytes(16)), KEY.sign)
    table = {
        "signed by another key": (envelope(good, key=OTHER), "refused"),
        "last bit of the signature flipped": (signed[:-1] + bytes([signed[-1] ^ 1]), "refused"),
        "signed without the context": (envelope(good, context=b""), "refused"),
        "for another purpose": (envelope(good | {"purpose": "renew"}), "refused"),
        "cut by a byte": (signed[:-1], "malformed"),
        "followed by a byte": (signed + b"\0", "malformed"),
        "without its tag": (signed[1:], "malformed"),
        "unknown field": (envelope(good | {"more": 1}), "malformed"),
        "unknown purpose": (envelope(good | {"purpose": "give"}), "malformed"),
        "nonce of 15 bytes": (envelope(good | {"nonce": bytes(15)}), "malformed"),
        "device id in upper case": (envelope(good | {"device": DEVICE.upper()}), "malformed"),
        "algorithm EdDSA": (envelope(good, protected=b"\xa1\x01\x27"), "malformed"),
    }
    return [
        {"name": name, "statement": sent.hex(), "outcome": outcome} for name, (sent, outcome) in table.items()
    ]


def envelope(
    fields: dict[str, cbor.Value],
    *,
    key: p256.PrivateKey = KEY,
    context: bytes = STATEMENT_CONTEXT,
    protected: bytes = PROTECTED,
) -> bytes:
    """Sign any payload, also one that no device would."""
    payload = cbor.encode(fields)
    signature = key.sign(cbor.encode(["Signature1", protected, context, payload]))
    return cbor.encode(cbor.Tag(18, [protected, {}, payload, signature]))
