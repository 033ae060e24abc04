"""What a board's set-up takes without a code, and what its phones read."""

import os

from doorstep.crypto import p256
from doorstep.crypto.x509 import Certificate
from doorstep.identity import release
from doorstep.onboarding.attestation.device import Attestor
from doorstep.onboarding.attestation.transcript import NO_SESSION
from doorstep.onboarding.sealed.blob import read_blob
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.sealed.opening import BlobMemory, KnownTime, Recipient
from doorstep.onboarding.sealed.status import DeviceStatus, parse_status
from doorstep.wire.provisioning.delivery import DeviceStage
from tests.fuzz.targets import stored_vectors, target

_KEY = p256.generate(lambda count: bytes(range(1, count + 1)))
_HERE = Recipient("binsypko", _KEY.public_key, _KEY.agree)
_BLOBS = stored_vectors("sealed-credentials.json", "blob")
_ROOT = Certificate(stored_vectors("attestation.json", "root")[0])
_REQUESTS = [b"\x01" + bytes(32), b"\x02" + bytes(32) + bytes(range(32))]


@target("sealed-blob", [*_BLOBS, *(read_blob(blob).to_text().encode() for blob in _BLOBS[:3])])
def fuzz_sealed_blob(data: bytes) -> None:
    blob = read_blob(data)
    assert read_blob(blob.encode()) == blob
    _HERE.open(data, BlobMemory(), KnownTime(0))


@target("sealed-content", stored_vectors("sealed-credentials.json", "content"))
def fuzz_sealed_content(data: bytes) -> None:
    content = SealedContent.decode(data)
    assert content.encode() == data


@target("release", stored_vectors("attestation.json", "release"))
def fuzz_release(data: bytes) -> None:
    release.verify(data, _ROOT, "binsypko", claimed_at=0, at_least=0)


@target("attestation-request", _REQUESTS)
def fuzz_attestation_request(data: bytes) -> None:
    device = Attestor("binsypko", _KEY.sign, os.urandom)
    for body in (data, data):
        device.answer(body, session=NO_SESSION, window=None, now=0)


@target("device-status", [DeviceStatus("binsypko", DeviceStage.TRYING, pairing=True, locked=False).encode()])
def fuzz_device_status(data: bytes) -> None:
    status = parse_status(data)
    assert parse_status(status.encode()) == status
