"""Somebody reports that a label's foil is not whole, or the maker puts a new one on."""

import os

from doorstep.errors import RefusedError
from doorstep.identity import claim_code
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.label import LabelState, LabelStep, step_label
from doorstep.ownership.ledger import Event, Kind
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.bringing import locked_device
from doorstep.server.custody.evidence import brought, pieces
from doorstep.server.custody.keys import claim_code_pepper
from doorstep.server.custody.models import ClaimRequest
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Device

__all__ = [
    "LabelNotReplaced",
    "NothingBrought",
    "replace_label",
    "report_as_claimant",
    "report_label",
    "scratched",
]


class NothingBrought(RefusedError):
    """Somebody reports a label of a device with which nothing connects them."""

    def __init__(self) -> None:
        super().__init__(
            "a label is reported by whoever brought something for its device before",
            next_step="Set the device up, or ask the seller to report it.",
        )


class LabelNotReplaced(RefusedError):
    """A device that has an owner keeps its label."""


def report_label(device: Device, by: str, now_us: int) -> None:
    """Take the word that a label was scratched by somebody unknown: its code counts for nobody any more.

    Other evidence counts as before, so that nobody is kept from their device by a report.
    """
    with transaction_in_turn():
        row = locked_device(pk=device.pk)
        if row is not None:
            _step(row, LabelStep.REPORT, by, now_us)


def report_as_claimant(request: ClaimRequest, by: str, now_us: int) -> None:
    """Take this word from a claimant; raise NothingBrought from one who only knows the serial."""
    with transaction_in_turn():
        row = locked_device(serial=request.serial)
        if row is None or not brought(row, request.organisation):
            raise NothingBrought
        _step(row, LabelStep.REPORT, by, now_us)


def replace_label(device: Device, by: str, now_us: int) -> str:
    """Give a device that nobody owns a new code, and return it as it is printed, this once.

    Whoever typed the code before has to type the new one.

    Raises LabelNotReplaced, and IllegalTransition for a label that nobody touched.
    """
    code = claim_code.generate(os.urandom)
    with transaction_in_turn():
        row = locked_device(pk=device.pk)
        if row is None or row.owner_id is not None:
            raise LabelNotReplaced(
                f"device {device.device_id} has an owner", next_step="It needs a code again when it has none."
            )
        _step(row, LabelStep.REPLACE, by, now_us)
        row.claim_code_hash, row.claim_code_used_at = code.hash(claim_code_pepper()), None
        row.save(update_fields=["claim_code_hash", "claim_code_used_at"])
        # They typed a code that is no more; with the new foil whole it would count again.
        pieces(row).filter(kind=Evidence.LABEL_CODE).delete()
    return code.printed


def scratched(row: Device, by: str, now_us: int) -> None:
    """Note that somebody typed the code of a device whose row the caller locked."""
    _step(row, LabelStep.SCRATCH, by, now_us)


def _step(row: Device, step: LabelStep, by: str, now_us: int) -> None:
    before = LabelState(row.label_state)
    after = step_label(before, step)
    if after is before:
        return
    row.label_state = after
    row.save(update_fields=["label_state"])
    ledger.append([(row.pk, Event(Kind.LABEL_REPORTED, row.device_id, by, {"state": str(after)}))], now_us)
