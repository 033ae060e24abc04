"""What stands in attestation.json: transcripts, patterns, statements and releases of onboarding-sealed.md."""

from datetime import UTC, datetime
from typing import Any, Final

from doorstep.crypto import p256
from doorstep.crypto.x509 import Issuer
from doorstep.identity.certificates import make_factory_ca, make_operations_ca, make_root
from doorstep.identity.release import RELEASE_CONTEXT, Release
from doorstep.identity.statement import STATEMENT_CONTEXT
from doorstep.onboarding.attestation.device import ATTEST, COMMIT, Attestor
from doorstep.onboarding.attestation.transcript import (
    NO_SESSION,
    commitment_of,
    in_words,
    pattern_of,
    session_hash,
    transcript_of,
)

SCALAR: Final = bytes(range(1, 33))
KEY: Final = p256.generate(lambda _: SCALAR)
DEVICE: Final = "binsypko"
MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)
NOW: Final = 1_800_000_000

Json = dict[str, Any]


def document() -> Json:
    """Return the whole file."""
    return {
        "private_key": SCALAR.hex(),
        "public_key": KEY.public_key.point.hex(),
        "device": DEVICE,
        "context": STATEMENT_CONTEXT.decode("ascii"),
        "conversations": [
            conversation("before a session, button pressed", 1, [], present=True),
            conversation("before a session, no button", 2, [], present=False),
            conversation("inside a session", 3, [b"one", b"two", b"", bytes(600)], present=True),
        ],
        "releases": releases(),
    }


def conversation(name: str, seed: int, handshake: list[bytes], *, present: bool) -> Json:
    """Return one attestation with everything that goes into it."""
    nonce, device_nonce, challenge = (bytes((seed * 16 + part,)) * 32 for part in range(3))
    session = session_hash(handshake) if handshake else NO_SESSION
    device = Attestor(DEVICE, KEY.sign, lambda _: device_nonce)
    window = 1 if present else None
    first = bytes((COMMIT,)) + commitment_of(nonce)
    second = bytes((ATTEST,)) + nonce + challenge
    device.answer(first, session=session, window=window, now=0.0)
    statement = device.answer(second, session=session, window=window, now=1.0).reply
    transcript = transcript_of(session, nonce, device_nonce)
    pattern = pattern_of(transcript)
    return {
        "name": name,
        "handshake": [message.hex() for message in handshake],
        "session": session.hex(),
        "nonce": nonce.hex(),
        "device_nonce": device_nonce.hex(),
        "challenge": challenge.hex(),
        "requests": [first.hex(), second.hex()],
        "transcript": transcript.hex(),
        "pattern": list(pattern),
        "words": in_words(pattern),
        "presence": present,
        "statement": statement.hex(),
    }


def releases() -> Json:
    """Return the certificates of a maker, a release, and what a device must refuse."""
    keys = {
        name: p256.generate(lambda _, n=number: bytes((n,)) * 32)
        for number, name in enumerate(("root", "factory", "operations", "stranger"), 1)
    }
    root = make_root("Maker", keys["root"], now=MADE, serial=1)
    ca = Issuer(root, keys["root"])
    operations = Issuer(
        make_operations_ca("Maker", keys["operations"].public_key, ca, now=MADE, serial=2), keys["operations"]
    )
    factory = Issuer(
        make_factory_ca("Maker", keys["factory"].public_key, ca, now=MADE, serial=3), keys["factory"]
    )
    stranger = make_root("Maker", keys["stranger"], now=MADE, serial=1)
    foreign = make_operations_ca(
        "Maker", keys["operations"].public_key, Issuer(stranger, keys["stranger"]), now=MADE, serial=2
    )
    good = Release(DEVICE, NOW - 60, NOW + 3600)
    table = {
        "good": (good.sign(operations), "taken"),
        "for another device": (Release("aaaaaaaa", NOW - 60, NOW + 3600).sign(operations), "refused"),
        "issued before the last claim": (Release(DEVICE, NOW - 90_000, NOW + 3600).sign(operations), "stale"),
        "expired": (Release(DEVICE, NOW - 60, NOW).sign(operations), "stale"),
        "by the factory CA": (good.sign(factory), "refused"),
        "by another maker": (good.sign(Issuer(foreign, keys["operations"])), "refused"),
        "by another key": (good.sign(Issuer(operations.certificate, keys["stranger"])), "refused"),
        "cut by a byte": (good.sign(operations)[:-1], "malformed"),
    }
    return {
        "context": RELEASE_CONTEXT.decode("ascii"),
        "root": root.der.hex(),
        "claimed_at": NOW - 3600,
        "at_least": NOW,
        "cases": [
            {"name": name, "release": sent.hex(), "outcome": outcome}
            for name, (sent, outcome) in table.items()
        ],
    }
