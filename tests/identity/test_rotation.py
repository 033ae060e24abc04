import pytest

from doorstep.errors import IllegalTransition
from doorstep.identity.rotation import (
    TRANSITIONS,
    Abandoned,
    Asked,
    Proven,
    RotationEvent,
    Stage,
    Staged,
    advance,
    diagram,
)

EVENTS: tuple[RotationEvent, ...] = (Asked(), Staged(), Proven(), Abandoned())
REFUSED = [(stage, event) for stage in Stage for event in EVENTS if type(event) not in TRANSITIONS[stage]]


def test_platform_walks_from_one_key_to_the_next() -> None:
    stage = Stage.SETTLED
    for event, after in ((Asked(), Stage.OFFERED), (Staged(), Stage.STAGED), (Proven(), Stage.SETTLED)):
        stage = advance(stage, event)
        assert stage is after


@pytest.mark.parametrize(
    ("stage", "event"), REFUSED, ids=lambda value: getattr(value, "name", type(value).__name__)
)
def test_table_refuses_what_it_does_not_list(stage: Stage, event: RotationEvent) -> None:
    with pytest.raises(IllegalTransition):
        advance(stage, event)


def test_nobody_abandons_a_staged_key() -> None:
    assert (Stage.STAGED, Abandoned()) in REFUSED


def test_every_stage_can_end_settled() -> None:
    reached = {Stage.SETTLED}
    for _ in Stage:
        reached |= {stage for stage, moves in TRANSITIONS.items() if reached & set(moves.values())}
    assert reached == set(Stage)


def test_diagram_draws_every_move() -> None:
    drawn = diagram()
    for stage, moves in TRANSITIONS.items():
        for event, target in moves.items():
            (line,) = [
                row
                for row in drawn.splitlines()
                if row.strip().startswith(f"{stage.value} --> {target.value}:")
            ]
            assert event.__name__ in line
