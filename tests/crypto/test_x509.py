import base64
import datetime as dt
import functools
from collections.abc import Callable
from ipaddress import ip_address

import pytest
from cryptography import x509 as foreign
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from doorstep.crypto import p256, x509
from doorstep.crypto.x509 import (
    Certificate,
    CertificateRefused,
    CertificateSpec,
    DistinguishedName,
    HardwareModule,
    Issuer,
    MalformedCertificate,
    MalformedRequest,
    Purpose,
    SigningRequest,
)

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ROOT_KEY = p256.generate(lambda count: b"\x21" * count)
LEAF_KEY = p256.generate(lambda count: b"\x22" * count)
OTHER_KEY = p256.generate(lambda count: b"\x23" * count)


def spec(name: str, key: p256.PrivateKey, *, path_length: int | None = None) -> CertificateSpec:
    return CertificateSpec(
        subject=DistinguishedName(name, organization="Example", serial_number="SN-1"),
        public_key=key.public_key,
        serial=7,
        not_before=NOW - DAY,
        not_after=NOW + DAY,
        path_length=path_length,
        purposes=(Purpose.CLIENT_AUTH,),
        dns_names=("device.example",),
        ip_addresses=(ip_address("192.0.2.1"), ip_address("2001:db8::1")),
        hardware_module=HardwareModule("1.3.6.1.4.1.99999.1", b"SN-1"),
    )


ROOT = x509.issue_root(spec("root", ROOT_KEY, path_length=0), ROOT_KEY)
LEAF = x509.issue(spec("leaf", LEAF_KEY), Issuer(ROOT, ROOT_KEY))


def test_certificate_reads_back_what_its_spec_says() -> None:
    leaf = Certificate.from_pem(LEAF.pem)
    assert leaf == LEAF
    assert leaf.common_name == "leaf"
    assert leaf.subject == "2.5.4.5=SN-1,CN=leaf,O=Example"
    assert leaf.issuer == ROOT.subject
    assert leaf.serial == 7
    assert (leaf.not_before, leaf.not_after) == (NOW - DAY, NOW + DAY)
    assert leaf.public_key.spki == LEAF_KEY.public_key.spki
    assert leaf.purposes == {Purpose.CLIENT_AUTH}
    assert leaf.hardware_module == HardwareModule("1.3.6.1.4.1.99999.1", b"SN-1")
    assert len(leaf.fingerprint) == 64
    assert ROOT.is_ca
    assert not leaf.is_ca


def test_end_entity_extensions_are_critical_as_they_should_be() -> None:
    extensions = foreign.load_der_x509_certificate(LEAF.der).extensions
    critical = {type(extension.value).__name__ for extension in extensions if extension.critical}
    assert critical == {"BasicConstraints", "KeyUsage", "ExtendedKeyUsage"}


def test_spec_leaves_out_empty_parts() -> None:
    bare = CertificateSpec(
        DistinguishedName("bare"), LEAF_KEY.public_key, 1, not_before=NOW - DAY, not_after=NOW + DAY
    )
    made = x509.issue(bare, Issuer(ROOT, ROOT_KEY))
    assert made.subject == "CN=bare"
    assert made.purposes == frozenset()
    assert made.hardware_module is None


def test_certificate_without_hardware_module_has_none() -> None:
    named = CertificateSpec(
        DistinguishedName("named"),
        LEAF_KEY.public_key,
        1,
        not_before=NOW - DAY,
        not_after=NOW + DAY,
        dns_names=("a.example",),
    )
    assert x509.issue(named, Issuer(ROOT, ROOT_KEY)).hardware_module is None


def test_issuer_verifies_its_certificate() -> None:
    LEAF.verify(ROOT, now=NOW)
    ROOT.verify(ROOT, now=NOW)


def test_verifier_refuses_another_issuer() -> None:
    other = x509.issue_root(spec("other", OTHER_KEY, path_length=0), OTHER_KEY)
    with pytest.raises(CertificateRefused, match="does not name"):
        LEAF.verify(other, now=NOW)


def test_verifier_refuses_issuer_of_the_same_name() -> None:
    twin = x509.issue_root(spec("root", OTHER_KEY, path_length=0), OTHER_KEY)
    with pytest.raises(CertificateRefused, match="did not sign"):
        LEAF.verify(twin, now=NOW)


def test_verifier_refuses_certificate_issued_by_end_entity() -> None:
    child = x509.issue(spec("child", OTHER_KEY), Issuer(LEAF, LEAF_KEY))
    with pytest.raises(CertificateRefused, match="may not issue"):
        child.verify(LEAF, now=NOW)


@pytest.mark.parametrize(
    ("now", "reason"), [(NOW - 2 * DAY, "not valid before"), (NOW + 2 * DAY, "expired on")]
)
def test_verifier_refuses_certificate_outside_its_time(now: dt.datetime, reason: str) -> None:
    with pytest.raises(CertificateRefused, match=reason):
        LEAF.verify(ROOT, now=now)


