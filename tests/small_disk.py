"""A real, small file system for scripts that must see a full disk."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["on_small_disk"]


def on_small_disk(folder: Path, size: str, module: str, *arguments: str, seconds: float = 60) -> str:
    """Run ``python -m module ARGUMENTS FOLDER`` in a mount namespace of its own; return what it prints.

    FOLDER is a file system of ``size``, as mount(8) spells it.
    """
    if shutil.which("unshare") is None:
        pytest.skip("needs the unshare program")
    mounted = folder / "disk"
    mounted.mkdir()
    mount = f"mount -t tmpfs -o size={size} tmpfs {mounted}"
    probe = ["unshare", "-rm", "sh", "-c", mount]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("needs mount namespaces")
    script = f"{mount} && exec {sys.executable} -m {module} {' '.join(arguments)} {mounted}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=seconds
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
