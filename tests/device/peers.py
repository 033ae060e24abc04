"""Strangers' libraries in folders of their own, installed once by pip and kept beside the code."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

__all__ = ["install_peer"]

_CACHE: Final = Path(__file__).parents[2] / ".cache" / "peers"
_PIP_TIMEOUT_S: Final = 100


def install_peer(name: str, requirements: Sequence[str]) -> Path:
    """Return the folder that holds exactly ``requirements``; skips the test where pip cannot install them."""
    folder = _CACHE / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    if not folder.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_CACHE))
        try:
            _pip(name, requirements, fresh)
            _publish(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _pip(name: str, requirements: Sequence[str], target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--target", str(target), *requirements],
        capture_output=True,
        text=True,
        timeout=_PIP_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"pip cannot install the peer {name}: {done.stderr.strip()[-200:]}")


def _publish(fresh: Path, folder: Path) -> None:
    """Move a whole folder into place; another process may have been faster."""
    try:
        fresh.rename(folder)
    except OSError:
        assert folder.exists()
