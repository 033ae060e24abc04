"""What the entry of the running request will say: rows as they were and as they are, and whose they are.

A row of a table in `TOLD` is noted when it is saved or deleted while a request is watched. Whoever changes
one by ``update`` calls `keep` first, and whoever changes what is no such row calls `describe`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps
from django.db.models import Model
from django.db.models.signals import post_save, pre_delete, pre_save

from doorstep.ownership.audit import Value
from doorstep.server.accounts.models import Organisation
from doorstep.server.audit.told import TOLD

__all__ = ["Notes", "about", "describe", "keep", "taking_notes"]

_ROWS_CAP: Final = 20
"""Rows that one entry tells; of a change of more it says that there were more."""
_NAME_CAP: Final = 60


@dataclass(frozen=True, slots=True)
class _Row:
    name: str = ""
    device_id: str = ""
    owner: int | None = None
    columns: Mapping[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Notes:
    """Of one request."""

    rows: dict[tuple[str, Any], _Row] = field(default_factory=dict)
    """What each row was, by table and key; nothing for one that is new."""
    before: dict[str, Value] = field(default_factory=dict)
    after: dict[str, Value] = field(default_factory=dict)
    devices: dict[str, int | None] = field(default_factory=dict)
    """The devices that it is about, and whose they were."""
    organisations: set[int] = field(default_factory=set)
    """Whose data it showed."""

    def changes(self, device_id: str) -> tuple[dict[str, Value], dict[str, Value]]:
        """Return what changed, before and after; of the device that was asked about by bare names."""
        before, after = dict(self.before), dict(self.after)
        for (label, pk), was in self.rows.items():
            now, told = _read(label, pk), TOLD[label]
            name = (was.name or now.name)[:_NAME_CAP]
            lead = "" if told.device == "pk" and name == device_id else f"{told.noun} {name} "
            for column in told.columns:
                old, new = was.columns.get(column), now.columns.get(column)
                if old != new and not (old is None and new == ""):
                    key = lead + column.replace("__", " ")
                    before[key], after[key] = old, new
        return before, after


_notes: ContextVar[Notes | None] = ContextVar("audit_notes", default=None)


@contextmanager
def taking_notes() -> Iterator[Notes]:
    """Take notes until the block ends."""
    notes = Notes()
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def describe(before: Mapping[str, Value], after: Mapping[str, Value]) -> None:
    """Say what a change was about that no row of `TOLD` shows; no secret, and little."""
    if (notes := _notes.get()) is not None:
        notes.before.update(before)
        notes.after.update(after)


def about(device_id: str, owner: int | None, *organisations: Organisation | None) -> None:
    """Say which device this request is about, whose it is, and what other organisations' data it shows."""
    if (notes := _notes.get()) is not None:
        notes.devices.setdefault(device_id, owner)
        notes.organisations.update(one.pk for one in organisations if one is not None)


def keep(row: Model) -> None:
    """Note what a row is, before it changes."""
    notes, at = _notes.get(), _at(row)
    if notes is None or row.pk is None or at in notes.rows:
        return
    if len(notes.rows) == _ROWS_CAP:
        notes.after["and more"] = True
        return
    was = notes.rows[at] = _read(*at)
    if was.device_id:
        notes.devices.setdefault(was.device_id, was.owner)


def _keep_saved(instance: Model, **_: Any) -> None:
    keep(instance)


def _keep_new(instance: Model, *, created: bool, **_: Any) -> None:
    notes, at = _notes.get(), _at(instance)
    if notes is None or not created or at in notes.rows:
        return
    keep(instance)
    if at in notes.rows:
        notes.rows[at] = _Row()


def _at(row: Model) -> tuple[str, Any]:
    return row._meta.label, row.pk  # noqa: SLF001 - Django's documented API


def _read(label: str, pk: Any) -> _Row:
    told = TOLD[label]
    lead = {"": None, "pk": ""}.get(told.device, f"{told.device}__")
    places = [] if lead is None else [f"{lead}device_id", f"{lead}owner_id"]
    rows = apps.get_model(label)._base_manager.filter(pk=pk)  # noqa: SLF001 - as above
    found = rows.values(told.name, *told.columns, *places).first()
    if found is None:
        return _Row()
    device_id, owner = (found[place] for place in places) if places else ("", None)
    columns = {column: _plain(found[column]) for column in told.columns}
    return _Row(str(found[told.name]), device_id, owner, columns)


def _plain(value: Any) -> Value:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if value is None or isinstance(value, str | int | bool) else str(value)


for _label in TOLD:
    pre_save.connect(_keep_saved, sender=_label)
    post_save.connect(_keep_new, sender=_label)
    pre_delete.connect(_keep_saved, sender=_label)
