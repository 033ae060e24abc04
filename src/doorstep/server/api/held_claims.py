"""Claims that wait for the maker's staff, and their word for a claimant."""

from typing import Any

from django.http import HttpRequest

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Number, Reason
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.vouching import held_claim, held_claims, vouch_for_claim
from doorstep.server.custody.evidence import pieces
from doorstep.server.custody.models import Claim

__all__ = ["router"]

router = Router(tags=["claims"])
_READ = needs(Permission.MAKER_CLAIMS_READ)


class HeldClaimOut(Schema):
    """A claim whose evidence is less than the product's policy asks for, on a device that nobody owns."""

    number: int
    """By which it is vouched for."""
    device_id: str
    """Of the device that is claimed."""
    serial: str
    """Of the same device."""
    product: str
    """Key of its product."""
    claimant: str
    """Name of the organisation that claims it."""
    evidence: list[str]
    """Kinds that it had brought when the claim was judged."""
    policy: str
    """By which it was judged."""
    policy_version: int
    """Which of the product's policies that was."""
    sentence: str
    """What the claimant was told."""
    at_us: int
    """When it was judged."""


class HeldClaimPage(Page[HeldClaimOut]):
    """Claims that wait, newest first."""


class PieceOut(Schema):
    """A piece of evidence that counts now."""

    kind: str
    """As policies name it."""
    by: str
    """Who brought it, as the ledger names them."""
    detail: str
    """What it was, without addresses or codes."""
    at_us: int
    """When it was brought."""


class HeldClaimDetail(HeldClaimOut):
    """A claim that waits, with what was brought for it."""

    pieces: list[PieceOut]
    """The claimant's evidence, oldest first."""
    contested: bool
    """Whether others brought evidence for the same device."""


class VouchIn(Schema, extra="forbid"):
    """Why the staff believe the claimant."""

    reason: Reason
    """How you know; kept with the evidence, for the staff who look at the claim later."""


class DecisionOut(Schema):
    """What came of a claim."""

    outcome: str
    """bound, already_yours, held, disputed or refused."""
    sentence: str
    """The same in plain words."""


@router.get(
    "/held-claims", response={200: HeldClaimPage}, operation_id="list_held_claims", openapi_extra=_READ
)
def list_held(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the claims that wait for somebody to look, newest first."""
    return page(held_claims(), "-pk", _shown, cursor, limit)


@router.get(
    "/held-claims/{number}",
    response={200: HeldClaimDetail},
    operation_id="get_held_claim",
    openapi_extra=_READ,
)
def get_held(request: HttpRequest, number: Number) -> Any:
    """Return one of them with what was brought for it; it is not there once it waits no more."""
    row = held_claim(number)
    brought = [
        {"kind": one.kind, "by": one.actor, "detail": one.detail, "at_us": one.at_us}
        for one in pieces(row.device, row.organisation)
    ]
    contested = pieces(row.device).exclude(organisation=row.organisation).exists()
    return _shown(row) | {"pieces": brought, "contested": contested}


@router.post(
    "/held-claims/{number}/vouch",
    response={200: DecisionOut},
    operation_id="vouch_for_claim",
    openapi_extra=needs(Permission.MAKER_CLAIMS_VOUCH),
)
def vouch(request: HttpRequest, number: Number, why: VouchIn) -> Any:
    """Give the staff's word for a claimant, as evidence. The product's policy still decides."""
    caller = caller_of(request)
    decision = vouch_for_claim(number, why.reason, caller.actor, now_us())
    return {"outcome": decision.outcome, "sentence": decision.sentence}


def _shown(row: Claim) -> dict[str, Any]:
    return {
        "number": row.pk,
        "device_id": row.device.device_id,
        "serial": row.device.serial,
        "product": row.device.product.key,
        "claimant": row.organisation.name,
        "evidence": row.evidence,
        "policy": row.policy,
        "policy_version": row.policy_version,
        "sentence": row.reason,
        "at_us": row.at_us,
    }
