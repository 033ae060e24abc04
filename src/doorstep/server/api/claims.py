"""A customer's claims on devices: by what stands on the label, by voucher, by the code on a screen."""

from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from ninja import Field, File, Status
from ninja.files import UploadedFile

from doorstep.errors import MisuseError, RefusedError, VerificationFailed
from doorstep.identity.voucher import VOUCHER_CAP
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Alias, Line, Number
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.codes import claim_by_code
from doorstep.server.custody.actions.grants import answer_grant, find_grant
from doorstep.server.custody.actions.labels import report_as_claimant
from doorstep.server.custody.actions.mails import ask_buyer
from doorstep.server.custody.actions.requests import give_order, open_request
from doorstep.server.custody.actions.vouchers import bring_voucher, trusted_roots
from doorstep.server.custody.claim_progress import requests_of, view_of
from doorstep.server.custody.holdings import found
from doorstep.server.custody.models import ClaimRequest, DeviceGrant

__all__ = ["router"]

router = Router(tags=["claims"])

_READ: Final = (Permission.CUSTOMER_CLAIMS_READ,)
_WRITE: Final = (Permission.CUSTOMER_TOKENS_WRITE,)

Code = Annotated[str, Field(min_length=1, max_length=40, description="As it stands below the foil.")]


class ClaimIn(Schema, extra="forbid"):
    """The device that is claimed: its serial, or the scratch-off code that is below its foil; one of them."""

    serial: Annotated[Line, Field(max_length=40)] = ""
    """As it stands on the label."""
    code: Annotated[str, Field(max_length=40)] = ""
    """As it stands below the foil."""
    alias: Alias = ""
    """What the device is to be called."""


class CodeIn(Schema, extra="forbid"):
    """A scratch-off code."""

    code: Code


class OrderIn(Schema, extra="forbid"):
    """An order's number; it helps, and never decides alone."""

    order: Annotated[Line, Field(min_length=1, max_length=80)]
    """From the invoice."""


class ClaimOut(Schema):
    """A claim and how it stands. Whether there is such a device shows only when something counts."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device that is claimed."""
    alias: str
    """What the device is to be called."""
    state: Literal["waiting", "held", "yours", "anothers"]
    """waiting: nothing counts yet; held: something is missing; yours; anothers: somebody else owns it."""
    sentence: str
    """The same in plain words, with what would help."""
    brought: list[str]
    """What counts so far, in plain words."""
    denied: bool
    """Whoever got the seller's mail said no."""
    device_id: str | None
    """Once the caller may know it."""
    opened_us: int
    """When it was opened."""
    mail_asked_us: int | None
    """When the buyer was last asked by mail."""


class ClaimPage(Page[ClaimOut]):
    """Claims, newest first."""


class BroughtOut(Schema):
    """What came of one device of a voucher."""

    serial: str
    """Of the device."""
    outcome: str
    """bound, already_yours, held, disputed or refused."""
    sentence: str
    """The same in plain words."""


class VoucherOut(Schema):
    """What came of a voucher."""

    devices: list[BroughtOut]
    """Its devices that this maker has."""


class UserCodeIn(Schema, extra="forbid"):
    """A code that a device shows (RFC 8628)."""

    user_code: Annotated[str, Field(min_length=1, max_length=32)]
    """Eight letters, such as WDJB-MJHT."""


class GrantAnswer(UserCodeIn):
    """What is answered to the device that shows a code."""

    yes: bool
    """Whether it may join the caller's organisation."""
    alias: Alias = ""
    """What the device is to be called."""


class DeviceGrantOut(Schema):
    """The device that shows a code."""

    serial: str
    """Of the device."""
    product: str
    """Key of the product."""
    expires_us: int
    """When the code is good no more."""


