"""Devices by how they are: the words of `queries.status_of` as conditions of the database."""

import enum
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from doorstep.ownership.standing import Standing
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.queries import LIVE_FOR_US

__all__ = ["Condition", "Tally", "in_condition", "tally_of"]


class Condition(enum.StrEnum):
    """What a list can be narrowed to."""

    ATTENTION = "attention"
    LIVE = "live"
    QUIET = "quiet"
    WAITING = "waiting"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many devices are how."""

    all: int
    attention: int
    live: int
    quiet: int
    waiting: int
    revoked: int


_ATTENTION = Q(standing__in=(Standing.SUSPECTED, Standing.QUARANTINED)) | Q(disputed=True, blocked=False)


def _condition(condition: Condition, now_us: int) -> Q:
    well = ~_ATTENTION & Q(blocked=False)
    match condition:
        case Condition.ATTENTION:
            return _ATTENTION
        case Condition.REVOKED:
            return Q(blocked=True) & ~_ATTENTION
        case Condition.WAITING:
            return well & Q(last_seen_us=None)
        case Condition.LIVE:
            return well & Q(last_seen_us__gt=now_us - LIVE_FOR_US)
        case Condition.QUIET:
            return well & Q(last_seen_us__lte=now_us - LIVE_FOR_US)


def in_condition(devices: QuerySet[Device], condition: Condition, now_us: int) -> QuerySet[Device]:
    """Keep the devices that are so now."""
    return devices.filter(_condition(condition, now_us))


def tally_of(devices: QuerySet[Device], now_us: int) -> Tally:
    """Count devices by how they are; each counts once."""
    counts = {one.value: Count("pk", filter=_condition(one, now_us)) for one in Condition}
    return Tally(**devices.order_by().aggregate(all=Count("pk"), **counts))
