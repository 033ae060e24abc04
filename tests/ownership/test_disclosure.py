"""Whose business an entry of the ledger is."""

import pytest

from doorstep.ownership.disclosure import concerns
from doorstep.ownership.ledger import Event, Kind

SELLER, BUYER, STRANGER = 1, 2, 3


@pytest.mark.parametrize(
    ("kind", "detail", "knowing"),
    [
        (Kind.DISPATCHED, {"order": "A", "organisation": BUYER}, {SELLER, BUYER}),
        (Kind.RECEIVED, {"order": "A"}, {SELLER}),
        (Kind.SOLD, {"order": "A"}, {SELLER}),
        (Kind.CORRECTED, {"entry": 1, "reason": "typed wrong"}, {SELLER}),
        (Kind.CODE_RELEASED, {"organisation": BUYER}, {BUYER}),
        (Kind.RELEASED, {"reason": "given up"}, {SELLER, BUYER, STRANGER}),
    ],
)
def test_parties_alone_know_the_detail(kind: Kind, detail: dict[str, str | int], knowing: set[int]) -> None:
    event = Event(kind, "aaaaaaaa", f"user:7@{SELLER}", detail)
    assert {one for one in (SELLER, BUYER, STRANGER) if concerns(event, one)} == knowing
