"""Strangers' libraries for tests: each in a folder of its own, so that their old pins never meet ours."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

__all__ = ["aiocoap_folder", "install_peer", "printed", "pycose_folder"]

_PEERS = Path(__file__).parent.parent / ".cache" / "peers"
_INSTALL_SECONDS = 100


def install_peer(name: str, install: list[str]) -> Path:
    """Return the folder that ``install`` filled, or skip by name where it cannot be filled.

    ``install`` holds the word TARGET where the folder stands.
    """
    folder = _PEERS / name
    if folder.exists():
        return folder
    _PEERS.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=_PEERS))
    command = [str(fresh) if word == "TARGET" else word for word in install]
    done = subprocess.run(
        command, cwd=fresh, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if done.returncode:
        shutil.rmtree(fresh)
        pytest.skip(f"peer {name} cannot be installed here: {done.stderr.strip()[-200:]}")
    try:
        fresh.rename(folder)
    except OSError:
        # Another test process installed it meanwhile.
        shutil.rmtree(fresh)
    return folder


def pycose_folder() -> Path:
    """Return where pycose is; 1.1.0 takes arrays inside tags for lists, which cbor2 6 makes tuples."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", "TARGET"]
    return install_peer("pycose", [*pip, "pycose==1.1.0", "cbor2<6"])


def aiocoap_folder() -> Path:
    """Return where aiocoap is, which takes cbor2 and cryptography from this environment."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "TARGET"]
    return install_peer("aiocoap", [*pip, "aiocoap==0.4.17", "filelock==3.20.0"])


def printed(command: list[str | Path], environment: Mapping[str, str] | None = None) -> list[str]:
    """Run a peer and return the lines that it prints."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
