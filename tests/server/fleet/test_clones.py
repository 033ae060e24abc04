"""Two users of one identity: noticed from what is recorded, asked to renew, and exactly one goes on."""

import os
from dataclasses import replace

import pytest
from django.conf import settings

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.identity.ids import kid_of
from doorstep.identity.statement import Purpose
from doorstep.messaging.errors import Rejected
from doorstep.messaging.keys import owner_change, run_ahead
from doorstep.messaging.opener import Opener
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState, StagedRoot
from doorstep.ownership.standing import Standing
from doorstep.ownership.suspicion import ALTERNATIONS_THAT_TELL, FORKS_THAT_TELL, TAGS_THAT_TELL, WATCHED_US
from doorstep.runtime.sealed_rows import SEALED_COLUMNS, read_sealed, sealed_row
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.registration import Registration
from doorstep.server.fleet.challenges import OtherCopyAnswered, open_challenge
from doorstep.server.fleet.models import DeviceSession
from doorstep.server.fleet.models import SealedState as SealedRow
from doorstep.server.fleet.watching import CALM_US, watch
from doorstep.server.jobs.models import Job
from doorstep.server.readings.models import DeadLetter
from tests.server.making import MadeDevice, authority, customer, devices, statement_of

pytestmark = pytest.mark.usefixtures("rolled_back")

SECOND = 1_000_000
Owned = tuple[MadeDevice, User, Organisation]


def key() -> PrivateKey:
    return p256.generate(os.urandom)


def register(owned: Owned, operational: PrivateKey) -> Registration:
    made, user, organisation = owned
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    said, _ = statement_of(made, token, operational=operational)
    return actions.register_device(said, authority=authority(), now_us=now_us())


@pytest.fixture
def owned() -> Owned:
    [made] = devices(policy="device_key")
    user, organisation = customer()
    register((made, user, organisation), key())
    return made, user, organisation


def renew(made: MadeDevice, operational: PrivateKey) -> Registration:
    said, _ = statement_of(made, None, purpose=Purpose.RENEW, operational=operational)
    return actions.renew_credential(said, authority=authority(), now_us=now_us())


def push_out(made: MadeDevice, at_us: int) -> None:
    """Sessions of two copies from two places, as the authorizer wrote them."""
    count = ALTERNATIONS_THAT_TELL + 2
    for n in range(count):
        began = at_us - (count - n) * SECOND
        DeviceSession.objects.create(
            device=made.row,
            broker="secure",
            server_id="S",
            client_id=made.row.pk * 1000 + n,
            address=("192.0.2.1", "198.51.100.7")[n % 2],
            connected_us=began,
            ended_us=began + SECOND if n < count - 1 else None,
        )


def refuse(made: MadeDevice, reason: str, count: int, detail: str = "", at_us: int = 0) -> None:
    DeadLetter.objects.create(
        at_us=at_us or now_us(), device_id=made.device_id, topic="", reason=reason, detail=detail, count=count
    )


def opener_of(made: MadeDevice) -> Opener:
    sealed = made.row.sealed
    columns = tuple(getattr(sealed, column) for column in SEALED_COLUMNS)
    return Opener(kid_of(made.device_id), read_sealed(settings.KEY_FILE, made.device_id, columns))


def test_clone_01_two_users_are_noticed_told_to_renew_and_the_owner_reads_it(owned: Owned) -> None:
    made, user, _ = owned
    push_out(made, now_us())
    assert watch(now_us()) == 1
    row = made.row
    assert (row.standing, row.blocked, row.must_renew) == (Standing.SUSPECTED, False, True)
    assert row.credentials.get().state == "superseded"
    change = row.standing_changes.get()
    assert (change.evidence, change.by) == ("alternation", "platform")
    assert "Two devices seem to use its identity" in change.sentence
    mail = Job.objects.filter(kind="mail").order_by("-pk")[0].arguments
    assert mail["to"] == user.email
    assert "locks every copy of it out" in mail["text"]
    assert row.custody.order_by("-number")[0].kind == "suspected"
    assert watch(now_us()) == 0  # it is said once
    assert ledger.verify_all().number


