"""Revocation lists and OCSP answers, read back by the library as a stranger reads them."""

import datetime as dt

import pytest
from cryptography import x509 as foreign
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256, x509
from doorstep.crypto.revocation import (
    OCSP_REQUEST_CAP,
    MalformedOcspRequest,
    OcspFailure,
    OcspQuestion,
    Reason,
    Revoked,
    Validity,
    answer_ocsp,
    build_crl,
    refuse_ocsp,
)
from doorstep.crypto.x509 import Certificate, CertificateSpec, DistinguishedName, Issuer, Publication, Purpose

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CA_KEY = p256.generate(lambda count: b"\x31" * count)
LEAF_KEY = p256.generate(lambda count: b"\x32" * count)
WHERE = Publication("http://x.example/crl", "http://x.example/ocsp", "http://x.example/crt")


def spec(name: str, key: p256.PrivateKey, serial: int, **more: object) -> CertificateSpec:
    return CertificateSpec(DistinguishedName(name), key.public_key, serial, NOW - DAY, NOW + DAY, **more)  # type: ignore[arg-type]


CA = x509.issue_root(spec("ca", CA_KEY, 1, path_length=0), CA_KEY)
ISSUER = Issuer(CA, CA_KEY)
LEAF = x509.issue(spec("leaf", LEAF_KEY, 7, publication=WHERE), ISSUER)
DELEGATE = Issuer(x509.issue(spec("ocsp", LEAF_KEY, 8, purposes=(Purpose.OCSP_SIGNING,)), ISSUER), LEAF_KEY)
VALID = Validity(NOW, NOW + DAY)


def parsed(certificate: Certificate) -> foreign.Certificate:
    return foreign.load_der_x509_certificate(certificate.der)


def asked(algorithm: hashes.HashAlgorithm | None = None, nonce: bytes | None = None) -> bytes:
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        parsed(LEAF), parsed(CA), algorithm or hashes.SHA256()
    )
    if nonce is not None:
        builder = builder.add_extension(foreign.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(serialization.Encoding.DER)


def test_list_says_which_when_and_why_under_its_number() -> None:
    ended = [Revoked(7, NOW - DAY, Reason.WITHDRAWN), Revoked(9, NOW, Reason.SUPERSEDED)]
    crl = foreign.load_der_x509_crl(build_crl(ISSUER, ended, 42, VALID))
    assert crl.is_signature_valid(parsed(CA).public_key())  # type: ignore[arg-type]
    assert (crl.last_update_utc, crl.next_update_utc) == (NOW, NOW + DAY)
    assert crl.extensions.get_extension_for_class(foreign.CRLNumber).value.crl_number == 42
    told = {
        one.serial_number: (
            one.revocation_date_utc,
            one.extensions.get_extension_for_class(foreign.CRLReason).value.reason,
        )
        for one in crl
    }
    assert told == {
        7: (NOW - DAY, foreign.ReasonFlags.privilege_withdrawn),
        9: (NOW, foreign.ReasonFlags.superseded),
    }


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()])
def test_question_is_about_its_issuer_alone(algorithm: hashes.HashAlgorithm) -> None:
    question = OcspQuestion.from_der(asked(algorithm))
    assert question.serial == 7
    assert question.is_about(CA)
    assert not question.is_about(LEAF)


@pytest.mark.parametrize(
    ("ended", "known", "status"),
    [
        (None, True, ocsp.OCSPCertStatus.GOOD),
        (None, False, ocsp.OCSPCertStatus.UNKNOWN),
        (Revoked(7, NOW - DAY, Reason.WITHDRAWN), True, ocsp.OCSPCertStatus.REVOKED),
    ],
)
@pytest.mark.parametrize("nonce", [None, b"n" * 16])
def test_answer_says_what_is_so_and_echoes_the_nonce(
    ended: Revoked | None, status: ocsp.OCSPCertStatus, nonce: bytes | None, *, known: bool
) -> None:
    question = OcspQuestion.from_der(asked(nonce=nonce))
    answer = ocsp.load_der_ocsp_response(answer_ocsp(question, ended, DELEGATE, VALID, known=known))
    assert answer.certificate_status is status
    assert answer.serial_number == 7
    assert len(list(answer.extensions)) == (nonce is not None)
    assert parsed(DELEGATE.certificate) in answer.certificates
    parsed(DELEGATE.certificate).extensions.get_extension_for_class(foreign.OCSPNoCheck)  # or raises


def test_nonce_over_the_cap_is_not_echoed() -> None:
    assert OcspQuestion.from_der(asked(nonce=b"n" * 129)).nonce is None
    assert OcspQuestion.from_der(asked(nonce=b"n" * 128)).nonce == b"n" * 128


@pytest.mark.parametrize(
    "der", [b"", b"\x30\x80", bytes(OCSP_REQUEST_CAP + 1), asked()[:-1], asked(hashes.SHA512())]
)
def test_what_is_no_question_is_refused(der: bytes) -> None:
    with pytest.raises(MalformedOcspRequest):
        OcspQuestion.from_der(der)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(der: bytes) -> None:
    with pytest.raises(MalformedOcspRequest):
        OcspQuestion.from_der(der)


@pytest.mark.parametrize("failure", OcspFailure)
def test_refusal_has_its_code(failure: OcspFailure) -> None:
    assert ocsp.load_der_ocsp_response(refuse_ocsp(failure)).response_status is failure.value


def test_certificate_says_where_to_ask() -> None:
    extensions = parsed(LEAF).extensions
    points = extensions.get_extension_for_class(foreign.CRLDistributionPoints).value
    access = extensions.get_extension_for_class(foreign.AuthorityInformationAccess).value
    assert [name.value for point in points for name in point.full_name or ()] == [WHERE.crl]
    assert [one.access_location.value for one in access] == [WHERE.ocsp, WHERE.issuer]
