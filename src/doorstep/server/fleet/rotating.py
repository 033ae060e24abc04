"""Carries rotations on: says to each device what its rotation waits for, and draws the consequences.

Everything that the device is told is stored before it is told. Each step is one transaction with the device's
row locked; a crash anywhere leaves a rotation that the next step carries on.
"""

import logging
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from doorstep.errors import DoorstepError, PeerError
from doorstep.identity.rotation import Stage
from doorstep.messaging.delivery import OPEN as UNDELIVERED
from doorstep.messaging.delivery import Delivery
from doorstep.messaging.rotation import platform
from doorstep.messaging.rotation.keys import Change
from doorstep.messaging.rotation.messages import (
    KEYS_CHANNEL,
    Answer,
    Exchange,
    FromDevice,
    FromPlatform,
    RenewCertificate,
    encode,
    from_device,
)
from doorstep.messaging.rotation.platform import Rotation
from doorstep.messaging.state import SealedState as Sealed
from doorstep.messaging.state import StagedRoot
from doorstep.ownership.life import Life
from doorstep.ownership.standing import Standing
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed
from doorstep.server.channels.actions import CannotSend, enqueue
from doorstep.server.channels.models import Downlink
from doorstep.server.fleet import exchanges
from doorstep.server.fleet.models import Credential, Device, KeyRotation, SealedState
from doorstep.server.fleet.rotation import CERTIFICATE, OPEN, abandon, rotate_root, secret_context, settle

__all__ = ["hear", "offer", "step", "step_due"]

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 100
_MOST_TRIES: Final = 20
"""Commands for one rotation before the device counts as one that cannot do it."""
_BY: Final = "platform"
_DAY_US: Final = 86_400_000_000


def step_due(now_us: int, behind: int = 0) -> int:
    """Carry on rotations that do not wait for their devices, from behind a row; return where to go on.

    So those that get nowhere never keep the others from their turn.
    """
    due = list(_due().filter(pk__gt=behind).values_list("pk", flat=True)[:_AT_ONCE])
    for row in due:
        try:
            step(row, now_us)
        except DoorstepError as error:
            _note(row, error.message[:200])
    return due[-1] if len(due) == _AT_ONCE else 0


def step(row: int, now_us: int) -> KeyRotation:
    """Carry one rotation on as far as it goes without the device."""
    with transaction.atomic():
        rotation = KeyRotation.objects.select_related("device").get(pk=row)
        device = Device.objects.select_for_update().get(pk=rotation.device_id)
        rotation.refresh_from_db()
        if rotation.stage == Stage.SETTLED.value:
            return rotation
        if device.standing == Standing.BLOCKED or device.life != Life.OWNED:
            if rotation.stage == Stage.OFFERED.value:
                abandon(rotation, "the device was revoked, or nobody owns it", now_us)
        elif rotation.kind == CERTIFICATE:
            _step_certificate(device, rotation, now_us)
        else:
            _step_root(device, rotation, now_us)
    return rotation


def offer(device: Device, rotation: KeyRotation) -> FromPlatform:
    """Return what begins a rotation, and what a device is told that is not where it should be."""
    if rotation.kind == CERTIFICATE:
        return RenewCertificate()
    known = _rotation(device, rotation)
    return known.offer(exchanges.signed_key() if known.change is Change.EXCHANGED else b"")


def hear(device: Device, rotation: KeyRotation, said: FromDevice, now_us: int) -> FromPlatform:
    """Take a device's word, and return what to say next; raise PeerError.

    Call it in a transaction that holds the device's row. The message that brought the word is counted in the
    device's sealed state.
    """
    match said:
        case Answer():
            return _stage(device, rotation, said, now_us)
        case Exchange() if exchanges.is_running(device, said.number):
            secret = exchanges.finish(device, said)
            rotation.secret = settings.KEY_FILE.wrap(
                secret, secret_context(device.device_id, rotation.number)
            )
            rotation.save(update_fields=["secret"])
            return offer(device, rotation)
        case Exchange() if rotation.kind == Change.EXCHANGED.name.lower():
            return exchanges.answer(device, said)
        case _:  # its last word comes under the new root, which says more
            return offer(device, rotation)


def _stage(device: Device, rotation: KeyRotation, said: Answer, now_us: int) -> FromPlatform:
    known, state = platform.accept(_rotation(device, rotation), _sealed(device), said)
    assert state.staged is not None  # it was accepted
    _store_staged(device, state.staged)
    rotation.stage, rotation.staged_us = known.stage.value, now_us
    rotation.save(update_fields=["stage", "staged_us"])
    return platform.commit_of(known, state.staged)


def _due() -> QuerySet[KeyRotation]:
    """Return the oldest open rotation of each device, unless it waits for the device; and what ends."""
    older = KeyRotation.objects.filter(
        device=OuterRef("device"), stage__in=OPEN, number__lt=OuterRef("number")
    ).exclude(kind=CERTIFICATE)
    command = Downlink.objects.filter(command_id=OuterRef("command_id"))
    waiting = Exists(command.filter(state__in=UNDELIVERED))
    retired = Q(stage=Stage.STAGED.value, device__sealed__staged_epoch=None)
    # A day: certificates are valid from so long before they are made.
    fresh = Credential.objects.filter(
        device=OuterRef("device"), state="active", not_before_us__gte=OuterRef("asked_us") - _DAY_US
    )
    lost = ~Exists(command.filter(state__in=(*UNDELIVERED, Delivery.ACKNOWLEDGED)))
    root = ~Q(kind=CERTIFICATE) & ~Exists(older) & (~waiting | retired)
    certificate = Q(kind=CERTIFICATE) & ~waiting & (lost | Exists(fresh))
    runs = Q(by_hand=False, device__blocked=False, device__life=Life.OWNED) & (root | certificate)
    ends = Q(stage=Stage.OFFERED.value) & (Q(device__standing=Standing.BLOCKED) | ~Q(device__life=Life.OWNED))
    return KeyRotation.objects.filter(stage__in=OPEN).filter(runs | ends).order_by("pk")


