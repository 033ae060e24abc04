"""Which insecure message formats a product takes, which of its devices speak them, and who accepted that."""

import hmac
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from doorstep.errors import MisuseError
from doorstep.messaging.legacy.article import MAX_NODE
from doorstep.messaging.legacy.formats import RISKS, Format, choose
from doorstep.messaging.legacy.keys import LegacyKeys, generate, refuse_published
from doorstep.messaging.legacy.login import new_password, password_hash
from doorstep.ownership.life import Life
from doorstep.server.fleet.actions import end_sessions
from doorstep.server.fleet.models import Device, LegacyBoard, LegacyChange, Product

__all__ = ["AddedBoard", "add_board", "all_boards", "find_device", "remove_board", "set_legacy"]

_OFF: Final = "its insecure message format was taken off"


@dataclass(frozen=True, slots=True)
class AddedBoard:
    """What goes into a board's configuration file; shown once."""

    board: LegacyBoard
    keys: LegacyKeys
    password: str = field(repr=False)


def set_legacy(
    product: Product, wanted: Iterable[str], accepted: Collection[str], *, actor: str, now_us: int
) -> Product:
    """Store the legacy formats that are taken of a product's devices, from now on and of all of them.

    A risk is accepted once: formats that are on need no second consent. Raises UnknownFormat and
    InsecureFormat; then nothing is stored.
    """
    wanted = set(wanted)
    with transaction.atomic():
        row = Product.objects.select_for_update().get(pk=product.pk)
        before = set(row.insecure_formats)
        chosen = choose(wanted, {*accepted, *before})
        row.legacy_formats = " ".join(chosen)
        row.save(update_fields=["legacy_formats"])
        changed = sorted(before ^ set(chosen))
        LegacyChange.objects.bulk_create(
            _change(row, one, actor, now_us, enabled=one in chosen) for one in changed
        )
        _notice(Device.objects.filter(product=row, legacy__format__in=changed))
        off = Device.objects.filter(product=row, legacy__format__in=before - set(chosen))
        end_sessions(off.filter(legacy__migrated_us=None), actor, _OFF, now_us=now_us)
    return row


def add_board(  # noqa: PLR0913 - a board is all of this
    device: Device,
    kind: str,
    node_id: str,
    *,
    keys: LegacyKeys | None = None,
    peer: Device | None = None,
    actor: str,
    now_us: int,
    rng: Callable[[int], bytes] = os.urandom,
) -> AddedBoard:
    """Take a device's legacy messages from now on, under keys of its own; the password is always new.

    A board that is there already gets the new keys. Raises MisuseError for a device that nobody owns, that
    has migrated, or whose product does not take the format, for keys of another board, and a peer of others.
    """
    keys = keys or generate(rng)
    refuse_published(keys)
    _check_node(node_id)
    password = new_password(rng)
    with transaction.atomic():
        row = Device.objects.select_for_update().select_related("product").get(pk=device.pk)
        _check_device(row, kind)
        if peer is not None:
            _check_peer(row, kind, peer)
        values = _values(row, keys) | {
            "format": kind,
            "node_id": node_id,
            "login_hash": password_hash(password),
            "peer": peer,
            "ownership_period": row.ownership_period,
            "added_us": now_us,
            "added_by": actor,
            "session": "",
            "announced": "",
            "recent": b"",
        }
        try:
            with transaction.atomic():
                board, _ = LegacyBoard.objects.update_or_create(device=row, defaults=values)
        except IntegrityError as error:
            raise MisuseError(
                f"another board has a key of these, so each could speak for the other: {row.device_id}",
                next_step="Leave the keys out: Doorstep makes some for this board alone.",
            ) from error
        _notice(Device.objects.filter(pk=row.pk))
    return AddedBoard(board, keys, password)


def remove_board(device: Device, *, actor: str, now_us: int) -> None:
    """Take no legacy message of a device any more, forget its keys; raises MisuseError for what is none."""
    with transaction.atomic():
        row = Device.objects.select_for_update().get(pk=device.pk)
        # A device that has migrated stays marked: that is what keeps it from going back.
        gone, _ = LegacyBoard.objects.filter(device=row, migrated_us=None).delete()
        if not gone:
            raise MisuseError(f"device {row.device_id} is no legacy board, or has migrated")
        _notice(Device.objects.filter(pk=row.pk))
        end_sessions([row], actor, _OFF, now_us=now_us)


def find_device(device_id: str) -> Device:
    """Return a device for the operator; raises MisuseError for an unknown id."""
    device = Device.objects.filter(device_id=device_id).first()
    if device is None:
        raise MisuseError(f"there is no device {device_id[:8]!a}", next_step="Give the id of its label.")
    return device


def all_boards() -> QuerySet[LegacyBoard]:
    """Return every legacy board, by device id."""
    return LegacyBoard.objects.select_related("device__product", "peer").order_by("device__device_id")


def _check_node(node_id: str) -> None:
    if not (0 < len(node_id) <= MAX_NODE and node_id.isascii() and node_id.isprintable()):
        raise MisuseError(
            f"a node id has 1 to {MAX_NODE} printable ASCII characters",
            next_step="For the article's boards it is the chip id in decimal, node.chipid() on the board.",
        )


def _check_device(device: Device, kind: str) -> None:
    if kind not in device.product.insecure_formats:
        raise MisuseError(
            f"product {device.product.key} takes no messages in format {kind[:20]!a}",
            next_step=f"See its risk: doorstep product legacy {device.product.key} --enable {Format.ARTICLE}",
        )
    if device.blocked or device.life != Life.OWNED:
        raise MisuseError(
            f"device {device.device_id} has no owner, or is revoked",
            next_step="Register it for its owner first.",
        )
    if LegacyBoard.objects.filter(device=device).exclude(migrated_us=None).exists():
        raise MisuseError(
            f"device {device.device_id} has proved itself better since, and cannot go back",
            next_step="Let it send sealed messages.",
        )


def _check_peer(device: Device, kind: str, peer: Device) -> None:
    is_alike = LegacyBoard.objects.filter(device=peer, format=kind).exists()
    if peer.pk == device.pk or peer.owner_id != device.owner_id or not is_alike:
        raise MisuseError(
            f"what {device.device_id} says can go to another legacy board of its owner, of the same format",
            next_step=f"Add that one first: doorstep legacy add {peer.device_id} --format {kind}",
        )


def _values(device: Device, keys: LegacyKeys) -> dict[str, object]:
    marks = settings.KEY_FILE.derive("legacy/marks")
    return {
        "keys": settings.KEY_FILE.wrap(keys.to_bytes(), f"legacy/{device.device_id}/keys"),
        "data_key_mark": hmac.digest(marks, b"data key " + keys.data_key, "sha256").hex(),
        "passphrase_mark": hmac.digest(marks, b"passphrase " + keys.passphrase, "sha256").hex(),
    }


def _change(product: Product, one: Format, actor: str, now_us: int, *, enabled: bool) -> LegacyChange:
    risk = RISKS[one] if enabled else ""
    return LegacyChange(product=product, format=one, enabled=enabled, risk=risk, actor=actor, at_us=now_us)


def _notice(devices: QuerySet[Device]) -> None:
    """Make ingest load them again."""
    devices.update(generation=F("generation") + 1)
