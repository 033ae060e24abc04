"""What the authorizer reads and writes, on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from doorstep.broker.policy import Admission, ConnectRefused, ConnectRequest, Reason
from doorstep.broker.registry import Ended, Registry, Verdict
from doorstep.broker.revocation import _read_orders
from doorstep.messaging.proof import NO_PROOF_YET, Standing, seal_connect_proof
from doorstep.runtime.brokers import Broker
from doorstep.runtime.database import PostgresConnection, SqliteConnection
from doorstep.runtime.dead_letters import Letter
from doorstep.runtime.role import now_us
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.plant import Plant
from tests.plants import MakePlant

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@dataclass
class Office:
    """A registry on a database, with one device."""

    plant: Plant
    registry: Registry
    connection: SqliteConnection | PostgresConnection
    device: TestDevice

    def judge(self, *requests: ConnectRequest) -> list[Verdict]:
        return self.registry.judge(self.connection, requests, now_us())

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.query(sql, (self.device.row,))

    def request(self, broker: Broker, connection: int = 1, password: str = "") -> ConnectRequest:
        fingerprint = self.query("SELECT fingerprint FROM credential WHERE device_id = ?")[0][0]
        name = self.device.device_id
        return ConnectRequest(broker, "mqtt", name, name, password, fingerprint, "U", "server", connection)

    def sessions(self) -> list[tuple[Any, ...]]:
        sql = "SELECT broker, server_id, client_id, ended_us FROM device_session WHERE device_id = ?"
        return self.query(f"{sql} ORDER BY client_id")


@pytest.fixture(scope="module")
def plants() -> dict[str, Plant]:
    return {}


@pytest.fixture(params=DATABASES)
def office(
    request: pytest.FixtureRequest, make_plant: MakePlant, plants: dict[str, Plant]
) -> Iterator[Office]:
    if request.param not in plants:
        plants[request.param] = make_plant(request.param)
    plant = plants[request.param]
    connection = plant.connect()
    connection.query("DELETE FROM device_session")
    yield Office(plant, Registry(plant.key_file), connection, add_devices(plant, 1)[0])
    connection.close()


def test_registry_admits_by_certificate_and_opens_a_session(office: Office) -> None:
    verdict = office.judge(office.request(Broker.SECURE))[0]
    assert isinstance(verdict, Admission)
    assert verdict.device_id == office.device.device_id
    assert office.sessions() == [("secure", "server", 1, None)]


def test_registry_uses_up_a_proof_within_one_batch(office: Office) -> None:
    proof = seal_connect_proof(office.device.boot())
    requests = [office.request(Broker.PLAIN, number, proof) for number in (1, 2)]
    first, second = office.judge(*requests)
    assert isinstance(first, Admission)
    assert isinstance(second, ConnectRefused)
    assert second.reason == Reason.BAD_PROOF
    assert office.sessions() == [("plain", "server", 1, None)]


def test_proof_that_another_authorizer_used_meanwhile_admits_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of them read before either has written: a sniffed proof is sent again at once."""
    proof = seal_connect_proof(office.device.boot())
    read = Registry._sealed

    def read_before(registry: Registry, row: tuple[Any, ...]) -> Standing:
        return read(registry, row)._replace(last=NO_PROOF_YET)

    monkeypatch.setattr(Registry, "_sealed", read_before)
    [first] = office.judge(office.request(Broker.PLAIN, 1, proof))
    [second] = office.judge(office.request(Broker.PLAIN, 2, proof))
    assert isinstance(first, Admission)
    assert isinstance(second, ConnectRefused)
    assert (second.reason, second.message[:9]) == (Reason.BAD_PROOF, "replayed:")
    assert office.sessions() == [("plain", "server", 1, None)]


def test_registry_records_refusals_beside_admissions(office: Office) -> None:
    stranger = ConnectRequest(Broker.SECURE, "mqtt", "zzzzzzzz", "", "", "", "U", "server", 2)
    verdicts = office.judge(office.request(Broker.SECURE), stranger)
    assert [type(verdict) for verdict in verdicts] == [Admission, ConnectRefused]
    sql = "SELECT detail FROM dead_letter WHERE device_id = 'zzzzzzzz' ORDER BY id DESC"
    assert office.connection.query(sql)[0][0].startswith("unknown_credential")


def test_registry_ends_sessions_once(office: Office) -> None:
    office.judge(office.request(Broker.SECURE, 1), office.request(Broker.SECURE, 2))
    office.registry.end(office.connection, [Ended(Broker.SECURE, "server", 1, 7)])
    office.registry.end(office.connection, [Ended(Broker.SECURE, "server", 1, 8)])
    assert office.sessions() == [("secure", "server", 1, 7), ("secure", "server", 2, None)]


def test_registry_ends_what_the_broker_no_longer_knows(office: Office) -> None:
    office.judge(office.request(Broker.SECURE, 1), office.request(Broker.SECURE, 2))
    office.judge(office.request(Broker.PLAIN, 3, seal_connect_proof(office.device.boot())))
    office.registry.end_all_but(office.connection, Broker.SECURE, {("server", 2)}, 9)
    assert [ended for *_, ended in office.sessions()] == [9, None, None]


def test_quarantine_that_ended_before_its_turn_costs_no_message(office: Office) -> None:
    sql = (
        "INSERT INTO revocation"
        " (device_id, reason, asked_by, asked_us, sessions_kicked, messages_purged, quarantine)"
        " VALUES (?, 'odd', 'test', ?, 0, 0, ?)"
    )

    def orders() -> set[str]:
        return {order.device_id for order in _read_orders(office.connection)}

    office.connection.query(sql, (office.device.row, now_us(), True))
    assert office.device.device_id not in orders()
    office.connection.query("UPDATE device SET blocked = ? WHERE id = ?", (True, office.device.row))
    assert office.device.device_id in orders()


def test_failed_write_leaves_nothing_behind_and_the_next_one_works(office: Office) -> None:
    letter = Letter(now_us(), office.device.device_id, "t", "forbidden_topic")
    broken = Letter(1 << 70, office.device.device_id, "t", "forbidden_topic")
    with pytest.raises(Exception, match=r"(?i)int|range"):
        office.registry.record(office.connection, [letter, broken])
    office.registry.record(office.connection, [letter])
    sql = f"SELECT count FROM dead_letter WHERE device_id = '{office.device.device_id}'"
    assert office.connection.query(sql) == [(1,)]
