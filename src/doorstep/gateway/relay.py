"""The way up and down: children's messages on the gateway's own session, each child's in its order.

The broker says who is a child: it grants the gateway's session the children's topics and no others. So what
was granted in this session may be published in it, and nobody has to keep two lists in step.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from doorstep.device.mqtt import Session
from doorstep.errors import RefusedError, UnavailableError
from doorstep.gateway.store import Stored
from doorstep.gateway.vault import Vault

__all__ = ["ASK_EVERY_S", "IN_FLIGHT", "KEPT_US", "MAX_ASKERS", "MAX_REFUSED", "NotAChild", "Relay"]

_log = logging.getLogger(__name__)

IN_FLIGHT: Final = 32
"""Publishes that wait for their acknowledgement at once.

Half of the replay window: whatever part of them is sent again after a broken session, the window still
knows them (docs/spec/sealed.md, S-17).
"""

MAX_REFUSED: Final = 1_024
"""Strangers' ids that are remembered, so that the platform is asked about each once in a session."""

ASK_EVERY_S: Final = 1.0
"""Between two questions after one that was answered by no: strangers cost the platform little."""

MAX_ASKERS: Final = 64
"""Strangers that may wait for the answer at once."""

KEPT_US: Final = 30 * 86_400 * 1_000_000
"""What is stored for a device is kept for 30 days after the platform refused it first."""

_FETCH: Final = 256


class NotAChild(RefusedError):
    """The platform did not name the device as this gateway's child."""


class Relay:
    """Rides on the gateway's session (`doorstep.device.mqtt.Rider`)."""

    in_flight = IN_FLIGHT

    def __init__(
        self, vault: Vault, deliver: Callable[[str, str, bytes], None], clock_us: Callable[[], int]
    ) -> None:
        """``deliver`` takes device, channel and message of what comes down to a child."""
        self._clock_us = clock_us
        self.ask_every_s = ASK_EVERY_S
        self._vault = vault
        self._deliver = deliver
        self._session: Session | None = None
        self._asking = asyncio.Lock()
        self._askers = 0
        self._refused: OrderedDict[str, None] = OrderedDict()
        self._ready: deque[Stored] = deque()
        self._filling = asyncio.Lock()
        self._last = 0
        self.delivered = 0
        """Messages that the platform acknowledged since the start."""

    @property
    def is_up(self) -> bool:
        """Say whether the platform is in reach."""
        return self._session is not None

    async def admit(self, device: str) -> None:
        """Return for a child; raises NotAChild, or UnavailableError while nobody can say it."""
        if device in self._vault.children:
            return
        if device in self._refused:
            raise _not_a_child(device)
        if self._session is None or self._askers >= MAX_ASKERS:
            raise _not_known(device)
        self._askers += 1
        try:
            async with self._asking:
                await self._ask(device)
        finally:
            self._askers -= 1

    async def ride(self, session: Session) -> None:
        """See `doorstep.device.mqtt.Rider`."""
        self._refused.clear()
        self._ready.clear()
        self._last = 0
        await self._learn(session)
        self._session = session
        carriers = [asyncio.create_task(self._carry(session)) for _ in range(IN_FLIGHT)]
        try:
            await asyncio.gather(*carriers)
        finally:
            self._session = None
            for carrier in carriers:
                carrier.cancel()
            await asyncio.gather(*carriers, return_exceptions=True)

    def received(self, topic: str, message: bytes) -> None:
        """See `doorstep.device.mqtt.Rider`."""
        words = topic.split("/")
        if len(words) == 4 and words[0] == "d" and words[2] == "down":  # noqa: PLR2004 - d/<device>/down/<channel>
            self._deliver(words[1], words[3], message)

    async def _ask(self, device: str) -> None:
        """Ask whether a stranger is a child, unless another question brought the answer meanwhile."""
        if device in self._vault.children:
            return
        if device in self._refused:
            raise _not_a_child(device)
        if self._session is None:
            raise _not_known(device)
        if await self._session.subscribe_to(_down(device)):
            await self._vault.keep_child(device)
            return
        self._note_refused(device)
        await asyncio.sleep(self.ask_every_s)
        raise _not_a_child(device)

    async def _learn(self, session: Session) -> None:
        """Ask for the topics of all whose messages are stored; one that is refused is no child now."""
        for device in sorted(self._vault.children | self._vault.parked.keys()):
            if await session.subscribe_to(_down(device)):
                await self._vault.keep_child(device)
            else:
                # Not asked about again in this session: what is stored for it goes first, in the next one.
                self._note_refused(device)
                await self._turn_away(device)

    async def _turn_away(self, device: str) -> None:
        """Keep a device's messages for a while: a quarantine may end."""
        since_us = self._vault.parked.get(device)
        if since_us is None:
            await self._vault.park_child(device, self._clock_us())
            _log.warning("%s is no child of this gateway now: what is stored for it waits", device)
        elif self._clock_us() - since_us >= KEPT_US:
            dropped = await self._vault.drop_child(device)
            _log.warning("%s is no child any more: %d messages of it were deleted", device, dropped)

    async def _carry(self, session: Session) -> None:
        while True:
            stored = await self._next()
            parcel = stored.parcel
            if parcel.device in self._vault.children:
                await session.publish(f"d/{parcel.device}/up/{parcel.channel}", parcel.message)
                self.delivered += 1
            if parcel.device not in self._vault.parked:
                self._vault.forget(stored)

    async def _next(self) -> Stored:
        """Return the next message; the carrier that gets it puts it on its way before another one runs."""
        while not self._ready:
            async with self._filling:
                if not self._ready:
                    await self._fill()
        return self._ready.popleft()

    async def _fill(self) -> None:
        self._vault.arrived.clear()
        found = await self._vault.after(self._last, _FETCH)
        if found:
            self._last = found[-1].number
            self._ready.extend(found)
        else:
            await self._vault.arrived.wait()

    def _note_refused(self, device: str) -> None:
        self._refused[device] = None
        if len(self._refused) > MAX_REFUSED:
            self._refused.popitem(last=False)


def _down(device: str) -> str:
    return f"d/{device}/down/+"


def _not_known(device: str) -> UnavailableError:
    return UnavailableError(
        f"whether {device} is a child of this gateway is not known yet",
        next_step="It is asked when the platform is in reach; try again in a while.",
    )


def _not_a_child(device: str) -> NotAChild:
    return NotAChild(
        f"{device} is no child of this gateway",
        next_step=f"Attach it in the portal, or run: doorstep gateway attach GATEWAY {device}",
    )
