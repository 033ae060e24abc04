import importlib.util
import shutil
import subprocess
import sys
from types import ModuleType

import pytest

from tests.firmware.boards import FIRMWARE


def sizes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("firmware_sizes", FIRMWARE / "sizes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.peer
def test_command_shows_every_core_within_its_budget() -> None:
    if shutil.which("gcc") is None:
        pytest.skip("peer gcc is not installed here")
    done = subprocess.run(
        [sys.executable, FIRMWARE / "sizes.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 9


SOURCE = '''"""Doc."""

X = "# no comment"  # a comment


def f():
    """Doc
    more."""
    return X
'''


def test_stripping_keeps_what_a_board_runs() -> None:
    assert sizes().stripped_python(SOURCE) == 'X = "# no comment"\ndef f():\n    return X\n'
    assert (
        sizes().stripped_python('class A(Exception):\n    """Doc."""\n') == "class A(Exception):\n    pass\n"
    )
    assert sizes().stripped_lua("-- all\n  local a = 1 -- one\n\n") == "local a = 1\n"


def test_readme_shows_the_sizes_of_the_sources() -> None:
    page = (FIRMWARE / "README.md").read_text(encoding="utf-8")
    for name, size in sizes().source_sizes().items():
        assert f"| {name} | {size:,} |" in page
