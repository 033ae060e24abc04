"""Swaps keep the history and change the hardware; what is scrapped is gone for ever."""

import pytest

from doorstep.errors import IllegalTransition, MisuseError
from doorstep.ownership import documents
from doorstep.ownership.claims import Outcome
from doorstep.ownership.documents import Paper
from doorstep.ownership.handovers import DataChoice, HandoverRefused
from doorstep.ownership.life import Life
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.ending import scrap_device, swap_device
from doorstep.server.custody.changing import PastOwnership
from doorstep.server.custody.documents import document_key
from doorstep.server.custody.models import CustodyEntry
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.readings.models import Message
from tests.server import making
from tests.server.custody.hands import claim, customer, disputed, owned, readings, row_of

pytestmark = pytest.mark.usefixtures("rolled_back")


def test_swap_gives_the_owner_a_new_device_and_keeps_the_readings() -> None:
    made, owner = owned()
    readings(made.row, 3)
    [new] = making.devices()
    swap_device(made.row, new.row, "operator", now_us=now_us())
    old, fresh = row_of(made), row_of(new)
    assert (old.life, old.owner) == (Life.SWAPPED, None)
    assert (fresh.life, fresh.owner, fresh.alias) == (Life.OWNED, owner.organisation, "Kitchen")
    past = PastOwnership.objects.get(device=old)
    assert (past.organisation, past.replacement, past.data) == (owner.organisation, fresh, DataChoice.KEEP)
    assert Message.objects.filter(device_id=old.pk, ownership_period=past.period).count() == 3
    ledger.verify_all()


def test_replacement_registers_with_a_token_of_its_owner_and_is_theirs_already() -> None:
    made, owner = owned()
    [new] = making.devices()
    swap_device(made.row, new.row, "operator", now_us=now_us())
    token, _ = actions.make_registration_token(owner.organisation, owner.user, now_us=now_us())
    said, _ = making.statement_of(new, token)
    answer = actions.register_device(said, authority=making.authority(), now_us=now_us())
    assert answer.decision is not None
    assert answer.decision.outcome is Outcome.ALREADY_YOURS
    assert answer.certificate is not None


def test_swap_needs_a_free_device_that_is_another_one() -> None:
    made, _ = owned()
    other, _ = owned()
    [blocked] = making.devices()
    revoke_device(blocked.row, "operator", "lost", now_us=now_us())
    with pytest.raises(MisuseError, match="its own place"):
        swap_device(made.row, made.row, "operator", now_us=now_us())
    with pytest.raises(HandoverRefused, match="can't take another one's place"):
        swap_device(made.row, other.row, "operator", now_us=now_us())
    with pytest.raises(HandoverRefused, match="is blocked"):
        swap_device(made.row, blocked.row, "operator", now_us=now_us())
    dispute, _, _ = disputed()
    [new] = making.devices()
    with pytest.raises(HandoverRefused, match="a case"):
        swap_device(dispute.device, new.row, "operator", now_us=now_us())


def test_scrapped_device_ends_with_a_certificate_and_nobody_has_it_again() -> None:
    made, owner = owned()
    paper = scrap_device(made.row, owner.actor, "water in it", now_us=now_us())
    row = row_of(made)
    assert (row.life, row.owner, row.blocked) == (Life.SCRAPPED, None, True)
    assert set(row.credentials.values_list("state", flat=True)) == {"revoked"}
    key = document_key().verifying_key
    said = documents.read(paper.text, key.raw, key.verify)
    entry = CustodyEntry.objects.get(kind="scrapped", device=row)
    assert (said.paper, said.serial, said.facts) == (
        Paper.SCRAPPING,
        row.serial,
        {"reason": "water in it", "ledger": entry.number},
    )
    claim(row, customer())
    assert row_of(made).owner is None
    with pytest.raises(IllegalTransition):
        scrap_device(row, "operator", "again", now_us=now_us())


def test_maker_scraps_what_nobody_owns_or_what_is_blocked() -> None:
    _, maker = making.maker()
    [made] = making.devices()
    revoke_device(made.row, "operator", "burnt", now_us=now_us())
    paper = scrap_device(made.row, "operator", "burnt", now_us=now_us())
    assert paper.organisation == maker


def test_owner_does_not_scrap_a_device_under_dispute_nor_hand_its_readings_over() -> None:
    dispute, whose, _ = disputed()
    with pytest.raises(HandoverRefused, match="a case"):
        scrap_device(dispute.device, whose.actor, "gone", now_us=now_us())
    made, owner = owned()
    with pytest.raises(HandoverRefused, match="nobody comes after"):
        scrap_device(made.row, owner.actor, "gone", now_us=now_us(), data=DataChoice.HAND_OVER)
