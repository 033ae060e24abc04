import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
VECTORS = REPOSITORY / "vectors"
PEERS = REPOSITORY / ".cache" / "peers"
INSTALL_SECONDS = 100


def names() -> list[str]:
    cases = json.loads((VECTORS / "sealed.json").read_text(encoding="utf-8"))["messages"]
    return [case["name"] for case in cases]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}


def installed(name: str, install: list[str]) -> Path:
    """Return the folder that ``install`` filled, or skip by name where it cannot be filled.

    ``install`` holds the word TARGET where the folder stands.
    """
    folder = PEERS / name
    if folder.exists():
        return folder
    PEERS.mkdir(parents=True, exist_ok=True)
    fresh = PEERS / f"{name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    command = [str(fresh) if word == "TARGET" else word for word in install]
    done = subprocess.run(
        command, cwd=fresh, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        pytest.skip(f"peer {name} cannot be installed here: {done.stderr.strip()[-200:]}")
    fresh.rename(folder)
    return folder


@pytest.fixture(scope="session")
def pycose() -> Path:
    # pycose 1.1.0 takes arrays inside tags for lists, which cbor2 6 makes tuples
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", "TARGET"]
    return installed("pycose", [*pip, "pycose==1.1.0", "cbor2<6"])


@pytest.fixture(scope="session")
def cose_js() -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("peer cose-js needs node and npm, which are not installed here")
    return installed(
        "cose-js", [npm, "install", "--no-audit", "--no-fund", "--prefix", "TARGET", "cose-js@0.9.0"]
    )


def printed(command: list[str | Path], environment: dict[str, str] | None = None) -> list[str]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


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
