"""A product gets another claim policy; what was decided by earlier ones stays, and says by which."""

from typing import Final

from doorstep.ownership.actors import OPERATOR
from doorstep.ownership.policy import parse
from doorstep.server.clock import to_us
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.claiming import judge_held_claims
from doorstep.server.custody.models import PolicyVersion
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device, Product
from doorstep.server.jobs.actions import enqueue

__all__ = ["change_policy", "judge_waiting_claims", "policies_of"]

_AT_ONCE: Final = 200
"""Devices whose claims are judged in one transaction."""


def change_policy(product: Product, text: str, *, by: str, now_us: int) -> Product:
    """Give a product a new claim policy, as its next version; claims that wait are judged by it.

    The same policy again changes nothing. Raises BadPolicy.
    """
    text = parse(text.strip()).text
    with transaction_in_turn():
        row = Product.objects.select_for_update().get(pk=product.pk)
        if row.claim_policy == text:
            return row
        _keep(row, OPERATOR, to_us(row.created_at))
        row.claim_policy = text
        row.claim_policy_version += 1
        row.save(update_fields=["claim_policy", "claim_policy_version"])
        _keep(row, by, now_us)
        enqueue("judge_waiting", {"product": row.pk})
    return row


def policies_of(product: Product) -> list[PolicyVersion]:
    """Return a product's policies, newest first; one that was never changed has none on file."""
    return list(product.policies.order_by("-number"))


def judge_waiting_claims(product: Product, now_us: int) -> None:
    """Judge the claims that wait for devices of a product, some devices at a time."""
    after = 0
    while True:
        with transaction_in_turn():
            rows = Device.objects.select_for_update(of=("self",)).select_related("product", "batch")
            waits = rows.filter(product=product, claims_waiting=True, owner=None, pk__gt=after)
            devices = list(waits.order_by("pk")[:_AT_ONCE])
            if events := judge_held_claims(devices, now_us):
                ledger.append(events, now_us)
        if len(devices) < _AT_ONCE:
            return
        after = devices[-1].pk


def _keep(product: Product, actor: str, at_us: int) -> None:
    PolicyVersion.objects.get_or_create(
        product=product,
        number=product.claim_policy_version,
        defaults={"text": product.claim_policy, "actor": actor, "at_us": at_us},
    )
