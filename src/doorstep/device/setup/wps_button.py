"""The board's button as WPS's: where the set-up is open, a press waits for the router's, or shows a PIN."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from doorstep.device.setup.door import Door
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.wps import PIN_RISK, WpsDoor
from doorstep.errors import DoorstepError, MisuseError
from doorstep.identity.provisioning import Provisioning

__all__ = ["METHOD", "PIN_METHOD", "WpsButton"]

METHOD: Final = "wps-button"
PIN_METHOD: Final = "wps-pin"

log = logging.getLogger(__name__)


class WpsButton:
    """One per board; it outlives the doors, which are made anew for each opening."""

    def __init__(self, control: Path, show_pin: Callable[[str], None] | None = None) -> None:
        """``control`` is wpa_supplicant's socket of a radio that is no access point meanwhile.

        With ``show_pin`` each press shows a fresh PIN, to be typed at the router, instead of waiting for the
        router's button.
        """
        self._control = control
        self._show_pin = show_pin
        if show_pin is not None:
            log.warning(PIN_RISK)  # once: doors are made for each opening, the button for the board
        self._door: WpsDoor | None = None
        self._presses: set[asyncio.Task[None]] = set()

    @classmethod
    def of(
        cls, made: Provisioning, control: Path | None, show_pin: Callable[[str], None] | None = None
    ) -> "WpsButton | None":
        """Return the button of this device, None where its product or its radio has no WPS.

        Raises `MisuseError` where PINs are asked for and cannot be.
        """
        if show_pin is not None and (control is None or PIN_METHOD not in made.onboarding):
            raise MisuseError(
                f"this board has no WPS by PIN: product {made.product} or its radio does not allow it",
                next_step="Leave --wps-pin out; or turn wps-pin on for the product, and use "
                "--wifi wpa-supplicant without an access point.",
            )
        method = METHOD if show_pin is None else PIN_METHOD
        return None if control is None or method not in made.onboarding else cls(control, show_pin)

    def door(self, joiner: Joiner) -> Door:
        """Make the door; a `DoorMaker`."""
        self._door = WpsDoor(self._control, joiner, pin_allowed=self._show_pin is not None)
        return self._door

    def press(self) -> None:
        """Be pressed: somebody stands beside the board. How it ends is told in the log."""
        if self._door is not None:
            task = asyncio.get_running_loop().create_task(self._run(self._door))
            self._presses.add(task)
            task.add_done_callback(self._presses.discard)

    async def _run(self, door: WpsDoor) -> None:
        try:
            outcome = await (door.press() if self._show_pin is None else door.type_pin(self._show_pin))
        except DoorstepError as failure:
            log.warning("WPS brought no network: %s %s", failure.message, failure.next_step)
        else:
            log.info("WPS brought a network: %s", type(outcome).__name__)
