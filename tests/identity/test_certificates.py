import datetime as dt
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.x509 import (
    Certificate,
    CertificateRefused,
    HardwareModule,
    Issuer,
    Purpose,
    SigningRequest,
    build_request,
)
from doorstep.errors import MisuseError
from doorstep.identity import certificates
from doorstep.identity.ids import MalformedId
from tests.identity.making import DEVICE_ID, NOW, make_pki

PKI = make_pki()
DAY = dt.timedelta(days=1)
REQUEST = SigningRequest.from_der(build_request(PKI.device_key, "I am somebody else"))


def operational(lifetime: dt.timedelta = certificates.DEFAULT_OPERATIONAL_LIFETIME) -> Certificate:
    return certificates.issue_operational(
        PKI.operations, REQUEST, device_id=DEVICE_ID, now=NOW, lifetime=lifetime, serial=9
    )


def server(*names: str) -> Certificate:
    return certificates.issue_server(PKI.operations, PKI.device_key.public_key, names, now=NOW, serial=10)


@given(st.binary(min_size=20, max_size=20))
def test_serials_are_positive_and_fit_twenty_octets(drawn: bytes) -> None:
    assert 0 < certificates.new_certificate_serial(lambda _: drawn) < 1 << 159


def test_idevid_follows_802_1ar() -> None:
    idevid = PKI.idevid
    assert idevid.not_after == certificates.NEVER
    assert idevid.subject == "2.5.4.5=SN-1,CN=abcdefgh"
    assert idevid.hardware_module == HardwareModule(certificates.DOORSTEP_HARDWARE_TYPE, b"SN-1")
    assert certificates.verify_idevid(idevid, PKI.factory.certificate, now=NOW + 10_000 * DAY) == DEVICE_ID


def test_maker_may_name_its_own_hardware_type() -> None:
    idevid = certificates.issue_idevid(
        PKI.factory,
        PKI.device_key.public_key,
        device_id=DEVICE_ID,
        device_serial="SN-1",
        now=NOW,
        serial=1,
        hardware_type="1.3.6.1.4.1.32473.7",
    )
    assert idevid.hardware_module == HardwareModule("1.3.6.1.4.1.32473.7", b"SN-1")


@pytest.mark.parametrize(("device_id", "serial"), [("ABCDEFGH", "SN-1"), ("abcdefgh", "a b")])
def test_factory_refuses_malformed_names(device_id: str, serial: str) -> None:
    with pytest.raises(MalformedId):
        certificates.issue_idevid(
            PKI.factory,
            PKI.device_key.public_key,
            device_id=device_id,
            device_serial=serial,
            now=NOW,
            serial=1,
        )


def test_server_decides_the_name_in_an_operational_certificate() -> None:
    made = operational()
    assert made.subject == f"CN={DEVICE_ID}"
    assert made.purposes == {Purpose.CLIENT_AUTH}
    assert made.public_key.spki == PKI.device_key.public_key.spki
    assert made.not_after == NOW + certificates.DEFAULT_OPERATIONAL_LIFETIME
    assert certificates.verify_operational(made, PKI.operations.certificate, now=NOW) == DEVICE_ID


@pytest.mark.parametrize(
    "lifetime", [dt.timedelta(0), -DAY, certificates.MAX_OPERATIONAL_LIFETIME + dt.timedelta(seconds=1)]
)
def test_platform_refuses_odd_lifetime(lifetime: dt.timedelta) -> None:
    with pytest.raises(MisuseError, match="90 days"):
        operational(lifetime)


def test_no_certificate_outlives_its_issuer() -> None:
    late = PKI.operations.certificate.not_after - DAY
    made = certificates.issue_operational(
        PKI.operations, REQUEST, device_id=DEVICE_ID, now=late, lifetime=7 * DAY, serial=9
    )
    assert made.not_after == PKI.operations.certificate.not_after


def test_device_with_slow_clock_accepts_fresh_server_certificate() -> None:
    server("localhost").check_validity(NOW - DAY)


def test_expired_operational_certificate_is_refused() -> None:
    with pytest.raises(CertificateRefused, match="expired"):
        certificates.verify_operational(operational(), PKI.operations.certificate, now=NOW + 8 * DAY)


def test_idevid_is_no_operational_certificate() -> None:
    with pytest.raises(CertificateRefused):
        certificates.verify_operational(PKI.idevid, PKI.operations.certificate, now=NOW)
    with pytest.raises(CertificateRefused, match="operational"):
        certificates.verify_operational(PKI.idevid, PKI.factory.certificate, now=NOW)


def test_operational_certificate_is_no_idevid() -> None:
    with pytest.raises(CertificateRefused):
        certificates.verify_idevid(operational(), PKI.factory.certificate, now=NOW)
    with pytest.raises(CertificateRefused, match="IDevID"):
        certificates.verify_idevid(operational(), PKI.operations.certificate, now=NOW)


