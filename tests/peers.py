"""Strangers' libraries for tests: each in a folder of its own, so that their old pins never meet ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["peer_python", "run_peer"]

_ROOT = Path(__file__).parent.parent / ".cache" / "peers"


def peer_python(name: str, *requirements: str) -> Path:
    """Install requirements below .cache/peers once; skip the test, by name, where that cannot be done."""
    target = _ROOT / name
    if (target / ".complete").exists():
        return target
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--target", str(target), "--upgrade", *requirements],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    if done.returncode:
        pytest.skip(f"peer {name} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    (target / ".complete").touch()
    return target


def run_peer(target: Path, script: str, *arguments: str) -> str:
    """Run a script that sees the peer and nothing of ours; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
