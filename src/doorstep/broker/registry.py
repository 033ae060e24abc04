"""What the authorizer reads and writes: devices, credentials, proofs, sessions, refusals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from doorstep.broker.children import as_text, children_of
from doorstep.broker.duplicates import Duplicates
from doorstep.broker.policy import (
    Admission,
    ConnectRefused,
    ConnectRequest,
    CredentialFacts,
    DeviceFacts,
    LegacyFacts,
    Reason,
    admit_certificate,
    admit_legacy,
    admit_proof,
    claimed_device,
)
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.errors import RejectReason
from doorstep.messaging.legacy import login
from doorstep.messaging.proof import Counter, Standing
from doorstep.runtime.brokers import Broker
from doorstep.runtime.database import Connection, PostgresConnection
from doorstep.runtime.dead_letters import DeadLetters, Letter
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed
from doorstep.runtime.secrets import KeyFile

__all__ = ["Ended", "Registry", "Verdict"]

Verdict = Admission | ConnectRefused

_MOST_ALLOWANCES: Final = 50_000
"""Devices whose allowance is remembered; only ids of our own devices come so far."""

_BY_CERTIFICATE: Final = (
    "SELECT d.id, d.device_id, d.blocked, d.life, d.standing, d.must_renew,"
    " c.state, c.not_before_us, c.not_after_us"
    " FROM credential c JOIN device d ON d.id = c.device_id WHERE c.fingerprint = ?"
)
_BY_NAME: Final = (  # our own column names
    "SELECT d.id, d.device_id, d.blocked, d.life, d.standing, d.must_renew, s.connect_epoch, s.connect_seq,"
    f" {', '.join(f's.{column}' for column in SEALED_COLUMNS)}"
    " FROM device d JOIN sealed_state s ON s.device_id = d.id WHERE d.device_id = ?"
)
_RETIRE: Final = (
    "UPDATE credential SET state = 'superseded', ended_us = ? WHERE device_id = ? AND state = 'active'"
    " AND id < (SELECT id FROM credential WHERE fingerprint = ?)"
)
_BY_LEGACY_NAME: Final = (
    "SELECT d.id, d.device_id, d.blocked, d.life, d.standing, d.must_renew, l.format, l.login_hash,"
    " p.legacy_formats, l.ownership_period = d.ownership_period, l.migrated_us IS NOT NULL"
    " FROM device d JOIN legacy_board l ON l.device_id = d.id JOIN product p ON p.id = d.product_id"
    " WHERE d.device_id = ?"
)
_MIGRATE: Final = (
    "UPDATE legacy_board SET migrated_us = ? WHERE device_id = ? AND migrated_us IS NULL RETURNING device_id"
)
_NOTICE: Final = "UPDATE device SET generation = generation + 1 WHERE id = ?"
_OPEN_SESSION: Final = (
    "INSERT INTO device_session"
    " (device_id, broker, server_id, client_id, credential, address, children, connected_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (broker, server_id, client_id) DO NOTHING"
)
_USE_PROOF: Final = (
    "UPDATE sealed_state SET connect_epoch = ?, connect_seq = ?"
    " WHERE device_id = ? AND (connect_epoch, connect_seq) < (?, ?) RETURNING device_id"
)
_LOCK_IN_ORDER: Final = (
    "SELECT d.id FROM device d WHERE d.id IN (SELECT id FROM device WHERE device_id = ANY(?)"
    " UNION SELECT device_id FROM credential WHERE fingerprint = ANY(?)) ORDER BY d.id FOR SHARE OF d"
)
_END_SESSION: Final = (
    "UPDATE device_session SET ended_us = ?"
    " WHERE broker = ? AND server_id = ? AND client_id = ? AND ended_us IS NULL"
)
_ANOTHER: Final = (
    "SELECT 1 FROM device_session WHERE device_id = ? AND broker = ? AND ended_us IS NULL"
    " AND NOT (server_id = ? AND client_id = ?) LIMIT 1"
)
_OPEN_SESSIONS: Final = (
    "SELECT server_id, client_id FROM device_session WHERE broker = ? AND ended_us IS NULL"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A connection that is gone."""

    broker: Broker
    server_id: str
    connection: int
    at_us: int


