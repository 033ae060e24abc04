"""What claims change, gathered first and stored in a few statements, whatever the number of claims."""

from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from doorstep.ownership.ledger import Event
from doorstep.server import bulk
from doorstep.server.custody.models import Claim, ClaimEvidence, Dispute, RegistrationToken
from doorstep.server.fleet.models import Credential, Device

__all__ = ["Changes"]

_OF_DEVICE: Final = {
    "id": "bigint",
    "life": "text",
    "owner_id": "bigint",
    "ownership_period": "bigint",
    "generation": "bigint",
    "alias": "text",
    "claim_code_used_at": "timestamptz",
    "disputed": "boolean",
    "claims_waiting": "boolean",
}
_OF_CLAIM: Final = {
    "device_id": "bigint",
    "organisation_id": "bigint",
    "claimant_id": "bigint",
    "evidence": "jsonb",
    "policy": "text",
    "policy_version": "int4",
    "decision": "text",
    "reason": "text",
    "at_us": "bigint",
}
_OF_TOKEN: Final = {"id": "bigint", "used_by_id": "bigint", "used_at_us": "bigint"}


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
        bulk.update("device", _OF_DEVICE, [_of_device(one) for one in self.devices.values()])
        used = [[one.pk, one.used_by_id, one.used_at_us] for one in self.tokens]
        bulk.update("registration_token", _OF_TOKEN, used)
        if self.handed_over:
            ended = Credential.objects.filter(device__in=self.handed_over, state="active")
            ended.update(state="superseded", ended_us=now_us)
        if self.evidence:
            ClaimEvidence.objects.bulk_create(self.evidence, ignore_conflicts=True)
        disputed = {id(one.claim) for one in self.disputes}
        Claim.objects.bulk_create(one for one in self.claims if id(one) in disputed)
        Dispute.objects.bulk_create(self.disputes)
        bulk.insert("claim", _OF_CLAIM, [_of_claim(one) for one in self.claims if id(one) not in disputed])


def _of_claim(claim: Claim) -> list[Any]:
    return [
        claim.device_id,
        claim.organisation_id,
        claim.claimant_id,
        connection.ops.adapt_json_value(claim.evidence, None),
        claim.policy,
        claim.policy_version,
        str(claim.decision),
        claim.reason,
        claim.at_us,
    ]


def _of_device(device: Device) -> list[Any]:
    return [
        device.pk,
        str(device.life),
        device.owner_id,
        device.ownership_period,
        device.generation,
        device.alias,
        connection.ops.adapt_datetimefield_value(device.claim_code_used_at),
        device.disputed,
        device.claims_waiting,
    ]
