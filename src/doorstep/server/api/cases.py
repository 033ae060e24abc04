"""Disputes: what the two sides and the staff do in them, and what others tried with a device."""

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Field, File, Status
from ninja.files import UploadedFile

from doorstep.ownership.cases import CaseStep, Party, possible
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId, Number
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page, page_of
from doorstep.server.api.routing import Router, needs, sends
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.casework import (
    WORDS_CAP,
    Person,
    case_of,
    mover_of,
    parties_of,
    take_case_step,
)
from doorstep.server.custody.actions.papers import FILE_CAP, KINDS, add_paper
from doorstep.server.custody.attempts import Attempt, attempts_on
from doorstep.server.custody.changing import CaseFile
from doorstep.server.custody.holdings import cases_of, found, papers_for
from doorstep.server.custody.models import Dispute
from doorstep.server.files import handed_out
from doorstep.server.fleet.access import device_for

__all__ = ["router"]

router = Router(tags=["disputes"])

_READ: Final = (Permission.MAKER_CASES_READ, Permission.CUSTOMER_CASES_READ)
_WRITE: Final = (Permission.MAKER_CASES_WRITE, Permission.CUSTOMER_CASES_WRITE)
_OWNER: Final = (Permission.CUSTOMER_DEVICES_READ,)


class PaperOut(Schema):
    """A paper that a side brought."""

    number: int
    """By which it is asked for."""
    party: str
    """Who brought it: claimant or owner."""
    name: str
    """As the file was called."""
    kind: str
    """Media type."""
    size: int
    """In bytes."""
    sha256: str
    """Of its bytes, hexadecimal."""
    at_us: int
    """When it was brought."""


class RecordOut(Schema):
    """A step that was taken. What the other side said is not shown."""

    at_us: int
    """When."""
    step: str
    """What was done."""
    after: str
    """State since."""
    party: str
    """Who did it: claimant, owner, staff or clock (time was up)."""
    words: str
    """What was said with it."""


class CaseOut(Schema):
    """A dispute. Its owner and claimant are named to the staff alone."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    state: str
    """awaiting, review, seconding, dismissed, upheld, appealed, seconding_appeal, kept or moved."""
    party: str
    """As what the caller takes part: claimant, owner or staff."""
    evidence: list[str]
    """What the claimant brought when it began; empty for the owner."""
    opened_us: int
    """When it was opened."""
    due_us: int | None
    """When time alone moves it."""
    closed_us: int | None
    """When it was closed; null: it is open."""
    possible: list[str]
    """Steps that the caller can take now."""


class CaseDetail(CaseOut):
    """A dispute with its record."""

    records: list[RecordOut]
    """Steps, oldest first."""
    papers: list[PaperOut]
    """Those that the caller may read."""


class CasePage(Page[CaseOut]):
    """Disputes, newest first."""


class StepIn(Schema, extra="forbid"):
    """A step, and what is said with it."""

    step: CaseStep
    """One of those that are possible."""
    words: Annotated[str, Field(max_length=WORDS_CAP)] = ""
    """For the staff; the other side does not read it."""


class AttemptOut(Schema):
    """What somebody tried with the device, and not who it was."""

    at_us: int
    """When."""
    what: str
    """claim, guess or message."""
    detail: str
    """What was brought, or why it was refused."""
    outcome: str
    """What came of it."""
    count: int
    """Repeats within a short time are one row."""


class Attempts(Page[AttemptOut]):
    """Attempts, newest first."""


@router.get("/cases", response=CasePage, operation_id="list_cases", openapi_extra=needs(*_READ))
def list_cases(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List disputes: all of them for the staff, else those of the caller's organisation."""
    caller = caller_of(request)
    return page(cases_of(caller.organisation), "-pk", lambda row: _shown(caller, row), cursor, limit)


@router.get("/cases/{number}", response=CaseDetail, operation_id="get_case", openapi_extra=needs(*_READ))
def get_case(request: HttpRequest, number: Number) -> Any:
    """Return one dispute with its record."""
    caller = caller_of(request)
    return _detail(caller, found(cases_of(caller.organisation), number))


