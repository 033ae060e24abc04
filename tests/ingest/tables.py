"""What the tests of ingest ask of the tables."""

from collections.abc import Iterable
from typing import Any

from doorstep.runtime import heartbeat
from doorstep.testing.devices import TestDevice
from doorstep.testing.load import LoadDevice, MessageId
from doorstep.testing.plant import Plant


def query(plant: Plant, sql: str, *values: object) -> list[tuple[Any, ...]]:
    connection = plant.connect()
    try:
        return connection.query(sql, values)
    finally:
        connection.close()


def stored(plant: Plant, devices: Iterable[TestDevice]) -> list[MessageId]:
    rows = {device.row for device in devices}
    found = query(plant, "SELECT device_id, epoch, seq FROM message")
    return [(device, epoch, seq) for device, epoch, seq in found if device in rows]


def letters(plant: Plant, device: TestDevice) -> dict[str, int]:
    found = query(
        plant,
        "SELECT reason, sum(count) FROM dead_letter WHERE device_id = ? GROUP BY reason",
        device.device_id,
    )
    return {reason: int(count) for reason, count in found}


def acknowledged(loads: Iterable[LoadDevice]) -> set[MessageId]:
    return set().union(*(load.acknowledged for load in loads))


def prepared(loads: Iterable[LoadDevice]) -> set[MessageId]:
    return {number for load in loads for ids, _ in load.chunks for number in ids}


def assert_exactly_once(plant: Plant, loads: list[LoadDevice]) -> None:
    """Every acknowledged message is there, none twice, none that nobody sent."""
    there = stored(plant, [load.device for load in loads])
    assert len(there) == len(set(there))
    assert set(there) <= prepared(loads)
    missing = acknowledged(loads) - set(there)
    assert not missing, f"{len(missing)} of {len(acknowledged(loads))} acknowledged messages are lost"


def waits_for(plant: Plant) -> str:
    """Why ingest stores nothing now; empty when all is well."""
    pulse = heartbeat.read(plant.state, "ingest")
    return str(pulse.figures["waits_for"]) if pulse else ""
