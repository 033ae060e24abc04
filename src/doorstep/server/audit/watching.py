"""Watch what a request changes, and write it down in the same transaction.

Every page that takes a form and every REST route that is no GET runs inside `watched`: no change of theirs is
stored without its entry, whoever wrote the page. Whoever changes something that is no device describes it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404

from doorstep.errors import DoorstepError
from doorstep.ownership.audit import Details, Record, Value
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.audit import trail
from doorstep.server.audit.models import AuditRow
from doorstep.server.clock import now_us
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = ["Scene", "describe", "note_access", "watched"]

Answer = TypeVar("Answer")

_WRITE: Final = re.compile(
    r'\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE
)
_NO_DEED: Final = frozenset({"django_session", "usersessions_usersession", "stored_answer", "allowance"})
"""Tables whose rows say how a request went, and not what was done."""
_SAME_LOOK_US: Final = 10 * 60 * 1_000_000
"""Who looks again within ten minutes leaves one entry."""
_FIELDS: Final = (
    "life",
    "owner_id",
    "alias",
    "blocked",
    "standing",
    "disputed",
    "gateway_id",
    "ownership_period",
    "generation",
)
"""Columns of a device that an entry compares."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who acts, and from where."""

    actor: str
    organisation: Organisation
    action: str
    way: str
    """``portal`` or ``rest``."""
    address: str = ""
    device_id: str = ""


@dataclass(slots=True)
class _Notes:
    before: dict[str, Value] = field(default_factory=dict)
    after: dict[str, Value] = field(default_factory=dict)
    stored: bool = False
    """A write was committed, outside any transaction that is still open."""

    def mark(self) -> None:
        self.stored = True


_notes: ContextVar[_Notes | None] = ContextVar("audit_notes", default=None)


def watched(scene: Scene, act: Callable[[], Answer]) -> Answer:
    """Run ``act`` in a transaction; if it stored anything, the trail's entry is in that same transaction.

    A refusal that it raises keeps what it stored on purpose before, such as an attempt that was counted.
    """
    refusal: Exception | None = None
    answer: Answer
    with transaction_in_turn(), _looking() as notes:
        before = _device(scene.device_id)
        try:
            answer = act()
        except (DoorstepError, Http404, PermissionDenied) as error:
            refusal = error
        if _stored(notes):
            _write(scene, notes, before)
    if refusal is not None:
        raise refusal
    return answer


def describe(before: Mapping[str, Value], after: Mapping[str, Value]) -> None:
    """Say what a change was about, for the entry of the request that makes it; no secret, and little."""
    notes = _notes.get()
    if notes is not None:
        notes.before.update(before)
        notes.after.update(after)


def note_access(scene: Scene, owner: Organisation | int | None, device_id: str = "") -> None:
    """Write down that the maker's staff looked at what belongs to a customer; the customer can read it."""
    number = owner.pk if isinstance(owner, Organisation) else owner
    if scene.organisation.kind != OrganisationKind.MAKER or number in {None, scene.organisation.pk}:
        return
    record = Record(scene.actor, scene.action, f"{scene.way}-read", number or 0, device_id)
    now = now_us()
    same = AuditRow.objects.filter(
        owner=record.owner, actor=record.actor, action=record.action, device_id=device_id, way=record.way
    )
    if same.filter(at_us__gt=now - _SAME_LOOK_US).exists():
        return
    with transaction_in_turn():
        trail.append(record, Details({}, {}, scene.address), now)


@contextmanager
def _looking() -> Iterator[_Notes]:
    notes = _Notes()

    def see(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        result = execute(sql, params, many, context)
        found = _WRITE.match(sql)
        if found and found[1] not in _NO_DEED:
            # Django forgets it with its savepoint: what was rolled back was not done.
            transaction.on_commit(notes.mark)
        return result

    token = _notes.set(notes)
    try:
        with connection.execute_wrapper(see):
            yield notes
    finally:
        _notes.reset(token)


def _stored(notes: _Notes) -> bool:
    waiting = (entry[1] for entry in connection.run_on_commit)
    return notes.stored or any(one == notes.mark for one in waiting)


def _device(device_id: str) -> dict[str, Value]:
    if not device_id:
        return {}
    found = Device.objects.filter(device_id=ascii(device_id)[1:-1]).values(*_FIELDS).first()
    return dict(found or {})


def _write(scene: Scene, notes: _Notes, before: Mapping[str, Value]) -> None:
    after = _device(scene.device_id)
    changed = [name for name in before if before[name] != after.get(name)]
    # What leaves its owner's hands concerns who had it.
    owner = before.get("owner_id") or after.get("owner_id") or scene.organisation.pk
    details = Details(
        {**{name: before[name] for name in changed}, **notes.before},
        {**{name: after.get(name) for name in changed}, **notes.after},
        scene.address,
    )
    record = Record(scene.actor, scene.action, scene.way, int(owner), scene.device_id if before else "")
    trail.append(record, details, now_us())
