"""Debian's Mosquitto with an exported folder: who gets in, what the bridge brings, what revoking does."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from doorstep.broker.mosquitto import (
    BRIDGE_CLIENT_ID,
    MosquittoFacts,
    access_file,
    crl_pem,
    mosquitto_configuration,
)
from doorstep.crypto import p256
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.load import payload_of
from doorstep.testing.plant import Plant
from doorstep.testing.ports import free_ports
from tests.ingest.tables import letters, stored
from tests.plants import MakePlant
from tests.wait import until

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def test_configuration_holds_the_password_and_its_facts_do_not_show_it() -> None:
    facts = MosquittoFacts(Path("/etc/m"), 8884, "mosquitto", "host:8883", "bridge", "secret-word")
    assert "secret-word" not in repr(facts)
    text = mosquitto_configuration(facts)
    for line in ("remote_password secret-word", "address host:8883", "crlfile /etc/m/devices.crl"):
        assert f"\n{line}\n" in text
    assert f"remote_clientid {BRIDGE_CLIENT_ID}\n" in text


def test_access_file_names_each_device_and_nobody_else() -> None:
    assert access_file([]).count("topic") == 0
    text = access_file(["aaaaaaaa", "bbbbbbbb"])
    assert text.count("user ") == 2
    assert "user aaaaaaaa\ntopic write d/aaaaaaaa/up/+\ntopic read d/aaaaaaaa/down/+\n" in text


def test_revocation_list_is_wrapped_for_openssl() -> None:
    assert crl_pem(bytes(60)).splitlines()[0] == b"-----BEGIN X509 CRL-----"
    assert max(map(len, crl_pem(bytes(600)).splitlines())) == 64


@dataclass
class Yard:
    """A platform, a Mosquitto beside it, and the devices that use it."""

    plant: Plant
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def doorstep(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "doorstep", *words, "--json"],
            env=self.plant.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def export(self) -> int:
        answer = self.doorstep("broker", "export", "--to", str(self.folder), "--port", str(self.port))
        return int(answer["devices"])

    def start(self) -> None:
        log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
        )
        log.close()
        until(lambda: "Connecting bridge (step 2)" in self.log())

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def publish(self, shown: TestDevice, content: bytes, topic: str) -> int:
        done = subprocess.run(
            [
                *("mosquitto_pub", "-h", "localhost", "-p", str(self.port), "-q", "1"),
                *("--cafile", str(self.plant.state.root / "devices" / "root.crt")),
                *("--cert", str(shown.certificate), "--key", str(shown.key)),
                *("-i", shown.device_id, "-t", topic, "-s"),
            ],
            input=content,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return done.returncode


@pytest.fixture(scope="module")
def yard(make_plant: MakePlant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    plant = make_plant()
    plant.start("nats-secure", "nats-plain", "authorizer", "ingest")
    opened = Yard(plant, tmp_path_factory.mktemp("mosquitto"), free_ports(1)[0])
    yield opened
    if opened.process is not None:
        opened.process.terminate()
        opened.process.wait(10)


def sealed(device: TestDevice, number: int = 1) -> bytes:
    return device.boot().seal(b"up/data", payload_of(number, 1))


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.skipif(
    not (MOSQUITTO and shutil.which("mosquitto_pub")), reason="mosquitto and its clients are not installed"
)
def test_device_publishes_to_mosquitto_and_the_bridge_brings_it_here(yard: Yard) -> None:
    """BYOB: own topics only; revoked and exported again, it is refused; others go on."""
    device, victim, bystander = add_devices(yard.plant, 3)
    assert yard.export() == 3
    yard.start()
    assert yard.publish(device, sealed(device), device.topic("data")) == 0
    until(lambda: len(stored(yard.plant, [device])) == 1)

    forged = sealed(victim)
    yard.publish(device, forged, victim.topic("data"))
    assert yard.publish(victim, sealed(victim), victim.topic("data")) == 0
    until(lambda: len(stored(yard.plant, [victim])) == 1)
    assert letters(yard.plant, victim) == {}

    assert yard.doorstep("keys", "revoke", device.device_id, "--wait")["device_id"] == device.device_id
    assert yard.export() == 2
    assert yard.process is not None
    yard.process.send_signal(signal.SIGHUP)
    until(lambda: "Reloading config" in yard.log())
    time.sleep(0.2)
    assert yard.publish(device, sealed(device), device.topic("data")) != 0
    assert yard.publish(bystander, sealed(bystander), bystander.topic("data")) == 0
    until(lambda: len(stored(yard.plant, [bystander])) == 1)
    assert len(stored(yard.plant, [device])) == 1


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.skipif(not MOSQUITTO, reason="mosquitto is not installed")
def test_birth_certificate_opens_nothing(yard: Yard, tmp_path: Path) -> None:
    """KEY: it names the device and chains to the same root, and its CA has no revocation list here."""
    (device,) = add_devices(yard.plant, 1)
    yard.export()
    if yard.process is None:
        yard.start()
    else:
        yard.process.send_signal(signal.SIGHUP)
    key = p256.generate(os.urandom)
    born = yard.plant.authority.issue_idevid(
        key.public_key, device_id=device.device_id, device_serial="S", now=datetime.now(UTC)
    )
    paths = tmp_path / "idevid.crt", tmp_path / "idevid.key"
    paths[0].write_bytes(born.pem + yard.plant.authority.factory.certificate.pem)
    paths[1].write_bytes(key.to_pem())
    shown = TestDevice(device.row, device.device_id, *paths, device.state)
    assert yard.publish(shown, b"x", device.topic("data")) != 0
    assert yard.publish(device, b"x", device.topic("data")) == 0
