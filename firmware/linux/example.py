"""A Linux board with a sensor of its own: ``python example.py FOLDER SENSOR_FILE [SECONDS]``.

FOLDER is the agent's, with an identity from the factory (`doorstep device run --provisioning`); SENSOR_FILE
is read at each interval, such as /sys/class/thermal/thermal_zone0/temp. What was measured and not yet sent
outlives a power cut.
"""

import asyncio
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from doorstep.device.agent import Agent, AgentOptions
from doorstep.device.notices import Notice, ReadingsSent, sentence
from doorstep.device.store import Store
from doorstep.device.wifi.hostnetwork import HostNetwork
from doorstep.errors import MisuseError
from doorstep.wire.senml import Reading

numbers = count()


def tell(notice: Notice) -> None:
    """Print what happens to the device, in plain words."""
    if not isinstance(notice, ReadingsSent):
        print(sentence(notice), flush=True)


async def main(folder: Path, sensor: Path, seconds: float) -> None:
    """Live until killed."""

    async def measure() -> Sequence[Reading]:
        temperature = int(sensor.read_text()) / 1000  # noqa: ASYNC240 - a sensor, no disk
        return [
            Reading("temperature", "Cel", temperature, None),
            Reading("number", None, next(numbers), None),
        ]

    store = Store.open(folder)
    identity = store.identity()
    if identity is None:
        raise MisuseError("the folder has no identity", next_step="Give it one with doorstep device run.")
    options = AgentOptions(setup=None, interval_s=seconds)
    await Agent(store, HostNetwork(identity.servers.device_api), measure, options=options, notify=tell).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 60.0))
