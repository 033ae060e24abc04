import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.boards import FIRMWARE, HERE, micropython

SCENE = """
from doorstep_device import FileState
state = FileState({path!r})
assert state.load() == bytes(36)
state.store(bytes([1] * 36))
try:
    FileState({path!r} + "/nowhere/state").store(bytes([2] * 36))
except OSError:
    print("refused")
print(state.load() == bytes([1] * 36))
"""


def scene(folder: Path) -> str:
    path = folder / "state"
    path.write_bytes(bytes(36))
    script = folder / "scene.py"
    script.write_text(SCENE.format(path=str(path)), encoding="utf-8")
    return str(script)


@pytest.mark.peer
def test_micropython_replaces_its_state_whole(tmp_path: Path) -> None:
    board = micropython()
    done = subprocess.run(
        [*board.command, scene(tmp_path)],
        env=board.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["refused", "True"], done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scene.py", "state"]


def test_cpython_replaces_its_state_whole(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": f"{FIRMWARE / 'micropython'}{os.pathsep}{HERE / 'cpython'}"}
    done = subprocess.run(
        [sys.executable, "-B", scene(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["refused", "True"], done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scene.py", "state"]
