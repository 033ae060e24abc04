"""Revocation as strangers read it: OpenSSL over HTTP at the addresses that stand in the certificates."""

import base64
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from cryptography import x509 as foreign
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from django.core.wsgi import get_wsgi_application
from django.test import Client

from doorstep.crypto import p256
from doorstep.crypto.x509 import Certificate, build_request
from doorstep.runtime.authority import Authority
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import credentials
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import Credential, Device
from doorstep.server.fleet.trust import RevocationList
from doorstep.server.pki.lists import FRESH_US, VALID_US, current_list
from tests.server.making import authority, devices

pytestmark = pytest.mark.peer


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """The platform's own application behind a plain HTTP server."""
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def published(base_url: str) -> Authority:
    return authority().published_at(base_url)


def issued(published: Authority, row: Device) -> Certificate:
    csr = build_request(p256.generate(lambda n: row.pk.to_bytes(n, "big")), row.device_id)
    fresh = credentials.issue(csr, row.device_id, published, now_us())
    return credentials.keep({row.pk: fresh}, now_us())[row.pk]


@pytest.fixture
def pair(published: Authority) -> tuple[Certificate, Certificate]:
    """The certificates of a device in order and of a revoked one."""
    rows = [made.row for made in devices(2)]
    good, revoked = (issued(published, row) for row in rows)
    revoke_device(rows[1], "operator", "stolen", now_us=now_us())
    return good, revoked


@pytest.fixture
def files(pair: tuple[Certificate, Certificate], tmp_path: Path) -> Path:
    made = authority()
    (tmp_path / "root.pem").write_bytes(made.root.pem)
    (tmp_path / "operations.pem").write_bytes(made.operations.certificate.pem)
    for name, certificate in zip(("good", "revoked"), pair, strict=True):
        (tmp_path / f"{name}.pem").write_bytes(certificate.pem)
    return tmp_path


