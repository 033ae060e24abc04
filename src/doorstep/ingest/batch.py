"""What one batch makes of the messages it was given: rows, progress and refusals, to be stored together."""

from dataclasses import dataclass, field
from typing import NamedTuple

from doorstep.ingest.aside import Aside
from doorstep.messaging.legacy.board import BoardState
from doorstep.messaging.opener import Progress
from doorstep.messaging.state import StoredState
from doorstep.runtime.dead_letters import Letter

__all__ = ["Batch", "DeviceRow", "MessageRow", "Suspect"]


class DeviceRow(NamedTuple):
    """What ingest keeps of a device; ``generation`` tells whether it still holds."""

    row: int
    device_id: str
    blocked: bool
    life: str
    generation: int
    ownership_period: int
    sealed: StoredState | None
    """As stored, secrets wrapped; None for a device without keys."""


class MessageRow(NamedTuple):
    """One row of the table ``message``."""

    device: int
    epoch: int
    sequence: int
    channel: str
    received_us: int
    ownership_period: int
    reading_count: int
    payload: bytes


class Suspect(NamedTuple):
    """A message that the replay window refused: a repeat when it is stored already, else a dead letter."""

    device: int
    epoch: int
    sequence: int
    letter: Letter


@dataclass(slots=True)
class Batch:
    """Everything that one transaction stores."""

    received_us: int
    rows: list[MessageRow] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    suspects: list[Suspect] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    """What messages of other channels than ``data`` mean, beside their rows."""
    progress: dict[int, Progress] = field(default_factory=dict)
    """New replay windows of devices that stayed in their epoch."""
    states: dict[int, StoredState] = field(default_factory=dict)
    """Whole new states, wrapped, of devices that changed it."""
    generations: dict[int, int] = field(default_factory=dict)
    """Devices that the batch touches, and the generation under which it was opened."""
    boards: dict[int, BoardState] = field(default_factory=dict)
    """New states of legacy boards."""
    answers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Subject and payload of what boards are told once the batch is stored."""
