"""Begins the replacement of a device's keys. `doorstep.server.fleet.rotating` carries them on."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from doorstep.errors import RefusedError
from doorstep.identity.rotation import Abandoned, Stage, advance
from doorstep.messaging.rotation import platform
from doorstep.messaging.rotation.keys import Change
from doorstep.messaging.variant import VARIANTS
from doorstep.ownership.life import Life
from doorstep.server.fleet.exchanges import check_available
from doorstep.server.fleet.models import Device, KeyRotation, Product

__all__ = [
    "CERTIFICATE",
    "OPEN",
    "CannotRotate",
    "abandon",
    "begin_rotation",
    "change_owner_root",
    "rotate_aged",
    "rotate_certificate",
    "rotate_root",
    "secret_context",
    "settle",
]

CERTIFICATE: Final = "certificate"
"""Kind of a rotation that replaces the operational certificate; the others are names of `Change`."""

OPEN: Final = (Stage.OFFERED.value, Stage.STAGED.value)
"""Stages of rotations that are not over."""

_SECOND_US: Final = 1_000_000
_DETAIL_CAP: Final = 200
_POLICY: Final = "policy:age"


class CannotRotate(RefusedError):
    """This device's key cannot be replaced now, or not this way."""


def begin_rotation(device: Device, key: str, by: str, *, now_us: int, by_hand: bool = False) -> KeyRotation:
    """Begin to replace the ``root``, that by an ``exchange``, or the ``certificate``; see `rotate_root`."""
    if key == CERTIFICATE:
        return rotate_certificate(device, by, now_us=now_us)
    if key == "exchange":
        check_available()
    change = Change.EXCHANGED if key == "exchange" else Change.FRESH
    return rotate_root(device, by, now_us=now_us, change=change, by_hand=by_hand)


def rotate_root(  # noqa: PLR0913 - who, what, how, by whom and when
    device: Device,
    by: str,
    *,
    now_us: int,
    change: Change = Change.FRESH,
    by_hand: bool = False,
    rng: Callable[[int], bytes] = os.urandom,
) -> KeyRotation:
    """Begin to replace a device's sealed root; one that is under way already is returned.

    ``by`` is the actor as the ledger names it; with ``by_hand`` the messages are carried by whoever stands
    beside the device. Raises CannotRotate.
    """
    with transaction.atomic():
        row = _locked(device, by_hand=by_hand)
        known = row.rotations.filter(stage__in=OPEN).exclude(kind=CERTIFICATE).order_by("number").first()
        if known is not None:
            return known
        _check_can_write(row)
        return _begin(row, change, by, now_us, by_hand=by_hand, rng=rng)


def change_owner_root(
    device: Device, by: str, *, now_us: int, rng: Callable[[int], bytes] = os.urandom
) -> KeyRotation:
    """Mix a nonce into the root because the device changes hands; part of the caller's transaction.

    Call it once the new ownership period stands. A rotation that the device has not answered is abandoned;
    one that is staged ends first. It is begun for a product whose roots change by hand alone, too: it takes
    the former owner's copies away.
    """
    with transaction.atomic():
        row = Device.objects.select_for_update().get(pk=device.pk)
        for waiting in row.rotations.filter(stage=Stage.OFFERED.value).exclude(kind=CERTIFICATE):
            abandon(waiting, "the device changed hands", now_us)
        _check_can_write(row)
        return _begin(row, Change.OWNER, by, now_us, by_hand=False, rng=rng)


def _check_can_write(row: Device) -> None:
    if VARIANTS[row.sealed.variant].is_static:
        raise CannotRotate(
            f"device {row.device_id} cannot write, so its root stays for life",
            next_step="Only the factory's tool gives it another one.",
        )


