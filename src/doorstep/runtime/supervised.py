"""``run/supervisor.json``: what the supervisor knows, for ``doorstep status`` and for other programs."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from doorstep.runtime.state import StateFolder

__all__ = ["RoleStatus", "Status", "file_of", "lives", "read", "write"]


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One role as the supervisor sees it. ``since`` is in seconds since 1970."""

    phase: str
    pid: int | None
    since: float
    restarts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """The supervisor's own process and its roles, in start order."""

    pid: int
    started: float
    roles: Mapping[str, RoleStatus]


def file_of(state: StateFolder) -> Path:
    """Return where the status stands."""
    return state.run / "supervisor.json"


def write(state: StateFolder, status: Status) -> None:
    """Replace the status; a full disk leaves the one before, for supervising goes on without it."""
    path = file_of(state)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        temporary.write_text(json.dumps(asdict(status)), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)


def read(state: StateFolder) -> Status | None:
    """Return the status that was written last, or None when there is none."""
    try:
        document: dict[str, Any] = json.loads(file_of(state).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    roles = {name: RoleStatus(**role) for name, role in document["roles"].items()}
    return Status(document["pid"], document["started"], roles)


def lives(pid: int) -> bool:
    """Say whether a process of this number runs; one that died and whom nobody mourns yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return not stat.rpartition(")")[2].startswith(" Z")
