"""HTTPS to a board: the certificate is judged before a word is said, by the label or by the maker."""

import asyncio
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.provision import provision
from doorstep.crypto.x509 import Certificate, load_chain
from doorstep.device.setup.https import HttpsServer, shown_fingerprint, tls_context
from doorstep.device.setup.joiner import Joiner
from doorstep.device.store import Store
from doorstep.errors import MisuseError, SettingsError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.captive.exchange import Air, PageFacts
from doorstep.onboarding.failures import DowngradeRefused
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.onboarding.steps import Step
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.https import (
    HttpsLink,
    Judge,
    WrongCertificate,
    judging_context,
    makers_device,
    open_link,
    pinned,
)
from doorstep.provisioner.provisioner import Provisioner
from doorstep.runtime.authority import Authority
from doorstep.testing.wifi import SimulatedWifi
from tests.device.page_serving import serving_page
from tests.device.serving import NEIGHBOURS, Served
from tests.onboarding.helpers import LABEL, PROFILE

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Made:
    """One device's folder, and who may have issued its certificates."""

    store: Store
    provisioning: Provisioning
    authority: Authority

    @property
    def factory(self) -> Certificate:
        return self.authority.factory.certificate


@pytest.fixture
def device(made: Provisioning, authority: Authority, tmp_path: Path) -> Iterator[Made]:
    store = Store.open(tmp_path / "device")
    store.adopt(made)
    yield Made(store, made, authority)
    store.close()


async def set_up(served: Served, judge: Judge) -> Step:
    link = HttpsLink(f"https://127.0.0.1:{served.port}", judge)
    async with Provisioner(link, LABEL, pause=0.05) as app:
        await app.secure()
        return await app.join(NetworkCredentials(b"home", b"correct horse"))


def now() -> datetime:
    return NOW


def test_configurator_pins_the_boards_own_certificate(device: Made) -> None:
    file = device.store.setup_server(os.urandom)
    assert device.store.setup_server(os.urandom).read_bytes() == file.read_bytes(), "made once"
    assert file.stat().st_mode & 0o077 == 0
    certificate = load_chain(file.read_bytes())[0]
    assert certificate.common_name == device.provisioning.device_id
    with serving_page(tls=tls_context(file)) as served:
        assert asyncio.run(set_up(served, pinned(shown_fingerprint(file)))) is Step.CONNECTED


