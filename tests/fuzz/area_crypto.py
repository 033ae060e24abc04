"""Certificates, signing requests and keys, as strangers send them."""

import datetime as dt

from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.crypto.revocation import OcspQuestion
from doorstep.crypto.x509 import Certificate, SigningRequest
from doorstep.errors import MisuseError, PeerError, RefusedError
from tests.crypto.test_p256 import KEY
from tests.crypto.test_revocation import CA, asked
from tests.crypto.test_x509 import LEAF, ROOT, request
from tests.fuzz.targets import target

_NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


@target("certificate", [ROOT.der, LEAF.der])
def fuzz_certificate(data: bytes) -> None:
    certificate = Certificate(data)
    certificate.verify(ROOT, now=_NOW)
    _ = certificate.common_name, certificate.subject, certificate.issuer, certificate.serial
    _ = certificate.is_ca, certificate.purposes, certificate.hardware_module, certificate.public_key


@target("signing-request", [request()])
def fuzz_signing_request(data: bytes) -> None:
    SigningRequest.from_der(data)


@target("private-key", [KEY.to_pkcs8(), KEY.to_pem()], allowed=(PeerError, RefusedError, MisuseError))
def fuzz_private_key(data: bytes) -> None:
    PrivateKey.from_pkcs8(data)


@target("public-key", [KEY.public_key.spki])
def fuzz_public_key(data: bytes) -> None:
    PublicKey.from_spki(data)


@target("ocsp-request", [asked(), asked(nonce=b"n" * 16)])
def fuzz_ocsp_request(data: bytes) -> None:
    OcspQuestion.from_der(data).is_about(CA)