@router.get("/claims", response={200: ClaimPage}, operation_id="list_claims", openapi_extra=needs(*_READ))
def list_claims(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the organisation's claims by serial or code, newest first."""
    caller = caller_of(request)
    return page(requests_of(caller.organisation), "-pk", _shown, cursor, limit)


@router.post("/claims", response={201: ClaimOut}, operation_id="open_claim", openapi_extra=needs(*_WRITE))
def open_claim(request: HttpRequest, wish: ClaimIn) -> Any:
    """Claim a device, also one that was never online. The same claim again is the first one."""
    caller = caller_of(request)
    if bool(wish.serial) == bool(wish.code):
        raise MisuseError("a claim names a serial or a code", next_step="Give one of them.")
    claimant = _claimant(caller, wish.alias)
    if wish.code:
        return Status(201, _shown(claim_by_code(claimant, wish.code, now_us())))
    return Status(201, _shown(open_request(claimant, wish.serial, now_us())))


@router.get(
    "/claims/{number}", response={200: ClaimOut}, operation_id="get_claim", openapi_extra=needs(*_READ)
)
def get_claim(request: HttpRequest, number: Number) -> Any:
    """Say how a claim stands, and what would help."""
    return _shown(_claim(caller_of(request), number))


@router.post(
    "/claims/{number}/code",
    response={200: ClaimOut},
    operation_id="give_claim_code",
    openapi_extra=needs(*_WRITE),
)
def give_code(request: HttpRequest, number: Number, given: CodeIn) -> Any:
    """Add the scratch-off code; one of another device opens that device's claim, which is answered."""
    caller = caller_of(request)
    row = _claim(caller, number)
    return _shown(claim_by_code(_claimant(caller, row.alias), given.code, now_us()))


@router.post(
    "/claims/{number}/order",
    response={200: ClaimOut},
    operation_id="give_claim_order",
    openapi_extra=needs(*_WRITE),
)
def give_order_number(request: HttpRequest, number: Number, given: OrderIn) -> Any:
    """Add the number of the order with which the device was sold."""
    caller = caller_of(request)
    row = _claim(caller, number)
    give_order(row, _claimant(caller, row.alias), given.order, now_us())
    return _shown(row)


@router.post(
    "/claims/{number}/mail",
    response={200: ClaimOut},
    operation_id="ask_buyer_by_mail",
    openapi_extra=needs(*_WRITE),
)
def ask(request: HttpRequest, number: Number) -> Any:
    """Have the address asked that the seller's records hold, if they do; nothing tells whether they do."""
    caller = caller_of(request)
    ask_buyer(_claim(caller, number), now_us())
    return _shown(_claim(caller, number))


@router.post(
    "/claims/{number}/report-label",
    response={200: ClaimOut},
    operation_id="report_label",
    openapi_extra=needs(*_WRITE),
)
def report(request: HttpRequest, number: Number) -> Any:
    """Say that the foil was off when the device came: from then on its code counts for nobody."""
    caller = caller_of(request)
    row = _claim(caller, number)
    report_as_claimant(row, caller.actor, now_us())
    return _shown(row)


@router.post(
    "/vouchers", response={200: VoucherOut}, operation_id="bring_voucher", openapi_extra=needs(*_WRITE)
)
def bring(request: HttpRequest, voucher: Annotated[UploadedFile, File()]) -> Any:
    """Bring an ownership voucher for all its devices. The same voucher again changes nothing."""
    caller = caller_of(request)
    data = voucher.read(VOUCHER_CAP + 1)
    try:
        brought = bring_voucher(_claimant(caller, ""), data, trusted_roots(), now_us())
    except VerificationFailed as error:  # of the voucher: the caller is who they say
        raise RefusedError(error.message, next_step=error.next_step) from error
    devices = [
        {"serial": one.serial, "outcome": one.decision.outcome, "sentence": one.decision.sentence}
        for one in brought
    ]
    return {"devices": devices}


@router.post(
    "/device-grants/find",
    response={200: DeviceGrantOut},
    operation_id="find_device_grant",
    openapi_extra=needs(*_WRITE),
)
def find(request: HttpRequest, typed: UserCodeIn) -> Any:
    """Say which device shows a code, so that a person can compare it; nothing is answered to it."""
    caller = caller_of(request)
    return _grant(find_grant(_claimant(caller, ""), typed.user_code, now_us()))


@router.post(
    "/device-grants/answer",
    response={200: DeviceGrantOut},
    operation_id="answer_device_grant",
    openapi_extra=needs(*_WRITE),
)
def answer(request: HttpRequest, said: GrantAnswer) -> Any:
    """Let the device that shows a code join the organisation, or turn it away."""
    caller = caller_of(request)
    return _grant(answer_grant(_claimant(caller, said.alias), said.user_code, now_us(), yes=said.yes))


def _claimant(caller: Caller, alias: str) -> Claimant:
    return Claimant(caller.organisation, caller.user, caller.actor, alias=alias)


def _claim(caller: Caller, number: int) -> ClaimRequest:
    return found(requests_of(caller.organisation), number)


def _shown(row: ClaimRequest) -> dict[str, Any]:
    view = view_of(row)
    return {
        "number": row.pk,
        "serial": row.serial,
        "alias": row.alias,
        "state": view.state.value,
        "sentence": view.text,
        "brought": list(view.brought),
        "denied": view.denied,
        "device_id": view.device.device_id if view.device else None,
        "opened_us": row.opened_us,
        "mail_asked_us": row.mail_asked_us,
    }


def _grant(row: DeviceGrant) -> dict[str, Any]:
    assert row.device is not None  # only a code that a device shows is found
    return {
        "serial": row.device.serial,
        "product": row.device.product.key,
        "expires_us": row.expires_us,
    }