def rotate_aged(now_us: int, *, limit: int = 200) -> int:
    """Begin to replace the roots that have reached their product's age; return how many."""
    day_us = 86_400 * _SECOND_US
    begun = 0
    for product in Product.objects.filter(rotate_after_days__gt=0, roots_by_hand=False).exclude(
        sealed_variant__startswith="static"
    ):
        cutoff_us = now_us - product.rotate_after_days * day_us
        since = KeyRotation.objects.filter(device=OuterRef("pk"), asked_us__gt=cutoff_us).exclude(
            kind=CERTIFICATE
        )
        under_way = KeyRotation.objects.filter(device=OuterRef("pk"), stage__in=OPEN).exclude(
            kind=CERTIFICATE
        )
        made_before = datetime.fromtimestamp(cutoff_us / _SECOND_US, UTC)
        aged = product.devices.filter(life=Life.OWNED, blocked=False, created_at__lt=made_before)
        for device in aged.exclude(Exists(since)).exclude(Exists(under_way))[: limit - begun]:
            rotate_root(device, _POLICY, now_us=now_us)
            begun += 1
    return begun


def rotate_certificate(device: Device, by: str, *, now_us: int) -> KeyRotation:
    """Tell a device to ask for a new operational certificate now; see `rotate_root`."""
    with transaction.atomic():
        row = _locked(device, by_hand=True)
        known = row.rotations.filter(stage__in=OPEN, kind=CERTIFICATE).first()
        if known is not None:
            return known
        return KeyRotation.objects.create(
            device=row,
            number=_next_number(row, now_us),
            kind=CERTIFICATE,
            stage=Stage.OFFERED.value,
            asked_by=by,
            asked_us=now_us,
        )


def abandon(rotation: KeyRotation, why: str, now_us: int) -> None:
    """Give a rotation up; raise IllegalTransition when the device may have staged it for good."""
    rotation.stage = advance(Stage(rotation.stage), Abandoned()).value
    settle(rotation, "abandoned", why, now_us)


def settle(rotation: KeyRotation, outcome: str, detail: str, now_us: int) -> None:
    """Store that a rotation is over; no secret of it stays."""
    rotation.stage, rotation.outcome, rotation.detail = Stage.SETTLED.value, outcome, detail[:_DETAIL_CAP]
    rotation.secret, rotation.command_id, rotation.settled_us = b"", "", now_us
    rotation.save()


def secret_context(device_id: str, number: int) -> str:
    """Return the context in which a rotation's secret is wrapped."""
    return f"rotation/{device_id}/{number}"


def _locked(device: Device, *, by_hand: bool) -> Device:
    row = Device.objects.select_for_update(of=("self",)).select_related("product").get(pk=device.pk)
    if row.blocked:
        raise CannotRotate(f"device {row.device_id} is revoked")
    if row.life != Life.OWNED:
        raise CannotRotate(f"device {row.device_id} is {row.life}", next_step="Set it up first.")
    if row.product.roots_by_hand and not by_hand:
        raise CannotRotate(
            f"roots of product {row.product.key} change by hand alone",
            next_step="Connect the device and run: doorstep keys rotate DEVICE --serial PORT",
        )
    return row


def _begin(  # noqa: PLR0913 - the columns of a rotation
    row: Device, change: Change, by: str, now_us: int, *, by_hand: bool, rng: Callable[[int], bytes]
) -> KeyRotation:
    rotation = platform.ask(_next_number(row, now_us), change, rng)
    wrapped = settings.KEY_FILE.wrap(rotation.secret, secret_context(row.device_id, rotation.number))
    return KeyRotation.objects.create(
        device=row,
        number=rotation.number,
        kind=change.name.lower(),
        stage=rotation.stage.value,
        secret=wrapped if rotation.secret else b"",
        by_hand=by_hand,
        asked_by=by,
        asked_us=now_us,
    )


def _next_number(row: Device, now_us: int) -> int:
    """Return a number above all before it; also above those that a restored database has forgotten."""
    last = row.rotations.aggregate(last=Max("number"))["last"] or 0
    return max(last + 1, now_us // _SECOND_US)