def _note(row: int, why: str) -> None:
    """Say why a rotation gets nowhere, once."""
    if KeyRotation.objects.filter(pk=row).exclude(detail=why).update(detail=why):
        _log.warning("rotation %d gets nowhere: %s", row, why)


def _step_root(device: Device, rotation: KeyRotation, now_us: int) -> None:
    if rotation.stage == Stage.STAGED.value and _sealed(device).staged is None:
        settle(rotation, "done", "", now_us)
        return
    command = _command(rotation)
    if command is not None and command.state in UNDELIVERED:
        return
    word = None if command is None else _answered(device, rotation, command, now_us)
    if rotation.stage != Stage.SETTLED.value:
        _tell(device, rotation, word or offer(device, rotation), now_us)


def _step_certificate(device: Device, rotation: KeyRotation, now_us: int) -> None:
    """Note that a new certificate was issued (staged), and that the one before it is superseded (proven)."""
    active = list(device.credentials.filter(state="active").order_by("-not_before_us", "-pk"))
    fresh = [one for one in active if round(one.created_at.timestamp() * 1e6) >= rotation.asked_us]
    if fresh and rotation.stage == Stage.OFFERED.value:
        rotation.stage, rotation.staged_us = Stage.STAGED.value, now_us
        rotation.save(update_fields=["stage", "staged_us"])
    if fresh and len(fresh) == len(active):
        settle(rotation, "done", "", now_us)
    elif not fresh and not _was_told(rotation):
        _tell(device, rotation, offer(device, rotation), now_us)


def _was_told(rotation: KeyRotation) -> bool:
    """Say whether a device has its command or will get it; one that refused or never got it is told again."""
    command = _command(rotation)
    if command is None or command.state in {*UNDELIVERED, Delivery.ACKNOWLEDGED}:
        return command is not None
    rotation.detail = f"{command.state}: {_words(bytes(command.detail))}"[:200]
    return False


def _command(rotation: KeyRotation) -> Downlink | None:
    """Return the command that the device has to answer, or has answered."""
    if not rotation.command_id:
        return None
    return Downlink.objects.filter(command_id=rotation.command_id).first()


def _answered(device: Device, rotation: KeyRotation, command: Downlink, now_us: int) -> FromPlatform | None:
    """Draw the consequences of a closed command; what the device said is not kept beyond that."""
    said, word = bytes(command.detail), None
    rotation.command_id = rotation.detail = ""
    try:
        if command.state == Delivery.ACKNOWLEDGED:
            word = hear(device, rotation, from_device(said), now_us)
        else:
            rotation.detail = f"{command.state}: {_words(said)}"[:200]
    except PeerError as error:
        rotation.detail = error.message[:200]
    command.detail = b""
    command.save(update_fields=["detail"])
    rotation.save(update_fields=["command_id", "detail"])
    if rotation.detail and _is_broken_off(rotation):
        _begin_anew(device, rotation, now_us)
    return word


def _is_broken_off(rotation: KeyRotation) -> bool:
    """Say whether an exchange cannot go on: one end has lost what it had in memory."""
    exchange = rotation.kind == Change.EXCHANGED.name.lower()
    return exchange and rotation.stage == Stage.OFFERED.value and rotation.tries > 1


def _begin_anew(device: Device, rotation: KeyRotation, now_us: int) -> None:
    abandon(rotation, f"the exchange was broken off: {rotation.detail}", now_us)
    if rotation.tries < _MOST_TRIES:
        anew = rotate_root(device, rotation.asked_by, now_us=now_us, change=Change.EXCHANGED)
        anew.tries = rotation.tries
        anew.save(update_fields=["tries"])


def _tell(device: Device, rotation: KeyRotation, word: FromPlatform, now_us: int) -> None:
    if rotation.tries >= _MOST_TRIES and rotation.stage == Stage.OFFERED.value:
        abandon(rotation, f"the device does not answer as it should: {rotation.detail}", now_us)
        return
    try:
        command = enqueue(
            device,
            KEYS_CHANNEL,
            encode(word),
            expires_at_us=None,
            by=_BY,
            now_us=now_us,
            name=f"{rotation.kind} key",
        )
    except CannotSend as refusal:
        rotation.detail = refusal.message[:200]
        rotation.save(update_fields=["detail"])
        return
    rotation.command_id, rotation.tries = command.command_id, rotation.tries + 1
    rotation.save(update_fields=["command_id", "tries"])


def _rotation(device: Device, row: KeyRotation) -> Rotation:
    secret = bytes(row.secret)
    if secret:
        secret = settings.KEY_FILE.unwrap(secret, secret_context(device.device_id, row.number))
    return Rotation(row.number, Change[row.kind.upper()], secret, Stage(row.stage))


def _sealed(device: Device) -> Sealed:
    row = SealedState.objects.filter(device=device).values_list(*SEALED_COLUMNS).get()
    return read_sealed(settings.KEY_FILE, device.device_id, row)


def _store_staged(device: Device, staged: StagedRoot) -> None:
    """Store the staged root; ingest loads the device anew because its generation grew."""
    wrapped = settings.KEY_FILE.wrap(staged.root, f"sealed/{device.device_id}/staged")
    SealedState.objects.filter(device=device).update(staged_epoch=staged.epoch, staged_root=wrapped)
    device.generation += 1
    device.save(update_fields=["generation"])


def _words(said: bytes) -> str:
    return "".join(char for char in said.decode("utf-8", "replace") if char.isprintable())
