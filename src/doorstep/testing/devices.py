"""Devices for a plant: owned, with certificate and keys, written straight into the tables."""

import json
import os
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from doorstep.crypto import p256
from doorstep.crypto.x509 import Certificate, build_request
from doorstep.identity.ids import kid_of, new_device_id
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot
from doorstep.onboarding.methods import DEFAULTS
from doorstep.runtime.database import Connection
from doorstep.runtime.role import now_us
from doorstep.testing.plant import Plant

__all__ = ["TestDevice", "add_devices", "add_revocation"]

_ROOT_LENGTH: Final = 32
_METHODS: Final = json.dumps(DEFAULTS)
_LIFETIME: Final = timedelta(days=7)


@dataclass(slots=True)
class TestDevice:
    """A device that is owned and may connect."""

    __test__ = False  # no test class

    row: int
    device_id: str
    certificate: Path
    """PEM chain."""
    key: Path
    state: DeviceState = field(repr=False)

    def boot(self) -> DeviceSealer:
        """Start the next epoch, as a device does at power-on."""
        sealer = DeviceSealer(kid_of(self.device_id), self.state)
        self.state = next_boot(self.state)
        return sealer

    def topic(self, channel: str) -> str:
        """Return the topic it publishes on."""
        return f"d/{self.device_id}/up/{channel}"

    def tls(self, root: Path) -> ssl.SSLContext:
        """Return a client context that shows its certificate and trusts ``root``."""
        context = ssl.create_default_context(cafile=str(root))
        context.load_cert_chain(self.certificate, self.key)
        return context


def add_devices(plant: Plant, count: int) -> list[TestDevice]:
    """Make so many devices in one transaction; their files lie in ``devices`` in the state folder."""
    folder = plant.state.root / "devices"
    folder.mkdir(exist_ok=True)
    (folder / "root.crt").write_bytes(plant.authority.root.pem)
    connection = plant.connect()
    try:
        with connection.transaction():
            batch, owner = _batch(connection), _owner(connection)
            return [_add(plant, connection, folder, batch, owner) for _ in range(count)]
    finally:
        connection.close()


def add_revocation(connection: Connection, device: TestDevice) -> int:
    """Revoke a device as the server does; return the number of the revocation."""
    with connection.transaction():
        connection.query(
            "UPDATE device SET blocked = ?, generation = generation + 1 WHERE id = ?", (True, device.row)
        )
        connection.query("UPDATE credential SET state = 'revoked' WHERE device_id = ?", (device.row,))
        rows = connection.query(
            "INSERT INTO revocation (device_id, reason, asked_by, asked_us, sessions_kicked, messages_purged)"
            " VALUES (?, 'lost', 'test', ?, 0, 0) RETURNING id",
            (device.row, now_us()),
        )
    return int(rows[0][0])


def _batch(connection: Connection) -> tuple[int, int]:
    """Return product and batch, made new."""
    mark = new_device_id(os.urandom)
    now = datetime.now(UTC)
    product = connection.query(
        "INSERT INTO product (key, name, identity_method, onboarding_methods, claim_policy,"
        " release_setup_code, rotate_after_days, roots_by_hand, created_at)"
        " VALUES (?, 'Sensor', 'certificate', ?, 'device_key', ?, 0, ?, ?) RETURNING id",
        (mark, _METHODS, False, False, _time(now)),
    )[0][0]
    batch = connection.query(
        "INSERT INTO batch (product_id, number, count, onboarding_methods, created_at)"
        " VALUES (?, ?, 1, ?, ?) RETURNING id",
        (product, mark, _METHODS, _time(now)),
    )[0][0]
    return product, batch


def _owner(connection: Connection) -> int:
    rows = connection.query(
        "INSERT INTO organisation (name, kind, email, created_at) VALUES ('Customer', 'customer', '', ?)"
        " RETURNING id",
        (_time(datetime.now(UTC)),),
    )
    return int(rows[0][0])


def _add(
    plant: Plant, connection: Connection, folder: Path, batch: tuple[int, int], owner: int
) -> TestDevice:
    device_id, now = new_device_id(os.urandom), datetime.now(UTC)
    key = p256.generate(os.urandom)
    request = build_request(key, device_id)
    certificate = plant.authority.issue_operational(request, device_id=device_id, now=now, lifetime=_LIFETIME)
    row = connection.query(
        "INSERT INTO device (device_id, serial, product_id, batch_id, public_key, idevid, life, blocked,"
        " disputed, owner_id, alias, ownership_period, generation, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, 'owned', ?, ?, ?, '', 1, 1, ?) RETURNING id",
        (device_id, device_id, *batch, key.public_key.spki, b"", False, False, owner, _time(now)),
    )[0][0]
    _add_credential(connection, row, certificate)
    root = os.urandom(_ROOT_LENGTH)
    connection.query(
        "INSERT INTO sealed_state (device_id, epoch, root, seq_high, window_bits, previous_seq_high,"
        " previous_window_bits, connect_epoch, connect_seq) VALUES (?, 0, ?, -1, 0, -1, 0, 0, -1)",
        (row, plant.key_file.wrap(root, f"sealed/{device_id}/root")),
    )
    paths = folder / f"{device_id}.crt", folder / f"{device_id}.key"
    paths[0].write_bytes(certificate.pem + plant.authority.operations.certificate.pem)
    paths[1].write_bytes(key.to_pem())
    return TestDevice(row, device_id, *paths, DeviceState(root))


def _add_credential(connection: Connection, row: int, certificate: Certificate) -> None:
    connection.query(
        "INSERT INTO credential (device_id, fingerprint, public_key_hash, certificate, not_before_us,"
        " not_after_us, serial, state, created_at) VALUES (?, ?, '', ?, ?, ?, ?, 'active', ?)",
        (
            row,
            certificate.fingerprint,
            certificate.der,
            int(certificate.not_before.timestamp() * 1_000_000),
            int(certificate.not_after.timestamp() * 1_000_000),
            f"{certificate.serial:x}",
            _time(datetime.now(UTC)),
        ),
    )


def _time(at: datetime) -> str:
    """Return a time as both databases take it."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f+00:00")
