"""Watch what a request changes, and write it down in the same transaction.

Every page that takes a form and every REST route that is no GET runs inside `watched`: no change of theirs is
stored without its entry, whoever wrote the page. The operator's commands run inside `operated`. What an entry
tells comes from `notes`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404

from doorstep.errors import DoorstepError
from doorstep.ownership.actors import OPERATOR
from doorstep.ownership.audit import Details, Record, fitting
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.audit import trail
from doorstep.server.audit.models import AuditRow
from doorstep.server.audit.notes import Notes, keep, taking_notes
from doorstep.server.clock import now_us
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = ["Scene", "looked_at", "operated", "watched"]

Answer = TypeVar("Answer")

_WRITE: Final = re.compile(
    r'\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE
)
_NO_DEED: Final = frozenset({"django_session", "usersessions_usersession", "stored_answer", "allowance"})
"""Tables whose rows say how a request went, and not what was done."""
_SAME_LOOK_US: Final = 10 * 60 * 1_000_000
"""Who looks again within ten minutes leaves one entry."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who acts, and from where."""

    actor: str
    organisation: Organisation
    action: str
    way: str
    """``portal``, ``rest`` or ``command``."""
    address: str = ""
    device_id: str = ""


@dataclass(slots=True)
class _Stores:
    done: bool = False
    """A write was committed, outside any transaction that is still open."""

    def mark(self) -> None:
        self.done = True


def watched(scene: Scene, act: Callable[[], Answer]) -> Answer:
    """Run ``act`` in a transaction; if it stored anything, the trail's entry is in that same transaction.

    A refusal that it raises keeps what it stored on purpose before, such as an attempt that was counted.
    """
    refusal: Exception | None = None
    answer: Answer
    with transaction_in_turn(), _looking() as stores, taking_notes() as notes:
        _keep_named(scene)
        try:
            answer = act()
        except (DoorstepError, Http404, PermissionDenied) as error:
            refusal = error
        if _stored(stores):
            _write(scene, notes)
        else:
            _note_looks(scene, notes)
    if refusal is not None:
        raise refusal
    return answer


@contextmanager
def operated(command: str) -> Iterator[None]:
    """Watch a command of the operator; if it stored anything, its entry follows at once.

    Commands keep what they finished before they are cut short, so no one transaction is around them. One that
    is killed between its deed and its entry leaves the deed alone; of devices, the ledger tells it.
    """
    with _looking() as stores, taking_notes() as notes:
        try:
            yield
        finally:
            maker = _maker() if _stored(stores) else None
            if maker is not None:
                with transaction_in_turn():
                    _write(Scene(OPERATOR, maker, command, "command"), notes)


def _maker() -> Organisation | None:
    return Organisation.objects.filter(kind=OrganisationKind.MAKER).first()


def looked_at(scene: Scene, act: Callable[[], Answer]) -> Answer:
    """Run ``act``, which changes nothing; where staff saw a customer's data, each customer can read that."""
    with taking_notes() as notes:
        answer = act()
        if scene.organisation.kind == OrganisationKind.MAKER:
            _keep_named(scene)
    _note_looks(scene, notes)
    return answer


def _keep_named(scene: Scene) -> None:
    """Note the device of the address, if there is one."""
    named = Device.objects.filter(device_id=ascii(scene.device_id)[1:-1]).first() if scene.device_id else None
    if named is not None:
        keep(named)


def _device_of(scene: Scene, notes: Notes) -> tuple[str, int | None]:
    """Return the one device that a request is about, and whose it was before."""
    if scene.device_id in notes.devices:
        return scene.device_id, notes.devices[scene.device_id]
    is_one = len(notes.devices) == 1 and not scene.device_id
    return next(iter(notes.devices.items())) if is_one else ("", None)


def _note_looks(scene: Scene, notes: Notes) -> None:
    if scene.organisation.kind != OrganisationKind.MAKER:
        return
    device_id, owner = _device_of(scene, notes)
    owners = {owner or 0, *notes.organisations} - {0, scene.organisation.pk}
    way, now = f"{scene.way}-read", now_us()
    same = AuditRow.objects.filter(actor=scene.actor, action=scene.action, device_id=device_id, way=way)
    recent = same.filter(at_us__gt=now - _SAME_LOOK_US)
    for owner in sorted(owners):
        if recent.filter(owner=owner).exists():
            continue
        with transaction_in_turn():
            record = Record(scene.actor, scene.action, way, owner, device_id)
            trail.append(record, Details({}, {}, scene.address), now)


@contextmanager
def _looking() -> Iterator[_Stores]:
    stores = _Stores()

    def see(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        result = execute(sql, params, many, context)
        found = _WRITE.match(sql)
        if found and found[1] not in _NO_DEED:
            # Django forgets it with its savepoint: what was rolled back was not done.
            transaction.on_commit(stores.mark)
        return result

    with connection.execute_wrapper(see):
        yield stores


def _stored(stores: _Stores) -> bool:
    waiting = (entry[1] for entry in connection.run_on_commit)
    return stores.done or any(one == stores.mark for one in waiting)


def _write(scene: Scene, notes: Notes) -> None:
    before, after = fitting(*notes.changes(scene.device_id))
    device_id, owner = _device_of(scene, notes)
    record = Record(scene.actor, scene.action, scene.way, _concerned(scene, device_id, owner), device_id)
    trail.append(record, Details(before, after, scene.address), now_us())


def _concerned(scene: Scene, device_id: str, owner: int | None) -> int:
    """Return whom an entry is for: who had the device, or got it; never another customer than who acts."""
    if owner is None and device_id:
        owner = Device.objects.values_list("owner", flat=True).get(device_id=device_id)
    ours = scene.organisation
    may_tell = bool(scene.device_id) or ours.kind == OrganisationKind.MAKER
    return owner if owner is not None and may_tell else int(ours.pk)
