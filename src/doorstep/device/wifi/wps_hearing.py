"""Listening to wpa_supplicant or hostapd until a WPS session is over, whichever side it is."""

import asyncio
import time
from contextlib import suppress
from typing import Final, Protocol, TypeVar

from doorstep.device.wifi.control_socket import CommandRefused, ControlEvents, ControlSocket
from doorstep.errors import UnavailableError
from doorstep.onboarding.wps.session import EVENTS
from doorstep.wire.wpa_control import ControlEvent

__all__ = ["WpsSession", "run_session"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
EXPLANATION_TIMEOUT: Final = 0.2


class WpsSession(Protocol[T_co]):
    """A core session of either side."""

    def open(self, now: float) -> None:
        """Start the two minutes."""
        ...

    def left(self, now: float) -> float:
        """Return the seconds that are left; raises when there are none."""
        ...

    def hear(self, event: ControlEvent) -> T_co | None:
        """Take an event; returns what the session brought once it is over."""
        ...


async def run_session(control: ControlSocket, session: WpsSession[T], command: str) -> T:
    """Give the command that opens the session and return what it brings; raises what ended it otherwise."""
    with control.listen() as events:
        session.open(time.monotonic())
        try:
            await _start(control, session, command, events)
            return await _outcome(session, events)
        finally:
            with suppress(CommandRefused, UnavailableError):  # it was over already, or the program is
                await control.ask("WPS_CANCEL")


async def _start(control: ControlSocket, session: WpsSession[T], command: str, events: ControlEvents) -> None:
    try:
        await control.ask(command)
    except CommandRefused:
        with suppress(TimeoutError):  # the event that says why, if there is one, comes with the refusal
            async with asyncio.timeout(EXPLANATION_TIMEOUT):
                session.hear(await events.next(*EVENTS))
        raise


async def _outcome(session: WpsSession[T], events: ControlEvents) -> T:
    while True:
        with suppress(TimeoutError):  # then the session itself says that its time is over
            async with asyncio.timeout(session.left(time.monotonic())):
                event = await events.next(*EVENTS)
                brought = session.hear(event)
                if brought is not None:
                    return brought
