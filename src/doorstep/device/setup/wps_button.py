"""The board's button as WPS's: a press starts push-button mode where the set-up is open."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from doorstep.device.setup.door import Door
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.wps import WpsDoor
from doorstep.errors import DoorstepError
from doorstep.identity.provisioning import Provisioning

__all__ = ["METHOD", "WpsButton"]

METHOD: Final = "wps-button"

log = logging.getLogger(__name__)


class WpsButton:
    """One per board; it outlives the doors, which are made anew for each opening."""

    def __init__(self, control: Path) -> None:
        """``control`` is wpa_supplicant's socket of a radio that is no access point meanwhile."""
        self._control = control
        self._door: WpsDoor | None = None
        self._presses: set[asyncio.Task[None]] = set()

    @classmethod
    def of(cls, made: Provisioning, control: Path | None) -> "WpsButton | None":
        """Return the button of this device, None where its product or its radio has no WPS."""
        return None if control is None or METHOD not in made.onboarding else cls(control)

    def door(self, joiner: Joiner) -> Door:
        """Make the door; a `DoorMaker`."""
        self._door = WpsDoor(self._control, joiner)
        return self._door

    def press(self) -> None:
        """Be pressed: somebody stands beside the board. How it ends is told in the log."""
        if self._door is not None:
            task = asyncio.get_running_loop().create_task(self._run(self._door))
            self._presses.add(task)
            task.add_done_callback(self._presses.discard)

    async def _run(self, door: WpsDoor) -> None:
        try:
            outcome = await door.press()
        except DoorstepError as failure:
            log.warning("WPS brought no network: %s %s", failure.message, failure.next_step)
        else:
            log.info("WPS brought a network: %s", type(outcome).__name__)
