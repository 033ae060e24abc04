"""The audit trail as managers may read it: an organisation its own, the staff what they answer for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from doorstep.ownership.actors import OPERATOR
from doorstep.ownership.audit import Details, Value
from doorstep.server.accounts.models import Organisation, OrganisationKind
from doorstep.server.audit.models import AuditRow

__all__ = ["Deed", "Search", "deed", "deeds_for", "lines"]

_READ: Final = "-read"


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for; empty parts narrow nothing."""

    device_id: str = ""
    actor: str = ""
    """``user:12``, ``key:dkabc``, or as whole as an entry names it."""
    action: str = ""
    since_us: int | None = None
    until_us: int | None = None
    staff_only: bool = False
    """Only what the maker's staff or the operator did or looked at."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry as its reader may see it."""

    number: int
    at_us: int
    actor: str
    action: str
    way: str
    looked: bool
    """Somebody of the staff only looked."""
    device_id: str
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    address: str
    """Only for the organisation whose member acted."""
    erased: bool
    digest: str

    @property
    def words(self) -> str:
        """What was done, for people."""
        return self.action.replace("_", " ").replace("-", " ").strip().capitalize()

    @property
    def changes(self) -> list[tuple[str, Value, Value]]:
        """What changed: name, before, after."""
        names = [*self.before, *(name for name in self.after if name not in self.before)]
        return [
            (name.removesuffix("_id").replace("_", " "), self.before.get(name), self.after.get(name))
            for name in names
        ]


def deeds_for(organisation: Organisation, search: Search) -> QuerySet[AuditRow]:
    """Return the entries that managers of an organisation may read, newest first.

    Their own: what their people and programs did, and what anybody did or looked at that is theirs. The
    maker's staff also reads what happened to devices, whoever did it, but not what people of a customer do
    among themselves.
    """
    theirs = Q(acting=organisation.pk) | Q(owner=organisation.pk)
    if organisation.kind == OrganisationKind.MAKER:
        theirs |= ~Q(device_id="") | Q(actor=OPERATOR)
    rows = AuditRow.objects.filter(theirs).order_by("-number")
    if search.device_id:
        rows = rows.filter(device_id=search.device_id)
    if search.actor:
        rows = rows.filter(Q(actor=search.actor) | Q(actor__startswith=f"{search.actor}@"))
    if search.action:
        rows = rows.filter(action=search.action)
    if search.since_us is not None:
        rows = rows.filter(at_us__gte=search.since_us)
    if search.until_us is not None:
        rows = rows.filter(at_us__lt=search.until_us)
    if search.staff_only:
        makers = Organisation.objects.filter(kind=OrganisationKind.MAKER).values("pk")
        rows = rows.filter(Q(acting__in=makers) | Q(actor=OPERATOR))
    return rows


def deed(row: AuditRow, organisation: Organisation) -> Deed:
    """Return an entry as managers of an organisation may see it."""
    details = Details({}, {}, "") if row.details is None else Details.from_bytes(bytes(row.details))
    by_operator = row.actor == OPERATOR and organisation.kind == OrganisationKind.MAKER
    own, concerned = row.acting == organisation.pk or by_operator, row.owner == organisation.pk
    return Deed(
        number=row.number,
        at_us=row.at_us,
        actor=row.actor,
        action=row.action,
        way=row.way.removesuffix(_READ),
        looked=row.way.endswith(_READ),
        device_id=row.device_id,
        before=details.before if own or concerned else {},
        after=details.after if own or concerned else {},
        address=details.address if own else "",
        erased=row.details is None,
        digest=bytes(row.digest).hex(),
    )


def lines(rows: QuerySet[AuditRow], organisation: Organisation) -> Iterator[Deed]:
    """Yield entries for an export, oldest first, without holding them in memory."""
    for row in rows.order_by("number").iterator(1000):
        yield deed(row, organisation)
