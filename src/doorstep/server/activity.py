"""What happened to somebody's devices, newest first: out of the ledger, the alerts and the commands."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from typing import Protocol

from django.db.models import F, OuterRef, Subquery
from django.utils.translation import gettext as _

from doorstep.server.accounts.models import Organisation
from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import actor_name
from doorstep.server.channels.models import Downlink
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.custody.story import chapters
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.visible import devices_visible_to
from doorstep.server.readings.alerting import sentence_of
from doorstep.server.readings.thresholds import alerts_seen

__all__ = ["Happened", "Happening", "happenings"]


class Happened(enum.StrEnum):
    """Of which kind it was."""

    CUSTODY = "custody"
    ALERT = "alert"
    ALERT_ENDED = "alert_ended"
    COMMAND = "command"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to one device."""

    at_us: int
    device: Device
    kind: Happened
    text: str


class Reads(Protocol):
    """A principal of the portal or a caller of the REST API."""

    @property
    def organisation(self) -> Organisation:
        """For whom they act."""

    @property
    def groups(self) -> frozenset[int] | None:
        """Primary keys of the groups to which their sight is limited; None: it is not."""

    def may(self, permission: Permission) -> bool:
        """Whether they have the permission."""


def happenings(somebody: Reads, before_us: int, count: int) -> list[Happening]:
    """Return the newest of what happened before a moment, of the kinds that somebody may read."""
    kinds = {
        Permission.CUSTOMER_LEDGER_READ: _entries,
        Permission.CUSTOMER_READINGS_READ: _alerts,
        Permission.CUSTOMER_COMMANDS_READ: _commands,
    }
    found = (
        one
        for permission, happened in kinds.items()
        if somebody.may(permission)
        for one in happened(somebody, before_us, count)
    )
    return nlargest(count, found, key=lambda one: one.at_us)


def _entries(somebody: Reads, before_us: int, count: int) -> Iterator[Happening]:
    # The newest entries are of the devices whose own newest are newest: one look into the index for each
    # device, in place of sorting all entries of ten thousand devices.
    own = CustodyEntry.objects.filter(device=OuterRef("pk"), at_us__lt=before_us).order_by("-number")
    devices = devices_visible_to(somebody).annotate(newest=Subquery(own.values("number")[:1]))
    newest = devices.exclude(newest=None).order_by("-newest").values_list("pk", flat=True)[:count]
    rows = CustodyEntry.objects.filter(device__in=list(newest), at_us__lt=before_us)
    entries = rows.select_related("device__product").order_by("-number")[:count]
    for chapter in chapters(entries, somebody.organisation):
        if chapter.device is not None:
            yield Happening(chapter.at_us, chapter.device, Happened.CUSTODY, chapter.text)


def _alerts(somebody: Reads, before_us: int, count: int) -> Iterator[Happening]:
    rows = alerts_seen(somebody)
    for alert in rows.filter(opened_us__lt=before_us).order_by("-opened_us", "-pk")[:count]:
        yield Happening(alert.opened_us, alert.device, Happened.ALERT, sentence_of(alert))
    for alert in rows.filter(closed_us__lt=before_us).order_by("-closed_us", "-pk")[:count]:
        yield Happening(alert.closed_us or 0, alert.device, Happened.ALERT_ENDED, _("An alert ended."))


def _commands(somebody: Reads, before_us: int, count: int) -> Iterator[Happening]:
    devices = devices_visible_to(somebody).order_by().values("pk")
    rows = Downlink.objects.filter(
        device__in=devices, asked_us__lt=before_us, ownership_period=F("device__ownership_period")
    ).exclude(channel="keys")
    for row in rows.select_related("device__product").order_by("-asked_us", "-pk")[:count]:
        words = {"name": row.name, "who": _capital(actor_name(row.asked_by, somebody))}
        if row.channel == "config":
            what, text = Happened.SETTINGS, _("%(who)s changed its settings: %(name)s.") % words
        else:
            what, text = Happened.COMMAND, _("%(who)s sent it the command %(name)s.") % words
        yield Happening(row.asked_us, row.device, what, text)


def _capital(who: str) -> str:
    """Begin a sentence with somebody; an address stays as it is."""
    return who if "@" in who else who[:1].upper() + who[1:]
