"""Our configurator gives a network to the real wpa_supplicant that shows the code; no radio is needed."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from doorstep.crypto.p256 import PrivateKey, generate
from doorstep.onboarding.dpp.configuration import Akm
from doorstep.onboarding.dpp.configurator import Configurator
from doorstep.onboarding.dpp.failures import ConfigurationRejected
from doorstep.onboarding.dpp.keys import Transcript
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.steps import Step
from doorstep.provisioner.dpp import configure
from doorstep.provisioner.link import DeviceUnreachable
from tests.private_network import in_private_network, need
from tests.wait import until
from tests.wpa_supplicant import WpaSupplicant, running_wpa_supplicant

pytestmark = pytest.mark.peer

HOME = NetworkCredentials(b"home", b"correct horse")


@pytest.fixture
def enrol(tmp_path: Path) -> Callable[[Callable[[WpaSupplicant, str], str]], str]:
    need("wpa_supplicant", "ip")

    def run(scenario: Callable[[WpaSupplicant, str], str]) -> str:
        def alone() -> str:
            with running_wpa_supplicant(tmp_path / "device") as device:
                label = device.tell("DPP_BOOTSTRAP_GEN type=qrcode")
                uri = device.tell(f"DPP_BOOTSTRAP_GET_URI {label}")
                device.tell("DPP_CONTROLLER_START tcp_port=8908 role=enrollee")
                return scenario(device, uri)

        return in_private_network(alone)

    return run


Enrol = Callable[[Callable[[WpaSupplicant, str], str]], str]


def give(
    uri: str,
    network: NetworkCredentials,
    akm: Akm = Akm.PSK_SAE,
    signer: PrivateKey | None = None,
    tell: Callable[[Step], None] = lambda _step: None,
) -> str:
    order = RegistrationOrder(b"token", "https://example.org")  # a stranger's device skips it
    given = configure(uri, network, address="127.0.0.1", akm=akm, signer=signer, order=order, tell=tell)
    return asyncio.run(given).name


@pytest.mark.parametrize(
    ("network", "akm", "stored"),
    [
        (HOME, Akm.PSK, ['ssid="home"', 'psk="correct horse"']),
        (HOME, Akm.PSK_SAE, ['ssid="home"', 'psk="correct horse"', "SAE"]),
        (
            NetworkCredentials("caffè".encode(), b"0a" * 32),
            Akm.PSK,
            ["ssid=63616666c3a8", f"psk={'0a' * 32}"],
        ),
        (NetworkCredentials(b"\xff\xfe", b"correct horse"), Akm.PSK, ["ssid=fffe", 'psk="correct horse"']),
    ],
    ids=["WPA2", "WPA2 or WPA3", "key and accents", "octets"],
)
def test_wpa_supplicant_takes_the_network_of_its_label(
    enrol: Enrol, network: NetworkCredentials, akm: Akm, stored: list[str]
) -> None:
    steps: list[Step] = []

    def scenario(device: WpaSupplicant, uri: str) -> str:
        assert give(uri, network, akm, tell=steps.append) == "Test"
        until(lambda: "network={" in device.settings.read_text())
        return device.settings.read_text()

    settings = enrol(scenario)
    assert all(line in settings for line in stored), settings
    assert steps == [Step.FOUND, Step.SECURED, Step.TRYING]


def test_wpa_supplicant_turns_down_what_its_driver_cannot(enrol: Enrol) -> None:
    def scenario(_device: WpaSupplicant, uri: str) -> str:
        with pytest.raises(ConfigurationRejected, match="status 9"):
            give(uri, HOME, Akm.SAE)
        return ""

    enrol(scenario)


def test_wpa_supplicant_takes_a_connector(enrol: Enrol) -> None:
    def scenario(device: WpaSupplicant, uri: str) -> str:
        give(uri, NetworkCredentials(b"home"), Akm.DPP, generate(os.urandom))
        until(lambda: "dpp_csign" in device.settings.read_text())
        return device.settings.read_text()

    settings = enrol(scenario)
    assert "key_mgmt=DPP" in settings
    assert "dpp_connector=" in settings


def test_wpa_supplicant_does_not_answer_for_another_label(enrol: Enrol) -> None:
    def scenario(device: WpaSupplicant, _uri: str) -> str:
        other = BootstrapUri(generate(os.urandom).public_key).encode()
        with pytest.raises(DeviceUnreachable):
            give(other, HOME)
        return device.log

    assert "No matching own bootstrapping key found" in enrol(scenario)


def test_wpa_supplicant_reads_our_label_as_we_do(enrol: Enrol) -> None:
    def scenario(device: WpaSupplicant, uri: str) -> str:
        assert BootstrapUri.decode(uri).encode() == uri
        key = generate(os.urandom).public_key
        ours = BootstrapUri(key, bytes.fromhex("020000000001"), "kettle 7", ((81, 6), (81, 11)))
        number = device.tell(f"DPP_QR_CODE {ours.encode()}")
        return f"{device.tell(f'DPP_BOOTSTRAP_INFO {number}')}\nexpected={ours.key_hash.hex()}"

    found = dict(line.split("=", 1) for line in enrol(scenario).splitlines())
    assert found["mac_addr"] == "02:00:00:00:00:01"
    assert found["info"] == "kettle 7"
    assert found["num_freq"] == "2"
    assert found["pkhash"] == found["expected"]


def test_wpa_supplicant_derives_our_keys(enrol: Enrol, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Transcript] = []
    confirm = Configurator._confirm

    def watch(core: Configurator, transcript: Transcript) -> object:
        seen.append(transcript)
        return confirm(core, transcript)

    monkeypatch.setattr(Configurator, "_confirm", watch)

    def scenario(device: WpaSupplicant, uri: str) -> str:
        give(uri, HOME)
        (transcript,) = seen
        assert device.logged('DPP: ke = HKDF-Expand(bk, "DPP Key", length)') == transcript.session_key
        assert device.logged("DPP: R-auth") == transcript.responder_tag
        assert device.logged("DPP: I-auth") == transcript.initiator_tag
        return ""

    enrol(scenario)
