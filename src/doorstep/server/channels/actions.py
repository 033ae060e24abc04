"""Puts commands into the queue to a device, and takes them out again."""

import os
from collections.abc import Callable, Iterable
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from doorstep.errors import IllegalTransition, MisuseError, RefusedError
from doorstep.messaging.channels import Call, Settings, Values
from doorstep.messaging.command import COMMAND_ID_LENGTH, MAX_BODY, MAX_EXPIRY_S, OPEN_AT_ONCE
from doorstep.messaging.delivery import OPEN, Delivery, DeliveryEvent, advance
from doorstep.ownership.life import Life
from doorstep.runtime.brokers import DOWN_CHANNELS, DOWNLINK_SUBJECT
from doorstep.runtime.control import nudge
from doorstep.server.channels.models import DesiredSettings, Downlink
from doorstep.server.channels.queries import desired_context
from doorstep.server.fleet.models import Device

__all__ = [
    "MAX_LIFE_US",
    "CannotCancel",
    "CannotSend",
    "VersionConflict",
    "cancel",
    "cancel_open",
    "enqueue",
    "send_command",
    "want_settings",
]

MAX_LIFE_US: Final = 30 * 86_400 * 1_000_000
"""A command waits at most so long for a device that sleeps."""

_MAX_NAME: Final = 64


class CannotSend(RefusedError):
    """The device takes no commands now."""


class CannotCancel(RefusedError):
    """The command is closed already."""


class VersionConflict(RefusedError):
    """Somebody else changed the settings in between."""


def enqueue(  # noqa: PLR0913 - the columns of a command
    device: Device,
    channel: str,
    body: bytes,
    *,
    expires_at_us: int | None,
    by: str,
    now_us: int,
    name: str = "",
    rng: Callable[[int], bytes] = os.urandom,
) -> Downlink:
    """Queue ``body`` for channel ``down/<channel>``; it is sent when the device shows itself, until answered.

    ``by`` is the actor as the ledger names it; ``expires_at_us`` None means until it is cancelled. Raises
    CannotSend for a device that is blocked, nobody's, or has OPEN_AT_ONCE commands open; MisuseError.
    """
    _check(channel, body, expires_at_us, now_us)
    with transaction.atomic():
        row = Device.objects.select_for_update().get(pk=device.pk)
        _check_device(row)
        command_id = rng(COMMAND_ID_LENGTH).hex()
        last = row.downlinks.aggregate(last=Max("number"))["last"] or 0
        made = Downlink.objects.create(
            device=row,
            number=last + 1,
            command_id=command_id,
            channel=channel,
            name=name[:_MAX_NAME],
            body=settings.KEY_FILE.wrap(body, f"downlink/{row.device_id}/{command_id}"),
            ownership_period=row.ownership_period,
            asked_by=by,
            asked_us=now_us,
            expires_us=expires_at_us,
        )
        transaction.on_commit(lambda: nudge(settings.DOORSTEP, settings.KEY_FILE, DOWNLINK_SUBJECT))
    return made


def cancel(downlink: Downlink, why: str, *, now_us: int) -> Downlink:
    """Withdraw a command; one that was sent may be carried out all the same, and then says so.

    Raises CannotCancel when it is closed already.
    """
    with transaction.atomic():
        row = Downlink.objects.select_for_update().get(pk=downlink.pk)
        try:
            row.state = advance(Delivery(row.state), DeliveryEvent.CANCELLED)
        except IllegalTransition as error:
            raise CannotCancel(
                f"this command is {row.state}: there is nothing to cancel", next_step="Look at its answer."
            ) from error
        row.closed_us, row.detail, row.body = now_us, why.encode(), b""
        row.save(update_fields=["state", "closed_us", "detail", "body"])
    return row


def cancel_open(device: Device, channels: Iterable[str], why: str, *, now_us: int) -> int:
    """Withdraw everything that is open for a device on some channels; return how many."""
    waiting = Downlink.objects.filter(device_id=device.pk, channel__in=list(channels), state__in=OPEN)
    return waiting.update(state=Delivery.CANCELLED, closed_us=now_us, detail=why.encode(), body=b"")


def send_command(device: Device, call: Call, *, lasts_s: int, by: str, now_us: int) -> Downlink:
    """Queue a command that the device is to carry out within so many seconds; raises as `enqueue` does."""
    expires_at_us = now_us + lasts_s * 1_000_000
    body = call.encode()
    return enqueue(device, "cmd", body, expires_at_us=expires_at_us, by=by, now_us=now_us, name=call.name)


def want_settings(device: Device, values: Values, *, seen: int, by: str, now_us: int) -> DesiredSettings:
    """Want all settings of a device to be these; it gets them when it shows itself, the newest only.

    ``seen`` is the version that the writer looked at, 0 for none: raises VersionConflict when it is not the
    newest any more. Raises MisuseError for values that no device reads, and CannotSend.
    """
    with transaction.atomic():
        row = Device.objects.select_for_update().get(pk=device.pk)
        known = DesiredSettings.objects.filter(device=row).first()
        newest = known.version if known is not None else 0
        if seen != newest:
            raise VersionConflict(
                f"these settings are at version {newest}, and the change was made to version {seen}",
                next_step="Read them again, then change them.",
            )
        body = Settings(newest + 1, values).encode()
        cancel_open(row, ["config"], "newer settings took its place", now_us=now_us)
        name = f"version {newest + 1}"
        enqueue(row, "config", body, expires_at_us=None, by=by, now_us=now_us, name=name)
        wrapped = settings.KEY_FILE.wrap(body, desired_context(row))
        wanted = {
            "version": newest + 1,
            "settings": wrapped,
            "ownership_period": row.ownership_period,
            "asked_by": by,
            "asked_us": now_us,
        }
        return DesiredSettings.objects.update_or_create(device=row, defaults=wanted)[0]


def _check(channel: str, body: bytes, expires_at_us: int | None, now_us: int) -> None:
    if channel not in DOWN_CHANNELS:
        raise MisuseError(f"there is no channel down/{channel}")
    if len(body) > MAX_BODY:
        raise MisuseError(f"a command has at most {MAX_BODY} bytes, not {len(body)}", next_step="Say less.")
    if expires_at_us is None:
        return
    if not now_us < expires_at_us <= min(now_us + MAX_LIFE_US, MAX_EXPIRY_S * 1_000_000):
        raise MisuseError("a command expires within 30 days, and not before now", next_step="Say until when.")


def _check_device(device: Device) -> None:
    if device.blocked:
        raise CannotSend(f"device {device.device_id} is revoked: it takes no commands")
    if device.life != Life.OWNED:
        raise CannotSend(
            f"device {device.device_id} is {device.life}: only one that is registered takes commands",
            next_step="Set it up first.",
        )
    if device.downlinks.filter(state__in=OPEN).count() >= OPEN_AT_ONCE:
        raise CannotSend(
            f"{OPEN_AT_ONCE} commands already wait for device {device.device_id}",
            next_step="Wait until it answers, or cancel some.",
        )
