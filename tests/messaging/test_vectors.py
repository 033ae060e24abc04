import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.peers import aiocoap_folder, install_peer, printed, pycose_folder

REPOSITORY = Path(__file__).parents[2]
VECTORS = REPOSITORY / "vectors"


FILES = pytest.mark.parametrize("file", ["sealed.json", "sealed-variants.json"])


def names(file: str) -> list[str]:
    cases = json.loads((VECTORS / file).read_text(encoding="utf-8"))["messages"]
    return [case["name"] for case in cases]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}


@pytest.fixture(scope="session")
def pycose() -> Path:
    return pycose_folder()


@pytest.mark.peer
def test_aiocoap_derives_every_key() -> None:
    files = [VECTORS / "sealed.json", VECTORS / "sealed-variants.json"]
    usual, variants = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    command: list[str | Path] = [sys.executable, VECTORS / "verify_aiocoap.py", *files]
    lines = printed(command, {"PYTHONPATH": str(aiocoap_folder()), "PYTHONDONTWRITEBYTECODE": "1"})
    assert len(lines) == 2 * len(usual["schedule"]) + len(variants["messages"])


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
@FILES
def test_pycose_opens_every_message(pycose: Path, file: str) -> None:
    command: list[str | Path] = [sys.executable, VECTORS / "verify_pycose.py", VECTORS / file]
    assert printed(command, {"PYTHONPATH": str(pycose), "PYTHONDONTWRITEBYTECODE": "1"}) == names(file)


@pytest.mark.peer
@FILES
def test_cose_js_opens_every_message(cose_js: Path, file: str) -> None:
    assert printed(["node", VECTORS / "verify_cose_js.cjs", VECTORS / file, cose_js]) == names(file)
