"""Writers of one process take turns on SQLite, which else makes the loser of each race sleep and starve."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Final

from django.db import connection, transaction

__all__ = ["transaction_in_turn"]

_turn: Final = RLock()


@contextmanager
def transaction_in_turn() -> Iterator[None]:
    """Run the block in a transaction; on SQLite one thread at a time. PostgreSQL queues better itself."""
    if connection.vendor != "sqlite":
        with transaction.atomic():
            yield
        return
    with _turn, transaction.atomic():
        yield
