import asyncio
from collections.abc import Sequence

from doorstep.device.hostsensor import measure_host
from doorstep.device.notices import Notice, ReadingsRefused, SensorFailed
from doorstep.device.outbox import Outbox
from doorstep.device.sampling import Sensor, sample
from doorstep.testing.device import simulated_sensor
from doorstep.wire.senml import Reading, decode


def sampled(
    sensor: Sensor, *, capacity: int = 3, rounds: int = 6, wanted: bool = True
) -> tuple[list[bytes], list[Notice]]:
    """What lies in the outbox, and what was told, after so many rounds."""
    told: list[Notice] = []

    async def main() -> list[bytes]:
        outbox, asked = Outbox(capacity), 0

        def want() -> bool:
            nonlocal asked
            asked += 1
            return wanted

        task = asyncio.create_task(
            sample(
                sensor,
                outbox,
                interval_s=lambda: 0,
                wanted=want,
                clock_us=lambda: 1_700_000_000_500_000,
                notify=told.append,
            )
        )
        while asked < rounds:  # noqa: ASYNC110 - the sampler tells nobody
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return [
            (await outbox.take(lambda _channel, plaintext: plaintext)).plaintext for _ in range(len(outbox))
        ]

    return asyncio.run(main()), told


async def room() -> Sequence[Reading]:
    return (Reading("temperature", "Cel", 21.5, None), Reading("door", None, True, 1_700_000_000.0))


def test_readings_without_a_time_get_the_moment() -> None:
    packed, told = sampled(room)
    assert told[1:] == []
    assert decode(packed[0]) == (
        Reading("temperature", "Cel", 21.5, 1_700_000_000.5),
        Reading("door", None, True, 1_700_000_000.0),
    )


def test_full_outbox_refuses_and_says_so_once() -> None:
    packed, told = sampled(room, capacity=2, rounds=9)
    assert len(packed) == 2
    assert [type(notice) for notice in told] == [ReadingsRefused]


def test_nothing_is_measured_while_nobody_wants_it() -> None:
    assert sampled(room, wanted=False) == ([], [])


def test_sensor_that_breaks_does_not_end_the_device() -> None:
    calls = 0

    async def moody() -> Sequence[Reading]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("no wire")
        if calls == 2:
            return [Reading("bad name", None, 1.0, None)]
        return await room()

    packed, told = sampled(moody)
    assert [type(notice) for notice in told[:2]] == [SensorFailed, SensorFailed]
    assert "no wire" in str(told[0])
    assert packed


def test_simulated_and_host_sensors_measure() -> None:
    async def measure() -> Sequence[Reading]:
        return await simulated_sensor(rng=lambda count: b"\x80" * count, clock=lambda: 43_200.0)()

    readings = asyncio.run(measure())
    assert [(reading.name, reading.unit) for reading in readings] == [
        ("temperature", "Cel"),
        ("humidity", "%RH"),
    ]
    assert readings[0].value == 23.5
    assert {"load", "memory_free"} <= {reading.name for reading in asyncio.run(measure_host())}
