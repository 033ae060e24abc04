"""The table ``sealed_state`` and the values of the ``messaging`` core: one translation for all shells."""

from typing import Any, Final

from doorstep.messaging.state import SealedState, StoredState
from doorstep.runtime.secrets import KeyFile

__all__ = ["SEALED_COLUMNS", "read_sealed", "sealed_row"]

SEALED_COLUMNS: Final = StoredState._fields
"""Columns in the order in which `read_sealed` takes and `sealed_row` gives their values."""

_SECRETS: Final = {
    "root": "root",
    "master": "master",
    "previous_master": "previous",
    "staged_root": "staged",
}
"""Columns that are wrapped, and the last word of their context."""


def read_sealed(key_file: KeyFile, device_id: str, row: tuple[Any, ...]) -> SealedState:
    """Return the state in a row of SEALED_COLUMNS; raise VerificationFailed for a foreign key file."""
    stored = StoredState(*row)
    secrets: dict[str, Any] = {
        column: key_file.unwrap(bytes(wrapped), f"sealed/{device_id}/{name}")
        for column, name in _SECRETS.items()
        if (wrapped := getattr(stored, column)) is not None
    }
    return SealedState.from_columns(stored._replace(**secrets))


def sealed_row(key_file: KeyFile, device_id: str, state: SealedState) -> StoredState:
    """Return the values of SEALED_COLUMNS for a state, its secrets wrapped."""
    stored = state.columns()
    wrapped: dict[str, Any] = {
        column: key_file.wrap(secret, f"sealed/{device_id}/{name}")
        for column, name in _SECRETS.items()
        if (secret := getattr(stored, column)) is not None
    }
    return stored._replace(**wrapped)
