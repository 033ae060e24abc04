"""Readings of the past, exports and erasures, and the documents that prove them."""

from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from ninja import Query, Status

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId, Number
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.readings import PointOut
from doorstep.server.api.routing import Router, needs, sends
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.data_jobs import ask_for_data
from doorstep.server.custody.changing import DataJob, PastOwnership, SignedDocument
from doorstep.server.custody.documents import document_key
from doorstep.server.custody.holdings import documents_of, exported, found, jobs_of, past_of
from doorstep.server.files import streamed
from doorstep.server.fleet.access import device_for
from doorstep.server.readings.queries import MAX_MESSAGES, past_points

__all__ = ["DocumentOut", "router", "shown_document"]

router = Router(tags=["data"])

_READ: Final = (Permission.CUSTOMER_READINGS_READ,)
_HELD: Final = (Permission.CUSTOMER_HANDOVERS_READ,)
_PAPERS: Final = (Permission.CUSTOMER_HANDOVERS_READ, Permission.MAKER_HANDOVERS_READ)
_WRITE: Final = (Permission.CUSTOMER_DATA_WRITE,)


class DocumentOut(Schema):
    """A signed document; ``text`` is the file to keep (docs/spec/documents.md)."""

    number: int
    """By which it is asked for."""
    paper: str
    """erasure, export or scrapping."""
    serial: str
    """Of the device, as its label has it."""
    at_us: int
    """When."""
    text: str
    """The file to keep."""


class DocumentPage(Page[DocumentOut]):
    """Documents, newest first."""


class KeyOut(Schema):
    """The Ed25519 key that signs documents: 32 bytes, hexadecimal."""

    public_key: str
    """For whoever verifies them."""


class PastOut(Schema):
    """A device that the organisation had."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    alias: str
    """The name that it had."""
    period: int
    """Which time of its life that was."""
    ended_us: int
    """When the device left."""
    ended_by: str
    """transfer, return, swap, scrap or dispute."""
    data: str
    """keep, hand_over, erase or export."""
    replacement: str | None
    """Serial of the device that took its place."""
    gone_us: int | None
    """When the last of its readings were erased or handed over."""


class PastPage(Page[PastOut]):
    """Past devices, newest first."""


class PastReadings(Schema):
    """Readings of a past device, oldest first."""

    points: list[PointOut]
    """By time."""


class DataIn(Schema, extra="forbid"):
    """What is to happen to readings."""

    kind: Literal["export", "erase"]
    """What is done with them."""


class JobOut(Schema):
    """A data job and how far it is."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    period: int
    """Which of the device's owners' times."""
    kind: str
    """erase, export or hand_over."""
    total: int
    """Messages that there were when it was asked for."""
    done: int
    """Messages so far."""
    asked_us: int
    """When it was asked for."""
    finished_us: int | None
    """When it was done."""
    size: int
    """Bytes of the file, which is kept for 30 days."""
    receipt: int | None
    """Number of the document that proves it."""


class JobPage(Page[JobOut]):
    """Data jobs, newest first."""


