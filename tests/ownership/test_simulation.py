"""A policy tried on everybody who may come."""

import pytest

from doorstep.ownership.claims import Outcome
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.policy import explain, missing, parse
from doorstep.ownership.simulation import PEOPLE, simulate, try_policy, warnings

_DEFAULT = "device_key & setup_session & (sale | label_code | staff)"


def _winners(policy: str) -> set[str]:
    return {one.person.who for one in simulate(parse(policy)) if one.free.outcome is Outcome.BOUND}


def test_every_kind_of_evidence_is_brought_by_somebody() -> None:
    assert frozenset().union(*(person.brings for person in PEOPLE)) == set(Evidence)


def test_default_policy_gives_the_device_to_buyers_and_to_who_took_the_whole_box() -> None:
    assert _winners(_DEFAULT) == {
        "The buyer sets it up; the seller's records name them",
        "The buyer sets it up and types the scratch-off code",
        "The buyer sets it up; the maker's staff vouch for them",
        "A thief took it with its box and order papers",
    }
    assert warnings(simulate(parse(_DEFAULT))) == [
        "A thief took it with its box and order papers: the device would become theirs."
    ]


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ("label_code", "Somebody scratched the label in the shop"),
        ("device_key", "A neighbour joins its set-up network"),
        ("device_key & setup_session", "A thief or finder sets it up, without the box"),
        ("device_key & email", "Somebody who reads the buyer's e-mail"),
    ],
)
def test_weak_policy_is_warned_about(policy: str, wrong: str) -> None:
    assert f"{wrong}: the device would become theirs." in warnings(simulate(parse(policy)))


def test_policy_that_only_staff_meets_is_warned_about() -> None:
    assert warnings(simulate(parse("staff"))) == ["No buyer in this list gets the device without your staff."]


def test_nobody_takes_an_owned_device() -> None:
    for policy in (_DEFAULT, "sale", "device_key", "label_code | staff"):
        outcomes = {one.owned.outcome for one in simulate(parse(policy))}
        assert outcomes <= {Outcome.DISPUTED, Outcome.REFUSED}


def test_policy_that_is_tried_is_explained() -> None:
    tried = try_policy(_DEFAULT)
    assert tried.explanation == explain(missing(parse(_DEFAULT), ()))
    assert list(tried.trials) == simulate(parse(_DEFAULT))
    assert list(tried.warnings) == warnings(simulate(parse(_DEFAULT)))
