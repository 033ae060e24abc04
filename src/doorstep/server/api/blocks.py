"""The block-list: recalled batches, hardware ids and factory keys, for the maker's staff."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Status

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Line, Number, Reason
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.fleet.blocking import add_block, entry_of, lift_block, lines, progress_of
from doorstep.server.fleet.trust import BlockEntry

__all__ = ["router"]

router = Router(tags=["block-list"])
_READ = needs(Permission.MAKER_DEVICES_READ)
_WRITE = needs(Permission.MAKER_DEVICES_REVOKE)


class BlockIn(Schema, extra="forbid"):
    """What to block."""

    kind: Literal["batch", "hardware_id", "key"]
    """What the value is."""
    value: Line
    """Batch number, hardware id, or hex SHA-256 of the factory key's SubjectPublicKeyInfo."""
    reason: Reason
    """Why."""


class LiftIn(Schema, extra="forbid"):
    """Why a block ends."""

    reason: Reason
    """Why."""


class BlockOut(Schema):
    """A line of the block-list. Lines are only added: a lifted block is two lines."""

    number: int
    """By which it is asked for."""
    action: str
    """block or lift."""
    kind: str
    """batch, hardware_id or key."""
    value: str
    """What it names."""
    reason: str
    """Why."""
    by: str
    """Who did it, as the ledger names them."""
    at_us: int
    """When."""
    lifted_by: int | None
    """The line that ended this one."""


class BlockState(BlockOut):
    """A line, and how far it is."""

    devices: int
    """How many devices it names."""
    shut_out: int
    """Of them, how many are accepted no more: all, from the moment of the answer."""
    finished: int
    """Of them, how many have no session and nothing in a queue any more."""


class BlockPage(Page[BlockOut]):
    """Lines, newest first."""


@router.post(
    "/blocks",
    response={202: BlockState},
    operation_id="add_block",
    openapi_extra=_WRITE,
)
def add(request: HttpRequest, block: BlockIn) -> Any:
    """Block a batch, a hardware id or a factory key at once; ask again to see how far the clearing-up is.

    A line that is open already is answered as it is.
    """
    caller = caller_of(request)
    entry = add_block(block.kind, block.value, caller.actor, block.reason, now_us=now_us())
    return Status(202, _state(entry))


@router.get("/blocks", response={200: BlockPage}, operation_id="list_blocks", openapi_extra=_READ)
def list_blocks(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the lines, newest first."""
    return page(lines(), "-pk", _line, cursor, limit)


@router.get(
    "/blocks/{number}",
    response={200: BlockState},
    operation_id="get_block",
    openapi_extra=_READ,
)
def get_block(request: HttpRequest, number: Number) -> Any:
    """Return one line, and how far it is."""
    return _state(entry_of(number))


@router.post(
    "/blocks/{number}/lift",
    response={202: BlockOut},
    operation_id="lift_block",
    openapi_extra=_WRITE,
)
def lift(request: HttpRequest, number: Number, why: LiftIn) -> Any:
    """End a block by a new line; its devices come in again as they renew, unless otherwise blocked."""
    caller = caller_of(request)
    line = lift_block(entry_of(number), caller.actor, why.reason, now_us=now_us())
    return Status(202, _line(line))


def _line(row: BlockEntry) -> dict[str, Any]:
    fields = ("action", "kind", "value", "reason", "by", "at_us")
    return {"number": row.pk, "lifted_by": row.lifted_by_id, **{name: getattr(row, name) for name in fields}}


def _state(row: BlockEntry) -> dict[str, Any]:
    far = progress_of(row)
    return {**_line(row), "devices": far.devices, "shut_out": far.shut_out, "finished": far.finished}
