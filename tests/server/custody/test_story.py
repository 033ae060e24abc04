"""The ledger in words: who is no party to a trade reads that it happened, and no more."""

import pytest

from doorstep.ownership.kinds import DETAIL, Kind
from doorstep.ownership.ledger import Event
from doorstep.server.accounts.models import Organisation
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.story import story_of
from tests.server.making import MadeDevice, customer, devices, maker, wholesaler

pytestmark = pytest.mark.usefixtures("rolled_back")


def story(device: MadeDevice, reader: Organisation) -> list[str]:
    return [chapter.text for chapter in reversed(story_of(device.row, reader))]


def test_stranger_to_a_trade_reads_no_order() -> None:
    [device], trader, stranger = devices(), wholesaler(), customer()[1]
    actions.record_sale("PO-77", [device.serial], trader, actor="operator", source="api", now_us=now_us())
    assert story(device, stranger)[-1] == "Sent to a wholesaler."
    assert story(device, trader)[-1] == "Sent to a wholesaler. Order PO-77."
    assert story(device, maker()[1])[-1] == "Sent to a wholesaler. Order PO-77."


def test_claimant_and_staff_alone_read_what_a_held_claim_brought() -> None:
    [device], claimant, owner = devices(), customer()[1], customer()[1]
    detail: dict[str, str | int] = {"organisation": claimant.pk, "evidence": "token order_ref", "policy": "1"}
    event = Event(Kind.CLAIM_HELD, device.row.device_id, "operator", detail)
    ledger.append([(device.row.pk, event)], now_us())
    held = "A registration was held for review."
    assert story(device, claimant)[-1] == f"{held} Evidence: token, order ref."
    assert story(device, owner)[-1] == held


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.KEY_ADDED])
def test_staff_reads_words_for_every_kind(kind: Kind) -> None:
    [device], staff = devices(), maker()[1]
    detail = {name: staff.pk if name == "organisation" else "word" for name in DETAIL[kind]}
    ledger.append([(device.row.pk, Event(kind, device.row.device_id, "operator", detail))], now_us())
    told = story(device, staff)[-1]
    assert told.endswith((".", "word"))
    assert "{" not in told
