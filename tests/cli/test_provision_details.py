"""`doorstep provision` with a fixed address or an enterprise network: what reaches the device, what not."""

import asyncio
import base64
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.provision import network, provision
from doorstep.cli.provision.network import SharedNetwork
from doorstep.errors import SettingsError
from doorstep.onboarding.network import EapMethod, Enterprise, NetworkCredentials, StaticAddress
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from tests.device.serving import serving
from tests.onboarding.helpers import LABEL

pytestmark = pytest.mark.roles

CA, OWN, KEY = b"\x30\x03\x02\x01\x01", b"\x30\x03\x02\x01\x02", b"\x30\x03\x02\x01\x03"
STATIC = ("--static", "192.0.2.7/24", "--gateway", "192.0.2.1", "--dns", "192.0.2.1", "--dns", "9.9.9.9")


def run(*arguments: str) -> Result:
    said = ["--label", LABEL.encode(), *arguments, "--json"]
    return CliRunner().invoke(provision, said, standalone_mode=False)


def pem(kind: str, der: bytes) -> bytes:
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (
        kind.encode(),
        base64.encodebytes(der),
        kind.encode(),
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    chain = pem("CERTIFICATE", CA) + pem("CERTIFICATE", OWN)
    (tmp_path / "ca.pem").write_bytes(b"Issuer: somebody\n" + chain)
    (tmp_path / "own.der").write_bytes(OWN)
    (tmp_path / "key.pem").write_bytes(pem("PRIVATE KEY", KEY))
    (tmp_path / "old.pem").write_bytes(pem("RSA PRIVATE KEY", KEY))
    (tmp_path / "odd.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nMIIB=x\n-----END CERTIFICATE-----\n")
    (tmp_path / "password").write_bytes(b"p\xc3\xa4ss\n")
    return tmp_path


def joined_by(*arguments: str) -> NetworkCredentials | None:
    wifi = SimulatedWifi([SimulatedNetwork(b"office")])
    with serving(wifi) as served:
        result = run("--url", served.url, "--ssid", "office", *arguments)
    assert result.exception is None, result.exception
    assert "p\u00e4ss" not in result.output
    return wifi.joined


def test_device_gets_a_fixed_address() -> None:
    static = StaticAddress("192.0.2.7/24", "192.0.2.1", ("192.0.2.1", "9.9.9.9"))
    assert joined_by("--open", *STATIC) == NetworkCredentials(b"office", static=static)


def test_device_gets_enterprise_credentials(files: Path) -> None:
    who = ("--identity", "lamp", "--ca-file", str(files / "ca.pem"))
    by_password = ("--eap-password-file", str(files / "password"), "--eap-server-name", "radius.example")
    peap = Enterprise(EapMethod.PEAP, "lamp", CA, "radius.example", "p\u00e4ss".encode())
    assert joined_by("--eap", "peap", *who, *by_password) == NetworkCredentials(b"office", enterprise=peap)
    own = ("--client-certificate", str(files / "own.der"), "--client-key", str(files / "key.pem"))
    tls = Enterprise(EapMethod.TLS, "lamp", CA, certificate=OWN, private_key=KEY)
    assert joined_by("--eap", "tls", *who, *own) == NetworkCredentials(b"office", enterprise=tls)


REFUSED = {
    "gateway alone": (("--gateway", "192.0.2.1"), "belong to --static"),
    "no gateway": (("--static", "192.0.2.7/24"), "needs its gateway"),
    "gateway elsewhere": (("--static", "192.0.2.7/24", "--gateway", "10.0.0.1"), "not in the network"),
    "identity alone": (("--identity", "lamp"), "belongs to an enterprise network"),
    "no authority": (("--eap", "peap", "--identity", "lamp"), "needs --identity and --ca-file"),
    "authority that is none": (
        ("--eap", "peap", "--identity", "lamp", "--ca-file", "{}/password"),
        "holds no certificate",
    ),
    "authority that is broken": (
        ("--eap", "peap", "--identity", "lamp", "--ca-file", "{}/odd.pem"),
        "holds no certificate",
    ),
    "key of an old form": (
        ("--eap", "tls", "--identity", "l", "--ca-file", "{}/ca.pem", "--client-key", "{}/old.pem"),
        "holds no private key",
    ),
    "nobody to ask for the password": (
        ("--eap", "ttls", "--identity", "lamp", "--ca-file", "{}/ca.pem"),
        "password of the identity is missing",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_details_that_cannot_be_are_refused_before_a_device_is_asked(name: str, files: Path) -> None:
    arguments, words = REFUSED[name]
    passphrase = () if "--eap" in arguments else ("--open",)
    said = (each.replace("{}", str(files)) for each in arguments)
    error = run("--ssid", "office", *passphrase, *said).exception
    assert isinstance(error, SettingsError), error
    assert words in str(error)


def test_network_has_one_kind_of_password(files: Path) -> None:
    error = run("--ssid", "office", "--open", "--eap", "peap", "--identity", "lamp").exception
    assert isinstance(error, SettingsError)
    assert "not both" in str(error)


@pytest.mark.parametrize("way", [("--touch",), ("--label", "DPP:K:x;;")])
def test_way_that_carries_no_details_refuses_them(way: tuple[str, ...]) -> None:
    said = [*way, "--ssid", "office", "--open", *STATIC, "--json"]
    error = CliRunner().invoke(provision, said, standalone_mode=False).exception
    assert isinstance(error, SettingsError)
    assert "carries a fixed address" in str(error)


def test_person_corrects_the_password_of_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(identity: str) -> bytes:
        asked.append(identity)
        return b"right"

    monkeypatch.setattr(network, "ask_eap_password", answer)
    peap = Enterprise(EapMethod.PEAP, "lamp", CA, password=b"wrong")
    shared = SharedNetwork(b"office", b"", may_ask=True, pausing=nullcontext, enterprise=peap)

    async def walk() -> tuple[NetworkCredentials | None, NetworkCredentials | None]:
        tried = NetworkCredentials(b"office", enterprise=peap)
        return await shared.corrected(tried), await shared.corrected(tried)

    first, second = asyncio.run(walk())
    assert first == second
    assert first is not None
    assert first.enterprise == Enterprise(EapMethod.PEAP, "lamp", CA, password=b"right")
    assert asked == ["lamp"]


def test_nobody_is_asked_to_correct_a_certificate() -> None:
    tls = Enterprise(EapMethod.TLS, "lamp", CA, certificate=OWN, private_key=KEY)
    shared = SharedNetwork(b"office", b"", may_ask=True, pausing=nullcontext, enterprise=tls)
    tried = NetworkCredentials(b"office", enterprise=tls)
    assert asyncio.run(shared.corrected(tried)) is None
