"""What stands in onboarding.json: the vectors of docs/spec/onboarding-protocomm.md."""

import hashlib
from typing import Any, Final

from doorstep.crypto import srp6a, x25519
from doorstep.crypto.aead import KEY_SIZE, LockstepGcm
from doorstep.crypto.keystream import SharedKeystream
from doorstep.wire.protobuf import put_message, put_octets, put_uint
from doorstep.wire.provisioning.session import (
    Sec1Command0,
    Sec1Command1,
    Sec1Response0,
    Sec1Response1,
    Sec2Command0,
    Sec2Command1,
    Sec2Response0,
    Sec2Response1,
    SessionMessage,
    encode_session,
)

Json = dict[str, Any]

USERNAME: Final = "wifiprov"
CODE: Final = "abcd1234"
SALT: Final = bytes.fromhex("036ee0c7bcb9eda84c9eac97d93decf4")
A_SECRET: Final = hashlib.sha256(b"client-a").digest()
B_SECRET: Final = hashlib.sha256(b"device-b").digest()
NONCE: Final = bytes(range(8)) + b"\x00\x00\x00\x01"
VERIFIER: Final = srp6a.make_verifier(USERNAME.encode(), CODE.encode(), SALT)
A: Final = srp6a.user_public(A_SECRET)
B: Final = srp6a.device_public(VERIFIER, B_SECRET)
AGREED: Final = srp6a.agree_as_device(USERNAME.encode(), SALT, VERIFIER, B_SECRET, A)


def document() -> Json:
    """Return the whole file."""
    return {
        "handshake": handshake(),
        "messages": messages(),
        "sealed": sealed(),
        "refused": refused(),
        "security1": security1(),
    }


def handshake() -> Json:
    """Return every value of one handshake."""
    values = {
        "salt": SALT,
        "verifier": VERIFIER,
        "a": A_SECRET,
        "b": B_SECRET,
        "A": A,
        "B": B,
        "K": AGREED.key,
        "M1": AGREED.user_proof,
        "M2": AGREED.device_proof,
        "nonce": NONCE,
    }
    return {"username": USERNAME, "code": CODE} | {name: value.hex() for name, value in values.items()}


def messages() -> Json:
    """Return the four messages of that handshake as they are sent."""
    sent: dict[str, SessionMessage] = {
        "command0": Sec2Command0(USERNAME.encode(), A),
        "response0": Sec2Response0(B, SALT),
        "command1": Sec2Command1(AGREED.user_proof),
        "response1": Sec2Response1(AGREED.device_proof, NONCE),
    }
    return {name: encode_session(message).hex() for name, message in sent.items()}


def sealed() -> list[Json]:
    """Return the first messages of that session: request, reply, request."""
    cipher = LockstepGcm(AGREED.key[:KEY_SIZE], NONCE)
    texts = (b"hello", b"world", b"third")
    return [
        {"counter": counter, "plaintext": text.hex(), "sealed": cipher.seal(text).hex()}
        for counter, text in enumerate(texts, 1)
    ]


def refused() -> list[Json]:
    """Return first messages that a device must refuse, and after which it still takes ``command0``."""
    command0 = encode_session(Sec2Command0(USERNAME.encode(), A))
    body0 = put_message(20, put_octets(1, USERNAME.encode()) + put_octets(2, A))
    table = {
        "A = 0 in one byte": encode_session(Sec2Command0(USERNAME.encode(), b"\x00")),
        "A = 0 in 384 bytes": encode_session(Sec2Command0(USERNAME.encode(), bytes(384))),
        "A = N": encode_session(Sec2Command0(USERNAME.encode(), srp6a.PRIME.to_bytes(384))),
        "A = 2N in 385 bytes": encode_session(
            Sec2Command0(USERNAME.encode(), (2 * srp6a.PRIME).to_bytes(385))
        ),
        "A of 385 bytes": encode_session(Sec2Command0(USERNAME.encode(), A + b"\x01")),
        "A missing": _scheme2(put_message(20, put_octets(1, USERNAME.encode()))),
        "user name missing": _scheme2(put_message(20, put_octets(2, A))),
        "user name of 256 bytes": encode_session(Sec2Command0(b"u" * 256, A)),
        "proof before public values": encode_session(Sec2Command1(AGREED.user_proof)),
        "proof of 63 bytes": _scheme2(put_uint(1, 2) + put_message(22, put_octets(1, b"\x01" * 63))),
        "proof of 65 bytes": _scheme2(put_uint(1, 2) + put_message(22, put_octets(1, b"\x01" * 65))),
        "scheme without body": put_uint(2, 2),
        "scheme with empty body": put_uint(2, 2) + put_message(12, b""),
        "scheme 2 with the body of scheme 1": put_uint(2, 2) + put_message(11, body0),
        "scheme 1 with the body of scheme 2": put_uint(2, 1) + put_message(12, body0),
        "command 1 with the body of command 0": _scheme2(put_uint(1, 2) + body0),
        "two bodies": _scheme2(body0 + put_message(22, put_octets(1, b"\x01" * 64))),
        "scheme 0": bytes.fromhex("5203a20100"),
        "varint cut off": command0[:1] + b"\x82",
        "varint longer than its number": b"\x10\x82\x00" + command0[2:],
        "cut by a byte": command0[:-1],
        "reply instead of a command": encode_session(Sec2Response0(B, SALT)),
        "nothing": b"",
    }
    return [{"name": name, "message": message.hex()} for name, message in table.items()]


def security1() -> Json:
    """Return every value of one session of security 1: handshake, then request, reply, request."""
    client, device, random = bytes(range(1, 0x21)), bytes(range(0x21, 0x41)), bytes(range(16))
    client_public, device_public = x25519.public_of(client), x25519.public_of(device)
    shared, mask = x25519.agree(client, device_public), hashlib.sha256(CODE.encode()).digest()
    key = bytes(a ^ b for a, b in zip(shared, mask, strict=True))
    stream = SharedKeystream(key, random)
    proofs = stream.seal(device_public), stream.seal(client_public)
    values = {
        "client_private": client,
        "device_private": device,
        "random": random,
        "client_public": client_public,
        "device_public": device_public,
        "shared": shared,
        "key": key,
        "client_proof": proofs[0],
        "device_proof": proofs[1],
    }
    sent: dict[str, SessionMessage] = {
        "command0": Sec1Command0(client_public),
        "response0": Sec1Response0(device_public, random),
        "command1": Sec1Command1(proofs[0]),
        "response1": Sec1Response1(proofs[1]),
    }
    return {
        "code": CODE,
        "handshake": {name: value.hex() for name, value in values.items()},
        "messages": {name: encode_session(message).hex() for name, message in sent.items()},
        "sealed": [
            {"plaintext": text.hex(), "sealed": stream.seal(text).hex()}
            for text in (b"hello", b"world", b"third")
        ],
    }


def _scheme2(inner: bytes) -> bytes:
    return put_uint(2, 2) + put_message(12, inner)
