from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import F

from doorstep.errors import IllegalTransition
from doorstep.identity.rotation import Stage
from doorstep.messaging.rotation.keys import Change
from doorstep.ownership.standing import Standing
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed
from doorstep.server.channels.models import Downlink
from doorstep.server.fleet import rotating
from doorstep.server.fleet.models import Device, KeyRotation, SealedState
from doorstep.server.fleet.rotation import (
    CannotRotate,
    abandon,
    change_owner_root,
    rotate_aged,
    rotate_certificate,
    rotate_root,
)
from doorstep.server.readings.models import Message
from tests.server.fleet.line import Line

YEAR_US = 365 * 86_400 * 1_000_000


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line.of_owned_device(tmp_path / "device")
    assert made.say()
    yield made
    made.close()


def rotated(line: Line, rotation: KeyRotation, turns: int = 8) -> KeyRotation:
    for _ in range(turns):
        line.turn()
        rotation.refresh_from_db()
        if rotation.stage == Stage.SETTLED.value:
            return rotation
    raise AssertionError(f"still {rotation.stage}: {rotation.detail}")


def platform_root(line: Line) -> bytes:
    row = SealedState.objects.filter(device=line.row).values_list(*SEALED_COLUMNS).get()
    return read_sealed(settings.KEY_FILE, line.made.device_id, row).root


@pytest.mark.parametrize("change", [Change.FRESH, Change.OWNER])
def test_platform_and_device_get_a_new_root(line: Line, change: Change) -> None:
    old = line.store.keys().boot.root
    begin = rotate_root if change is Change.FRESH else change_owner_root
    rotation = rotated(line, begin(line.row, "user:1", now_us=line.now_us))
    assert (rotation.kind, rotation.outcome) == (change.name.lower(), "done")
    assert bytes(rotation.secret) == b""
    assert rotation.asked_us <= rotation.staged_us <= rotation.settled_us  # type: ignore[operator]
    assert line.store.keys().boot.root == platform_root(line) != old
    assert line.store.keys().pending is None
    assert line.say()
    line.boot()
    assert line.say()


def test_platform_keeps_no_word_of_what_was_exchanged(line: Line) -> None:
    rotated(line, rotate_root(line.row, "user:1", now_us=line.now_us))
    for command in Downlink.objects.filter(device=line.row, channel="keys"):
        assert bytes(command.body) == b""
    closed = Downlink.objects.filter(device=line.row, channel="keys").exclude(detail=b"")
    assert [bytes(one.detail)[:2] for one in closed] in ([], [b"\x82\x02"])  # at most the last "done"
    answers = Message.objects.filter(device=line.row, channel="ack")
    assert {bytes(one.payload) for one in answers} == {b""}


def test_second_wish_finds_the_rotation_that_is_under_way(line: Line) -> None:
    first = rotate_root(line.row, "user:1", now_us=line.now_us)
    assert rotate_root(line.row, "user:2", now_us=line.now_us + 1) == first
    rotated(line, first)
    assert rotate_root(line.row, "user:2", now_us=line.now_us + 2).number > first.number


def test_sleeping_device_rotates_when_it_is_back(line: Line) -> None:
    rotation = rotate_root(line.row, "user:1", now_us=line.now_us)
    line.lost = lambda: True
    for _ in range(3):
        line.turn()
    rotation.refresh_from_db()
    assert rotation.stage == Stage.OFFERED.value
    line.lost = lambda: False
    line.boot()
    assert line.say()
    rotated(line, rotation)


def test_device_that_boots_before_the_commit_answers_anew(line: Line) -> None:
    rotation = rotate_root(line.row, "user:1", now_us=line.now_us)
    line.turn()  # offer and answer
    for _ in range(3):
        line.boot()
        assert line.say()
    rotated(line, rotation)
    assert line.say()


def test_owner_change_waits_for_a_staged_rotation_and_replaces_an_offered_one(line: Line) -> None:
    offered = rotate_root(line.row, "user:1", now_us=line.now_us)
    owner = change_owner_root(line.row, "user:2", now_us=line.now_us)
    offered.refresh_from_db()
    assert (offered.stage, offered.outcome) == (Stage.SETTLED.value, "abandoned")
    line.turn()
    line.turn()
    owner.refresh_from_db()
    assert owner.stage == Stage.STAGED.value
    with pytest.raises(IllegalTransition):
        abandon(owner, "no", line.now_us)
    second = change_owner_root(line.row, "user:3", now_us=line.now_us)
    rotated(line, owner)
    rotated(line, second)
    assert line.say()


