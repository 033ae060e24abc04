"""Rows that name devices by serial: the good ones are done, each bad one says what to mend."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from doorstep.errors import MisuseError
from doorstep.identity.ids import MalformedId, check_serial
from doorstep.ownership.life import Life
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.models import SaleLine
from doorstep.server.fleet.models import Device

__all__ = [
    "SERIALS_CAP",
    "BadRow",
    "Holding",
    "Problem",
    "RowsOutcome",
    "Verdict",
    "checked_reason",
    "lock",
    "move",
    "sort_out",
]

SERIALS_CAP: Final = 10_000
"""Devices in one sale, receipt or return."""

_SHOWN_CAP: Final = 60
_REASON_CAP: Final = 200

Problem = tuple[str, str]
"""A reason for programs, and a sentence with the next step for people."""
Verdict = Problem | Literal["good", "unchanged"]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be stored, and why."""

    row: int
    """Place among the serials as they were given, from 1."""
    serial: str
    reason: str
    """For programs: malformed_serial, named_twice, unknown_serial, not_in_stock, already_sold, …"""
    sentence: str
    """For people, with the next step."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A locked device and where it stands."""

    device: Device
    line: SaleLine | None
    """The sale by which its holder has it; none: the maker has it."""

    @property
    def wholesaler(self) -> Organisation | None:
        """The wholesaler that holds it, if one does."""
        return self.line.sale.wholesaler if self.line else None

    def is_held_by(self, holder: int | None) -> bool:
        """Whether the wholesaler with this number holds it, or for None the maker."""
        if holder is None:
            return self.line is None
        return self.wholesaler is not None and self.wholesaler.pk == holder


@dataclass(frozen=True, slots=True)
class RowsOutcome:
    """What became of rows."""

    done: tuple[str, ...]
    """Serials of this call."""
    unchanged: tuple[str, ...] = ()
    """Serials that stood so before."""
    bad: tuple[BadRow, ...] = ()


def lock(serials: Sequence[str]) -> dict[str, Holding]:
    """Lock the devices with these serials until the transaction ends; raise MisuseError for too many."""
    if not 0 < len(serials) <= SERIALS_CAP:
        raise MisuseError(
            f"1 to {SERIALS_CAP} serials go at once, these are {len(serials)}", next_step="Split them."
        )
    printable = {one for one in serials if one.isprintable()}
    devices = list(Device.objects.select_for_update().filter(serial__in=printable).order_by("pk"))
    lines = SaleLine.objects.select_related("sale__wholesaler").filter(device__in=devices)
    standing = {line.device_id: line for line in lines}
    return {device.serial: Holding(device, standing.get(device.pk)) for device in devices}


def sort_out(
    serials: Sequence[str],
    found: Mapping[str, Holding],
    judge: Callable[[Holding], Verdict],
    missing: Callable[[str], Problem],
) -> tuple[list[Holding], RowsOutcome]:
    """Return the good rows, and an outcome that names them all."""
    times = Counter(serials)
    good: list[Holding] = []
    unchanged: list[str] = []
    bad: list[BadRow] = []
    for row, serial in enumerate(serials, 1):
        holding = found.get(serial)
        verdict = _malformed(serial, times[serial]) or (judge(holding) if holding else missing(serial))
        if verdict == "good" and holding is not None:
            good.append(holding)
        elif verdict == "unchanged":
            unchanged.append(serial)
        else:
            bad.append(BadRow(row, serial[:_SHOWN_CAP], verdict[0], verdict[1]))
    done = tuple(one.device.serial for one in good)
    return good, RowsOutcome(done, tuple(unchanged), tuple(bad))


def move(devices: Iterable[Device], after: Callable[[Life], Life]) -> None:
    """Store each device's next state of life, with one statement for each state that is left."""
    waiting = list(devices)
    for before in {device.life for device in waiting}:
        moved = [device for device in waiting if device.life == before]
        life = after(Life(before))
        Device.objects.filter(pk__in=[device.pk for device in moved]).update(life=life)
        for device in moved:
            device.life = life


def checked_reason(reason: str) -> str:
    """Return a reason as the ledger can keep it; raise MisuseError."""
    said = " ".join(reason.split())
    if not 0 < len(said) <= _REASON_CAP or not said.isprintable():
        raise MisuseError(
            f"a reason has 1 to {_REASON_CAP} printable characters", next_step="Say briefly why."
        )
    return said


def _malformed(serial: str, times: int) -> Problem | None:
    try:
        check_serial(serial)
    except MalformedId as error:
        return "malformed_serial", f"{error.message}. Read the label again."
    if times > 1:
        return "named_twice", f"Serial {serial} stands {times} times here. Keep it once."
    return None
