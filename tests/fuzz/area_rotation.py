"""What both ends say about keys, and what the platform signs for devices that cannot check its TLS."""

from datetime import UTC, datetime

from doorstep.crypto import p256
from doorstep.crypto.x509 import Issuer
from doorstep.identity import exchange_key, signed_time
from doorstep.identity.anchors import Anchors, AnchorUpdate, stage
from doorstep.identity.certificates import make_operations_ca, make_root
from doorstep.identity.signed_time import SignedTime
from doorstep.messaging.rotation.keys import Change
from doorstep.messaging.rotation.messages import (
    Answer,
    Commit,
    Done,
    Exchange,
    FromDevice,
    FromPlatform,
    Offer,
    RenewCertificate,
    UpdateAnchor,
    encode,
    from_device,
    from_platform,
)
from tests.fuzz.targets import target

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_KEYS = [p256.generate(lambda count, seed=seed: bytes([seed]) * count) for seed in (0x41, 0x42)]  # type: ignore[misc]
_ROOT = Issuer(make_root("Maker", _KEYS[0], now=_NOW, serial=1), _KEYS[0])
_OPERATIONS = Issuer(make_operations_ca("Maker", _KEYS[1].public_key, _ROOT, now=_NOW, serial=2), _KEYS[1])
_NONCE = bytes(range(32))
_DOWN: list[FromPlatform] = [
    Offer(7, Change.FRESH, bytes(32)),
    Offer(7, Change.OWNER, bytes(16)),
    Offer(7, Change.EXCHANGED, b"key"),
    Commit(7, bytes(16)),
    Exchange(7, b"message"),
    UpdateAnchor(b"update"),
    RenewCertificate(),
]
_UP: list[FromDevice] = [Answer(7, 3, bytes(32), bytes(16)), Done(7), Exchange(7, b"message")]
_BORN = Anchors(0, (_ROOT.certificate.der,))


@target("keys-down", [encode(one) for one in _DOWN])
def fuzz_keys_down(data: bytes) -> None:
    assert encode(from_platform(data)) == data


@target("keys-up", [encode(one) for one in _UP])
def fuzz_keys_up(data: bytes) -> None:
    assert encode(from_device(data)) == data


@target("anchor-update", [AnchorUpdate(1, (_ROOT.certificate.der,)).sign(_ROOT)])
def fuzz_anchor_update(data: bytes) -> None:
    stage(_BORN, data)


@target("signed-time", [SignedTime(_NONCE, int(_NOW.timestamp())).sign(_OPERATIONS)])
def fuzz_signed_time(data: bytes) -> None:
    signed_time.verify(data, [_ROOT.certificate], _NONCE, at_least=0)


@target("exchange-key", [exchange_key.sign(_KEYS[0].public_key, _OPERATIONS, issued=int(_NOW.timestamp()))])
def fuzz_exchange_key(data: bytes) -> None:
    exchange_key.verify(data, [_ROOT.certificate])
