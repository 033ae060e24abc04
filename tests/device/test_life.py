import enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.device import life
from doorstep.device.life import TRANSITIONS, Holdings, LifeEvent, State, advance
from doorstep.errors import IllegalTransition

EXAMPLES: dict[type[LifeEvent], LifeEvent] = {
    type(event): event
    for event in (
        life.Identified("abcdefgh"),
        life.NetworkKnown("abcdefgh", "home"),
        life.Joined("home", "192.0.2.7"),
        life.JoinFailed("home", "no such network"),
        life.NetworkLost("the station lost its network"),
        life.TokenHeld(),
        life.TokenMissing(),
        life.CertificateHeld(),
        life.Bound(1),
        life.RegistrationHeld("review", disputed=False),
        life.ClaimSetAside("disputed"),
        life.RegistrationRefused("used token", "start a new set-up"),
        life.Unknown("released"),
        life.Blocked("stolen"),
        life.PlatformSilent("no route"),
        life.AskAgain(),
        life.SessionOpened("mTLS"),
        life.SessionFailed("no route"),
        life.SessionRefused("not authorised"),
        life.SessionLost("closed"),
        life.RenewalDue(),
        life.Renewed(1),
        life.WasReset(),
        life.Stopped(),
    )
}


def test_table_has_a_row_for_every_state_and_an_example_for_every_event() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {event for row in TRANSITIONS.values() for event in row} == set(EXAMPLES)


def test_every_state_can_be_reached_and_left_but_stopped() -> None:
    reached, frontier = {State.BLANK}, [State.BLANK]
    while frontier:
        new = set(TRANSITIONS[frontier.pop()].values()) - reached
        reached |= new
        frontier += new
    assert reached == set(State)
    assert [state for state, row in TRANSITIONS.items() if not row] == [State.STOPPED]


def test_every_state_but_stopped_takes_the_order_to_stop() -> None:
    for state in set(State) - {State.STOPPED}:
        assert advance(state, life.Stopped()) is State.STOPPED


@given(state=st.sampled_from(State), event=st.sampled_from(sorted(EXAMPLES, key=lambda kind: kind.__name__)))
def test_advance_moves_by_the_table_or_refuses(state: State, event: type[LifeEvent]) -> None:
    if event in TRANSITIONS[state]:
        assert advance(state, EXAMPLES[event]) is TRANSITIONS[state][event]
    else:
        with pytest.raises(IllegalTransition, match=event.__name__):
            advance(state, EXAMPLES[event])


def test_blocked_device_never_sends_without_asking_first() -> None:
    assert set(TRANSITIONS[State.BLOCKED].values()) == {State.ASKING, State.JOINING, State.STOPPED}


@pytest.mark.parametrize(
    ("token", "certificate", "expected"),
    [
        (True, True, life.TokenHeld()),
        (True, False, life.TokenHeld()),
        (False, True, life.CertificateHeld()),
        (False, False, life.TokenMissing()),
    ],
)
def test_device_on_the_network_shows_its_token_first(
    *, token: bool, certificate: bool, expected: LifeEvent
) -> None:
    assert life.online_event(Holdings(token, certificate)) == expected


def test_second_claim_does_not_stop_a_device_that_has_an_owner() -> None:
    assert life.held_event("two claims", disputed=True, certificate=True) == life.ClaimSetAside("two claims")
    held = life.held_event("two claims", disputed=True, certificate=False)
    assert held == life.RegistrationHeld("two claims", disputed=True)


def test_diagram_shows_every_move() -> None:
    drawn = life.diagram()
    for state, row in TRANSITIONS.items():
        for event, target in row.items():
            arrow = f"{state.name.lower()} --> {target.name.lower()}: "
            assert any(
                arrow in line and event.__name__ in line.split(": ", 1)[1].split(", ")
                for line in drawn.splitlines()
            )


def test_states_are_an_enum_with_words_for_people() -> None:
    assert issubclass(State, enum.Enum)
    assert all(" " in state.value for state in State)


def test_documentation_shows_the_diagram_that_the_table_gives() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "device-life.md"
    assert f"```mermaid\n{life.diagram()}```\n" in page.read_text(encoding="utf-8")
