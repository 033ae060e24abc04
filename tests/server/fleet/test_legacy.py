"""Legacy formats are off until somebody accepts the risk, and each board has keys of its own."""

import os
from typing import Any

import pytest
from django.conf import settings

from doorstep.errors import MisuseError
from doorstep.messaging.legacy.formats import RISKS, Format, InsecureFormat
from doorstep.messaging.legacy.keys import LegacyKeys, generate
from doorstep.messaging.legacy.login import PREFIX, password_hash
from doorstep.server.fleet.legacy import add_board, all_boards, remove_board, set_legacy
from doorstep.server.fleet.models import Device, LegacyBoard, LegacyChange, Product, Revocation
from tests.server import making

pytestmark = pytest.mark.usefixtures("rolled_back")

ON = {"actor": "operator", "now_us": 1}


def owned(count: int = 1, *, on: bool = True) -> list[Device]:
    """Devices of one owner, of a product that takes the article's messages."""
    _, owner = making.customer()
    rows = [made.row for made in making.devices(count)]
    Device.objects.filter(pk__in=[row.pk for row in rows]).update(life="owned", owner=owner)
    if on:
        set_legacy(rows[0].product, ["article"], ["article"], actor="operator", now_us=1)
    return [Device.objects.select_related("product").get(pk=row.pk) for row in rows]


def add(device: Device, **chosen: Any) -> Any:
    return add_board(device, "article", "11242238", **{**ON, **chosen})


def test_product_takes_nothing_legacy_until_the_risk_is_accepted() -> None:
    product = making.product()
    assert product.insecure_formats == ()
    with pytest.raises(InsecureFormat):
        set_legacy(product, ["article"], [], actor="a", now_us=1)
    assert not LegacyChange.objects.filter(product=product).exists()


def test_consent_is_kept_with_who_when_and_the_sentence_and_asked_once() -> None:
    product = set_legacy(making.product(), ["article"], ["article"], actor="user:7", now_us=5)
    product = set_legacy(product, ["article"], [], actor="b", now_us=6)
    product = set_legacy(product, [], [], actor="c", now_us=7)
    rows = LegacyChange.objects.filter(product=product).order_by("pk")
    assert [(row.format, row.enabled, row.risk, row.actor, row.at_us) for row in rows] == [
        ("article", True, RISKS[Format.ARTICLE], "user:7", 5),
        ("article", False, "", "c", 7),
    ]


def test_board_gets_keys_and_a_password_that_are_stored_wrapped_and_hashed() -> None:
    (device,) = owned()
    added = add(device)
    assert added.password.startswith(PREFIX)
    assert added.password not in repr(added)
    row = LegacyBoard.objects.get(device=device)
    assert row.login_hash == password_hash(added.password)
    wrapped = settings.KEY_FILE.unwrap(bytes(row.keys), f"legacy/{device.device_id}/keys")
    assert LegacyKeys.from_bytes(wrapped) == added.keys
    assert Device.objects.get(pk=device.pk).insecure_formats == (Format.ARTICLE,)


def test_change_of_a_board_is_noticed_by_ingest() -> None:
    (device,) = owned()
    before = device.generation
    add(device)
    remove_board(device, actor="operator", now_us=1)
    set_legacy(device.product, [], [], actor="a", now_us=2)
    device.refresh_from_db()
    assert device.generation == before + 2


def test_session_of_a_board_ends_when_its_format_or_the_board_is_taken_off() -> None:
    """The broker closes what an open revocation names; that of a device which has migrated is left alone."""
    device, other, migrated = owned(3)
    for one in (device, other):
        add(one)
    _migrate(migrated)
    Device.objects.update(product=device.product)
    for row in (device, other, migrated):
        row.refresh_from_db()
    remove_board(other, actor="operator", now_us=1)
    set_legacy(device.product, [], [], actor="a", now_us=2)
    orders = Revocation.objects.filter(device__in=[device, other, migrated], kicked_us=None)
    assert {(one.device_id, one.handover) for one in orders} == {(device.pk, True), (other.pk, True)}
    assert not Device.objects.filter(pk=device.pk, blocked=True).exists()


def test_board_may_be_added_again_with_new_keys() -> None:
    (device,) = owned()
    first, second = add(device), add(device)
    assert first.keys != second.keys
    assert all_boards().filter(device=device).count() == 1


def test_no_two_boards_have_one_key() -> None:
    one, two = owned(2)
    keys = add(one).keys
    for copied in (
        keys,
        LegacyKeys(keys.static_iv, keys.iv_key, generate(os.urandom).data_key, keys.passphrase),
    ):
        with pytest.raises(MisuseError, match="each could speak for the other"):
            add(two, keys=copied)


def test_boards_of_one_owner_hear_each_other() -> None:
    one, two = owned(2)
    add(one)
    assert add(two, peer=one).board.peer == one
    assert add(one, peer=two).board.peer == two
    Device.objects.filter(pk=two.pk).update(owner=None)
    two.refresh_from_db()
    with pytest.raises(MisuseError, match="of its owner"):
        add(one, peer=two)


def _migrate(device: Device) -> None:
    add(device)
    LegacyBoard.objects.filter(device=device).update(migrated_us=1)


def _own_no_more(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(life="returned")


def _turn_off(device: Device) -> None:
    Product.objects.filter(pk=device.product_id).update(legacy_formats="")


PREVENTED = {
    "has proved itself better": _migrate,
    "has no owner": _own_no_more,
    "takes no messages": _turn_off,
}


@pytest.mark.parametrize(("words", "prevent"), PREVENTED.items(), ids=PREVENTED)
def test_board_is_not_added(words: str, prevent: Any) -> None:
    (device,) = owned()
    prevent(device)
    with pytest.raises(MisuseError, match=words):
        add(device)


@pytest.mark.parametrize("node", ["", "1" * 33, "\n", "é"])
def test_board_has_a_node_id_that_its_messages_can_name(node: str) -> None:
    (device,) = owned()
    with pytest.raises(MisuseError, match="node id"):
        add_board(device, "article", node, actor="a", now_us=1)


def test_migrated_board_stays_so() -> None:
    (device,) = owned()
    _migrate(device)
    with pytest.raises(MisuseError, match="has migrated"):
        remove_board(device, actor="operator", now_us=1)
    assert Device.objects.get(pk=device.pk).insecure_formats == ()
