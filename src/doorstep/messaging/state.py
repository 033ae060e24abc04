"""What the platform stores for one device's sealed messages, and its form as database columns."""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

from doorstep.messaging.keys import master_secret, next_root
from doorstep.messaging.replay import NOTHING_SEEN, signed_window, unsigned_window
from doorstep.messaging.variant import RATCHET_8, VARIANTS, Variant

__all__ = ["EpochState", "SealedState", "StagedRoot", "StoredState"]


class StoredState(NamedTuple):
    """The columns of a SealedState: windows are signed 64-bit, secrets raw (wrap them before storing).

    Where ``master`` is None, ``root`` is still that of ``epoch`` itself: a device that never sent.
    """

    epoch: int
    root: bytes
    master: bytes | None = None
    seq_high: int = NOTHING_SEEN
    window_bits: int = 0
    previous_epoch: int | None = None
    previous_master: bytes | None = None
    previous_seq_high: int = NOTHING_SEEN
    previous_window_bits: int = 0
    previous_until_us: int | None = None
    staged_epoch: int | None = None
    staged_root: bytes | None = None
    variant: str = RATCHET_8.name

    def __repr__(self) -> str:
        return f"StoredState(epoch={self.epoch}, seq_high={self.seq_high})"


@dataclass(frozen=True, slots=True)
class EpochState:
    """One epoch: its master secret and its replay window."""

    epoch: int
    master: bytes = field(repr=False)
    high: int = NOTHING_SEEN
    window: int = 0


@dataclass(frozen=True, slots=True)
class StagedRoot:
    """The root that takes over from the present chain with the first genuine message under it."""

    epoch: int
    """Its first."""
    root: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedState:
    """The current epoch, the root of the one after it, and the previous epoch until a deadline."""

    current: EpochState
    root: bytes = field(repr=False)
    previous: EpochState | None = None
    previous_until_us: int | None = None
    staged: StagedRoot | None = None
    variant: Variant = RATCHET_8
    unsaved: bool = field(default=False, compare=False)  # no row holds these keys yet

    @classmethod
    def first(cls, root: bytes, epoch: int = 0, variant: Variant = RATCHET_8) -> Self:
        """Return the state of a device that will start with ``root`` at ``epoch``; a static one keeps it."""
        after = root if variant.is_static else next_root(root)
        return cls(EpochState(epoch, master_secret(root)), after, variant=variant, unsaved=True)

    @classmethod
    def from_columns(cls, row: StoredState) -> Self:
        """Return the state that ``row`` stores."""
        variant = VARIANTS[row.variant]
        if row.master is None:
            return cls.first(row.root, row.epoch, variant)
        current = EpochState(row.epoch, row.master, row.seq_high, unsigned_window(row.window_bits))
        staged = None
        if row.staged_epoch is not None and row.staged_root is not None:
            staged = StagedRoot(row.staged_epoch, row.staged_root)
        if row.previous_epoch is None or row.previous_master is None:
            return cls(current, row.root, staged=staged, variant=variant)
        window = unsigned_window(row.previous_window_bits)
        previous = EpochState(row.previous_epoch, row.previous_master, row.previous_seq_high, window)
        return cls(current, row.root, previous, row.previous_until_us, staged, variant)

    def columns(self) -> StoredState:
        """Return the state as columns."""
        current, previous = self.current, self.previous
        row = StoredState(
            current.epoch,
            self.root,
            current.master,
            current.high,
            signed_window(current.window),
            variant=self.variant.name,
        )
        if self.staged is not None:
            row = row._replace(staged_epoch=self.staged.epoch, staged_root=self.staged.root)
        if previous is None:
            return row
        return row._replace(
            previous_epoch=previous.epoch,
            previous_master=previous.master,
            previous_seq_high=previous.high,
            previous_window_bits=signed_window(previous.window),
            previous_until_us=self.previous_until_us,
        )
