"""Requests that name many devices, and answers that say what became of each row."""

from typing import Annotated, Any

from ninja import Field

from doorstep.server.api.problems import RowProblem
from doorstep.server.api.schema import Schema
from doorstep.server.custody.actions.rows import SERIALS_CAP, RowsOutcome

__all__ = ["RowsDone", "Serials", "shown_rows"]

Serials = Annotated[list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=SERIALS_CAP)]
"""Devices by serial."""


class RowsDone(Schema):
    """What became of the rows. Good ones are done, whatever the others are."""

    done: list[str]
    """Serials of this request."""
    unchanged: list[str]
    """Serials that stood so before."""
    failed: list[RowProblem]
    """Rows that were not stored, and why."""


def shown_rows(outcome: RowsOutcome) -> dict[str, Any]:
    """Return the outcome as the API says it."""
    failed = [
        {"row": bad.row, "serial": bad.serial, "reason": bad.reason, "detail": bad.sentence}
        for bad in outcome.bad
    ]
    return {"done": list(outcome.done), "unchanged": list(outcome.unchanged), "failed": failed}