def test_configurator_knows_the_device_by_its_maker_or_by_the_idevid_on_the_label(device: Made) -> None:
    file = device.store.idevid_server()
    context = tls_context(file, idevid=True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    by_maker = makers_device(device.factory, device.provisioning.device_id, now)
    by_label = pinned(load_chain(device.provisioning.certificate_chain.encode())[0].fingerprint)
    for judge in (by_maker, by_label):
        with serving_page(tls=context) as served:
            assert asyncio.run(set_up(served, judge)) is Step.CONNECTED


@pytest.mark.roles
def test_command_knows_the_device_by_the_makers_ca(device: Made, tmp_path: Path) -> None:
    ca, password = tmp_path / "factory.crt", tmp_path / "password"
    password.write_bytes(b"correct horse")
    label = replace(LABEL, name=f"PROV_{device.provisioning.device_id}")

    def run(authority: Certificate, *where: str) -> Result:
        ca.write_bytes(authority.pem)
        network = ("--ssid", "home", "--passphrase-file", str(password), "--json")
        said = [*where, "--maker-ca", str(ca), *network]
        return CliRunner().invoke(provision, said, standalone_mode=False)

    with serving_page(tls=tls_context(device.store.idevid_server(), idevid=True)) as served:
        here = ("--url", f"https://127.0.0.1:{served.port}")
        strange = run(device.authority.operations.certificate, "--label", label.encode(), *here)
        assert isinstance(strange.exception, WrongCertificate)
        plain = run(device.factory, "--label", label.encode(), "--url", f"http://127.0.0.1:{served.port}")
        assert isinstance(plain.exception, DowngradeRefused)
        nameless = run(device.factory, "--code", LABEL.pop, *here)
        assert isinstance(nameless.exception, SettingsError)
        good = run(device.factory, "--label", label.encode(), *here)
    assert good.exception is None, good.exception
    assert json.loads(good.stdout.splitlines()[-1])["outcome"] == "connected"


@pytest.mark.roles
def test_command_refuses_a_makers_ca_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("nothing")
    said = [
        "--label",
        LABEL.encode(),
        "--ssid",
        "home",
        "--open",
        "--maker-ca",
        str(tmp_path / "ca"),
        "--json",
    ]
    error = CliRunner().invoke(provision, said, standalone_mode=False).exception
    assert isinstance(error, SettingsError)
    assert "holds no certificate" in str(error)


@dataclass
class Imitator:
    """A TLS server that writes down whatever application data reaches it."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def imitating(file: Path) -> Iterator[Imitator]:
    context = tls_context(file)
    listener = socket.create_server(("127.0.0.1", 0))
    imitator = Imitator(listener.getsockname()[1])

    def serve() -> None:
        raw, _ = listener.accept()
        try:
            with context.wrap_socket(raw, server_side=True) as stream:
                imitator.heard.append(stream.recv(4096))
        except OSError:
            imitator.heard.append(b"")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield imitator
    finally:
        listener.close()
        thread.join(10)


def judges(device: Made) -> dict[str, Judge]:
    factory, operations = device.factory, device.authority.operations.certificate
    device_id = device.provisioning.device_id
    return {
        "another fingerprint": pinned("0" * 64),
        "the maker never issued it": makers_device(factory, device_id, now),
    } | {
        "another CA": makers_device(operations, device_id, now),
    }


@pytest.mark.parametrize("who", ["another fingerprint", "the maker never issued it", "another CA"])
def test_wrong_certificate_is_a_typed_error_and_hears_nothing(device: Made, who: str) -> None:
    with imitating(device.store.setup_server(os.urandom)) as imitator:
        link = HttpsLink(f"https://127.0.0.1:{imitator.port}", judges(device)[who])

        async def say() -> None:
            async with Provisioner(link, LABEL) as app:
                await app.secure()

        with pytest.raises(WrongCertificate, match="Nothing was sent") as caught:
            asyncio.run(say())
    assert imitator.heard == [b""]
    assert "imitating" in caught.value.next_step


@pytest.mark.parametrize(
    ("device_id", "clock", "why"),
    [
        ("a" * 26, NOW, "another device's"),
        (None, NOW - timedelta(days=4000), "did not issue"),
    ],
    ids=["another device", "not yet valid"],
)
def test_idevid_of_another_device_or_time_is_refused(
    device: Made, device_id: str | None, clock: datetime, why: str
) -> None:
    judge = makers_device(device.factory, device_id or device.provisioning.device_id, lambda: clock)
    idevid = load_chain(device.provisioning.certificate_chain.encode())[0]
    with pytest.raises(WrongCertificate, match=why):
        judge(idevid.der)
    with pytest.raises(WrongCertificate):
        judge(b"no certificate")


def test_blocking_client_is_judged_alike(device: Made) -> None:
    with imitating(device.store.setup_server(os.urandom)) as imitator:
        context = judging_context(pinned("0" * 64))
        with (
            socket.create_connection(("127.0.0.1", imitator.port), timeout=10) as raw,
            pytest.raises(WrongCertificate),
        ):
            context.wrap_socket(raw)
    assert imitator.heard == [b""]


def test_label_with_a_fingerprint_never_goes_over_plain_http() -> None:
    label = replace(LABEL, fingerprint="0" * 64)
    for link in (open_link(label), open_link(label, "https://10.0.0.1")):
        assert isinstance(link, HttpsLink)
    with pytest.raises(DowngradeRefused):
        open_link(label, "http://192.168.4.1")
    with pytest.raises(DowngradeRefused):
        open_link(LABEL, "http://192.168.4.1", judge=pinned("0" * 64))


def test_label_without_a_fingerprint_goes_over_http_and_not_blindly_over_https() -> None:
    assert not isinstance(open_link(LABEL), HttpsLink)
    assert isinstance(open_link(LABEL, "http://10.0.0.1"), HttpLink)
    with pytest.raises(SettingsError, match="carries no fingerprint"):
        open_link(LABEL, "https://192.168.4.1")


def test_page_under_tls_takes_the_code_from_a_browser(device: Made) -> None:
    """A person's browser shows a warning; who goes on has compared the fingerprint."""

    async def main() -> None:
        file = device.store.setup_server(os.urandom)
        joiner = Joiner(SimulatedWifi(NEIGHBOURS))
        facts = PageFacts(LABEL.name, Air.NOTHING)
        server = HttpsServer(PROFILE, joiner, facts, tls_context(file), host="127.0.0.1", port=0)
        async with server:
            link = HttpsLink(f"https://127.0.0.1:{server.port}", pinned(shown_fingerprint(file)))
            await link._client.get("/")
            await asyncio.sleep(0.1)
            shown = (await link._client.get("/network", params={"ssid": "686f6d65"})).text
            key = shown.split('name="key" value="')[1].split('"')[0]
            form = {"key": key, "ssid": "686f6d65", "password": "correct horse", "code": "wrong"}
            assert (await link._client.post("/join", data=form)).status_code == 422
            answer = await link._client.post("/join", data=form | {"code": LABEL.pop})
            assert answer.status_code == 303
            assert (await joiner.wait_connected()).network.ssid == b"home"
            await link.close()
        await joiner.close()

    asyncio.run(main())


def test_https_needs_a_verifier_and_an_identity(tmp_path: Path) -> None:
    joiner = Joiner(SimulatedWifi(()))
    old = DeviceProfile("dev1", Sec1Code("abcd"), allow_old_security=True)
    with pytest.raises(SettingsError, match="verifier"):
        HttpsServer(old, joiner, PageFacts("x", Air.TLS), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), host="")
    store = Store.open(tmp_path / "nobody")
    with pytest.raises(MisuseError, match="no identity"):
        store.setup_server(os.urandom)
    with pytest.raises(MisuseError, match="no identity"):
        store.idevid_server()
    store.close()
