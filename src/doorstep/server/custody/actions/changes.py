"""What claims change, gathered first and stored in a few statements, whatever the number of claims."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from doorstep.ownership.ledger import Event
from doorstep.server.custody.models import Claim, ClaimEvidence, Dispute, RegistrationToken
from doorstep.server.fleet.models import Credential, Device

__all__ = ["Changes"]

_UPDATE_DEVICE: Final = (
    "UPDATE device SET life = %s, owner_id = %s, ownership_period = %s, generation = %s, alias = %s,"
    " claim_code_used_at = %s, disputed = %s, claims_waiting = %s WHERE id = %s"
)
_USE_TOKEN: Final = "UPDATE registration_token SET used_by_id = %s, used_at_us = %s WHERE id = %s"  # noqa: S105


@dataclass(slots=True)
class Changes:
    """Rows that were changed in memory while the database holds them locked."""

    devices: dict[int, Device] = field(default_factory=dict)
    handed_over: list[int] = field(default_factory=list)
    """Devices whose former owner's certificates end."""
    tokens: list[RegistrationToken] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    """Of claims above."""
    evidence: list[ClaimEvidence] = field(default_factory=list)
    """Pieces that wait; one that is there already stays as it is."""
    events: list[tuple[int, Event]] = field(default_factory=list)
    """For the ledger, which the caller appends to as late as it can."""

    def store(self, now_us: int) -> None:
        """Write all but the events, in the caller's transaction."""
        _update_each(_UPDATE_DEVICE, map(_of_device, self.devices.values()))
        _update_each(_USE_TOKEN, ([one.used_by_id, one.used_at_us, one.pk] for one in self.tokens))
        if self.handed_over:
            ended = Credential.objects.filter(device__in=self.handed_over, state="active")
            ended.update(state="superseded", ended_us=now_us)
        if self.evidence:
            ClaimEvidence.objects.bulk_create(self.evidence, ignore_conflicts=True)
        Claim.objects.bulk_create(self.claims)
        Dispute.objects.bulk_create(self.disputes)


def _of_device(device: Device) -> list[Any]:
    return [
        str(device.life),
        device.owner_id,
        device.ownership_period,
        device.generation,
        device.alias,
        connection.ops.adapt_datetimefield_value(device.claim_code_used_at),
        device.disputed,
        device.claims_waiting,
        device.pk,
    ]


def _update_each(sql: str, rows: Iterable[list[Any]]) -> None:
    """Run one statement for every row, all in one round trip where the driver can."""
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(rows))
