"""A product gets the methods that were asked for, or the reason why not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import DoorstepError
from doorstep.identity.assurance import IdentityMethod
from doorstep.onboarding.choice import (
    ContradictingMethods,
    RiskNotAccepted,
    UnknownMethod,
    choose,
    weak,
)
from doorstep.onboarding.methods import DEFAULTS, METHODS

CERTIFICATE = IdentityMethod.CERTIFICATE


def test_defaults_need_no_consent_and_mark_nothing() -> None:
    assert choose(DEFAULTS, CERTIFICATE) == DEFAULTS
    assert weak(DEFAULTS) == ()


def test_chosen_methods_come_once_and_in_the_order_of_the_table() -> None:
    assert choose(["dpp", "protocomm-sec2", "dpp"], CERTIFICATE) == ("protocomm-sec2", "dpp")


def test_weak_method_tells_its_risk_and_how_to_accept_it() -> None:
    with pytest.raises(RiskNotAccepted) as caught:
        choose([*DEFAULTS, "wps-pin"], CERTIFICATE)
    assert METHODS["wps-pin"].risk in caught.value.message
    assert "--accept-risk wps-pin" in caught.value.next_step
    assert caught.value.method is METHODS["wps-pin"]


def test_accepted_risk_turns_the_method_on_and_marks_the_product() -> None:
    chosen = choose([*DEFAULTS, "wps-pin"], CERTIFICATE, ["wps-pin"])
    assert chosen == (*DEFAULTS, "wps-pin")
    assert [method.key for method in weak(chosen)] == ["wps-pin"]


REFUSED = {
    "nothing": ((), CERTIFICATE, (), ContradictingMethods, "never be set up"),
    "unknown method": (("wep",), CERTIFICATE, (), UnknownMethod, "'wep'"),
    "Easy Connect of an element": (
        (*DEFAULTS, "dpp"),
        IdentityMethod.SECURE_ELEMENT,
        (),
        ContradictingMethods,
        "gives its key to nobody",
    ),
    "unknown risk": (DEFAULTS, CERTIFICATE, ("wep",), UnknownMethod, "'wep'"),
    "risk of what is off": (DEFAULTS, CERTIFICATE, ("blufi",), ContradictingMethods, "not asked for"),
    "risk of what is safe": (DEFAULTS, CERTIFICATE, DEFAULTS[:1], ContradictingMethods, "needs no consent"),
    "scheme without security": (("protocomm-sec0",), CERTIFICATE, (), ContradictingMethods, "never"),
    "open page without consent": (("micro-ap-open",), CERTIFICATE, (), RiskNotAccepted, "Everybody nearby"),
    "open page beside a PIN": (
        ("micro-ap-open", "pin"),
        CERTIFICATE,
        ("micro-ap-open",),
        ContradictingMethods,
        "choose the weaker",
    ),
    "PIN beside security 1": (
        ("pin", "protocomm-sec1"),
        CERTIFICATE,
        ("protocomm-sec1",),
        ContradictingMethods,
        "choose the weaker",
    ),
    "licensed method": (("apple-wac",), CERTIFICATE, (), ContradictingMethods, "documented only"),
    "sealed without a key": (
        ("sealed-credentials",),
        IdentityMethod.SYMMETRIC_KEY,
        (),
        ContradictingMethods,
        "symmetric key",
    ),
    "security 1 beside 2": (
        ("protocomm-sec1", "protocomm-sec2"),
        CERTIFICATE,
        ("protocomm-sec1",),
        ContradictingMethods,
        "choose the weaker",
    ),
    "security 1 without consent": (("protocomm-sec1",), CERTIFICATE, (), RiskNotAccepted, "short code"),
    "pairing alone": (("ble-passkey",), CERTIFICATE, (), ContradictingMethods, "by itself"),
    "two kinds of pairing": (
        ("protocomm-sec2-ble", "ble-just-works", "ble-passkey"),
        CERTIFICATE,
        ("ble-just-works",),
        ContradictingMethods,
        "choose the weaker",
    ),
}


@pytest.mark.parametrize(("wanted", "identity", "accepted", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_contradictions_are_refused(
    wanted: tuple[str, ...],
    identity: IdentityMethod,
    accepted: tuple[str, ...],
    error: type[DoorstepError],
    words: str,
) -> None:
    with pytest.raises(error) as caught:
        choose(wanted, identity, accepted)
    assert words in caught.value.message


KEYS = st.sets(st.sampled_from(sorted(METHODS)))


@given(KEYS, KEYS, st.sampled_from(IdentityMethod))
def test_no_weak_method_is_on_without_consent(
    wanted: set[str], accepted: set[str], identity: IdentityMethod
) -> None:
    try:
        chosen = choose(wanted, identity, accepted)
    except DoorstepError:
        return
    assert set(chosen) == wanted
    assert {method.key for method in weak(chosen)} <= accepted
    assert all(METHODS[key].may_be_chosen for key in chosen)


def test_unknown_key_of_a_newer_version_marks_nothing() -> None:
    assert weak(["of-another-version"]) == ()
