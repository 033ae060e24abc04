"""The labels of many devices: a CSV file as the factory writes it, and serials as people say them."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import DoorstepError, MalformedMessage, SettingsError
from doorstep.onboarding.label import SetupLabel

__all__ = ["BadRow", "Labels", "Target", "read_labels", "spoken"]

MAX_LABELS: Final = 10_000
MAX_LABELS_FILE: Final = 8 * 1024 * 1024
MAX_SERIAL: Final = 40
_SEPARATORS: Final = str.maketrans("", "", " \t-._–")  # noqa: RUF001 — phones type this dash


@dataclass(frozen=True, slots=True)
class Target:
    """One device to set up; ``name`` is what people call it, ``address`` where it is, if that is known."""

    name: str
    label: SetupLabel
    address: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no label; the others are kept."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What a file held."""

    targets: tuple[Target, ...]
    bad: tuple[BadRow, ...] = ()
    _spoken: Mapping[str, Target] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the targets by how they are said."""
        object.__setattr__(self, "_spoken", {spoken(target.name): target for target in self.targets})

    def named(self, names: Iterable[str]) -> tuple[Target, ...]:
        """Return the devices of these serials, however they are typed; raises `SettingsError`."""
        return tuple(dict.fromkeys(self._named(name) for name in names))

    def _named(self, name: str) -> Target:
        said = spoken(name)
        if said in self._spoken:
            return self._spoken[said]
        like = [target for key, target in self._spoken.items() if said and key.endswith(said)]
        if len(like) == 1:
            return like[0]
        if like:
            several = ", ".join(target.name for target in like[:5])
            raise SettingsError(f"{name[:40]!r} can be {several}.", next_step="Say or type more of it.")
        raise SettingsError(
            f"No label has the serial {name[:40]!r}.",
            next_step="Compare it with the device; blanks, dashes and capitals do not matter.",
        )


def spoken(name: str) -> str:
    """Return a serial as every way of saying or typing it ends up."""
    return name.translate(_SEPARATORS).casefold()


def read_labels(data: bytes) -> Labels:
    """Read a file with the columns ``serial`` and ``setup`` (the QR text) or ``setup_code``.

    ``device_id``, ``address`` and ``alias`` may be there, other columns are skipped. Raises `SettingsError`
    where it is no such file or no row is good.
    """
    if len(data) > MAX_LABELS_FILE:
        raise SettingsError(f"A file of labels has at most {MAX_LABELS_FILE} bytes.")
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    columns = set(reader.fieldnames or ())
    if "serial" not in columns or not columns & {"setup", "setup_code"}:
        raise SettingsError(
            "The file of labels needs the columns serial and setup (or setup_code).",
            next_step="Use the labels.csv of the batch.",
        )
    labels = _sorted_out(_rows(reader))
    if not labels.targets:
        reason = f" Line {labels.bad[0].line}: {labels.bad[0].reason}" if labels.bad else ""
        raise SettingsError(f"The file of labels has no good row.{reason}")
    return labels


def _rows(reader: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    try:
        for row in reader:
            yield (
                reader.line_num,
                {key: (value or "").strip() for key, value in row.items() if key is not None},
            )
            if reader.line_num > MAX_LABELS:
                raise SettingsError(f"A file of labels has at most {MAX_LABELS} lines.")
    except csv.Error as error:
        raise SettingsError(f"The file of labels is no CSV: {error}.") from None


def _sorted_out(rows: Iterable[tuple[int, Mapping[str, str]]]) -> Labels:
    targets: dict[str, Target] = {}
    bad: list[BadRow] = []
    for line, row in rows:
        try:
            target = _target(row)
            if spoken(target.name) in targets:
                raise MalformedMessage(f"serial {target.name} is there twice")
        except DoorstepError as error:
            bad.append(BadRow(line, error.message))
        else:
            targets[spoken(target.name)] = target
    return Labels(tuple(targets.values()), tuple(bad))


def _target(row: Mapping[str, str]) -> Target:
    name = row["serial"]
    if not spoken(name) or not name.isprintable() or len(name) > MAX_SERIAL:
        raise MalformedMessage("the serial is missing, too long or has characters without a shape")
    return Target(name, _label(row), row.get("address", ""), row.get("alias", ""))


def _label(row: Mapping[str, str]) -> SetupLabel:
    if text := row.get("setup", ""):
        return SetupLabel.decode(text)
    if code := row.get("setup_code", ""):
        return SetupLabel.typed(code)
    raise MalformedMessage("the row has neither a label's text nor a set-up code")
