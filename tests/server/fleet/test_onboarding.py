"""A product has the secure methods at first, a weak one with a name under its risk, or nothing changes."""

import pytest

from doorstep.onboarding.choice import ContradictingMethods, RiskNotAccepted
from doorstep.onboarding.methods import DEFAULTS, METHODS
from doorstep.server.fleet.models import OnboardingChange, Product
from doorstep.server.fleet.onboarding import set_onboarding
from doorstep.server.fleet.products import open_batch_row
from tests.server import making

pytestmark = pytest.mark.usefixtures("rolled_back")
WITH_WPS = [*DEFAULTS, "wps-button"]


def _changes(product: Product) -> list[tuple[str, bool, str, str, int]]:
    rows = OnboardingChange.objects.filter(product=product).order_by("pk")
    return [(row.method, row.enabled, row.risk, row.actor, row.at_us) for row in rows]


def test_product_starts_with_the_secure_methods() -> None:
    product = making.product()
    assert product.onboarding_methods == list(DEFAULTS)
    assert product.weak_setup == ()


def test_weak_method_without_consent_changes_nothing() -> None:
    product = making.product()
    with pytest.raises(RiskNotAccepted):
        set_onboarding(product, WITH_WPS, (), actor="operator", now_us=1)
    product.refresh_from_db()
    assert product.onboarding_methods == list(DEFAULTS)
    assert _changes(product) == []


def test_consent_is_kept_with_who_when_and_the_sentence() -> None:
    product = set_onboarding(making.product(), WITH_WPS, ["wps-button"], actor="user:7", now_us=5)
    assert [method.key for method in product.weak_setup] == ["wps-button"]
    assert _changes(product) == [("wps-button", True, METHODS["wps-button"].risk, "user:7", 5)]


def test_risk_is_accepted_once_and_again_after_it_was_off() -> None:
    product = set_onboarding(making.product(), WITH_WPS, ["wps-button"], actor="a", now_us=1)
    product = set_onboarding(product, [*WITH_WPS, "dpp"], (), actor="b", now_us=2)
    assert "dpp" in product.onboarding_methods
    product = set_onboarding(product, DEFAULTS, (), actor="c", now_us=3)
    assert product.weak_setup == ()
    assert _changes(product)[1:] == [("wps-button", False, "", "c", 3)]
    with pytest.raises(RiskNotAccepted):
        set_onboarding(product, WITH_WPS, (), actor="d", now_us=4)


def test_sealed_credentials_need_a_product_with_keys() -> None:
    product = making.product()
    Product.objects.filter(pk=product.pk).update(identity_method="symmetric_key")
    with pytest.raises(ContradictingMethods):
        set_onboarding(product, DEFAULTS, (), actor="a", now_us=1)


def test_devices_keep_the_mark_that_they_were_made_with() -> None:
    product = set_onboarding(making.product(), WITH_WPS, ["wps-button"], actor="a", now_us=1)
    weak = open_batch_row(product, "weak batch", 1)
    product = set_onboarding(product, DEFAULTS, (), actor="a", now_us=2)
    safe = open_batch_row(product, "safe batch", 1)
    assert [method.key for method in weak.weak_setup] == ["wps-button"]
    assert safe.weak_setup == ()
