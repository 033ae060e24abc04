"""The folder of a batch on disk: private, whole files only, room for the labels kept from the start.

```
batch-<id>/            0700
  devices/<serial>.json      provisioning file: goes into the device
  devices/<serial>.nvs.bin   the same as an ESP32 NVS image
  labels.pdf                 label sheet
  labels.csv                 the same labels as data, for a label printer
  manifest.csv               serial, device id, hardware id, certificate fingerprint; nothing secret
  batch.json                 what was made, when, and how much of it
  remaining.csv              only if the run was stopped: what was not made, ready for a new batch
                             (with secure elements the manifest itself is)
```
"""

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from doorstep.errors import MisuseError, UnavailableError
from doorstep.factory.batch import DeviceOrder, DeviceRecord, MadeDevice
from doorstep.factory.labels import LabelSheet
from doorstep.factory.nvs import PARTITION_SIZE
from doorstep.runtime.state import write_private

__all__ = ["REMAINING", "BatchFolder"]

REMAINING: Final = "remaining.csv"
"""What a stopped run did not make."""

_LABEL_BYTES: Final = 12 * 1024
"""Room kept for one label in the PDF; each of its codes takes about 4 KiB, and it has three at most."""

_LABEL_ROW_BYTES: Final = 768
"""Room kept for one row of the labels as data."""

_FIXED_BYTES: Final = 256 * 1024
"""Room for fonts in the PDF, for manifest and summary."""

_DEVICE_BYTES: Final = PARTITION_SIZE + 8 * 1024 + 256
"""Room for one NVS image, one provisioning file and one line of the manifest."""

_LABEL_ROWS: Final = "labels.csv"
_LABELS_HEADER: Final = (
    "serial",
    "device_id",
    "product",
    "setup_code",
    "claim_code",
    "setup",
    "easy_connect",
    "claim_url",
)
_MANIFEST_HEADER: Final = ("serial", "device_id", "hardware_id", "fingerprint")


@dataclass(slots=True)
class BatchFolder:
    """Stages devices, publishes them when they are recorded, and closes the batch."""

    path: Path
    _labels: LabelSheet = field(repr=False)
    _published: list[DeviceRecord] = field(default_factory=list, repr=False)
    _rows_end: int = 0
    """Bytes written to the labels as data; the rest of that file is room kept."""

    @classmethod
    def create(cls, path: Path, *, title: str, devices: int) -> Self:
        """Make the folder and keep room for the labels.

        Raises `MisuseError` when something is there already, `UnavailableError` when the disk has no room.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise MisuseError(
                f"{path} holds something already", next_step="Choose an empty folder with --out."
            )
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
            _refuse_too_full(path, devices)
            for part in (path / "devices", path / ".staging"):
                part.mkdir(mode=0o700)
            _reserve(path / ".labels", devices * _LABEL_BYTES + _FIXED_BYTES)
            _reserve(path / _LABEL_ROWS, devices * _LABEL_ROW_BYTES)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            raise UnavailableError(
                f"the batch cannot be written to {path}: {error.strerror}",
                next_step="Nothing was made yet. Make room, or choose another disk with --out.",
            ) from error
        made = cls(path, LabelSheet(title))
        made._write_rows(_table(_LABELS_HEADER, ()))
        return made

    @property
    def made(self) -> int:
        """Devices published so far."""
        return len(self._published)

    def stage(self, devices: Sequence[MadeDevice]) -> None:
        """Write the devices' files where nobody looks yet, durable before this returns."""
        for device in devices:
            for name, content in _files(device).items():
                descriptor = os.open(self._staging / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
        # One flush for fifty devices: an fsync for each of their files would take most of the time.
        os.sync()

    def publish(self, devices: Sequence[MadeDevice]) -> None:
        """Move staged files into place and put the devices on the label sheet.

        Their labels are on disk as data first: what they say is kept nowhere else, and the sheet comes last.
        """
        self._write_rows(_table((), (_label_row(device) for device in devices)))
        for device in devices:
            for name in _files(device):
                (self._staging / name).rename(self.path / "devices" / name)
            self._labels.add(device.label)
            self._published.append(device.record)

    def discard_staged(self) -> None:
        """Remove what was staged and not published."""
        for leftover in self._staging.iterdir():
            leftover.unlink()

    def close(self, summary: Mapping[str, object], remaining: Sequence[DeviceOrder]) -> None:
        """Write labels, manifest and summary for what was published, and what remains to be made.

        Where nothing was published the folder goes away.
        """
        if not self._published:
            shutil.rmtree(self.path)
            return
        self.discard_staged()
        self._staging.rmdir()
        _fill_reserved(self.path / ".labels", self._labels.finish())
        (self.path / ".labels").rename(self.path / "labels.pdf")
        os.truncate(self.path / _LABEL_ROWS, self._rows_end)
        write_private(self.path / "manifest.csv", _manifest(self._published))
        write_private(self.path / "batch.json", json.dumps(summary, indent=1).encode() + b"\n")
        if remaining:
            write_private(self.path / REMAINING, _order_rows(remaining))

    def _write_rows(self, rows: bytes) -> None:
        with (self.path / _LABEL_ROWS).open("r+b") as file:
            file.seek(self._rows_end)
            file.write(rows)
            file.flush()
            os.fsync(file.fileno())
        self._rows_end += len(rows)

    @property
    def _staging(self) -> Path:
        return self.path / ".staging"


def _files(device: MadeDevice) -> dict[str, bytes]:
    serial = device.record.serial
    return {f"{serial}.json": device.provisioning, f"{serial}.nvs.bin": device.nvs}


def _refuse_too_full(path: Path, devices: int) -> None:
    needed = devices * (_DEVICE_BYTES + _LABEL_BYTES + _LABEL_ROW_BYTES) + _FIXED_BYTES
    free = shutil.disk_usage(path).free
    if free < needed:
        raise UnavailableError(
            f"{devices} devices need {needed // 2**20 + 1} MiB, the disk of {path} has {free // 2**20} MiB",
            next_step="Nothing was made yet. Make room, or choose another disk with --out.",
        )


def _reserve(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def _fill_reserved(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _label_row(device: MadeDevice) -> tuple[str, ...]:
    label = device.label
    return (
        label.serial,
        label.device_id,
        label.product_name,
        label.setup_code,
        label.claim_code,
        label.setup_text,
        label.easy_connect,
        label.claim_url,
    )


def _manifest(records: Sequence[DeviceRecord]) -> bytes:
    return _table(
        _MANIFEST_HEADER, ((r.serial, r.device_id, r.hardware_id or "", r.fingerprint) for r in records)
    )


def _order_rows(orders: Sequence[DeviceOrder]) -> bytes:
    """Write what `orders.read_rows` reads; an address is required there as soon as its column is."""
    if any(order.hardware_id is None for order in orders):
        return _table(("serial",), ((order.serial,) for order in orders))
    return _table(("mac", "serial"), ((order.hardware_id or "", order.serial) for order in orders))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header] if header else ())
    writer.writerows(rows)
    return text.getvalue().encode()
