"""Debian's mosquitto_pub, which knows nothing of us, with a device's certificate."""

import shutil
import subprocess
from pathlib import Path

import pytest

from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.load import payload_of
from doorstep.testing.plant import Plant
from tests.ingest.tables import letters, query, stored
from tests.wait import until

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="mosquitto-clients is not installed"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


def mosquitto_pub(
    plant: Plant, certificate: TestDevice | None, client_id: str, topic: str, content: Path
) -> subprocess.CompletedProcess[str]:
    command = ["mosquitto_pub", "-h", "localhost", "-p", str(plant.settings.mqtt_tls_port), "-q", "1"]
    command += ["--cafile", str(plant.state.root / "devices" / "root.crt")]
    command += ["-i", client_id, "-t", topic, "-f", str(content)]
    if certificate is not None:
        command += ["--cert", str(certificate.certificate), "--key", str(certificate.key)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def sealed_file(device: TestDevice, folder: Path) -> Path:
    path = folder / "message"
    path.write_bytes(device.boot().seal(b"up/data", payload_of(3, 1)))
    return path


def test_reading_of_mosquitto_pub_is_stored(running: Plant, tmp_path: Path) -> None:
    device = add_devices(running, 1)[0]
    done = mosquitto_pub(
        running, device, device.device_id, device.topic("data"), sealed_file(device, tmp_path)
    )
    assert (done.returncode, done.stderr) == (0, "")
    until(lambda: len(stored(running, [device])) == 1)


def test_nothing_arrives_on_another_devices_topic_and_the_attempt_is_recorded(
    running: Plant, tmp_path: Path
) -> None:
    device, victim = add_devices(running, 2)
    content = sealed_file(victim, tmp_path)
    mosquitto_pub(running, device, device.device_id, victim.topic("data"), content)
    until(lambda: letters(running, device) == {"forbidden_topic": 1})
    assert stored(running, [victim, device]) == []
    assert letters(running, victim) == {}


@pytest.mark.parametrize("case", ["revoked", "none", "another's", "foreign client id"])
def test_mosquitto_pub_is_refused(running: Plant, tmp_path: Path, case: str) -> None:
    device, other = add_devices(running, 2)
    shown = {"none": None, "another's": other}.get(case, device)
    client_id = other.device_id if case == "foreign client id" else device.device_id
    if case == "revoked":
        query(running, "UPDATE credential SET state = 'revoked' WHERE device_id = ?", device.row)
    content = sealed_file(device, tmp_path)
    done = mosquitto_pub(running, shown, client_id, device.topic("data"), content)
    assert done.returncode != 0
    assert stored(running, [device]) == []