def openssl(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stdout + done.stderr


def places(certificate: Certificate) -> tuple[str, str, str]:
    """CRL, OCSP and issuer addresses, read by the library."""
    extensions = foreign.load_der_x509_certificate(certificate.der).extensions
    points = extensions.get_extension_for_class(foreign.CRLDistributionPoints).value
    access = extensions.get_extension_for_class(foreign.AuthorityInformationAccess).value
    urls = [points[0].full_name[0].value, *(one.access_location.value for one in access)]
    return urls[0], urls[1], urls[2]


def test_openssl_crl_and_verify_refuse_the_revoked_certificate_alone(
    files: Path, pair: tuple[Certificate, Certificate]
) -> None:
    """KEY-03."""
    with urlopen(places(pair[0])[0]) as answer:
        assert answer.headers["Content-Type"] == "application/pkix-crl"
        (files / "list.crl").write_bytes(answer.read())
    code, said = openssl(
        files, "crl", "-inform", "DER", "-in", "list.crl", "-CAfile", "operations.pem", "-noout", "-text"
    )
    assert (code, "verify OK" in said) == (0, True), said
    assert f"{pair[1].serial:X}" in said.replace(":", "")
    assert "Privilege Withdrawn" in said
    openssl(files, "crl", "-inform", "DER", "-in", "list.crl", "-out", "list.pem")
    check = [
        "verify",
        "-crl_check",
        "-CRLfile",
        "list.pem",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "operations.pem",
    ]
    code, said = openssl(files, *check, "good.pem")
    assert (code, said.strip()) == (0, "good.pem: OK")
    code, said = openssl(files, *check, "revoked.pem")
    assert code != 0
    assert "certificate revoked" in said


@pytest.mark.parametrize(
    ("name", "status"), [("good", "good"), ("revoked", "revoked"), ("strange", "unknown")]
)
def test_openssl_ocsp_tells_good_revoked_and_unknown(
    files: Path, pair: tuple[Certificate, Certificate], name: str, status: str
) -> None:
    """KEY-03. With a nonce that is echoed, and the delegated responder's certificate verified."""
    who = ["-serial", "0x1234567"] if name == "strange" else ["-cert", f"{name}.pem"]
    about = ["-issuer", "operations.pem", *who, "-url", places(pair[0])[1]]
    code, said = openssl(files, "ocsp", *about, "-CAfile", "root.pem", "-verify_other", "operations.pem")
    assert code == 0, said
    assert "Response verify OK" in said
    assert "WARNING: no nonce" not in said
    assert f": {status}\n" in said


def test_revoked_certificate_names_reason_and_time_and_superseded_ones_are_listed(
    published: Authority,
) -> None:
    [made] = devices()
    old = issued(published, made.row)
    Credential.objects.filter(fingerprint=old.fingerprint).update(state="superseded", ended_us=now_us())
    newest = current_list(published.operations, now_us())
    crl = foreign.load_der_x509_crl(bytes(newest.content))
    entry = crl.get_revoked_certificate_by_serial_number(old.serial)
    assert entry is not None
    assert (
        entry.extensions.get_extension_for_class(foreign.CRLReason).value.reason
        is foreign.ReasonFlags.superseded
    )


def test_list_is_numbered_without_gap_and_signed_anew_when_something_ended(published: Authority) -> None:
    now = now_us()
    first = current_list(published.operations, now)
    assert current_list(published.operations, now).number == first.number
    assert first.until_us == first.at_us + VALID_US
    [made] = devices()
    issued(published, made.row)
    revoke_device(made.row, "operator", "lost", now_us=now)
    second = current_list(published.operations, now_us())
    assert second.number == first.number + 1
    third = current_list(published.operations, now_us() + FRESH_US)
    assert third.number == second.number + 1
    parsed = foreign.load_der_x509_crl(bytes(third.content))
    assert parsed.extensions.get_extension_for_class(foreign.CRLNumber).value.crl_number == third.number
    assert parsed.next_update_utc is not None
    assert parsed.next_update_utc - parsed.last_update_utc == timedelta(days=1)
    current_list(published.operations, now_us())  # the clock of this test went ahead


def test_list_counts_what_ended_lately_alone(published: Authority) -> None:
    """Whoever asks for the list again and again makes nobody count all certificates that ever ended."""
    at_us = now_us() + 30 * FRESH_US  # long after what other tests ended
    [made] = devices()
    issued(published, made.row)
    revoke_device(made.row, "operator", "lost", now_us=at_us - 2 * FRESH_US)
    listed = current_list(published.operations, at_us)
    assert (listed.ends, listed.last_end_us) == (0, 0)
    late = issued_late(published, at_us)
    assert current_list(published.operations, at_us).number == listed.number + 1
    assert late in revoked_in(current_list(published.operations, at_us))
    current_list(published.operations, now_us())  # the clock of this test went ahead


def issued_late(published: Authority, at_us: int) -> int:
    """A certificate whose end was written down a minute before the list was signed, and stored after."""
    [made] = devices()
    issued(published, made.row)
    revoke_device(made.row, "operator", "lost", now_us=at_us - 60_000_000)
    return int(made.row.credentials.get().serial, 16)


def revoked_in(listed: RevocationList) -> set[int]:
    return {one.serial_number for one in foreign.load_der_x509_crl(bytes(listed.content))}


def test_expired_certificate_leaves_the_list(published: Authority) -> None:
    [made] = devices()
    issued(published, made.row)
    revoke_device(made.row, "operator", "lost", now_us=now_us())
    row = Credential.objects.get(device=made.row)
    Credential.objects.filter(pk=row.pk).update(not_after_us=now_us() - 1, ended_us=now_us())
    crl = foreign.load_der_x509_crl(bytes(current_list(published.operations, now_us()).content))
    assert crl.get_revoked_certificate_by_serial_number(int(row.serial, 16)) is None


def question(pair: tuple[Certificate, Certificate], nonce: bytes | None = None) -> bytes:
    subject, issuer = (
        foreign.load_der_x509_certificate(one.der) for one in (pair[1], authority().operations.certificate)
    )
    builder = ocsp.OCSPRequestBuilder().add_certificate(subject, issuer, hashes.SHA256())
    if nonce is not None:
        builder = builder.add_extension(foreign.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


@pytest.mark.parametrize("nonce", [None, b"n" * 32])
def test_ocsp_by_get_and_by_post_say_the_same(
    pair: tuple[Certificate, Certificate], nonce: bytes | None
) -> None:
    asked = question(pair, nonce)
    client = Client()
    by_post = client.post("/pki/ocsp", asked, content_type="application/ocsp-request")
    by_get = client.get(f"/pki/ocsp/{base64.b64encode(asked).decode().replace('+', '%2B')}")
    for answer in (by_post, by_get):
        assert answer["Content-Type"] == "application/ocsp-response"
        read = ocsp.load_der_ocsp_response(answer.content)
        assert read.certificate_status is ocsp.OCSPCertStatus.REVOKED
        assert read.revocation_reason is foreign.ReasonFlags.privilege_withdrawn
        told = [one.value.nonce for one in read.extensions if isinstance(one.value, foreign.OCSPNonce)]
        assert told == ([] if nonce is None else [nonce])
        delegate = read.certificates[0]
        delegate.verify_directly_issued_by(
            foreign.load_der_x509_certificate(authority().operations.certificate.der)
        )
        delegate.extensions.get_extension_for_class(foreign.OCSPNoCheck)  # or raises


NO_QUESTIONS = {
    "nothing": b"",
    "no DER": b"\x30\x80rubbish",
    "too long": b"\x30" * 5000,
    "a certificate": b"",
}


@pytest.mark.parametrize("name", NO_QUESTIONS)
def test_ocsp_says_that_a_request_is_malformed(name: str) -> None:
    body = authority().root.der if name == "a certificate" else NO_QUESTIONS[name]
    answer = Client().post("/pki/ocsp", body, content_type="application/ocsp-request")
    read = ocsp.load_der_ocsp_response(answer.content)
    assert read.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert Client().get("/pki/ocsp/!!!").status_code == 200


def test_ocsp_does_not_speak_for_other_issuers() -> None:
    root = foreign.load_der_x509_certificate(authority().root.der)
    asked = ocsp.OCSPRequestBuilder().add_certificate(root, root, hashes.SHA1()).build()
    answer = Client().post(
        "/pki/ocsp", asked.public_bytes(Encoding.DER), content_type="application/ocsp-request"
    )
    assert ocsp.load_der_ocsp_response(answer.content).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_issuer_is_served_at_its_address(pair: tuple[Certificate, Certificate]) -> None:
    with urlopen(places(pair[0])[2]) as answer:
        assert answer.read() == authority().operations.certificate.der


def test_newest_lists_alone_are_kept(published: Authority) -> None:
    made = [current_list(published.operations, now_us() + hours * FRESH_US) for hours in range(12)]
    newest = made[-1]
    numbers = sorted(RevocationList.objects.values_list("number", flat=True))
    assert numbers == list(range(newest.number - 9, newest.number + 1))
