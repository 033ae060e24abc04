"""Which system has this board's Wi-Fi, put together from settings."""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorstep.device.setup.door import DoorMaker
from doorstep.device.wifi.access_point import AccessPoint, AccessPointPlan, SupplicantAccessPoint
from doorstep.device.wifi.addressing import Addressing
from doorstep.device.wifi.hostnetwork import HostNetwork
from doorstep.device.wifi.one_radio import OneRadio
from doorstep.device.wifi.station import WifiStation
from doorstep.device.wifi.wpa_supplicant import WpaSupplicantStation
from doorstep.errors import SettingsError, UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.access_point import access_point_key

__all__ = ["CONTROL_FOLDER", "AccessPointMode", "Backend", "Radio", "RadioSettings"]

CONTROL_FOLDER: Final = Path("/run/wpa_supplicant")


class Backend(enum.Enum):
    """Who has the radio."""

    HOST = "host"
    """The operating system, which stays on its network by itself."""
    WPA_SUPPLICANT = "wpa-supplicant"
    NETWORKMANAGER = "networkmanager"


class AccessPointMode(enum.Enum):
    """What a board's own access point asks of a phone."""

    NONE = "none"
    """There is none."""
    WPA2 = "wpa2"
    """A key of its own for each device."""
    OPEN = "open"
    """Nothing: whoever is near may come in, and then needs the set-up code."""


@dataclass(frozen=True, slots=True)
class Radio:
    """The station, and the doors that need the radio."""

    station: WifiStation
    doors: tuple[DoorMaker, ...] = ()

    @property
    def is_shared(self) -> bool:
        """Tell whether a door takes the radio away from the station."""
        return bool(self.doors)


@dataclass(frozen=True, slots=True)
class RadioSettings:
    """What the operator of a board chose; raises `SettingsError` where it contradicts itself."""

    backend: Backend = Backend.HOST
    interface: str = ""
    access_point: AccessPointMode = AccessPointMode.NONE
    control: Path = CONTROL_FOLDER
    """wpa_supplicant's folder of control sockets."""
    portal: str = ""
    """What phones on the access point are told by DHCP option 114."""

    def __post_init__(self) -> None:
        """Refuse a radio without its interface, and the other way round."""
        has_radio = self.backend is not Backend.HOST
        if has_radio and not self.interface:
            raise SettingsError(
                f"The Wi-Fi by {self.backend.value} needs the name of its interface.",
                next_step="Give it with --interface; `iw dev` names them.",
            )
        if not has_radio and (self.interface or self.access_point is not AccessPointMode.NONE):
            raise SettingsError(
                "An interface or an access point was named, but the operating system has this board's Wi-Fi.",
                next_step="Add --wifi networkmanager or --wifi wpa-supplicant, or leave both out.",
            )

    @property
    def own_radio(self) -> Path | None:
        """Return wpa_supplicant's socket of a radio that is no access point, None without one."""
        if self.backend is not Backend.WPA_SUPPLICANT or self.access_point is not AccessPointMode.NONE:
            return None
        return self.control / self.interface

    def build(self, made: Provisioning) -> Radio:
        """Return the radio of this device; nothing is asked of it yet."""
        if self.backend is Backend.HOST:
            return Radio(HostNetwork(made.servers.device_api))
        station, point = _BACKENDS[self.backend](self, made)
        if self.access_point is AccessPointMode.NONE:
            return Radio(station)
        radio = OneRadio(station, point)
        return Radio(radio, (radio.door,))

    def plan(self, made: Provisioning) -> AccessPointPlan:
        """Return how this device's access point is."""
        is_open = self.access_point is AccessPointMode.OPEN
        key = b"" if is_open else access_point_key(made.setup.verifier).encode("ascii")
        return AccessPointPlan(made.setup.service_name.encode(), key, portal=self.portal)


def _by_supplicant(settings: RadioSettings, made: Provisioning) -> tuple[WifiStation, AccessPoint]:
    control, addressing = settings.control / settings.interface, Addressing(settings.interface)
    station = WpaSupplicantStation(control, addressing)
    return station, SupplicantAccessPoint(control, addressing, settings.plan(made))


def _by_networkmanager(settings: RadioSettings, made: Provisioning) -> tuple[WifiStation, AccessPoint]:
    try:
        from doorstep.device.wifi.networkmanager import (  # noqa: PLC0415 - its library is an extra
            NetworkManagerAccessPoint,
            NetworkManagerStation,
        )
    except ImportError:
        raise UnavailableError(
            "this installation cannot speak with NetworkManager",
            next_step="Install it with: pip install 'doorstep[wifi]'",
        ) from None
    interface = settings.interface
    return NetworkManagerStation(interface), NetworkManagerAccessPoint(interface, settings.plan(made))


_BACKENDS: Final = {Backend.WPA_SUPPLICANT: _by_supplicant, Backend.NETWORKMANAGER: _by_networkmanager}
