"""Which methods fit a product: the engine of ``doorstep advise``."""

from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from doorstep.identity.advice import advise
from doorstep.identity.prices import Price, replace_assumed
from doorstep.identity.situation import QUESTIONS, UNITS_CAP, Chip, Control, Damage, Sales, Situation
from doorstep.ownership.advice_document import document
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema

__all__ = ["router"]

router = Router(tags=["products"])

Money = Annotated[str, Field(pattern=r"^[0-9]{1,8}(\.[0-9]{1,4})?$")]
Assumption = Annotated[str, Field(pattern=r"^[a-z-]{1,20}=[0-9. ]{1,40}$")]


class SituationIn(Schema):
    """The product, in nine answers; money in whatever currency the maker counts."""

    damage: Damage
    """The worst that an attacker could do with it."""
    price: Money
    """Of one device."""
    budget: Money
    """What identity, label and the work for them may cost for each device."""
    units: Annotated[int, Field(ge=1, le=UNITS_CAP)]
    """Made in a year."""
    chip: Chip
    """What the chip on the board can do."""
    sales: Sales
    """Whom customers buy it from."""
    can_scan: bool
    """Whether every customer can see and scan a label."""
    control: Control
    """What there is to press or read on the device."""
    line_online: bool
    """Whether the factory line is online while it flashes."""
    assume: Annotated[list[Assumption], Field(max_length=len(Price))] = Field(default_factory=list)
    """Prices that the maker knows better, each as ``label=0.02..0.06``."""


class CostLineOut(Schema):
    """One part of what a device costs more."""

    what: str
    """What is paid for."""
    low: str
    """At least."""
    high: str
    """At most."""
    basis: str
    """What the figure stands on."""


class CostOut(Schema):
    """What a set of methods adds to one device."""

    low: str
    """At least, in all."""
    high: str
    """At most, in all."""
    lines: list[CostLineOut]
    """Its parts."""


class MethodSetOut(Schema):
    """Methods that go together."""

    identity: str
    """Identity method."""
    onboarding: str
    """Onboarding method."""
    claim_policy: str
    """Claim policy."""
    claim_needs: str
    """What a claim takes by it, in plain words."""
    cost: CostOut
    """For each device."""
    assurance: int
    """0 to 3."""
    risks: list[str]
    """What an attacker can still do."""
    obstacles: list[str]
    """What speaks against it here; none when it fits."""
    available: bool
    """Whether the platform does it today."""


class AssumedOut(Schema):
    """A price that was counted with."""

    cost: str
    """An amount, or a range of them."""
    what: str
    """What it is paid for."""


class AdviceOut(Schema):
    """A recommendation, its reasons and its neighbours."""

    recommended: MethodSetOut
    """What fits best."""
    reasons: list[str]
    """Why."""
    cheaper: MethodSetOut | None
    """The strongest that costs less, if anything does."""
    stronger: MethodSetOut | None
    """The next method up, if there is one."""
    later: list[str]
    """What would fit better and the platform can't do yet."""
    assumed: dict[str, AssumedOut]
    """Prices that were counted with, by name."""


@router.get(
    "/advice",
    response={200: AdviceOut},
    operation_id="advise",
    openapi_extra=needs(Permission.MAKER_PRODUCTS_READ),
)
def get_advice(request: HttpRequest, told: Query[SituationIn]) -> Any:
    """Recommend identity, onboarding and claim policy for a product, with their cost and residual risk."""
    prices = replace_assumed(told.assume)
    money = {name: Decimal(getattr(told, name)) for name in ("price", "budget")}
    situation = Situation(**{name: getattr(told, name) for name in QUESTIONS} | money)
    return document(advise(situation, prices), prices)
