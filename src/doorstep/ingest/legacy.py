"""Legacy boards beside the sealed way: their messages, their session ids, and what is passed on to a peer.

Nothing of this runs for a batch without legacy messages. Boards are loaded and kept as sealed devices are, so
what is done here counts only once the batch is stored, and answers leave after that: one moment for all.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from doorstep.errors import MalformedMessage, VerificationFailed
from doorstep.ingest.batch import Batch, MessageRow
from doorstep.messaging.legacy.board import LEGACY_EPOCH, Board, BoardState
from doorstep.messaging.legacy.errors import LegacyRefused, LegacyRepeat
from doorstep.messaging.legacy.formats import SESSION_CHANNEL, Format, read_formats
from doorstep.messaging.legacy.keys import LegacyKeys
from doorstep.messaging.legacy.readings import payload_of
from doorstep.ownership.life import Life
from doorstep.runtime.dead_letters import Letter
from doorstep.runtime.secrets import KeyFile
from doorstep.wire import senml

__all__ = ["LEGACY_CHANNELS", "BoardRow", "LegacyDesk"]

LEGACY_CHANNELS: Final = frozenset({*Format, SESSION_CHANNEL})


class BoardRow(NamedTuple):
    """A legacy board as stored, keys wrapped, with what decides whether anything of it is taken."""

    row: int
    device_id: str
    generation: int
    blocked: bool
    life: str
    owner: int | None
    period: int
    taken: str
    """The product's legacy formats."""
    kind: str
    node_id: str
    keys: bytes
    peer: int | None
    keys_period: int
    migrated_us: int | None
    state: BoardState

    @property
    def refusal(self) -> str:
        """Why nothing of it is taken, empty when it is."""
        if self.blocked:
            return "revoked"
        if self.life != Life.OWNED:
            return "not_owned"
        if self.migrated_us is not None:
            return "migrated"
        is_taken = self.kind in read_formats(self.taken) and self.keys_period == self.period
        return "" if is_taken else "legacy_off"


@dataclass(slots=True)
class _Known:
    stored: BoardRow
    board: Board | None
    refusal: str


@dataclass(slots=True)
class LegacyDesk:
    """The boards that are known, and what becomes of their messages."""

    _key_file: KeyFile
    _rng: Callable[[int], bytes] = os.urandom
    _known: dict[str, _Known] = field(default_factory=dict)
    _by_row: dict[int, _Known] = field(default_factory=dict)
    _looked_for: set[str] = field(default_factory=set)

    def missing(self) -> list[str]:
        """Return the boards to load before the next batch is opened."""
        wanted = [name for name in self._looked_for if name not in self._known]
        self._looked_for.clear()
        return wanted

    def look_for(self, device_id: str) -> None:
        """Note that a message of this device came on a legacy channel."""
        self._looked_for.add(device_id)

    def learn(self, boards: Iterable[BoardRow]) -> None:
        """Take boards that were loaded, and the peers with them."""
        for stored in boards:
            if stored.row not in self._by_row:
                self._known[stored.device_id] = self._by_row[stored.row] = self._ready(stored)

    def forget(self) -> None:
        """Begin again from what is stored."""
        self._known.clear()
        self._by_row.clear()

    def take(self, batch: Batch, device_id: str, channel: str, payload: bytes) -> None:
        """Put into the batch whatever comes of one message."""
        known = self._known.get(device_id)
        if known is None or known.board is None:
            refusal = known.refusal if known else "unknown_device"
            if known:
                batch.generations[known.stored.row] = known.stored.generation
            batch.letters.append(_letter(batch, device_id, channel, refusal, payload))
            return
        try:
            if channel == SESSION_CHANNEL:
                self._take_session(batch, known, known.board, payload)
            else:
                self._take_message(batch, known, known.board, payload)
        except LegacyRepeat:
            pass  # it is stored already
        except LegacyRefused:
            batch.letters.append(_letter(batch, device_id, channel, "legacy_refused", payload))
        except MalformedMessage as error:
            letter = _letter(batch, device_id, channel, "bad_payload", payload)
            batch.letters.append(replace(letter, detail=error.message))
        _note(batch, known, known.board)

    def _take_session(self, batch: Batch, known: _Known, board: Board, payload: bytes) -> None:
        if board.kind is not Format.ARTICLE:
            raise MalformedMessage(f"the format {board.kind} has no session ids")
        if payload:
            board.announce(payload, batch.received_us)
        else:
            self._give_session(batch, known, board)

    def _take_message(self, batch: Batch, known: _Known, board: Board, payload: bytes) -> None:
        try:
            number, said = board.receive(payload, batch.received_us)
        except LegacyRefused:
            self._give_session(batch, known, board)
            raise
        self._give_session(batch, known, board)
        readings = payload_of(board.kind, said)
        stored = known.stored
        row = MessageRow(
            stored.row,
            LEGACY_EPOCH,
            number,
            board.kind.value,
            batch.received_us,
            stored.period,
            senml.check(readings),
            readings,
        )
        batch.rows.append(row)
        self._pass_on(batch, known, board, said)

    def _give_session(self, batch: Batch, known: _Known, board: Board) -> None:
        if board.kind is Format.ARTICLE:
            session = board.give_session(batch.received_us, self._rng)
            batch.answers.append((_down(known, SESSION_CHANNEL), session))

    def _pass_on(self, batch: Batch, known: _Known, board: Board, said: bytes) -> None:
        """Bring what a board said to the one that its owner named, under that one's keys."""
        if known.stored.peer is None:
            return
        peer = self._by_row.get(known.stored.peer)
        sealed = None
        if peer is not None and peer.board is not None and _may_meet(known.stored, peer.stored):
            sealed = peer.board.seal_from(board.node_id, said, batch.received_us, self._rng)
            _note(batch, peer, peer.board)
        if peer is None or sealed is None:
            batch.letters.append(
                _letter(batch, known.stored.device_id, board.kind, "peer_not_listening", b"")
            )
            return
        batch.answers.append((_down(peer, board.kind), sealed))

    def _ready(self, stored: BoardRow) -> _Known:
        if stored.refusal:
            return _Known(stored, None, stored.refusal)
        try:
            context = f"legacy/{stored.device_id}/keys"
            keys = LegacyKeys.from_bytes(self._key_file.unwrap(bytes(stored.keys), context))
        except (VerificationFailed, MalformedMessage):
            return _Known(stored, None, "unreadable_keys")
        board = Board(Format(stored.kind), stored.node_id.encode(), keys, stored.state)
        return _Known(stored, board, "")


def _note(batch: Batch, known: _Known, board: Board) -> None:
    batch.generations[known.stored.row] = known.stored.generation
    batch.boards[known.stored.row] = board.state


def _may_meet(one: BoardRow, other: BoardRow) -> bool:
    return one.owner == other.owner and one.kind == other.kind


def _down(known: _Known, channel: str) -> bytes:
    return f"d.{known.stored.device_id}.down.{channel}".encode()


def _letter(batch: Batch, device_id: str, channel: str, reason: str, payload: bytes) -> Letter:
    return Letter(batch.received_us, device_id, f"d/{device_id}/up/{channel}", reason, "", payload)
