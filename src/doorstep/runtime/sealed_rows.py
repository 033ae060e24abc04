"""The table ``sealed_state`` and the values of the ``messaging`` core: one translation for all shells."""

from typing import Any, Final

from doorstep.messaging.state import SealedState, StoredState
from doorstep.runtime.secrets import KeyFile

__all__ = ["SEALED_COLUMNS", "read_sealed", "sealed_row"]

SEALED_COLUMNS: Final = (
    "epoch",
    "seq_high",
    "window_bits",
    "previous_epoch",
    "previous_seq_high",
    "previous_window_bits",
    "previous_until_us",
    "root",
    "master",
    "previous_master",
)
"""In this order `read_sealed` takes them and `sealed_row` gives them."""


def read_sealed(key_file: KeyFile, device_id: str, row: tuple[Any, ...]) -> SealedState:
    """Return the state in a row of SEALED_COLUMNS; raise VerificationFailed for a foreign key file."""
    *numbers, root, master, previous = row
    unwrapped_root = key_file.unwrap(bytes(root), f"sealed/{device_id}/root")
    if master is None:
        return SealedState.first(unwrapped_root, numbers[0])
    secret = key_file.unwrap(bytes(master), f"sealed/{device_id}/master")
    older = None if previous is None else key_file.unwrap(bytes(previous), f"sealed/{device_id}/previous")
    return SealedState.from_columns(StoredState(*numbers, unwrapped_root, secret, older))


def sealed_row(key_file: KeyFile, device_id: str, state: SealedState) -> tuple[Any, ...]:
    """Return the values of SEALED_COLUMNS for a state, its secrets wrapped."""
    stored = state.columns()
    older = stored.prev_master_secret
    return (
        stored.epoch,
        stored.seq_high,
        stored.window_bits,
        stored.prev_epoch,
        -1 if stored.prev_seq_high is None else stored.prev_seq_high,
        stored.prev_window_bits or 0,
        stored.prev_until_us,
        key_file.wrap(stored.root, f"sealed/{device_id}/root"),
        key_file.wrap(stored.master_secret, f"sealed/{device_id}/master"),
        None if older is None else key_file.wrap(older, f"sealed/{device_id}/previous"),
    )