def built(
    change: Callable[[foreign.CertificateBuilder], foreign.CertificateBuilder],
    subject: tuple[str, ...] = ("x",),
    public_key: ec.EllipticCurvePublicKey = LEAF_KEY.public_key.key,
) -> bytes:
    names = [foreign.NameAttribute(NameOID.COMMON_NAME, name) for name in subject]
    builder = (
        foreign.CertificateBuilder()
        .subject_name(foreign.Name(names))
        .issuer_name(foreign.Name([]))
        .public_key(public_key)
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
    )
    return change(builder).sign(ROOT_KEY.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def unchanged(builder: foreign.CertificateBuilder) -> foreign.CertificateBuilder:
    return builder


def test_certificate_without_extensions_is_no_ca() -> None:
    plain = Certificate(built(unchanged))
    assert not plain.is_ca
    assert plain.purposes == frozenset()
    assert plain.hardware_module is None


def test_unknown_other_name_is_no_hardware_module() -> None:
    names = foreign.SubjectAlternativeName(
        [foreign.OtherName(foreign.ObjectIdentifier("1.2.3"), b"\x05\x00")]
    )
    assert Certificate(built(lambda b: b.add_extension(names, critical=False))).hardware_module is None


def test_reader_refuses_garbled_hardware_module() -> None:
    names = foreign.SubjectAlternativeName([foreign.OtherName(x509.HARDWARE_MODULE_NAME, b"\x05\x00")])
    made = Certificate(built(lambda b: b.add_extension(names, critical=False)))
    with pytest.raises(MalformedCertificate, match="hardwareModuleName"):
        _ = made.hardware_module


def test_reader_refuses_garbled_extension() -> None:
    bad = foreign.UnrecognizedExtension(foreign.ObjectIdentifier("2.5.29.19"), b"\xff")
    made = Certificate(built(lambda b: b.add_extension(bad, critical=False)))
    with pytest.raises(MalformedCertificate, match="extensions"):
        _ = made.is_ca


@pytest.mark.parametrize("subject", [(), ("a", "b")])
def test_reader_refuses_other_than_one_common_name(subject: tuple[str, ...]) -> None:
    with pytest.raises(CertificateRefused, match="one common name"):
        _ = Certificate(built(unchanged, subject)).common_name


def test_reader_refuses_certificate_on_another_curve() -> None:
    other = ec.derive_private_key(5, ec.SECP384R1()).public_key()
    with pytest.raises(MalformedCertificate, match="P-256"):
        Certificate(built(unchanged, public_key=other))


def test_reader_refuses_certificate_with_point_off_the_curve() -> None:
    der = bytearray(LEAF.der)
    at = LEAF.der.index(LEAF_KEY.public_key.point)
    der[at + 64] ^= 1
    with pytest.raises(MalformedCertificate, match="cannot be read"):
        Certificate(bytes(der))


@pytest.mark.parametrize("der", [b"", b"garbage", LEAF.der[:-1], LEAF.der + b"\0", b"\x30" * 9000])
def test_reader_refuses_certificate(der: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        Certificate(der)


def test_chain_reads_in_order() -> None:
    assert x509.load_chain(LEAF.pem + ROOT.pem) == [LEAF, ROOT]


@pytest.mark.parametrize("pem", [b"", b"garbage", LEAF.pem[:-30], b"x" * 100_000])
def test_reader_refuses_chain(pem: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        x509.load_chain(pem)


def test_reader_wants_exactly_one_certificate() -> None:
    with pytest.raises(MalformedCertificate, match="has 2"):
        Certificate.from_pem(LEAF.pem + ROOT.pem)


def test_request_proves_possession_of_its_key() -> None:
    request = SigningRequest.from_der(x509.build_request(LEAF_KEY, "wished name"))
    assert request.common_name == "wished name"
    assert request.public_key.spki == LEAF_KEY.public_key.spki


def foreign_request(key: ec.EllipticCurvePrivateKey, names: list[str]) -> bytes:
    subject = foreign.Name([foreign.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    request = foreign.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def test_request_may_name_nobody() -> None:
    assert not SigningRequest.from_der(foreign_request(LEAF_KEY.key, [])).common_name


def test_reader_refuses_request_on_another_curve() -> None:
    with pytest.raises(MalformedRequest, match="P-256"):
        SigningRequest.from_der(foreign_request(ec.derive_private_key(5, ec.SECP384R1()), ["x"]))


@functools.cache
def request() -> bytes:
    return x509.build_request(LEAF_KEY, "x")


@pytest.mark.parametrize("cut", [0, 1, 50, 100])
def test_reader_refuses_cut_request(cut: int) -> None:
    with pytest.raises(MalformedRequest):
        SigningRequest.from_der(request()[:cut])


def test_reader_refuses_long_request() -> None:
    with pytest.raises(MalformedRequest, match="at most"):
        SigningRequest.from_der(request() + bytes(9000))


def test_reader_refuses_request_signed_by_another_key() -> None:
    theirs = x509.build_request(OTHER_KEY, "x")
    stolen = theirs.replace(OTHER_KEY.public_key.point, LEAF_KEY.public_key.point)
    with pytest.raises(CertificateRefused, match="not signed by the key"):
        SigningRequest.from_der(stolen)


@pytest.mark.parametrize(
    "read", [lambda each: each.common_name, lambda each: each.subject, lambda each: each.issuer]
)
def test_reader_refuses_names_that_are_no_text(read: Callable[[Certificate], str]) -> None:
    """The library parses names only when they are asked for: an UTF8String of octets that are none."""
    broken = ROOT.der.replace(b"\x0c\x04root", b"\x0c\x04\xff\xffot")
    assert broken != ROOT.der
    with pytest.raises(MalformedCertificate):
        read(Certificate(broken))


def test_reader_refuses_a_version_that_there_is_not() -> None:
    """The library's error for it is no ValueError."""
    broken = ROOT.der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x6a", 1)
    assert broken != ROOT.der
    with pytest.raises(MalformedCertificate):
        _ = Certificate(broken).public_key
    pem = foreign.load_der_x509_certificate(ROOT.der).public_bytes(serialization.Encoding.PEM)
    body = base64.b64encode(broken)
    with pytest.raises(MalformedCertificate):
        x509.load_chain(b"\n".join((pem.splitlines()[0], body, pem.splitlines()[-1], b"")))
