"""The roles' log files, each capped: what grows over the cap becomes the one older file."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["LONGEST_BYTES", "opened", "rotate", "tail"]

LONGEST_BYTES: Final = 8 * 1024**2
"""A role keeps at most twice this: its log and the one before."""
_TAIL_BYTES: Final = 8192


def opened(path: Path) -> BinaryIO:
    """Open a log (0600) for a child; every write of it goes to the end, also after a rotation."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)


def rotate(path: Path, longest: int = LONGEST_BYTES) -> None:
    """Move a log's text to ``<name>.1`` when it has become too long; its writers notice nothing."""
    if not path.exists() or path.stat().st_size <= longest:
        return
    older = path.with_name(f"{path.name}.1")
    try:
        shutil.copyfile(path, older)
    except OSError:
        # No room for the older text: the cap matters more, for the disk is full.
        older.unlink(missing_ok=True)
    os.truncate(path, 0)


def tail(path: Path, lines: int = 8) -> str:
    """Return the last lines of a log, or nothing when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
