"""Commands, settings, state and events as somebody may see them: of one ownership period alone.

Whoever calls has already found the device for a principal.
"""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from doorstep.errors import RefusedError
from doorstep.messaging.channels import SETTINGS_VERSION, Settings, Values
from doorstep.server.channels.models import DesiredSettings, DeviceEvent, Downlink, ReportedState
from doorstep.server.fleet.models import Device
from doorstep.server.readings.queries import Point, points_of

__all__ = [
    "EventShown",
    "NoSuchCommand",
    "SettingsShown",
    "command_of",
    "commands_of",
    "desired_context",
    "detail_of",
    "events_of",
    "settings_of",
]

_SHOWN: Final = 400


class NoSuchCommand(RefusedError):
    """There is no such command, or none that the caller may see."""


@dataclass(frozen=True, slots=True)
class SettingsShown:
    """What is wanted, and what the device said last about itself."""

    version: int
    """Of what is wanted; 0 when nobody ever wanted anything. The next change is made to this version."""
    wanted: Values
    asked_us: int | None
    applied: int | None
    """Version that the device says it has applied."""
    reported: tuple[Point, ...]
    reported_us: int | None

    @property
    def waiting(self) -> bool:
        """Whether the device has not said yet that it applied what is wanted."""
        return bool(self.wanted) and (self.applied or 0) < self.version


@dataclass(frozen=True, slots=True)
class EventShown:
    """One message on channel ``event``."""

    received_us: int
    points: tuple[Point, ...]


def commands_of(device: Device) -> QuerySet[Downlink]:
    """Return the commands for a device of its present owner, newest first."""
    rows = Downlink.objects.filter(device_id=device.pk, ownership_period=device.ownership_period)
    return rows.exclude(channel="keys").order_by("-number")


def command_of(device: Device, command_id: str) -> Downlink:
    """Return one of them; raise NoSuchCommand."""
    row = commands_of(device).filter(command_id=ascii(command_id)[1:-1]).first()
    if row is None:
        raise NoSuchCommand(
            f"there is no command {command_id[:40]!a} for this device", next_step="List its commands."
        )
    return row


def detail_of(downlink: Downlink) -> str:
    """Return what the device said, for people."""
    text = bytes(downlink.detail).decode("utf-8", "replace")[:_SHOWN]
    return "".join(character if character.isprintable() else " " for character in text)


def settings_of(device: Device) -> SettingsShown:
    """Return what is wanted and what is reported."""
    desired = DesiredSettings.objects.filter(device_id=device.pk).first()
    wanted: Values = {}
    if desired is not None and desired.ownership_period == device.ownership_period:
        body = settings.KEY_FILE.unwrap(bytes(desired.settings), desired_context(device))
        wanted = Settings.decode(body).values
    said = ReportedState.objects.filter(device_id=device.pk, ownership_period=device.ownership_period).first()
    return SettingsShown(
        version=desired.version if desired is not None else 0,
        wanted=wanted,
        asked_us=desired.asked_us if wanted and desired is not None else None,
        applied=said.version if said is not None else None,
        reported=_reported(said),
        reported_us=said.received_us if said is not None else None,
    )


def events_of(device: Device, count: int) -> list[EventShown]:
    """Return the newest events."""
    rows = DeviceEvent.objects.filter(device_id=device.pk, ownership_period=device.ownership_period)
    newest = rows.order_by("-epoch", "-seq").values_list("payload", "received_us")[:count]
    return [EventShown(received_us, points_of(payload, received_us)) for payload, received_us in newest]


def desired_context(device: Device) -> str:
    """Return the context in which a device's wanted settings are wrapped."""
    return f"settings/{device.device_id}/desired"


def _reported(said: ReportedState | None) -> tuple[Point, ...]:
    if said is None:
        return ()
    points = points_of(said.payload, said.received_us)
    return tuple(point for point in points if point.name != SETTINGS_VERSION)
