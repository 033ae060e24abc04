"""What a Wi-Fi driver says of the configuration that it took over the air, piece by piece."""

from typing import Final

from doorstep.errors import DoorstepError
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.wpa_control import ControlEvent, unescape

__all__ = ["EVENTS", "DriverConfiguration"]

SSID: Final = "DPP-CONFOBJ-SSID"
PASSPHRASE: Final = "DPP-CONFOBJ-PASS"  # noqa: S105 - the name of an event
KEY: Final = "DPP-CONFOBJ-PSK"
START: Final = "DPP-CONF-RECEIVED"
EVENTS: Final = (START, SSID, PASSPHRASE, KEY)
"""Names of the driver's events that `DriverConfiguration` has to hear."""


class DriverConfiguration:
    """Puts a network together; what cannot be one is dropped, and the next configuration starts anew."""

    def __init__(self) -> None:
        self._ssid: bytes | None = None

    def hear(self, event: ControlEvent) -> NetworkCredentials | None:
        """Take one of `EVENTS`; returns the network once its key is known."""
        try:
            return self._hear(event)
        except (DoorstepError, ValueError):
            self._ssid = None
            return None

    def _hear(self, event: ControlEvent) -> NetworkCredentials | None:
        if event.name == START:
            self._ssid = None
        elif event.name == SSID:
            self._ssid = unescape(event.text)
        elif self._ssid is not None:
            octets = bytes.fromhex(event.text)
            return NetworkCredentials(
                self._ssid, octets if event.name == PASSPHRASE else octets.hex().encode()
            )
        return None