@router.get("/past-devices", response=PastPage, operation_id="list_past_devices", openapi_extra=needs(*_HELD))
def list_past(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the devices that the organisation had."""
    caller = caller_of(request)
    return page(past_of(caller.organisation), "-pk", _past, cursor, limit)


@router.get(
    "/past-devices/{number}/readings",
    response=PastReadings,
    operation_id="list_past_readings",
    openapi_extra=needs(*_READ),
)
def list_past_readings(
    request: HttpRequest,
    number: Number,
    limit: Annotated[int, Query(ge=1, le=MAX_MESSAGES, description="Messages that are decoded.")] = 100,
) -> Any:
    """Return the newest readings of the time in which the organisation had the device."""
    caller = caller_of(request)
    past = found(past_of(caller.organisation), number)
    points = past_points(past.device_id, past.period, limit)
    return {"points": [{name: getattr(one, name) for name in PointOut.model_fields} for one in points]}


@router.post(
    "/past-devices/{number}/data",
    response={202: JobOut},
    operation_id="ask_for_past_data",
    openapi_extra=needs(*_WRITE),
)
def ask_past(request: HttpRequest, number: Number, asked: DataIn) -> Any:
    """Export or erase the readings that were kept of a past device."""
    caller = caller_of(request)
    past = found(past_of(caller.organisation), number)
    return Status(202, _job(ask_for_data(past, asked.kind, caller.actor, now_us())))


@router.post(
    "/devices/{device_id}/data",
    response={202: JobOut},
    operation_id="ask_for_data",
    openapi_extra=needs(*_WRITE),
)
def ask(request: HttpRequest, device_id: DeviceId, asked: DataIn) -> Any:
    """Export or erase the readings of a device until now."""
    caller = caller_of(request)
    device = device_for(caller, device_id, _WRITE)
    return Status(202, _job(ask_for_data(device, asked.kind, caller.actor, now_us())))


@router.get("/data-jobs", response=JobPage, operation_id="list_data_jobs", openapi_extra=needs(*_HELD))
def list_jobs(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List exports, erasures and hand-overs of the organisation's readings, and how far they are."""
    caller = caller_of(request)
    return page(jobs_of(caller.organisation), "-pk", _job, cursor, limit)


@router.get("/data-jobs/{number}", response=JobOut, operation_id="get_data_job", openapi_extra=needs(*_HELD))
def get_job(request: HttpRequest, number: Number) -> Any:
    """Return one data job."""
    caller = caller_of(request)
    return _job(found(jobs_of(caller.organisation), number))


@router.get(
    "/data-jobs/{number}/file",
    response={200: str},
    operation_id="get_export",
    openapi_extra=needs(*_HELD) | sends("application/gzip"),
)
def get_export(request: HttpRequest, number: Number) -> Any:
    """Return the file of a finished export, gzipped CSV, for 30 days."""
    caller = caller_of(request)
    name, pieces = exported(caller.organisation, number)
    return streamed(request, pieces, "application/gzip", name)


@router.get("/documents", response=DocumentPage, operation_id="list_documents", openapi_extra=needs(*_PAPERS))
def list_documents(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the organisation's signed documents."""
    caller = caller_of(request)
    return page(documents_of(caller.organisation), "-pk", shown_document, cursor, limit)


@router.get(
    "/documents/{number}", response=DocumentOut, operation_id="get_document", openapi_extra=needs(*_PAPERS)
)
def get_document(request: HttpRequest, number: Number) -> Any:
    """Return one signed document: the receipt of an erasure or export, or a scrapping's certificate."""
    caller = caller_of(request)
    return shown_document(found(documents_of(caller.organisation), number))


@router.get("/document-key", response=KeyOut, operation_id="get_document_key", openapi_extra=needs(*_PAPERS))
def get_key(request: HttpRequest) -> Any:
    """Return the public key that signs documents."""
    return {"public_key": document_key().verifying_key.raw.hex()}


def shown_document(row: SignedDocument) -> dict[str, Any]:
    """Return a document as routes answer with it."""
    return {
        "number": row.pk,
        "paper": row.paper,
        "serial": row.device.serial,
        "at_us": row.at_us,
        "text": row.text,
    }


def _past(row: PastOwnership) -> dict[str, Any]:
    return {
        "number": row.pk,
        "serial": row.device.serial,
        "alias": row.alias,
        "period": row.period,
        "ended_us": row.ended_us,
        "ended_by": row.ended_by,
        "data": row.data,
        "replacement": row.replacement.serial if row.replacement else None,
        "gone_us": row.gone_us,
    }


def _job(row: DataJob) -> dict[str, Any]:
    return {
        "number": row.pk,
        "serial": row.device.serial,
        "period": row.period,
        "kind": row.kind,
        "total": row.total,
        "done": row.done,
        "asked_us": row.asked_us,
        "finished_us": row.finished_us,
        "size": row.size,
        "receipt": row.receipt_id,
    }
