"""The sensors that every Linux board has: load, free memory and, mostly, a thermometer."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from doorstep.wire.senml import Reading

__all__ = ["measure_host"]

_THERMOMETER: Final = Path("/sys/class/thermal/thermal_zone0/temp")
_MILLIDEGREES: Final = 1000


async def measure_host() -> Sequence[Reading]:
    """Measure this board; a `Sensor`."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    readings = [
        Reading("load", None, round(os.getloadavg()[0], 2), None),
        Reading("memory_free", "B", float(free), None),
    ]
    with suppress(OSError, ValueError):  # virtual machines and some boards have none
        celsius = int(_THERMOMETER.read_text()) / _MILLIDEGREES
        readings.append(Reading("cpu_temperature", "Cel", celsius, None))
    return readings
