"""What the platform stores for one device's sealed messages, and its form as database columns."""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

from doorstep.messaging.keys import master_secret, next_root
from doorstep.messaging.replay import NOTHING_SEEN, signed_window, unsigned_window

__all__ = ["EpochState", "SealedState", "StoredState"]


class StoredState(NamedTuple):
    """The columns of a SealedState: windows are signed 64-bit, secrets raw (wrap them before storing)."""

    epoch: int
    seq_high: int
    window_bits: int
    root: bytes
    master_secret: bytes
    prev_epoch: int | None = None
    prev_seq_high: int | None = None
    prev_window_bits: int | None = None
    prev_until_us: int | None = None
    prev_master_secret: bytes | None = None

    def __repr__(self) -> str:
        return f"StoredState(epoch={self.epoch}, seq_high={self.seq_high})"


@dataclass(frozen=True, slots=True)
class EpochState:
    """One epoch: its master secret and its replay window."""

    epoch: int
    master_secret: bytes = field(repr=False)
    high: int = NOTHING_SEEN
    window: int = 0


@dataclass(frozen=True, slots=True)
class SealedState:
    """The current epoch, the root of the one after it, and the previous epoch until a deadline."""

    current: EpochState
    root: bytes = field(repr=False)
    previous: EpochState | None = None
    previous_until_us: int = 0

    @classmethod
    def first(cls, root: bytes, epoch: int = 0) -> Self:
        """Return the state of a device that will start with ``root`` at ``epoch``."""
        return cls(EpochState(epoch, master_secret(root)), next_root(root))

    @classmethod
    def from_columns(cls, row: StoredState) -> Self:
        """Return the state that `columns` made ``row`` of."""
        current = EpochState(row.epoch, row.master_secret, row.seq_high, unsigned_window(row.window_bits))
        match row:
            case StoredState(
                prev_epoch=int(epoch),
                prev_seq_high=int(high),
                prev_window_bits=int(bits),
                prev_until_us=int(until_us),
                prev_master_secret=bytes(secret),
            ):
                return cls(
                    current, row.root, EpochState(epoch, secret, high, unsigned_window(bits)), until_us
                )
            case _:
                return cls(current, row.root)

    def columns(self) -> StoredState:
        """Return the state as columns."""
        current, previous = self.current, self.previous
        row = StoredState(
            epoch=current.epoch,
            seq_high=current.high,
            window_bits=signed_window(current.window),
            root=self.root,
            master_secret=current.master_secret,
        )
        if previous is None:
            return row
        return row._replace(
            prev_epoch=previous.epoch,
            prev_seq_high=previous.high,
            prev_window_bits=signed_window(previous.window),
            prev_until_us=self.previous_until_us,
            prev_master_secret=previous.master_secret,
        )
