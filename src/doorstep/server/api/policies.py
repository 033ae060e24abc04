"""Claim policies: what a product asks for, who could claim its devices with what, and another policy."""

from typing import Annotated, Any

from django.http import HttpRequest
from pydantic import Field

from doorstep.ownership.policy import POLICY_CAP
from doorstep.ownership.simulation import Trial, try_policy
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import ProductKey
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.policies import change_policy, policies_of
from doorstep.server.fleet.models import Product
from doorstep.server.fleet.products import find_product

__all__ = ["router"]

router = Router(tags=["products"])
_READ = needs(Permission.MAKER_PRODUCTS_READ)
_WRITE = needs(Permission.MAKER_PRODUCTS_WRITE)


class PolicyIn(Schema, extra="forbid"):
    """A claim policy."""

    claim_policy: Annotated[str, Field(min_length=1, max_length=POLICY_CAP)]
    """Kinds of evidence, joined with ``&`` (and) and ``|`` (or)."""


class TrialOut(Schema):
    """What would come of somebody's claim."""

    who: str
    """Who comes, in plain words."""
    brings: list[str]
    """Kinds of evidence."""
    rightful: bool
    """Whether the device should become theirs."""
    free: str
    """Outcome while nobody owns the device: bound, held, disputed or refused."""
    free_sentence: str
    """The same in the words that they would read."""
    owned: str
    """Outcome while somebody else owns it."""
    surprising: bool
    """A wrong person would get the device."""


class TriedOut(Schema):
    """What a policy means, and who could claim a device with what."""

    claim_policy: str
    """The policy that was tried."""
    explanation: str
    """What it asks for, in plain words."""
    trials: list[TrialOut]
    """People who may come, the wrong ones among them."""
    warnings: list[str]
    """What to think about; none is best."""


class PolicyVersionOut(Schema):
    """A policy that the product had."""

    version: int
    """Its number; decisions name it."""
    claim_policy: str
    """As it read."""
    by: str
    """Who put it there, as the ledger names them."""
    at_us: int
    """When it began to hold."""


class PolicyOut(TriedOut):
    """A product's claim policy."""

    version: int
    """How many the product has had, this one included."""
    history: list[PolicyVersionOut]
    """All of them, newest first; empty where it was never changed."""


@router.get(
    "/products/{key}/claim-policy",
    response={200: PolicyOut},
    operation_id="get_claim_policy",
    openapi_extra=_READ,
)
def get_policy(request: HttpRequest, key: ProductKey) -> Any:
    """Return a product's claim policy, and who could claim its devices with what."""
    return _policy(find_product(key))


@router.put(
    "/products/{key}/claim-policy",
    response={200: PolicyOut},
    operation_id="set_claim_policy",
    openapi_extra=_WRITE,
)
def put_policy(request: HttpRequest, key: ProductKey, wish: PolicyIn) -> Any:
    """Give a product another claim policy. Claims that wait are judged by it; what was decided stays."""
    caller = caller_of(request)
    return _policy(change_policy(find_product(key), wish.claim_policy, by=caller.actor, now_us=now_us()))


@router.post(
    "/claim-policies/try", response={200: TriedOut}, operation_id="try_claim_policy", openapi_extra=_READ
)
def try_out(request: HttpRequest, wish: PolicyIn) -> Any:
    """Say who could claim a device with what by a policy; nothing is stored."""
    return _tried(wish.claim_policy)


def _policy(product: Product) -> dict[str, Any]:
    history = [
        {"version": one.number, "claim_policy": one.text, "by": one.actor, "at_us": one.at_us}
        for one in policies_of(product)
    ]
    return _tried(product.claim_policy) | {"version": product.claim_policy_version, "history": history}


def _tried(text: str) -> dict[str, Any]:
    tried = try_policy(text)
    return {
        "claim_policy": text,
        "explanation": tried.explanation,
        "trials": [_trial(one) for one in tried.trials],
        "warnings": list(tried.warnings),
    }


def _trial(one: Trial) -> dict[str, Any]:
    return {
        "who": one.person.who,
        "brings": sorted(one.person.brings),
        "rightful": one.person.rightful,
        "free": one.free.outcome,
        "free_sentence": one.free.sentence,
        "owned": one.owned.outcome,
        "surprising": one.surprising,
    }
