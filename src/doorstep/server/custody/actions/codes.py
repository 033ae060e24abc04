"""Somebody types a scratch-off code."""

from typing import Final

from doorstep.errors import RefusedError
from doorstep.identity import claim_code
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.label import LabelState, code_counts
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.actions.attempts import admit, keep_attempt
from doorstep.server.custody.actions.bringing import bring, locked_device
from doorstep.server.custody.actions.claiming import Claimant, file_code
from doorstep.server.custody.actions.labels import scratched
from doorstep.server.custody.actions.requests import keep_request
from doorstep.server.custody.keys import claim_code_pepper
from doorstep.server.custody.models import ClaimAttempt, ClaimRequest
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.actions import enqueue

__all__ = ["CodeRefused", "claim_by_code", "follow_up", "type_code"]

_TOLD_A_DAY: Final = 5
"""Refused typings of one device's code that its owner is told about; all are recorded."""

_DAY_US: Final = 86_400 * 1_000_000


class CodeRefused(RefusedError):
    """A scratch-off code opens nothing for this customer."""

    def __init__(self) -> None:
        super().__init__(
            "this code doesn't open a device",
            next_step="Compare it with the label. If somebody scratched it before you, ask the seller.",
        )


def type_code(claimant: Claimant, code: str, now_us: int) -> Device:
    """Take a scratch-off code as evidence for the device that has it, and return the device.

    The claim waits for what else the policy asks for, and for the device. Raises MalformedClaimCode for a
    mistyped code, TooManyAttempts, and CodeRefused in the same words and after the same work for a code that
    nobody has, that was used, or whose device is somebody else's; what follows from it follows later.
    """
    parsed = claim_code.parse(code)
    admit(claimant.organisation, now_us)
    with transaction_in_turn():
        device = locked_device(claim_code_hash=parsed.hash(claim_code_pepper()))
        good = device is not None and _opens(device, claimant.organisation)
        attempt = keep_attempt(
            claimant, "label_code", parsed.symbols, device=device, refused=not good, now_us=now_us
        )
        if device is not None and good:
            _take(device, claimant, now_us)
        else:
            enqueue("code_refused", {"attempt": attempt.pk})
    if device is None or not good:
        raise CodeRefused
    return device


def claim_by_code(claimant: Claimant, code: str, now_us: int) -> ClaimRequest:
    """Take a code as `type_code` does, and return the claim on its device."""
    return keep_request(claimant, type_code(claimant, code, now_us).serial, now_us)


def follow_up(attempt: ClaimAttempt, now_us: int) -> None:
    """Do what follows from a refused code: the owner of its device hears of it, and a dispute opens."""
    if attempt.device_id is None:
        return
    with transaction_in_turn():
        device = locked_device(pk=attempt.device_id)
        if device is None or device.owner_id in {None, attempt.organisation_id} or _often(attempt):
            return
        file_code(device, attempt.organisation, attempt.user, now_us)


def _opens(device: Device, organisation: Organisation) -> bool:
    if device.owner_id is not None:
        return device.owner_id == organisation.pk
    return device.claim_code_used_at is None and code_counts(LabelState(device.label_state))


def _take(device: Device, claimant: Claimant, now_us: int) -> None:
    keep_request(claimant, device.serial, now_us)
    if device.owner_id is not None:
        return
    scratched(device, claimant.actor, now_us)
    bring(device, claimant, Evidence.LABEL_CODE, now_us=now_us)


def _often(attempt: ClaimAttempt) -> bool:
    before = ClaimAttempt.objects.filter(
        device=attempt.device_id, refused=True, at_us__gt=attempt.at_us - _DAY_US, pk__lt=attempt.pk
    )
    return before.count() >= _TOLD_A_DAY
