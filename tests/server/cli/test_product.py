"""`doorstep product`: secure methods at first, a weak one with its risk accepted, the mark in every list."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.product import product
from doorstep.errors import DoorstepError
from doorstep.onboarding.choice import ContradictingMethods, RiskNotAccepted, UnknownMethod
from doorstep.onboarding.methods import DEFAULTS, METHODS
from doorstep.server.fleet.models import OnboardingChange
from doorstep.server.fleet.products import NoSuchProduct
from tests.server import making

pytestmark = pytest.mark.usefixtures("rolled_back")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(product, arguments, standalone_mode=False)


def _json(*arguments: str) -> Any:
    result = _run(*arguments, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def test_new_product_has_the_secure_methods() -> None:
    key = making.product().key
    shown = _json("onboarding", key)
    assert (shown["onboarding_methods"], shown["weak_setup"]) == (list(DEFAULTS), [])
    made = _json("add", f"{key}-b", "--name", "B")
    assert made["onboarding_methods"] == list(DEFAULTS)


def test_accepted_risk_is_kept_and_shown_wherever_the_product_is() -> None:
    key = making.product().key
    on = _json("onboarding", key, "--enable", "wps-pin", "--accept-risk", "wps-pin")
    assert on["weak_setup"] == ["wps-pin"]
    for shown in (_run("onboarding", key).stdout, _run("list").stdout):
        assert f"Weak set-up enabled: wps-pin. {METHODS['wps-pin'].risk}" in shown
    assert OnboardingChange.objects.get(product__key=key).actor == "operator"
    assert _json("onboarding", key, "--defaults")["weak_setup"] == []


REFUSED: dict[str, tuple[tuple[str, ...], type[DoorstepError], str]] = {
    "nobody accepts": (("--enable", "wps-pin"), RiskNotAccepted, "11,000 tries"),
    "nothing to accept": (("--accept-risk", "wps-pin"), ContradictingMethods, "not asked for"),
    "unknown": (("--enable", "wep"), UnknownMethod, "wep"),
    "nothing left": (
        ("--disable", "protocomm-sec2", "--disable", "sealed-credentials"),
        ContradictingMethods,
        "never be set up",
    ),
    "contradiction": (
        ("--enable", "protocomm-sec1", "--accept-risk", "protocomm-sec1"),
        ContradictingMethods,
        "contradict",
    ),
}


@pytest.mark.parametrize(("options", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_refusal_says_why_and_changes_nothing(
    options: tuple[str, ...], error: type[DoorstepError], words: str
) -> None:
    key = making.product().key
    result = _run("onboarding", key, *options)
    assert isinstance(result.exception, error)
    assert words in result.exception.message
    assert result.exception.next_step
    assert _json("onboarding", key)["onboarding_methods"] == list(DEFAULTS)


def test_unknown_product_is_named() -> None:
    assert isinstance(_run("onboarding", "no-such").exception, NoSuchProduct)


def test_every_method_is_listed_with_its_risk() -> None:
    rows = {row["key"]: row for row in _json("methods")}
    assert rows.keys() == METHODS.keys()
    assert rows["blufi"]["needs_consent"]
    shown = _run("methods").stdout
    assert all(method.risk in shown for method in METHODS.values())
