import sys

import pytest

from tests.firmware.boards import HERE, Board, lupa


@pytest.mark.peer
def test_state_is_whole_after_a_power_cut_at_any_step() -> None:
    board = Board([sys.executable, HERE / "nodemcu_shim.py", HERE / "store_cuts.lua"], {"PYTHONPATH": str(lupa())})
    answers = board.answers([str(step) for step in range(4)])
    assert answers == ["old new", "old new", "middle new", "middle new"]
