"""What a customer may read of a claim that waits: what they brought, and what would help."""

import enum
from dataclasses import dataclass

from django.db.models import QuerySet

from doorstep.ownership.evidence import Evidence
from doorstep.ownership.policy import explain, missing, parse
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.actions.claiming import sold_to
from doorstep.server.custody.evidence import brought
from doorstep.server.custody.models import ClaimMail, ClaimRequest
from doorstep.server.fleet.models import Device

__all__ = ["ClaimState", "ClaimView", "requests_of", "view_of"]


class ClaimState(enum.Enum):
    """How far a claim is."""

    WAITING = "waiting"
    """Nothing counts yet; whether there is such a device stays unsaid."""
    HELD = "held"
    YOURS = "yours"
    ANOTHERS = "anothers"


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim in words; ``device`` only when the customer may know it."""

    state: ClaimState
    text: str
    brought: tuple[str, ...] = ()
    device: Device | None = None
    denied: bool = False
    """Whoever got the seller's mail said no."""


_UNKNOWN = (
    "We keep your claim. The device becomes yours when what its maker asks for has come together. "
    "You can add what you have now, and the rest later."
)


def requests_of(organisation: Organisation) -> QuerySet[ClaimRequest]:
    """Return an organisation's claims by serial, newest first."""
    return organisation.claim_requests.select_related("organisation", "user").order_by("-opened_us")


def view_of(request: ClaimRequest) -> ClaimView:
    """Say how a claim stands now."""
    organisation = request.organisation
    device = Device.objects.select_related("product").filter(serial=request.serial).first()
    if device is None:
        return ClaimView(ClaimState.WAITING, _UNKNOWN)
    if device.owner_id == organisation.pk:
        return ClaimView(ClaimState.YOURS, f"{device} is yours.", device=device)
    evidence = brought(device, organisation)
    if not evidence:
        return ClaimView(ClaimState.WAITING, _UNKNOWN)
    sentences = tuple(one.sentence for one in Evidence if one in evidence)
    denied = ClaimMail.objects.filter(request=request, confirmed=False).exists()
    if device.owner_id is not None:
        return ClaimView(ClaimState.ANOTHERS, _last_word(device, organisation), sentences, denied=denied)
    bought = {Evidence.SALE} if sold_to(device, organisation) else set[Evidence]()
    gaps = missing(parse(device.product.claim_policy), evidence | bought)
    text = f"The claim is kept and waits. {explain(gaps)}" if gaps else _last_word(device, organisation)
    return ClaimView(ClaimState.HELD, text, sentences, device, denied)


def _last_word(device: Device, organisation: Organisation) -> str:
    claim = device.claims.filter(organisation=organisation).order_by("-at_us", "-pk").first()
    return claim.reason if claim else _UNKNOWN
