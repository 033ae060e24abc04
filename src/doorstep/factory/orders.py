"""Which devices to make: numbered serials, rows of a file of hardware ids, or a manifest of elements."""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from doorstep.errors import MalformedMessage, MisuseError
from doorstep.factory.batch import DeviceOrder
from doorstep.identity import ids
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.manifest import TrustedSigners, read_manifest
from doorstep.onboarding.methods import METHODS

__all__ = [
    "MAX_DEVICES",
    "MAX_FILE_BYTES",
    "Orders",
    "RefusedRow",
    "new_batch_id",
    "numbered",
    "read_elements",
    "read_rows",
]

MAX_DEVICES: Final = 100_000
"""Devices in one batch."""

MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""Bytes of a file of hardware ids."""

_DIGITS: Final = 5
_COLUMNS: Final = frozenset({"mac", "serial"})


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that makes no device, and why."""

    number: int
    """Line in the file, of which the header is line 1; or entry in the manifest, from 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class Orders:
    """What a file asks for: good rows are made, each bad one is named."""

    devices: tuple[DeviceOrder, ...]
    refused: tuple[RefusedRow, ...] = ()
    suspicious: tuple[RefusedRow, ...] = ()
    """Rows that are made although their address was invented by software."""
    unit: Literal["line", "entry"] = "line"
    """What a row is."""

    def without(self, known: Collection[str]) -> "Orders":
        """Refuse the rows whose hardware id is known; raise `MisuseError` where that leaves none."""
        again = {
            order.row: RefusedRow(order.row, f"a device has the hardware id {order.hardware_id} already")
            for order in self.devices
            if order.hardware_id in known
        }
        return _checked(
            replace(
                self,
                devices=tuple(order for order in self.devices if order.hardware_id not in known),
                refused=tuple(sorted((*self.refused, *again.values()), key=lambda row: row.number)),
                suspicious=tuple(row for row in self.suspicious if row.number not in again),
            )
        )

    def check(self, identity: IdentityMethod, methods: Collection[str]) -> None:
        """Raise `MisuseError` unless devices of this identity and these methods can be made."""
        in_elements = any(order.element_key for order in self.devices)
        if in_elements != (identity is IdentityMethod.SECURE_ELEMENT):
            raise _other_source(in_elements=in_elements)
        computed = [one.key for one in METHODS.values() if one.needs_key_at_factory and one.key in methods]
        if in_elements and computed:
            raise MisuseError(
                f"labels of {' and '.join(computed)} need the private key, which no element gives",
                next_step=f"Switch off for this product: {' '.join(f'--disable {key}' for key in computed)}",
            )


def new_batch_id(now: datetime, rng: Callable[[int], bytes]) -> str:
    """Name a batch by its day and four random characters."""
    return f"{now:%Y%m%d}-{ids.new_device_id(rng)[:4]}"


def numbered(prefix: str, count: int) -> Orders:
    """Order ``count`` devices with serials ``prefix`` + 00001 and so on."""
    if not 0 < count <= MAX_DEVICES:
        raise MisuseError(
            f"a batch has 1 to {MAX_DEVICES} devices, not {count}", next_step="Make several batches."
        )
    return Orders(tuple(DeviceOrder(_serial(prefix, number)) for number in range(1, count + 1)))


def read_rows(content: bytes, prefix: str) -> Orders:
    """Read a CSV file with the columns ``mac`` or ``serial`` or both.

    Raises `MisuseError` when the file as a whole is no such table; a bad row is only refused.
    """
    reader = csv.DictReader(io.StringIO(_text(content)), strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise MisuseError(
            f"the first line is not CSV: {error}", next_step="Mend that line and try again."
        ) from error
    header = set(names)
    if not header or not header <= _COLUMNS:
        raise MisuseError(
            f"the first line must name the columns mac or serial or both, it names {sorted(header)}",
            next_step="Put `mac`, `serial` or `mac,serial` on the first line.",
        )
    reader.fieldnames = names
    return _collect(_numbered_rows(reader), prefix)


def read_elements(manifest: bytes, signers: bytes, prefix: str) -> Orders:
    """Order a device for each element that a manifest proves; its serial ends in the number of the entry.

    ``signers`` is the PEM bundle of `TrustedSigners`. Raises `MalformedMessage` and `MisuseError` when a file
    as a whole is no such thing; a bad entry is only refused.
    """
    found = read_manifest(manifest, TrustedSigners.from_pem(signers))
    devices = (
        DeviceOrder(_serial(prefix, number), element.hardware_id, element.public_key.spki, number)
        for number, element in found.elements.items()
    )
    refused = (RefusedRow(number, reason) for number, reason in found.refused.items())
    return _checked(Orders(tuple(devices), tuple(refused), unit="entry"))


def _numbered_rows(reader: "csv.DictReader[str]") -> Iterable[tuple[int, Mapping[str | None, object]]]:
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise MisuseError(
            f"line {reader.line_num} ends the table: {error}", next_step="Mend that line and try again."
        ) from error


def _collect(rows: Iterable[tuple[int, Mapping[str | None, object]]], prefix: str) -> Orders:
    devices: list[DeviceOrder] = []
    refused: list[RefusedRow] = []
    suspicious: list[RefusedRow] = []
    seen: dict[str, int] = {}
    for line, row in rows:
        try:
            order, invented = _order(line, row, _serial(prefix, len(devices) + 1))
            _refuse_repeated(order, line, seen)
        except MalformedMessage as error:
            refused.append(RefusedRow(line, error.message))
            continue
        devices.append(order)
        if invented:
            suspicious.append(RefusedRow(line, "the address is locally administered: nobody keeps it unique"))
    return _checked(Orders(tuple(devices), tuple(refused), tuple(suspicious)))


def _checked(orders: Orders) -> Orders:
    if 0 < len(orders.devices) <= MAX_DEVICES:
        return orders
    first = "".join(f"; {orders.unit} {row.number}: {row.reason}" for row in orders.refused[:1])
    raise MisuseError(
        f"the file has {len(orders.devices)} good rows, a batch has 1 to {MAX_DEVICES}{first}",
        next_step="Mend the file, or split it.",
    )


def _other_source(*, in_elements: bool) -> MisuseError:
    if in_elements:
        return MisuseError(
            "devices of this product do not have their key in a secure element",
            next_step="Leave --manifest out, or add a product with --identity secure_element.",
        )
    return MisuseError(
        "devices of this product have their key in a secure element, and only a manifest says which",
        next_step="Give --manifest FILE.json and --signers FILE.pem.",
    )


def _order(line: int, row: Mapping[str | None, object], fallback_serial: str) -> tuple[DeviceOrder, bool]:
    if None in row:
        raise ids.MalformedId("the row has more columns than the first line")
    serial = str(row.get("serial") or "").strip()
    checked = ids.check_serial(serial or fallback_serial)
    if "mac" not in row:
        return DeviceOrder(checked, row=line), False
    hardware_id = ids.parse_hardware_id(str(row["mac"] or "").strip())
    return DeviceOrder(checked, hardware_id.value, row=line), hardware_id.locally_administered


def _refuse_repeated(order: DeviceOrder, line: int, seen: dict[str, int]) -> None:
    names = [f"serial {order.serial}"]
    if order.hardware_id is not None:
        names.append(f"hardware id {order.hardware_id}")
    for name in names:
        if name in seen:
            raise ids.MalformedId(f"{name} stands on line {seen[name]} already")
    seen.update(dict.fromkeys(names, line))


def _serial(prefix: str, number: int) -> str:
    return ids.check_serial(f"{prefix}{number:0{_DIGITS}d}")


def _text(content: bytes) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise MisuseError(f"a file of hardware ids has at most {MAX_FILE_BYTES // 2**20} MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MisuseError("the file is not UTF-8 text", next_step="Save it as CSV in UTF-8.") from error