def test_clone_01_first_copy_goes_on_and_the_other_is_locked_out(owned: Owned) -> None:
    made = owned[0]
    push_out(made, now_us())
    watch(now_us())
    first, second = key(), key()
    won = renew(made, first)
    assert won.certificate is not None
    assert won.mix is not None
    assert not made.row.must_renew
    for _ in range(2):
        with pytest.raises(OtherCopyAnswered, match="renewed its keys first"):
            renew(made, second)
    again = renew(made, first)
    assert again.mix == won.mix  # the answer may have been lost
    states = list(made.row.credentials.order_by("pk").values_list("state", flat=True))
    assert states == ["superseded", "active"]


def test_clone_01_only_the_first_copy_can_seal_from_then_on(owned: Owned) -> None:
    made = owned[0]
    push_out(made, now_us())
    watch(now_us())
    mix = renew(made, key()).mix
    assert mix is not None
    unmixed = run_ahead(made.root_key, mix.epoch)
    genuine = DeviceSealer(kid_of(made.device_id), DeviceState(owner_change(unmixed, mix.nonce), mix.epoch))
    copy = DeviceSealer(kid_of(made.device_id), DeviceState(unmixed, mix.epoch))
    stale = DeviceSealer(kid_of(made.device_id), DeviceState(made.root_key, 0))
    opener = opener_of(made)
    assert opener.open(genuine.seal(b"up/data", b"{}"), b"up/data", now_us())[2] == b"{}"
    for other in (copy, stale):
        with pytest.raises(Rejected):
            opener.open(other.seal(b"up/data", b"{}"), b"up/data", now_us())


@pytest.mark.parametrize("committed", [False, True], ids=["under the old root", "under the new root"])
def test_device_whose_rotation_was_staged_is_heard_after_a_challenge(
    owned: Owned, *, committed: bool
) -> None:
    made = owned[0]
    fresh = os.urandom(32)
    before = SealedState.first(made.root_key)
    staged = sealed_row(settings.KEY_FILE, made.device_id, replace(before, staged=StagedRoot(1, fresh)))
    SealedRow.objects.filter(device=made.row).update(**staged._asdict())
    push_out(made, now_us())
    watch(now_us())
    operational = key()
    mix = renew(made, operational).mix
    assert mix is not None
    assert renew(made, operational).mix == mix
    held = run_ahead(fresh, mix.epoch - 1) if committed else run_ahead(made.root_key, mix.epoch)
    device = DeviceSealer(kid_of(made.device_id), DeviceState(owner_change(held, mix.nonce), mix.epoch))
    opener = opener_of(made)
    assert opener.open(device.seal(b"up/data", b"{}"), b"up/data", now_us())[2] == b"{}"
    assert (opener.snapshot().staged is None) == committed


def test_challenge_is_answered_for_an_epoch_behind_all_that_was_used_meanwhile(owned: Owned) -> None:
    """A gateway goes on to carry messages of a device that may not connect itself."""
    made = owned[0]
    push_out(made, now_us())
    watch(now_us())
    SealedRow.objects.filter(device=made.row).update(connect_epoch=500, connect_seq=0)
    mix = renew(made, key()).mix
    assert mix is not None
    assert mix.epoch > 500


def test_device_that_cannot_write_is_suspected_and_not_told_to_change_its_root(owned: Owned) -> None:
    """Rule S-32: it could not follow, and would be deaf for good."""
    made = owned[0]
    SealedRow.objects.filter(device=made.row).update(variant="static-8")
    push_out(made, now_us())
    assert watch(now_us()) == 1
    assert (made.row.standing, made.row.must_renew) == (Standing.SUSPECTED, False)


