"""Claim policies: what they mean, what is missing, and what is no policy."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.ownership.evidence import Evidence, Strength
from doorstep.ownership.policy import POLICY_CAP, BadPolicy, evaluate, explain, missing, parse

_DEFAULT = "device_key & setup_session & (sale | label_code | staff)"
_kinds = st.sampled_from([kind for kind in Evidence if kind.strength is not Strength.WEAK])
_expressions = st.recursive(
    _kinds.map(str),
    lambda inner: st.builds(
        lambda sign, parts: "(" + sign.join(parts) + ")",
        st.sampled_from([" & ", "|"]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=8,
)
_evidence = st.frozensets(st.sampled_from(Evidence))


def _meaning(text: str, evidence: frozenset[Evidence]) -> bool:
    """Let Python read the expression: a second, independent evaluator."""
    names = {str(kind): kind in evidence for kind in Evidence}
    return bool(eval(text.replace("&", " and ").replace("|", " or "), {"__builtins__": {}}, names))


@given(_expressions, _evidence)
def test_policy_means_what_it_says(text: str, evidence: frozenset[Evidence]) -> None:
    assert evaluate(parse(text), evidence) == _meaning(text, evidence)


@given(_expressions, _evidence, _evidence)
def test_more_evidence_never_hurts(text: str, some: frozenset[Evidence], more: frozenset[Evidence]) -> None:
    policy = parse(text)
    assert evaluate(policy, some) <= evaluate(policy, some | more)


@given(_expressions, _evidence)
def test_missing_names_exactly_the_smallest_completions(text: str, evidence: frozenset[Evidence]) -> None:
    policy = parse(text)
    gaps = missing(policy, evidence)
    assert (not gaps) == evaluate(policy, evidence)
    for gap in gaps:
        assert evaluate(policy, evidence | gap)
        assert not any(evaluate(policy, evidence | gap - {kind}) for kind in gap)
    for one, other in itertools.permutations(gaps, 2):
        assert not one <= other


def test_default_policy_takes_sale_code_or_staff() -> None:
    policy = parse(_DEFAULT)
    present = {Evidence.DEVICE_KEY, Evidence.SETUP_SESSION}
    assert not evaluate(policy, present)
    assert missing(policy, present) == (
        frozenset({Evidence.LABEL_CODE}),
        frozenset({Evidence.SALE}),
        frozenset({Evidence.STAFF}),
    )
    assert evaluate(policy, present | {Evidence.SALE})
    assert not evaluate(policy, {Evidence.SALE, Evidence.LABEL_CODE, Evidence.STAFF})


def test_explanation_names_every_way() -> None:
    policy = parse("device_key & (sale | label_code & presence)")
    said = explain(missing(policy, {Evidence.DEVICE_KEY}))
    assert said.startswith("It needs that ")
    assert all(kind.sentence in said for kind in (Evidence.SALE, Evidence.LABEL_CODE, Evidence.PRESENCE))
    assert Evidence.DEVICE_KEY.sentence not in said
    assert explain(()) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ends where"),
        ("sale &", "ends where"),
        ("& sale", "& stands"),
        ("sale | ) staff", r"\) stands"),
        ("sale staff", "'staff' is not expected"),
        ("(sale", "not closed"),
        ("sale)", r"\) stands"),
        ("mac_address", "'mac_address' is not expected"),
        ("sale ! staff", "'!' can't stand"),
        ("SALE", "'S' can't stand"),
        ("()", r"\) stands"),
        ("order_ref", "weak evidence alone"),
        ("sale | order_ref", "weak evidence alone"),
        ("(" * 17 + "sale" + ")" * 17, "nests at most"),
        ("sale" + " " * POLICY_CAP, "at most 400 characters"),
    ],
)
def test_bad_policy_is_explained(text: str, says: str) -> None:
    with pytest.raises(BadPolicy, match=says):
        parse(text)


def test_deep_but_allowed_policy_is_read() -> None:
    assert evaluate(parse("(" * 16 + "sale" + ")" * 16 + "  "), {Evidence.SALE})


@pytest.mark.parametrize("kind", Evidence)
def test_every_kind_has_a_strength_and_a_sentence(kind: Evidence) -> None:
    assert kind.strength in Strength
    assert kind.sentence
