"""What recorded sessions and refusals say about two users of one identity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.ownership.suspicion import (
    FORKS_THAT_TELL,
    TAGS_THAT_TELL,
    TAKEOVERS_THAT_TELL,
    Evidence,
    Session,
    find,
    takeovers,
)

SECOND = 1_000_000


def pushing(count: int, *addresses: str) -> list[Session]:
    """Sessions each of which ended because the next one came."""
    places = addresses or ("",)
    return [
        Session(n * SECOND, (n + 1) * SECOND if n < count else None, places[n % len(places)])
        for n in range(count + 1)
    ]


def test_honest_device_is_not_suspected() -> None:
    calm = [Session(n * SECOND, n * SECOND + SECOND // 2, "192.0.2.1") for n in range(50)]
    assert find(calm, {"replayed": FORKS_THAT_TELL - 1, "wrong_tag": TAGS_THAT_TELL - 1}) == []


def test_sessions_that_push_each_other_out_tell_of_two_users() -> None:
    (finding,) = find(pushing(TAKEOVERS_THAT_TELL, "192.0.2.1", "198.51.100.7"), {})
    assert (finding.evidence, finding.is_clone) == (Evidence.ALTERNATION, True)
    assert finding.sentence == (
        "Within ten minutes, 5 connections in its name pushed each other out from 2 different addresses."
    )


def test_one_address_is_not_counted_as_several() -> None:
    (finding,) = find(pushing(TAKEOVERS_THAT_TELL, "192.0.2.1"), {})
    assert "addresses" not in finding.sentence


def test_connections_that_were_put_off_count() -> None:
    assert find(pushing(TAKEOVERS_THAT_TELL - 2), {}) == []
    assert find(pushing(TAKEOVERS_THAT_TELL - 2), {}, held=2)[0].evidence is Evidence.ALTERNATION


@pytest.mark.parametrize("reason", ["epoch_past", "replayed", "too_old"])
def test_what_goes_back_tells_of_two_users(reason: str) -> None:
    (finding,) = find([], {reason: FORKS_THAT_TELL})
    assert (finding.evidence, finding.is_clone) == (Evidence.FORK, True)


def test_failed_tags_tell_of_a_forger_and_not_of_a_copy() -> None:
    (finding,) = find([], {"wrong_tag": TAGS_THAT_TELL})
    assert (finding.evidence, finding.is_clone) == (Evidence.TAG_FAILURES, False)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000))))
def test_sessions_one_after_the_other_are_no_takeover(spans: list[tuple[int, int]]) -> None:
    at, sessions = 0, []
    for pause, length in spans:
        sessions.append(Session(at + pause + 1, at + pause + 1 + length, ""))
        at = at + pause + 1 + length
    assert takeovers(sessions) == 0