def test_owner_who_sets_it_up_again_decides_which_copy_is_genuine(owned: Owned) -> None:
    made = owned[0]
    push_out(made, now_us())
    watch(now_us())
    thief, genuine = key(), key()
    stolen = renew(made, thief).mix
    settled = register(owned, genuine)
    assert settled.mix is not None
    assert settled.mix != stolen
    assert settled.mix.epoch > (0 if stolen is None else stolen.epoch)
    row = made.row
    assert (row.standing, open_challenge(row)) == (Standing.OK, None)
    active = row.credentials.filter(state="active")
    assert [one.fingerprint for one in active] == [
        settled.certificate.fingerprint if settled.certificate else ""
    ]
    assert renew(made, genuine).mix == settled.mix
    assert row.custody.order_by("-number")[0].kind == "cleared"


def test_log_ins_that_are_put_off_while_another_one_sends_tell_of_two_users(owned: Owned) -> None:
    made, now = owned[0], now_us()
    refuse(made, "connect_refused", 3, "duplicate: …", at_us=now - 5 * SECOND)
    assert watch(now) == 0  # the open connection may be dead
    row = made.row
    row.last_seen_us = now - SECOND
    row.save()
    assert watch(now) == 1


@pytest.mark.parametrize(
    ("reason", "detail"),
    [("epoch_past", ""), ("replayed", ""), ("connect_refused", "bad_proof: replayed: used before (plain)")],
)
def test_epochs_that_fork_tell_of_two_users(owned: Owned, reason: str, detail: str) -> None:
    made = owned[0]
    refuse(made, reason, FORKS_THAT_TELL, detail)
    assert watch(now_us()) == 1
    assert (made.row.standing_changes.get().evidence, made.row.must_renew) == ("fork", True)


def test_device_without_a_certificate_is_suspected_and_not_locked_out(owned: Owned) -> None:
    """A board that holds a symmetric key alone renews nothing, so it can't be told to."""
    made = owned[0]
    made.row.credentials.all().delete()
    refuse(made, "replayed", FORKS_THAT_TELL)
    assert watch(now_us()) == 1
    assert (made.row.standing, made.row.must_renew) == (Standing.SUSPECTED, False)
    assert "renew" not in made.row.standing_changes.get().sentence


def test_forger_is_noticed_and_locks_nobody_out(owned: Owned) -> None:
    made = owned[0]
    refuse(made, "wrong_tag", TAGS_THAT_TELL)
    assert watch(now_us()) == 1
    row = made.row
    assert (row.standing, row.must_renew, row.blocked) == (Standing.SUSPECTED, False, False)
    assert renew(made, key()).certificate is not None


@pytest.mark.parametrize("age_us", [WATCHED_US + SECOND])
def test_old_and_little_evidence_is_no_suspicion(owned: Owned, age_us: int) -> None:
    made = owned[0]
    push_out(made, now_us() - age_us)
    refuse(made, "replayed", FORKS_THAT_TELL - 1)
    refuse(made, "connect_refused", 50, "revoked: the device is revoked (secure)")
    assert watch(now_us()) == 0
    assert made.row.standing == Standing.OK


def test_suspicion_without_a_second_user_ends_after_a_day(owned: Owned) -> None:
    made = owned[0]
    push_out(made, now_us())
    watch(now_us())
    renew(made, key())
    watch(now_us() + CALM_US // 2)
    assert made.row.standing == Standing.SUSPECTED
    watch(now_us() + CALM_US + SECOND)
    assert (made.row.standing, open_challenge(made.row)) == (Standing.OK, None)
    assert renew(made, key()).certificate is not None


def test_suspicion_stays_while_a_second_user_tried(owned: Owned) -> None:
    made = owned[0]
    push_out(made, now_us())
    watch(now_us())
    renew(made, key())
    with pytest.raises(OtherCopyAnswered):
        renew(made, key())
    asked = open_challenge(made.row)
    assert asked is not None
    assert asked.refused == 1
    watch(now_us() + CALM_US + SECOND)
    assert made.row.standing == Standing.SUSPECTED