def test_server_certificate_is_no_device_certificate() -> None:
    with pytest.raises(CertificateRefused, match="operational"):
        certificates.verify_operational(server("localhost"), PKI.operations.certificate, now=NOW)


def test_ca_certificate_is_no_device_certificate() -> None:
    for verify in (certificates.verify_idevid, certificates.verify_operational):
        with pytest.raises(CertificateRefused, match="not a"):
            verify(PKI.factory.certificate, PKI.root.certificate, now=NOW)


@pytest.mark.parametrize("names", [[], ["x.example"] * 101])
def test_platform_refuses_odd_number_of_names(names: list[str]) -> None:
    with pytest.raises(MisuseError, match="1 to 100 names"):
        server(*names)


@pytest.mark.parametrize("maker", ["", "  "])
def test_authority_needs_its_makers_name(maker: str) -> None:
    with pytest.raises(MisuseError, match="name is empty"):
        certificates.make_root(maker, PKI.root.key, now=NOW, serial=1)


def test_long_makers_name_is_cut_to_what_x509_allows() -> None:
    root = certificates.make_root("M" * 100, PKI.root.key, now=NOW, serial=1)
    assert root.subject == f"CN=Device Root CA,O={'M' * 64}"


def openssl(folder: Path, leaf: Certificate, issuer: Issuer, *options: str) -> str:
    (folder / "root.crt").write_bytes(PKI.root.certificate.pem)
    (folder / "issuer.crt").write_bytes(issuer.certificate.pem)
    (folder / "leaf.crt").write_bytes(leaf.pem)
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp())), *options]
    files = ["-CAfile", "root.crt", "-untrusted", "issuer.crt", "leaf.crt"]
    try:
        done = subprocess.run([*command, *files], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs the openssl program")
    return done.stdout + done.stderr


@pytest.mark.peer
def test_openssl_accepts_each_certificate_for_its_purpose(tmp_path: Path) -> None:
    assert openssl(tmp_path, PKI.idevid, PKI.factory) == "leaf.crt: OK\n"
    assert openssl(tmp_path, PKI.idevid, PKI.factory, "-purpose", "sslclient") == "leaf.crt: OK\n"
    assert openssl(tmp_path, operational(), PKI.operations, "-purpose", "sslclient") == "leaf.crt: OK\n"
    ours = server("broker.example", "127.0.0.1", "2001:db8::1")
    for check in (
        ("-verify_hostname", "broker.example"),
        ("-verify_ip", "127.0.0.1"),
        ("-verify_ip", "2001:db8::1"),
    ):
        assert openssl(tmp_path, ours, PKI.operations, "-purpose", "sslserver", *check) == "leaf.crt: OK\n"


@pytest.mark.peer
def test_openssl_refuses_each_certificate_for_another_purpose(tmp_path: Path) -> None:
    for leaf, issuer, purpose in (
        (PKI.idevid, PKI.factory, "sslserver"),
        (operational(), PKI.operations, "sslserver"),
        (server("broker.example"), PKI.operations, "sslclient"),
    ):
        assert "unsuitable certificate purpose" in openssl(tmp_path, leaf, issuer, "-purpose", purpose)


@pytest.mark.peer
def test_openssl_refuses_a_ca_below_the_factory(tmp_path: Path) -> None:
    forged_ca = certificates.make_factory_ca(
        "Thief", PKI.device_key.public_key, PKI.factory, now=NOW, serial=66
    )
    (tmp_path / "forged.crt").write_bytes(forged_ca.pem)
    leaf = certificates.issue_idevid(
        Issuer(forged_ca, PKI.device_key),
        PKI.device_key.public_key,
        device_id=DEVICE_ID,
        device_serial="SN-1",
        now=NOW,
        serial=67,
    )
    output = openssl(tmp_path, leaf, PKI.factory, "-untrusted", "forged.crt")
    assert "path length constraint exceeded" in output


def test_boards_own_server_certificate_is_known_by_itself_and_never_too_old() -> None:
    made = certificates.issue_setup_server(PKI.device_key, DEVICE_ID, serial=11)
    assert (made.subject, made.issuer) == (f"CN={DEVICE_ID}", f"CN={DEVICE_ID}")
    assert made.not_before.year == 1970
    assert made.not_after == certificates.NEVER
    assert made.public_key == PKI.device_key.public_key


def test_ocsp_responder_answers_for_the_operations_ca_and_for_nothing_else() -> None:
    made = certificates.issue_responder(
        PKI.operations, PKI.device_key.public_key, now=NOW, lifetime=dt.timedelta(days=7), serial=12
    )
    made.verify(PKI.operations.certificate, now=NOW)
    assert made.purposes == {Purpose.OCSP_SIGNING}
    assert made.not_after == NOW + dt.timedelta(days=7)
    with pytest.raises(CertificateRefused):
        certificates.verify_operational(made, PKI.operations.certificate, now=NOW)
