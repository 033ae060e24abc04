"""The table says something of every method, and nothing that contradicts itself."""

import pytest

from doorstep.identity.methods import OnboardingMethod
from doorstep.onboarding.methods import (
    DEFAULTS,
    METHODS,
    PROOFS,
    Method,
    bluetooth,
    others,
    pages,
    protocomm,
    singletouch,
)

ROWS = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
TEXTS = (
    "name",
    "authenticates",
    "eavesdropper",
    "active_attacker",
    "label_photo",
    "steps",
    "without_sight",
    "many",
    "app",
    "risk",
    "needs",
)


@ROWS
def test_every_cell_is_a_sentence_for_people(method: Method) -> None:
    for name in TEXTS:
        text = getattr(method, name)
        assert text, name
        assert "|" not in text
        assert "\n" not in text
    assert all(getattr(method, name).endswith(".") for name in TEXTS[1:])


def test_no_key_is_there_twice() -> None:
    rows = (
        *protocomm.PROTOCOMM,
        *singletouch.SINGLE_TOUCH,
        *pages.PAGES,
        *others.OTHERS,
        *bluetooth.BLUETOOTH,
    )
    assert len(rows) == len(METHODS)


@ROWS
def test_method_names_only_methods_that_are_there(method: Method) -> None:
    assert method.excludes | method.asks_for <= METHODS.keys() - {method.key}


def test_claims_are_of_methods_that_are_there() -> None:
    assert PROOFS.keys() <= METHODS.keys()


def test_default_is_what_no_attacker_nearby_breaks() -> None:
    assert DEFAULTS == ("protocomm-sec2", "sealed-credentials")


@ROWS
def test_what_gives_the_password_to_a_listener_or_in_between_is_weak_or_worse(method: Method) -> None:
    reads = ("Reads", "reads the", "in the middle", "gets the password", "is given the password")
    if method.may_be_chosen and any(word in method.eavesdropper + method.active_attacker for word in reads):
        assert method.needs_consent or method.key == "ble-passkey", method.key


def test_advice_recommends_only_methods_of_the_table() -> None:
    for method in OnboardingMethod:
        assert METHODS[method.value].may_be_chosen