def test_platform_refuses_devices_whose_key_cannot_change(line: Line) -> None:
    Device.objects.filter(pk=line.row.pk).update(life="sold")
    with pytest.raises(CannotRotate):
        rotate_root(line.row, "user:1", now_us=line.now_us)
    Device.objects.filter(pk=line.row.pk).update(life="owned", blocked=True)
    with pytest.raises(CannotRotate):
        rotate_certificate(line.row, "user:1", now_us=line.now_us)


def test_product_may_say_that_roots_change_by_hand_alone(line: Line) -> None:
    product = line.row.product
    product.roots_by_hand = True
    product.save()
    with pytest.raises(CannotRotate, match="by hand"):
        rotate_root(line.row, "user:1", now_us=line.now_us)
    by_hand = rotate_root(line.row, "user:1", now_us=line.now_us, by_hand=True)
    line.turn()
    by_hand.refresh_from_db()
    assert by_hand.command_id == ""  # nothing of it goes through the broker


def test_policy_rotates_roots_of_an_age_once(line: Line) -> None:
    assert not line.row.rotations.exists()
    assert rotate_aged(line.now_us) == 0
    later_us = line.now_us + YEAR_US
    assert rotate_aged(later_us) >= 1
    (rotation,) = line.row.rotations.all()
    assert rotation.asked_by == "policy:age"
    rotate_aged(later_us)
    assert line.row.rotations.count() == 1


def test_device_that_refuses_is_given_up_after_a_while(line: Line) -> None:
    rotation = rotate_root(line.row, "user:1", now_us=line.now_us)
    line.handlers._known.clear()
    for _ in range(45):
        line.turn()
    rotation.refresh_from_db()
    assert rotation.outcome == "abandoned"
    assert "does not serve the channel" in rotation.detail
    assert line.say()


def test_device_is_told_to_renew_its_certificate(line: Line) -> None:
    rotation = rotate_certificate(line.row, "user:1", now_us=line.now_us)
    assert rotate_certificate(line.row, "user:1", now_us=line.now_us) == rotation
    line.turn()
    line.turn()
    assert line.renewals == 1
    rotation.refresh_from_db()
    assert rotation.stage == Stage.OFFERED.value


def test_unknown_rotation_steps_nowhere(line: Line) -> None:
    rotation = rotated(line, rotate_root(line.row, "user:1", now_us=line.now_us))
    assert rotating.step(rotation.pk, line.now_us) == rotation


def test_revoked_device_ends_what_was_only_offered(line: Line) -> None:
    rotation = rotate_root(line.row, "user:1", now_us=line.now_us)
    Device.objects.filter(pk=line.row.pk).update(blocked=True, standing=Standing.BLOCKED)
    rotating.step_due(line.now_us)
    rotation.refresh_from_db()
    assert (rotation.outcome, bytes(rotation.secret)) == ("abandoned", b"")


def test_rotation_of_a_device_in_quarantine_waits_and_goes_on(line: Line) -> None:
    rotation = rotate_root(line.row, "user:1", now_us=line.now_us, change=Change.FRESH)
    shut_out = Device.objects.filter(pk=line.row.pk)
    shut_out.update(blocked=True, standing=Standing.QUARANTINED, generation=F("generation") + 1)
    assert not rotating._due().filter(pk=rotation.pk).exists()
    rotating.step_due(line.now_us)
    shut_out.update(blocked=False, standing=Standing.OK, generation=F("generation") + 1)
    assert rotated(line, rotation).outcome == "done"


def test_rotation_that_gets_nowhere_holds_nobody_up(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    rotation = rotate_root(line.row, "user:1", now_us=line.now_us)
    KeyRotation.objects.filter(pk=rotation.pk).update(secret=b"of another key file")
    monkeypatch.setattr(rotating, "_AT_ONCE", 1)
    behind = rotating.step_due(line.now_us)
    assert behind == rotation.pk
    assert rotating.step_due(line.now_us, behind) == 0
    rotation.refresh_from_db()
    assert rotation.detail


def test_device_that_refused_to_renew_is_told_again(line: Line) -> None:
    rotation = rotate_certificate(line.row, "user:1", now_us=line.now_us)
    line.handlers._known.clear()
    line.turn()
    line.boot()
    line.turn()
    line.turn()
    assert line.renewals == 1
    rotation.refresh_from_db()
    assert rotation.tries == 2
    line.turn()
    assert not rotating._due().filter(pk=rotation.pk).exists()
