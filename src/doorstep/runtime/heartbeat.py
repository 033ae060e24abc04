"""A role's sign of life: one small file in the state folder that the supervisor and ``status`` read."""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from doorstep.runtime.state import StateFolder

__all__ = ["BEAT_S", "SILENT_S", "Heartbeat", "Pulse", "read"]

BEAT_S = 1.0
"""A role calls ``beat`` this often."""

SILENT_S = 30.0
"""A role without a sign of life for so long hangs."""


@dataclass(slots=True)
class Heartbeat:
    """Writes ``run/<role>.json``. The first beat says that the role is ready to serve."""

    state: StateFolder
    role: str
    started: float = field(default_factory=time.time)

    def beat(self, **figures: float | str) -> None:
        """Say that the role lives, with figures worth showing (messages stored, sessions, …)."""
        path = self.state.run / f"{self.role}.json"
        temporary = path.with_suffix(f".{os.getpid()}")
        document = {"pid": os.getpid(), "started": self.started, "at": time.time(), "figures": figures}
        try:
            temporary.write_text(json.dumps(document), encoding="utf-8")
            temporary.replace(path)
        except OSError:
            # A full disk must not end a role that still answers: the time of the last beat needs no space.
            temporary.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                os.utime(path)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a role said last. Times are seconds since 1970."""

    pid: int
    started: float
    at: float
    figures: Mapping[str, float | str]


def read(state: StateFolder, role: str) -> Pulse | None:
    """Return the last beat of a role, or None when it never came up."""
    try:
        with (state.run / f"{role}.json").open(encoding="utf-8") as file:
            document, touched = json.load(file), os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return None
    return Pulse(document["pid"], document["started"], max(document["at"], touched), document["figures"])
