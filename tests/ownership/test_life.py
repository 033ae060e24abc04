"""The table of a device's life."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import IllegalTransition
from doorstep.ownership.life import TRANSITIONS, Life, Step, advance, can, mermaid

_PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "ownership.md"


@given(st.sampled_from(Life), st.sampled_from(Step))
def test_table_alone_decides(life: Life, step: Step) -> None:
    if can(life, step):
        assert advance(life, step) is TRANSITIONS[life][step]
    else:
        with pytest.raises(IllegalTransition, match=life.value) as caught:
            advance(life, step)
        assert caught.value.next_step


@given(st.lists(st.sampled_from(Step)))
def test_scrapped_device_stays_scrapped(steps: list[Step]) -> None:
    life = Life.SCRAPPED
    for step in steps:
        assert not can(life, step)


def test_every_state_is_reached_and_every_step_is_used() -> None:
    reached, waiting = {Life.MADE}, [Life.MADE]
    while waiting:
        for after in TRANSITIONS[waiting.pop()].values():
            if after not in reached:
                reached.add(after)
                waiting.append(after)
    assert reached == set(Life) == set(TRANSITIONS)
    assert {step for steps in TRANSITIONS.values() for step in steps} == set(Step)


def test_ownership_is_reached_only_by_binding_and_by_replacing() -> None:
    into_owned = {
        step
        for life, steps in TRANSITIONS.items()
        for step, after in steps.items()
        if after is Life.OWNED and life is not Life.OWNED
    }
    assert into_owned == {Step.BIND, Step.REPLACE}


def test_page_shows_the_diagram_that_the_code_draws() -> None:
    assert f"```mermaid\n{mermaid()}\n```" in _PAGE.read_text(encoding="utf-8")
