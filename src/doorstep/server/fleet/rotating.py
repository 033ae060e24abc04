"""Carries rotations on: says to each device what its rotation waits for, and draws the consequences.

Everything that the device is told is stored before it is told. Each step is one transaction with the device's
row locked; a crash anywhere leaves a rotation that the next step carries on.
"""

from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from doorstep.errors import PeerError
from doorstep.identity.rotation import Stage
from doorstep.messaging.delivery import OPEN as UNDELIVERED
from doorstep.messaging.delivery import Delivery
from doorstep.messaging.rotation import platform
from doorstep.messaging.rotation.keys import Change
from doorstep.messaging.rotation.messages import (
    KEYS_CHANNEL,
    Answer,
    FromDevice,
    FromPlatform,
    RenewCertificate,
    encode,
    from_device,
)
from doorstep.messaging.rotation.platform import Rotation
from doorstep.messaging.state import SealedState as Sealed
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed
from doorstep.server.channels.actions import CannotSend, enqueue
from doorstep.server.channels.models import Downlink
from doorstep.server.fleet.models import Device, KeyRotation, SealedState
from doorstep.server.fleet.rotation import CERTIFICATE, OPEN, abandon, secret_context, settle

__all__ = ["hear", "next_word", "step", "step_due"]

_AT_ONCE: Final = 100
_MOST_TRIES: Final = 20
"""Commands for one rotation before the device counts as one that cannot do it."""
_BY: Final = "platform"


def step_due(now_us: int) -> int:
    """Carry on every rotation that does not wait for its device; return how many."""
    due = list(_due().values_list("pk", flat=True)[:_AT_ONCE])
    for row in due:
        step(row, now_us)
    return len(due)


def step(row: int, now_us: int) -> KeyRotation:
    """Carry one rotation on as far as it goes without the device."""
    with transaction.atomic():
        rotation = KeyRotation.objects.select_related("device").get(pk=row)
        device = Device.objects.select_for_update().get(pk=rotation.device_id)
        rotation.refresh_from_db()
        if rotation.stage == Stage.SETTLED.value:
            return rotation
        if rotation.kind == CERTIFICATE:
            _step_certificate(device, rotation, now_us)
        else:
            _step_root(device, rotation, now_us)
    return rotation


def next_word(device: Device, rotation: KeyRotation, *, commits: bool) -> FromPlatform:
    """Return what to say to the device now; ``commits``: it has just shown that it holds what is staged.

    One that has not is asked again: it may have booted, and then its new root is another.
    """
    if rotation.kind == CERTIFICATE:
        return RenewCertificate()
    known, staged = _rotation(device, rotation), _sealed(device).staged
    if commits and staged is not None:
        return platform.commit_of(known, staged)
    return known.offer


def hear(device: Device, rotation: KeyRotation, said: FromDevice, now_us: int) -> bool:
    """Take a device's word, and say whether it was an answer, whose new root is staged now. Raises PeerError.

    Call it in a transaction that holds the device's row.

    The message that brought it is counted in the device's sealed state.
    """
    if not isinstance(said, Answer):
        return False  # its last word comes under the new root, which says more
    known, state = platform.accept(_rotation(device, rotation), _sealed(device), said)
    _store_staged(device, state)
    rotation.stage, rotation.staged_us = known.stage.value, now_us
    rotation.save(update_fields=["stage", "staged_us"])
    return True


def _due() -> QuerySet[KeyRotation]:
    """Return the oldest open rotation of each device, unless it waits for the device."""
    older = KeyRotation.objects.filter(
        device=OuterRef("device"), stage__in=OPEN, number__lt=OuterRef("number")
    ).exclude(kind=CERTIFICATE)
    waiting = Downlink.objects.filter(command_id=OuterRef("command_id"), state__in=UNDELIVERED)
    retired = Q(stage=Stage.STAGED.value, device__sealed__staged_epoch=None) & ~Q(kind=CERTIFICATE)
    open_ones = KeyRotation.objects.filter(stage__in=OPEN, by_hand=False)
    return (
        open_ones.filter(Q(kind=CERTIFICATE) | ~Exists(older))
        .filter(~Exists(waiting) | retired)
        .order_by("pk")
    )


def _step_root(device: Device, rotation: KeyRotation, now_us: int) -> None:
    if rotation.stage == Stage.STAGED.value and _sealed(device).staged is None:
        settle(rotation, "done", "", now_us)
        return
    command = Downlink.objects.filter(command_id=rotation.command_id).first() if rotation.command_id else None
    if command is not None and command.state in UNDELIVERED:
        return
    commits = command is not None and _takes_answer(device, rotation, command, now_us)
    _tell(device, rotation, now_us, commits=commits)


def _step_certificate(device: Device, rotation: KeyRotation, now_us: int) -> None:
    """Note that a new certificate was issued (staged), and that the one before it is superseded (proven)."""
    active = list(device.credentials.filter(state="active").order_by("-not_before_us", "-pk"))
    fresh = [one for one in active if round(one.created_at.timestamp() * 1e6) >= rotation.asked_us]
    if fresh and rotation.stage == Stage.OFFERED.value:
        rotation.stage, rotation.staged_us = Stage.STAGED.value, now_us
        rotation.save(update_fields=["stage", "staged_us"])
    if fresh and len(fresh) == len(active):
        settle(rotation, "done", "", now_us)
    elif not fresh and not rotation.command_id:
        _tell(device, rotation, now_us, commits=False)


def _takes_answer(device: Device, rotation: KeyRotation, command: Downlink, now_us: int) -> bool:
    """Draw the consequences of a closed command, and say whether the device holds what is staged now.

    What it said is not kept beyond that.
    """
    said, rotation.command_id, staged = bytes(command.detail), "", False
    try:
        if command.state == Delivery.ACKNOWLEDGED:
            staged = hear(device, rotation, from_device(said), now_us)
            rotation.detail = ""
        else:
            rotation.detail = f"{command.state}: {_words(said)}"[:200]
    except PeerError as error:
        rotation.detail = error.message[:200]
    command.detail = b""
    command.save(update_fields=["detail"])
    rotation.save(update_fields=["command_id", "detail"])
    return staged


def _tell(device: Device, rotation: KeyRotation, now_us: int, *, commits: bool) -> None:
    if rotation.tries >= _MOST_TRIES and rotation.stage == Stage.OFFERED.value:
        abandon(rotation, f"the device does not answer as it should: {rotation.detail}", now_us)
        return
    try:
        command = enqueue(
            device,
            KEYS_CHANNEL,
            encode(next_word(device, rotation, commits=commits)),
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


def _store_staged(device: Device, state: Sealed) -> None:
    """Store the staged root; ingest loads the device anew because its generation grew."""
    if state.staged is None:
        return
    wrapped = settings.KEY_FILE.wrap(state.staged.root, f"sealed/{device.device_id}/staged")
    SealedState.objects.filter(device=device).update(staged_epoch=state.staged.epoch, staged_root=wrapped)
    device.generation += 1
    device.save(update_fields=["generation"])


def _words(said: bytes) -> str:
    return "".join(char for char in said.decode("utf-8", "replace") if char.isprintable())
