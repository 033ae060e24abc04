"""The device's SoftAP side: protocomm over HTTP between a phone and the core, and nothing for browsers."""

import os
from collections.abc import Callable
from types import TracebackType

from doorstep.device.setup.endpoints import EndpointHandler
from doorstep.device.setup.httpserver import HttpServer
from doorstep.device.setup.joiner import Joiner
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["SoftApServer"]


class SoftApServer(HttpServer):
    """Serves one device's onboarding until left; ``port`` is known once entered."""

    def __init__(
        self,
        profile: DeviceProfile,
        joiner: Joiner,
        *,
        host: str = "0.0.0.0",  # noqa: S104 — the access point's clients are whom it is for
        port: int = 80,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``port`` 0 takes a free one; ``rng`` returns that many unpredictable bytes."""
        self._endpoints = EndpointHandler(profile, joiner, rng)
        super().__init__(self._endpoints.answer, host, port)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, hang up, and give up what is under way."""
        await super().__aexit__(kind, error, trace)
        await self._endpoints.close()
