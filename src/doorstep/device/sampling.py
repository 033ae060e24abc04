"""From a sensor to the outbox: at each interval the sensor is asked, and what it says is packed as SenML."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from doorstep.device.notices import Notice, ReadingsRefused, SensorFailed
from doorstep.device.outbox import Outbox, OutboxFull
from doorstep.errors import MisuseError
from doorstep.wire.senml import Reading, encode_cbor

__all__ = ["CHANNEL", "Sensor", "sample"]

CHANNEL: Final = "data"

Sensor = Callable[[], Awaitable[Sequence[Reading]]]
"""Measures once. A reading without a time gets the moment it was returned."""


async def sample(  # noqa: PLR0913 - one parameter for each thing it connects
    sensor: Sensor,
    outbox: Outbox,
    *,
    interval_s: Callable[[], float],
    wanted: Callable[[], bool],
    clock_us: Callable[[], int],
    notify: Callable[[Notice], None],
) -> None:
    """Ask the sensor at each interval while readings are ``wanted``; never ends by itself."""
    refused = 0
    while True:
        if wanted():
            try:
                outbox.offer(CHANNEL, await _packed(sensor, clock_us))
            except OutboxFull as error:
                refused += 1
                if refused == 1:
                    notify(ReadingsRefused(error.message))
            except MisuseError as error:
                notify(SensorFailed(error.message))
            except Exception as error:  # noqa: BLE001 - a sensor's bug must not end the device
                notify(SensorFailed(f"{type(error).__name__}: {error}"))
            else:
                refused = 0
        await asyncio.sleep(interval_s())


async def _packed(sensor: Sensor, clock_us: Callable[[], int]) -> bytes:
    readings = await sensor()
    now_s = clock_us() / 1e6
    return encode_cbor(
        reading if reading.time is not None else msgspec.structs.replace(reading, time=now_s)
        for reading in readings
    )
