"""A role's sign of life: one small file in the state folder that the supervisor and ``status`` read."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from doorstep.runtime.state import StateFolder

__all__ = ["BEAT_S", "Heartbeat", "Pulse", "read"]

BEAT_S = 1.0
"""A role calls ``beat`` this often."""


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
        temporary.write_text(json.dumps(document), encoding="utf-8")
        temporary.replace(path)


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
        document = json.loads((state.run / f"{role}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Pulse(document["pid"], document["started"], document["at"], document["figures"])
