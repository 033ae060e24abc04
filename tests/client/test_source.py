"""The client as the description has it; ``python -m tests.client.test_source`` writes it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.source import operations, shapes

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src" / "doorstep" / "client"


def written() -> dict[str, str]:
    """Return name → text of the modules as they must be."""
    described = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))
    return {"shapes.py": _formatted(shapes(described)), "operations.py": _formatted(operations(described))}


def _formatted(source: str) -> str:
    command = ["ruff", "format", "--quiet", "--stdin-filename", str(FOLDER / "made.py"), "-"]
    done = subprocess.run(
        [sys.executable, "-m", *command], input=source, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("name", ["shapes.py", "operations.py"])
def test_client_is_what_the_description_says(name: str) -> None:
    """Write it again with: python -m tests.client.test_source."""
    assert (FOLDER / name).read_text(encoding="utf-8") == written()[name], (
        "python -m tests.client.test_source"
    )


if __name__ == "__main__":
    for name, text in written().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
