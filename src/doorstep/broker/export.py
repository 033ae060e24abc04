"""Writes the folder that an operator's Mosquitto works from."""

import os
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from doorstep.broker.mosquitto import MosquittoFacts, access_file, crl_pem, mosquitto_configuration
from doorstep.crypto import p256
from doorstep.crypto.x509 import build_request
from doorstep.errors import MisuseError
from doorstep.identity.ids import new_device_id
from doorstep.ownership.standing import Standing
from doorstep.runtime.authority import Authority
from doorstep.runtime.database import Connection
from doorstep.runtime.state import write_private

__all__ = ["Exported", "export_mosquitto", "working_devices"]

_BRIDGE_LIFETIME: Final = timedelta(days=30)
_WORKING: Final = (
    "SELECT DISTINCT d.device_id FROM device d JOIN credential c ON c.device_id = d.id"
    " WHERE d.life = 'owned' AND d.blocked = ? AND d.standing <> ? AND c.state = 'active'"
    " AND c.not_after_us > ? ORDER BY d.device_id"
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    configuration: Path
    devices: int


def working_devices(connection: Connection, now_us: int) -> list[str]:
    """Return the devices that may connect now."""
    return [row[0] for row in connection.query(_WORKING, (False, Standing.QUARANTINED, now_us))]


def export_mosquitto(  # noqa: PLR0913 - what goes into the folder, one each
    facts: MosquittoFacts,
    authority: Authority,
    devices: list[str],
    crl: bytes,
    *,
    hosts: list[str],
    now: datetime,
) -> Exported:
    """Write every file anew; raises MisuseError where the folder or its owner can't be.

    A bridge that was exported earlier goes on working: its certificate admits nobody without the password.
    """
    folder = facts.folder.absolute()
    facts = replace(facts, folder=folder)
    server = authority.issue_server(hosts, now=now)
    key = p256.generate(authority.rng)
    name = new_device_id(authority.rng)
    bridge = authority.issue_operational(
        build_request(key, name), device_id=name, now=now, lifetime=_BRIDGE_LIFETIME
    )
    issuer = authority.operations.certificate.pem
    files = {
        "ca.crt": authority.root.pem + issuer,
        "server.key": server.key.to_pem(),
        "server.crt": server.chain_pem,
        "bridge.key": key.to_pem(),
        "bridge.crt": bridge.pem + issuer,
        "devices.crl": crl_pem(crl),
        "acl": access_file(devices).encode(),
        "mosquitto.conf": mosquitto_configuration(facts).encode(),
    }
    try:
        _write(folder, files, facts.run_as)
    except (OSError, LookupError) as error:
        raise MisuseError(
            f"{folder} can't be written for user {facts.run_as}: {error}",
            next_step="Run it as root, or as the user that runs Mosquitto.",
        ) from error
    return Exported(folder / "mosquitto.conf", len(devices))


def _write(folder: Path, files: dict[str, bytes], owner: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files.items():
        write_private(folder / name, content)
    if os.geteuid() == 0:
        for path in (folder, *(folder / name for name in files)):
            shutil.chown(path, owner)
