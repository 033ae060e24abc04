"""The revocation list: signed when something ended or the last one grows old, numbered without a gap."""

from typing import Final

from django.db.models import Count, Max

from doorstep.crypto.revocation import Reason, Revoked, Validity, build_crl
from doorstep.crypto.x509 import Issuer
from doorstep.server.clock import from_us
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Credential
from doorstep.server.fleet.trust import RevocationList

__all__ = ["FRESH_US", "VALID_US", "current_list", "ended"]

VALID_US: Final = 24 * 3600 * 1_000_000
"""The next update is promised for then; whoever lost us does not believe an old list for longer."""
FRESH_US: Final = 3600 * 1_000_000
"""A list is signed anew after so long, also when nothing happened."""
_LATE_US: Final = 600 * 1_000_000
"""A transaction that ended a certificate is stored at most so long after the time that it wrote down."""
_KEPT: Final = 10
"""Lists that stay in the table; an older one is worth nothing."""

_REASONS: Final = {"revoked": Reason.WITHDRAWN, "superseded": Reason.SUPERSEDED}


def current_list(issuer: Issuer, now_us: int) -> RevocationList:
    """Return the list that holds now; sign it first when the last one lacks something."""
    newest = _newest()
    if newest is not None and _is_current(newest, now_us):
        return newest
    with transaction_in_turn():
        newest = RevocationList.objects.select_for_update().order_by("-number").first()
        if newest is not None and _is_current(newest, now_us):  # somebody else was faster
            return newest
        return _sign(issuer, 1 if newest is None else newest.number + 1, now_us)


def ended(row: Credential) -> Revoked | None:
    """Return how a certificate ended; None while it is active."""
    if row.state not in _REASONS or row.ended_us is None:
        return None
    return Revoked(int(row.serial, 16), from_us(row.ended_us), _REASONS[row.state])


def _newest() -> RevocationList | None:
    return RevocationList.objects.order_by("-number").first()


def _is_current(newest: RevocationList, now_us: int) -> bool:
    fresh = newest.at_us <= now_us < newest.at_us + FRESH_US
    return fresh and (newest.ends, newest.last_end_us) == _ends(newest.at_us)


def _ends(at_us: int) -> tuple[int, int]:
    """Return how many certificates ended lately, and when the last did: they change with each end.

    Lately is since shortly before a list was signed, so that who asks for it makes nobody count all of them.
    """
    found = Credential.objects.filter(ended_us__gte=at_us - _LATE_US).aggregate(Count("pk"), Max("ended_us"))
    return found["pk__count"], found["ended_us__max"] or 0


def _sign(issuer: Issuer, number: int, now_us: int) -> RevocationList:
    ends, last_end_us = _ends(now_us)
    rows = Credential.objects.filter(ended_us__isnull=False, not_after_us__gt=now_us).exclude(serial="")
    revoked = [one for row in rows.order_by("pk") if (one := ended(row)) is not None]
    until_us = now_us + VALID_US
    made = RevocationList.objects.create(
        number=number,
        at_us=now_us,
        until_us=until_us,
        ends=ends,
        last_end_us=last_end_us,
        content=build_crl(issuer, revoked, number, Validity(from_us(now_us), from_us(until_us))),
    )
    RevocationList.objects.filter(number__lte=number - _KEPT).delete()
    return made
