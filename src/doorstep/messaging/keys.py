"""From a device's root key to the keys of one epoch and direction (docs/spec/sealed.md section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from doorstep.crypto.hkdf import expand, hkdf
from doorstep.errors import MisuseError
from doorstep.wire import cbor

__all__ = [
    "CCM_8",
    "CCM_16",
    "MASTER_SECRET_LENGTH",
    "MAX_EPOCH",
    "NONCE_LENGTH",
    "OWNER_NONCE_LENGTH",
    "ROOT_LENGTH",
    "SERVER_ID",
    "SUITE",
    "Kind",
    "SenderKeys",
    "Suite",
    "derive",
    "derive_sender_keys",
    "master_secret",
    "next_root",
    "owner_change",
    "run_ahead",
    "shortest",
]

ROOT_LENGTH: Final = 32  # bytes of a root key
MASTER_SECRET_LENGTH: Final = 16  # bytes of an epoch's master secret
SERVER_ID: Final = b""  # the platform's sender id
MAX_EPOCH: Final = (1 << 31) - 1  # so that an epoch is at most four bytes and a signed column
NONCE_LENGTH: Final = 13  # bytes, RFC 9053 section 4.2
OWNER_NONCE_LENGTH: Final = 16  # bytes mixed into the root when the owner changes

_RATCHET: Final = b"doorstep sealed v1 ratchet"
_MASTER_SECRET: Final = b"doorstep sealed v1 master secret"
_OWNER_CHANGE: Final = b"doorstep sealed v1 owner change"

_ID_ROOM: Final = NONCE_LENGTH - 6  # sender id bytes in a nonce, RFC 8613 section 5.2
_PIV_ROOM: Final = 5  # partial IV bytes in a nonce, RFC 8613 section 5.2


@dataclass(frozen=True, slots=True)
class Suite:
    """An AEAD of RFC 9053 with the lengths that the profile needs, in bytes."""

    cose_id: int
    key_length: int
    tag_length: int


CCM_8: Final = Suite(cose_id=10, key_length=16, tag_length=8)  # AES-CCM-16-64-128
CCM_16: Final = Suite(cose_id=30, key_length=16, tag_length=16)  # AES-CCM-16-128-128
SUITE: Final = CCM_8

Kind: TypeAlias = Literal["Key", "IV"]  # the type field of RFC 8613 section 3.2.1
_LENGTHS: Final[Mapping[Kind, int]] = {"Key": CCM_8.key_length, "IV": NONCE_LENGTH}


@dataclass(frozen=True, slots=True)
class SenderKeys:
    """What one sender needs in one epoch; ``base_iv`` is the number that each sequence number is xored to."""

    key: bytes = field(repr=False)
    base_iv: int = field(repr=False)

    def nonce(self, sequence: int) -> bytes:
        """Return the nonce of message ``sequence``."""
        return (self.base_iv ^ sequence).to_bytes(NONCE_LENGTH, "big")


def shortest(number: int) -> bytes:
    """Return the one byte form of an epoch or sequence number: big-endian, shortest, at least one byte."""
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def next_root(root: bytes) -> bytes:
    """Return the root of the next epoch: one step of the ratchet."""
    return expand(root, _RATCHET, ROOT_LENGTH)


def run_ahead(root: bytes, steps: int) -> bytes:
    """Return the root ``steps`` epochs after that of ``root``."""
    for _ in range(steps):
        root = next_root(root)
    return root


def master_secret(root: bytes) -> bytes:
    """Return the master secret of the epoch that ``root`` belongs to."""
    return expand(root, _MASTER_SECRET, MASTER_SECRET_LENGTH)


def owner_change(root: bytes, nonce: bytes) -> bytes:
    """Return the root that replaces ``root`` when the device changes hands, so that old copies end."""
    if len(nonce) != OWNER_NONCE_LENGTH:
        raise MisuseError(f"the nonce of an owner change has {OWNER_NONCE_LENGTH} bytes, not {len(nonce)}")
    return expand(root, _OWNER_CHANGE + nonce, ROOT_LENGTH)


def derive(  # noqa: PLR0913, PLR0917 - the inputs of the RFC
    secret: bytes,
    salt: bytes,
    sender_id: bytes,
    id_context: bytes | None,
    kind: Kind,
    suite: Suite = SUITE,
) -> bytes:
    """Return the key or common IV that RFC 8613 section 3.2.1 derives from a master secret."""
    length = _LENGTHS[kind]
    info = cbor.encode([sender_id, id_context, suite.cose_id, kind, length])
    return hkdf(secret, salt, info, length)


def derive_sender_keys(secret: bytes, epoch: int, sender_id: bytes, suite: Suite = SUITE) -> SenderKeys:
    """Return the keys with which ``sender_id`` seals in ``epoch``."""
    context = shortest(epoch)
    common_iv = derive(secret, b"", b"", context, "IV", suite)
    base_iv = int.from_bytes(common_iv, "big") ^ _sender_mask(sender_id)
    return SenderKeys(derive(secret, b"", sender_id, context, "Key", suite), base_iv)


def _sender_mask(sender_id: bytes) -> int:
    """Return the sender's part of the nonce (RFC 8613 section 5.2), with the partial IV left zero."""
    mask = bytes((len(sender_id),)) + sender_id.rjust(_ID_ROOM, b"\0") + bytes(_PIV_ROOM)
    return int.from_bytes(mask, "big")