@dataclass(slots=True)
class Registry:
    """Judges and records. Each method is one transaction on the connection it is given."""

    key_file: KeyFile
    _letters: DeadLetters = field(default_factory=DeadLetters)
    _allowances: dict[str, Allowance] = field(default_factory=dict)
    _duplicates: Duplicates = field(default_factory=Duplicates)

    def judge(self, connection: Connection, requests: Sequence[ConnectRequest], now_us: int) -> list[Verdict]:
        """Decide about each request; sessions, used proofs and refusals are durable when this returns.

        A revocation that is committed later finds the session; one that was committed earlier is seen here.
        """
        try:
            with connection.transaction():
                _lock(connection, requests)
                return [self._judge_one(connection, request, now_us) for request in requests]
        except BaseException:
            self._letters.forget()
            raise

    def end(self, connection: Connection, ended: Sequence[Ended]) -> None:
        """Record connections that are gone."""
        rows = [(e.at_us, e.broker, e.server_id, e.connection) for e in ended]
        with connection.transaction():
            connection.execute_many(_END_SESSION, rows)

    def end_all_but(
        self, connection: Connection, broker: Broker, alive: set[tuple[str, int]], now_us: int
    ) -> None:
        """Record as gone what the broker no longer knows; for what ended while we did not listen."""
        known = connection.query(_OPEN_SESSIONS, (broker,))
        gone = [
            Ended(broker, server, client, now_us) for server, client in known if (server, client) not in alive
        ]
        self.end(connection, gone)

    def record(self, connection: Connection, letters: list[Letter]) -> None:
        """Record attempts that were refused elsewhere."""
        try:
            with connection.transaction():
                self._letters.write(connection, letters)
        except BaseException:
            self._letters.forget()
            raise

    def _judge_one(self, connection: Connection, request: ConnectRequest, now_us: int) -> Verdict:
        try:
            row, admission, children = self._admit(connection, request, now_us)
            if admission.proof is not None:
                _use_up(connection, row, admission.proof)
            self._refuse_duplicate(connection, request, row, now_us)
        except ConnectRefused as refused:
            self._letters.write(connection, [_letter(request, refused, now_us)])
            return refused
        session = (
            row,
            request.broker,
            request.server_id,
            request.connection,
            request.fingerprint,
            request.address,
            children,
            now_us,
        )
        connection.query(_OPEN_SESSION, session)
        if admission.proof is None and not admission.is_legacy:
            # The device holds this certificate: those before it are proven to be needless.
            connection.query(_RETIRE, (now_us, row, request.fingerprint))
        if not admission.is_legacy and connection.query(_MIGRATE, (now_us, row)):
            connection.query(_NOTICE, (row,))  # ingest takes no more legacy messages of it
        return admission

    def _refuse_duplicate(
        self, connection: Connection, request: ConnectRequest, row: int, now_us: int
    ) -> None:
        which = (row, request.broker, request.server_id, request.connection)
        another = bool(connection.query(_ANOTHER, which))
        hold = self._duplicates.hold_us(request.client_id, another_is_open=another, now_us=now_us)
        if hold:
            raise ConnectRefused(
                Reason.DUPLICATE,
                "its connections push each other out; the open one stays, this one waits"
                f" {-(-hold // 1_000_000)} s",
            )

    def _admit(
        self, connection: Connection, request: ConnectRequest, now_us: int
    ) -> tuple[int, Admission, str]:
        """Return the device's row, what it may do, and its children as its session's row has them."""
        if request.broker is Broker.SECURE:
            found = connection.query(_locking(connection, _BY_CERTIFICATE), (request.fingerprint,))
            device, credential = (
                (_device(found[0]), CredentialFacts(*found[0][6:9])) if found else (None, None)
            )
            children = children_of(connection, found[0][0]) if found else []
            ids = tuple(child.device_id for child in children)
            admission = admit_certificate(request, device, credential, now_us, ids)
            return found[0][0], admission, as_text(children)
        name = request.username if request.username.isprintable() else ""
        if request.password.startswith(login.PREFIX):
            found = connection.query(_locking(connection, _BY_LEGACY_NAME), (name,))
            board, legacy = (_device(found[0]), _legacy(found[0])) if found else (None, None)
            admission = admit_legacy(request, board, legacy, now_us)
        else:
            found = connection.query(_locking(connection, _BY_NAME), (name,))
            known, sealed = (_device(found[0]), self._sealed(found[0])) if found else (None, None)
            admission = admit_proof(request, known, sealed, now_us)
        return found[0][0], admission, ""

    def _sealed(self, row: tuple[Any, ...]) -> Standing:
        if len(self._allowances) > _MOST_ALLOWANCES:
            self._allowances.clear()
        allowance = self._allowances.setdefault(row[1], Allowance())
        return Standing(read_sealed(self.key_file, row[1], row[8:]), (row[6], row[7]), allowance)


def _device(row: tuple[Any, ...]) -> DeviceFacts:
    return DeviceFacts(
        device_id=row[1], blocked=bool(row[2]), life=row[3], standing=row[4], must_renew=bool(row[5])
    )


def _legacy(row: tuple[Any, ...]) -> LegacyFacts:
    kind, login_hash, taken, is_owners, is_migrated = row[6:11]
    return LegacyFacts(kind, login_hash, taken, bool(is_owners), bool(is_migrated))


def _use_up(connection: Connection, row: int, proof: Counter) -> None:
    """Store that a proof was used; refuse it where another authorizer has used it since we looked."""
    if not connection.query(_USE_PROOF, (*proof, row, *proof)):
        raise ConnectRefused(Reason.BAD_PROOF, f"{RejectReason.REPLAYED}: the proof was used this moment")


def _lock(connection: Connection, requests: Sequence[ConnectRequest]) -> None:
    """Lock all devices in the order in which ingest and registrations do, so that nobody waits in a ring."""
    if isinstance(connection, PostgresConnection):
        names = [request.username for request in requests if request.username.isprintable()]
        connection.query(_LOCK_IN_ORDER, (names, [request.fingerprint for request in requests]))


def _locking(connection: Connection, sql: str) -> str:
    """Make a revocation of the device wait for our commit; SQLite has one writer anyway."""
    return f"{sql} FOR SHARE OF d" if isinstance(connection, PostgresConnection) else sql


def _letter(request: ConnectRequest, refused: ConnectRefused, now_us: int) -> Letter:
    return Letter(
        at_us=now_us,
        device_id=claimed_device(request),
        topic="",
        reason="connect_refused",
        detail=f"{refused.reason}: {refused.message} ({request.broker})",
    )
