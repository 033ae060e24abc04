"""One gateway: its store, its two doors, and what its own board tells of it."""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from doorstep.gateway.coap_door import open_coap
from doorstep.gateway.hall import Hall
from doorstep.gateway.mqtt_door import MqttDoor
from doorstep.gateway.relay import Relay
from doorstep.gateway.store import Limits
from doorstep.gateway.vault import Vault
from doorstep.wire.senml import Reading

__all__ = ["Gateway", "Listen"]


@dataclass(frozen=True, slots=True)
class Listen:
    """Where children come in; port 0 takes a free one."""

    host: str = "0.0.0.0"  # noqa: S104 - children on the local network must reach it
    coap_port: int = 5683
    mqtt_port: int = 1883


class Gateway:
    """Use as an asynchronous context manager; ``relay`` then rides on the session of the gateway's agent."""

    def __init__(self, folder: Path, listen: Listen, limits: Limits | None = None) -> None:
        self._listen = listen
        self.vault = Vault(folder, limits)
        self.hall = Hall(self.vault, _now_us)
        self.coap_port = self.mqtt_port = 0
        self._stack = AsyncExitStack()

    @property
    def relay(self) -> Relay:
        """What rides on the session."""
        return self.hall.relay

    async def __aenter__(self) -> Self:
        """Open store and doors; raises UnavailableError for a port that is taken."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.vault)
            coap, self.coap_port = await open_coap(
                self.hall, self._listen.host, self._listen.coap_port, _now_us
            )
            stack.push_async_callback(coap.close)
            mqtt = MqttDoor(self.hall, self._listen.host, self._listen.mqtt_port)
            self.mqtt_port = (await stack.enter_async_context(mqtt)).port
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the doors, then the store."""
        await self._stack.aclose()

    async def measure(self) -> Sequence[Reading]:
        """Return what the gateway tells of itself: it is a device, too."""
        oldest = await self.vault.after(0, 1)
        waits_s = (_now_us() - oldest[0].parcel.received_us) / 1e6 if oldest else 0.0
        return (
            Reading("children", None, len(self.vault.children), None),
            Reading("stored", "B", self.vault.bytes_stored, None),
            Reading("oldest", "s", round(waits_s, 1), None),
        )


def _now_us() -> int:
    return time.time_ns() // 1000
