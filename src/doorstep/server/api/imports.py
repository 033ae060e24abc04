"""Files of sales and dispatches: row by row, and what failed to be mended and sent again."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import File, Status
from ninja.files import UploadedFile

from doorstep.errors import MisuseError
from doorstep.server.accounts.permissions import Caller
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Number
from doorstep.server.api.routing import Router, needs, sends
from doorstep.server.api.sales import READ, WRITE
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import import_file
from doorstep.server.custody.actions.imports import UPLOAD_CAP
from doorstep.server.custody.queries import import_of
from doorstep.server.custody.trading import ImportRun
from doorstep.server.files import attached

__all__ = ["router"]

router = Router(tags=["sales"])


class ImportOut(Schema):
    """What became of a file."""

    number: int
    """By which it is asked for."""
    at_us: int
    """When it came."""
    stored: int
    """Rows that were stored."""
    unchanged: int
    """Rows that stood so before."""
    failed: int
    """Rows that were not stored; `…/failures` has them."""


@router.post("/imports", response={201: ImportOut}, operation_id="import_sales", openapi_extra=needs(*WRITE))
def import_sales(request: HttpRequest, file: Annotated[UploadedFile, File()]) -> Any:
    """Store the rows of a CSV file: `order`, `serial`, and `buyer_email` or `wholesaler`, perhaps `box`.

    Good rows are stored, bad ones kept to be fetched. The same file again changes nothing.
    """
    caller = caller_of(request)
    content = _bytes_of(file)
    run = import_file(content, caller.organisation, actor=caller.actor, source="csv", now_us=now_us())
    return Status(201, _shown(run))


@router.get(
    "/imports/{number}", response={200: ImportOut}, operation_id="get_import", openapi_extra=needs(*READ)
)
def get_import(request: HttpRequest, number: Number) -> Any:
    """Tell what became of a file; the last twenty of an organisation are known."""
    return _shown(_run(caller_of(request), number))


@router.get(
    "/imports/{number}/failures",
    response={200: str},
    operation_id="get_import_failures",
    openapi_extra=needs(*READ) | sends("text/csv"),
)
def get_failures(request: HttpRequest, number: Number) -> Any:
    """Return the rows that were not stored as CSV of the same form, with what to mend in `problem`."""
    run = _run(caller_of(request), number)
    return attached(run.failures, "text/csv; charset=utf-8", f"import-{run.pk}-failed.csv")


def _bytes_of(file: UploadedFile) -> bytes:
    if file.size is None or file.size > UPLOAD_CAP:
        raise MisuseError(f"the file has more than {UPLOAD_CAP >> 20} MiB", next_step="Split it.")
    content: bytes = file.read()
    return content


def _run(caller: Caller, number: int) -> ImportRun:
    return import_of(caller.organisation, number)


def _shown(run: ImportRun) -> dict[str, Any]:
    return {
        "number": run.pk,
        "at_us": run.at_us,
        "stored": run.stored,
        "unchanged": run.unchanged,
        "failed": run.failed,
    }
