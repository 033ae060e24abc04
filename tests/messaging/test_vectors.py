import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.peers import install_peer, printed, pycose_folder

REPOSITORY = Path(__file__).parents[2]
VECTORS = REPOSITORY / "vectors"


def names() -> list[str]:
    cases = json.loads((VECTORS / "sealed.json").read_text(encoding="utf-8"))["messages"]
    return [case["name"] for case in cases]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}


@pytest.fixture(scope="session")
def pycose() -> Path:
    return pycose_folder()


@pytest.fixture(scope="session")
def cose_js() -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("peer cose-js needs node and npm, which are not installed here")
    return install_peer(
        "cose-js", [npm, "install", "--no-audit", "--no-fund", "--prefix", "TARGET", "cose-js@0.9.0"]
    )


def test_regenerated_vectors_equal_the_stored_ones(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(REPOSITORY / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    printed([sys.executable, VECTORS / "generate.py", tmp_path], environment)
    assert digests(tmp_path) == digests(VECTORS)


@pytest.mark.peer
def test_pycose_opens_every_message(pycose: Path) -> None:
    command: list[str | Path] = [sys.executable, VECTORS / "verify_pycose.py", VECTORS / "sealed.json"]
    assert printed(command, {"PYTHONPATH": str(pycose), "PYTHONDONTWRITEBYTECODE": "1"}) == names()


@pytest.mark.peer
def test_cose_js_opens_every_message(cose_js: Path) -> None:
    assert printed(["node", VECTORS / "verify_cose_js.cjs", VECTORS / "sealed.json", cose_js]) == names()
