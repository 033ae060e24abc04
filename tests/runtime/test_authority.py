import datetime as dt
import os
import stat
import subprocess
from pathlib import Path

import pytest

from doorstep.crypto import p256
from doorstep.crypto.x509 import Certificate, CertificateRefused, build_request
from doorstep.errors import DoorstepError, MisuseError, SettingsError, UnavailableError
from doorstep.identity import certificates
from doorstep.runtime.authority import Authority, create_authority, load_authority, open_authority

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
KEY = p256.generate(lambda count: b"\x61" * count)


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    create_authority(tmp_path / "ca", "Example GmbH", now=NOW)
    return tmp_path / "ca"


def test_operator_creates_authority_with_private_keys(ca: Path) -> None:
    assert {path.name for path in ca.iterdir()} == {
        f"{name}.{kind}" for name in ("root", "factory", "operations") for kind in ("key", "crt")
    }
    assert stat.S_IMODE(ca.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in ca.iterdir()} == {0o600}
    assert not [path for path in ca.parent.iterdir() if path != ca]


def test_operator_opens_the_same_authority_again(tmp_path: Path) -> None:
    first = open_authority(tmp_path / "ca", "Example GmbH", now=NOW)
    again = open_authority(tmp_path / "ca", "Another", now=NOW)
    assert first.root == again.root
    assert "Example GmbH" in again.root.subject


def test_authority_moves_into_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir(mode=0o700)
    assert open_authority(tmp_path / "ca", "Example GmbH", now=NOW).root_key_online


def test_operator_cannot_create_authority_over_another(ca: Path) -> None:
    with pytest.raises(MisuseError, match="already"):
        create_authority(ca, "Example GmbH", now=NOW)


def test_operator_hears_that_the_disk_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="cannot be written") as caught:
        create_authority(tmp_path / "file" / "ca", "Example GmbH", now=NOW)
    assert caught.value.next_step


def test_half_made_authority_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "ca"

    def rng(count: int) -> bytes:
        # Somebody else makes the folder while we draw our keys.
        target.mkdir(exist_ok=True)
        (target / "somebody").touch()
        return os.urandom(count)

    with pytest.raises(UnavailableError):
        create_authority(target, "Example GmbH", now=NOW, rng=rng)
    assert [path.name for path in tmp_path.iterdir()] == ["ca"]


def test_authority_works_with_its_root_key_in_a_safe(ca: Path) -> None:
    (ca / "root.key").unlink()
    authority = load_authority(ca, now=NOW)
    assert not authority.root_key_online
    idevid = authority.issue_idevid(KEY.public_key, device_id="abcdefgh", device_serial="SN-1", now=NOW)
    assert certificates.verify_idevid(idevid, authority.factory.certificate, now=NOW) == "abcdefgh"


def test_authority_issues_operational_certificate_from_request(ca: Path) -> None:
    authority = load_authority(ca, now=NOW)
    made = authority.issue_operational(
        build_request(KEY, "x"), device_id="abcdefgh", now=NOW, lifetime=dt.timedelta(days=1)
    )
    assert certificates.verify_operational(made, authority.operations.certificate, now=NOW) == "abcdefgh"


def test_authority_refuses_bad_request(ca: Path) -> None:
    request = bytearray(build_request(KEY, "x"))
    request[-1] ^= 1
    with pytest.raises(CertificateRefused):
        load_authority(ca, now=NOW).issue_operational(
            bytes(request), device_id="abcdefgh", now=NOW, lifetime=dt.timedelta(days=1)
        )


def test_authority_gives_each_certificate_its_own_serial(ca: Path) -> None:
    authority = load_authority(ca, now=NOW)
    serials = {authority.issue_server(["localhost"], now=NOW).certificate.serial for _ in range(20)}
    assert len(serials) == 20


@pytest.mark.peer
def test_openssl_accepts_our_server_chain(ca: Path) -> None:
    server = load_authority(ca, now=NOW).issue_server(["localhost", "127.0.0.1"], now=NOW)
    (ca / "chain.pem").write_bytes(server.chain_pem)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost"]
    files = [
        "-attime",
        str(int(NOW.timestamp())),
        "-CAfile",
        "root.crt",
        "-untrusted",
        "chain.pem",
        "chain.pem",
    ]
    try:
        done = subprocess.run([*command, *files], cwd=ca, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs the openssl program")
    assert done.stdout == "chain.pem: OK\n"
    assert server.key.public_key.spki == server.certificate.public_key.spki


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
@pytest.mark.parametrize("name", ["factory", "operations"])
def test_authority_refuses_key_that_others_can_touch(ca: Path, name: str, mode: int) -> None:
    (ca / f"{name}.key").chmod(mode)
    with pytest.raises(SettingsError, match="other users") as caught:
        load_authority(ca, now=NOW)
    assert "chmod 600" in caught.value.next_step


@pytest.mark.parametrize(
    "name", ["root.crt", "factory.key", "factory.crt", "operations.key", "operations.crt"]
)
def test_authority_misses_a_file(ca: Path, name: str) -> None:
    (ca / name).unlink()
    with pytest.raises(UnavailableError, match=name) as caught:
        load_authority(ca, now=NOW)
    assert "backup" in caught.value.next_step


@pytest.mark.parametrize("name", ["root.crt", "factory.key", "factory.crt"])
def test_authority_refuses_damaged_file(ca: Path, name: str) -> None:
    (ca / name).write_bytes(b"damaged")
    with pytest.raises(DoorstepError):
        load_authority(ca, now=NOW)


def test_authority_refuses_key_of_another_certificate(ca: Path) -> None:
    (ca / "factory.key").write_bytes((ca / "operations.key").read_bytes())
    with pytest.raises(SettingsError, match="not the key of"):
        load_authority(ca, now=NOW)


def test_authority_refuses_issuers_of_another_root(ca: Path, tmp_path: Path) -> None:
    create_authority(tmp_path / "other", "Example GmbH", now=NOW)
    (ca / "root.crt").write_bytes((tmp_path / "other" / "root.crt").read_bytes())
    with pytest.raises(SettingsError, match="did not sign"):
        load_authority(ca, now=NOW)


def test_authority_refuses_to_work_after_its_issuer_expired(ca: Path) -> None:
    with pytest.raises(SettingsError, match="expired"):
        load_authority(ca, now=NOW + dt.timedelta(days=4000))


def test_keys_never_show_in_repr(ca: Path) -> None:
    authority: Authority = load_authority(ca, now=NOW)
    shown = repr(authority) + repr(authority.issue_server(["localhost"], now=NOW))
    assert "PrivateKey" not in shown
    assert isinstance(authority.root, Certificate)