@router.post(
    "/cases/{number}/steps",
    response=CaseDetail,
    operation_id="take_case_step",
    openapi_extra=needs(*_WRITE),
)
def take_step(request: HttpRequest, number: Number, asked: StepIn) -> Any:
    """Take a step in a dispute, as a person who is logged in."""
    caller = caller_of(request)
    row = found(cases_of(caller.organisation), number)
    taken = take_case_step(row, asked.step, _person(caller), asked.words, now_us=now_us())
    return _detail(caller, taken)


@router.post(
    "/cases/{number}/papers",
    response={201: PaperOut},
    operation_id="add_case_paper",
    openapi_extra=needs(Permission.CUSTOMER_CASES_WRITE),
)
def bring_paper(request: HttpRequest, number: Number, paper: Annotated[UploadedFile, File()]) -> Any:
    """Bring a PDF, JPEG or PNG file for one's side, as a person; the same again is kept once."""
    caller = caller_of(request)
    row = found(cases_of(caller.organisation), number)
    content = paper.read(FILE_CAP + 1)
    kept = add_paper(row, _person(caller), paper.name or "", content, now_us=now_us())
    return Status(201, _paper(kept))


@router.get(
    "/cases/{number}/papers/{paper}",
    response={200: str},
    operation_id="get_case_paper",
    openapi_extra=needs(*_READ) | sends(*KINDS.values()),
)
def get_paper(request: HttpRequest, number: Number, paper: Number) -> Any:
    """Return a paper: to its own side, or to the staff."""
    caller = caller_of(request)
    row = found(cases_of(caller.organisation), number)
    return handed_out(found(papers_for(row, _party(caller, row)), paper))


@router.get(
    "/devices/{device_id}/attempts",
    response=Attempts,
    operation_id="list_attempts",
    openapi_extra=needs(*_OWNER),
)
def list_attempts(
    request: HttpRequest, device_id: DeviceId, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT
) -> Any:
    """List what others tried with a device since its owner has it."""
    attempts = attempts_on(device_for(caller_of(request), device_id, _OWNER))
    return page_of(attempts, _attempt, cursor, limit)


def _attempt(one: Attempt) -> dict[str, Any]:
    return {name: getattr(one, name) for name in AttemptOut.model_fields}


def _person(caller: Caller) -> Person:
    assert caller.user is not None  # no key has the permission
    return Person(caller.user, caller.organisation, caller.actor)


def _party(caller: Caller, row: Dispute) -> Party:
    return parties_of(row, caller.organisation)[0]


def _shown(caller: Caller, row: Dispute) -> dict[str, Any]:
    party = _party(caller, row)
    is_person = caller.user is not None
    steps = possible(case_of(row), mover_of(row, _person(caller)), now_us()) if is_person else ()
    return {
        "number": row.pk,
        "serial": row.device.serial,
        "state": row.state,
        "party": party,
        "evidence": [] if party is Party.OWNER else row.claim.evidence,
        "opened_us": row.opened_at_us,
        "due_us": row.due_us,
        "closed_us": row.closed_at_us,
        "possible": list(steps),
    }


def _detail(caller: Caller, row: Dispute) -> dict[str, Any]:
    party = _party(caller, row)
    records = [
        {
            "at_us": one.at_us,
            "step": one.step,
            "after": one.after,
            "party": one.party,
            "words": one.words if party in {Party.STAFF, one.party} else "",
        }
        for one in row.records.order_by("pk")
    ]
    return _shown(caller, row) | {
        "records": records,
        "papers": [_paper(one) for one in papers_for(row, party)],
    }


def _paper(row: CaseFile) -> dict[str, Any]:
    return {
        "number": row.pk,
        "party": row.party,
        "name": row.name,
        "kind": row.kind,
        "size": row.size,
        "sha256": row.digest,
        "at_us": row.at_us,
    }
