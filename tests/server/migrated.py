"""An empty database with all tables: SQLite's is migrated once, then copied for each worker of each run."""

import hashlib
import os
import sqlite3
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

from doorstep.runtime.state import StateFolder
from doorstep.server.setup import migrate, start

__all__ = ["begin"]

_CHECKOUT: Final = Path(__file__).parents[2]
_CACHE: Final = _CHECKOUT / ".cache" / "migrated"
_OTHERS: Final = ("django", "django-allauth")
"""Whose migrations are applied beside our own."""


def begin() -> None:
    """Start Django on a database that is up to date, in the state folder that the environment names."""
    if "DOORSTEP_DATABASE_URL" in os.environ:
        migrate()
        return
    file = StateFolder.open(Path(os.environ["DOORSTEP_STATE"])).sqlite_file
    kept = _CACHE / f"{_recipe()}.sqlite3"
    if kept.exists():
        file.write_bytes(kept.read_bytes())
        start()
        return
    migrate()
    _keep(file, kept)


def _recipe() -> str:
    migrations = sorted((_CHECKOUT / "src").glob("**/migrations/*.py"))
    parts = [one.read_bytes() for one in migrations] + [version(one).encode() for one in _OTHERS]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]


def _keep(file: Path, kept: Path) -> None:
    _CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        copy = Path(folder) / "copy"
        connection = sqlite3.connect(file)
        connection.execute("VACUUM INTO ?", (str(copy),))
        connection.close()
        copy.replace(kept)  # whole or not at all: another worker may do the same
