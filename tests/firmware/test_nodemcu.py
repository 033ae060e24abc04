import pytest

from tests.firmware.boards import HERE, nodemcu


@pytest.mark.peer
def test_state_is_whole_after_a_power_cut_at_any_step() -> None:
    answers = nodemcu(HERE / "store_cuts.lua").answers([str(step) for step in range(4)])
    assert answers == ["old new", "old new", "middle new", "middle new"]
