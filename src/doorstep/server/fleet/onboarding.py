"""Which onboarding methods a product has on, and who accepted the risk of the weak ones."""

from collections.abc import Collection, Iterable

from django.db import transaction

from doorstep.identity.assurance import IdentityMethod
from doorstep.onboarding.choice import choose, weak
from doorstep.onboarding.methods import METHODS
from doorstep.server.fleet.models import OnboardingChange, Product

__all__ = ["set_onboarding"]


def set_onboarding(
    product: Product, wanted: Iterable[str], accepted: Collection[str], *, actor: str, now_us: int
) -> Product:
    """Store a product's methods; batches made from now on have them.

    A risk is accepted once: weak methods that are on need no second consent. Raises UnknownMethod,
    ContradictingMethods and RiskNotAccepted; then nothing is stored.
    """
    wanted = set(wanted)
    with transaction.atomic():
        row = Product.objects.select_for_update().get(pk=product.pk)
        before = {method.key for method in weak(row.onboarding_methods)}
        chosen = choose(wanted, IdentityMethod(row.identity_method), {*accepted, *(before & wanted)})
        row.onboarding_methods = list(chosen)
        row.save(update_fields=["onboarding_methods"])
        after = {method.key for method in weak(chosen)}
        OnboardingChange.objects.bulk_create(
            _change(row, key, actor, now_us, enabled=key in after) for key in sorted(before ^ after)
        )
    return row


def _change(product: Product, key: str, actor: str, now_us: int, *, enabled: bool) -> OnboardingChange:
    risk = METHODS[key].risk if enabled else ""
    return OnboardingChange(
        product=product, method=key, enabled=enabled, risk=risk, actor=actor, at_us=now_us
    )
