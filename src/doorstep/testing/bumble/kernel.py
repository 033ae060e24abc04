"""A virtual controller under this machine's kernel, so that BlueZ meets virtual radios; for test machines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bumble.transport import open_transport

from doorstep.testing.bumble.air import Air, VirtualController

__all__ = ["kernel_adapter"]

ADDRESS: Final = "C0:FF:EE:00:00:01"


@asynccontextmanager
async def kernel_adapter(air: Air) -> AsyncIterator[None]:
    """Give the kernel an adapter on ``air`` while entered; needs root and the module ``hci_vhci``."""
    async with await open_transport("vhci") as transport:
        controller = VirtualController(
            "kernel", host_source=transport.source, host_sink=transport.sink, link=air, public_address=ADDRESS
        )
        yield
        air.remove_controller(controller)
