"""What recorded sessions and refusals say about two users of one identity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.ownership.suspicion import (
    ALTERNATIONS_THAT_TELL,
    FORKS_THAT_TELL,
    HELD_THAT_TELL,
    TAGS_THAT_TELL,
    Evidence,
    Session,
    alternations,
    find,
)

SECOND = 1_000_000
HOME, AWAY = "192.0.2.1", "198.51.100.7"


def pushing(count: int, *addresses: str) -> list[Session]:
    """Sessions each of which ended because the next one came."""
    last = count - 1
    return [
        Session(n * SECOND, (n + 1) * SECOND if n < last else None, addresses[n % len(addresses)])
        for n in range(count)
    ]


def test_device_on_a_bad_network_is_not_suspected() -> None:
    """It leaves a dead session behind each time, but always from one side."""
    assert find(pushing(50, HOME), {"replayed": FORKS_THAT_TELL - 1, "wrong_tag": TAGS_THAT_TELL - 1}) == []


def test_device_that_moves_is_not_suspected() -> None:
    assert find(pushing(20, *(f"192.0.2.{n}" for n in range(20))), {}) == []


def test_sessions_that_push_each_other_out_from_two_places_tell_of_two_users() -> None:
    (finding,) = find(pushing(ALTERNATIONS_THAT_TELL + 2, HOME, AWAY), {})
    assert (finding.evidence, finding.is_clone) == (Evidence.ALTERNATION, True)
    assert finding.sentence == (
        "Within ten minutes, 5 connections in its name from two places pushed each other out."
    )
    assert find(pushing(ALTERNATIONS_THAT_TELL + 1, HOME, AWAY), {}) == []


def test_connections_that_are_tried_while_another_one_sends_tell_of_two_users() -> None:
    assert find([], {}, held=HELD_THAT_TELL - 1) == []
    (finding,) = find([], {}, held=HELD_THAT_TELL)
    assert (finding.evidence, finding.is_clone) == (Evidence.ALTERNATION, True)


@pytest.mark.parametrize("reason", ["epoch_past", "replayed", "too_old"])
def test_what_goes_back_tells_of_two_users(reason: str) -> None:
    (finding,) = find([], {reason: FORKS_THAT_TELL})
    assert (finding.evidence, finding.is_clone) == (Evidence.FORK, True)


def test_failed_tags_tell_of_a_forger_and_not_of_a_copy() -> None:
    (finding,) = find([], {"wrong_tag": TAGS_THAT_TELL})
    assert (finding.evidence, finding.is_clone) == (Evidence.TAG_FAILURES, False)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.sampled_from([HOME, AWAY]))))
def test_sessions_one_after_the_other_push_nobody(spans: list[tuple[int, int, str]]) -> None:
    at, sessions = 0, []
    for pause, length, address in spans:
        sessions.append(Session(at + pause + 1, at + pause + 1 + length, address))
        at += pause + 1 + length
    assert alternations(sessions) == 0
