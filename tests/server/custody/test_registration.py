"""Registration decides who owns a device; these are its promises, and the attacks on them (BIND-…)."""

import os
from dataclasses import replace

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings

from doorstep.crypto import p256
from doorstep.crypto.x509 import build_request
from doorstep.errors import MisuseError
from doorstep.identity import claim_code
from doorstep.identity.statement import Purpose, Statement
from doorstep.ownership.claims import Outcome, Reason
from doorstep.ownership.ledger import Kind
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.codes import CodeRefused
from doorstep.server.custody.actions.registration import DeviceBlocked, NotOwned, Request, UnknownToken
from doorstep.server.custody.actions.tokens import TOKEN_LIFETIME_US
from doorstep.server.custody.models import Claim, CustodyEntry, RegistrationToken, SaleLine
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import Device, SealedState
from doorstep.server.jobs.handlers import HANDLERS
from doorstep.server.jobs.models import Job
from tests.server.making import (
    MadeDevice,
    authority,
    batch_of,
    blank_devices,
    customer,
    devices,
    statement_of,
)

pytestmark = pytest.mark.usefixtures("rolled_back")


def _sell(device: MadeDevice, user: User) -> None:
    actions.record_sale(
        f"order-{os.urandom(4).hex()}",
        [device.serial],
        user.email,
        actor="operator",
        source="api",
        now_us=now_us(),
    )


def _token(user: User, organisation: Organisation, **more: str) -> str:
    return actions.make_registration_token(organisation, user, now_us=now_us(), **more)[0]


def _register(
    device: MadeDevice, token: str, *, at_us: int | None = None, key: p256.PrivateKey | None = None
) -> actions.Registration:
    said, _ = statement_of(device, token, operational=key)
    return actions.register_device(said, authority=authority(), now_us=at_us or now_us())


def _renew(said: Statement) -> actions.Registration:
    return actions.renew_credential(said, authority=authority(), now_us=now_us())


def _outcome(registration: actions.Registration) -> tuple[Outcome, Reason]:
    assert registration.decision is not None
    return registration.decision.outcome, registration.decision.reason


def _owned() -> tuple[MadeDevice, User, Organisation]:
    [device] = devices()
    user, organisation = customer()
    _sell(device, user)
    _register(device, _token(user, organisation, alias="Kitchen"))
    return device, user, organisation


def test_buyer_registers_device_and_becomes_owner() -> None:
    device, _, organisation = _owned()
    row = device.row
    assert (row.owner, row.life, row.ownership_period, row.alias) == (organisation, "owned", 1, "Kitchen")
    kinds = CustodyEntry.objects.filter(device=row).order_by("number").values_list("kind", flat=True)
    assert list(kinds) == [Kind.MADE, Kind.SOLD, Kind.ONBOARDED, Kind.OWNED]
    assert row.credentials.get().state == "active"
    ledger.verify_all()


def test_device_repeats_registration_and_gets_the_same_certificate() -> None:
    [device] = devices()
    user, organisation = customer()
    _sell(device, user)
    token, key = _token(user, organisation), p256.generate(os.urandom)
    first = _register(device, token, key=key)
    entries = ledger.count()
    again = _register(device, token, key=key)
    assert first.certificate is not None
    assert again.certificate == first.certificate
    assert _outcome(again) == (Outcome.ALREADY_YOURS, Reason.SAME_OWNER)
    assert (ledger.count(), device.row.ownership_period) == (entries, 1)


def test_bind_10_owner_repeats_wifi_setup_and_nothing_changes() -> None:
    """BIND-10: a fresh token of the same owner, a fresh key: no new period, no entry, a fresh certificate."""
    device, user, organisation = _owned()
    entries, claims = ledger.count(), Claim.objects.count()
    again = _register(device, _token(user, organisation))
    assert _outcome(again) == (Outcome.ALREADY_YOURS, Reason.SAME_OWNER)
    assert again.certificate is not None
    assert (ledger.count(), Claim.objects.count()) == (entries, claims)
    assert (device.row.ownership_period, device.row.alias) == (1, "Kitchen")


def test_bind_08_visitor_repeats_wifi_setup_and_opens_a_dispute() -> None:
    """BIND-04, BIND-08: the device stays, its owner is told once, the visitor gets no certificate."""
    device, owner, organisation = _owned()
    visitor, other = customer()
    before = device.row
    mails = Job.objects.filter(kind="mail").count()
    for _ in range(2):
        attempt = _register(device, _token(visitor, other))
        assert _outcome(attempt) == (Outcome.DISPUTED, Reason.OTHER_OWNER)
        assert attempt.certificate is None
    row = device.row
    assert (row.owner, row.disputed, row.ownership_period) == (organisation, True, 1)
    assert (row.generation, row.alias) == (before.generation, "Kitchen")
    assert row.disputes.get().state == "awaiting"
    mail = Job.objects.filter(kind="mail").order_by("-pk")
    assert mail.count() == mails + 1
    assert mail[0].arguments["to"] == owner.email
    assert visitor.email not in str(mail[0].arguments)
    assert _outcome(_register(device, _token(owner, organisation))) == (
        Outcome.ALREADY_YOURS,
        Reason.SAME_OWNER,
    )


def test_bind_04_typing_the_code_of_an_owned_device_opens_a_dispute() -> None:
    """BIND-04: a photographed label gives no token; the owner hears of it."""
    device, owner, organisation = _owned()
    visitor, other = customer()
    tokens = RegistrationToken.objects.count()
    with pytest.raises(CodeRefused):
        _token(visitor, other, code=device.code)
    job = Job.objects.get(kind="code_refused", done_at_us=None)
    HANDLERS[job.kind](job.arguments)
    row = device.row
    assert (row.owner, row.disputed) == (organisation, True)
    assert Job.objects.order_by("-pk")[0].arguments["to"] == owner.email
    assert RegistrationToken.objects.count() == tokens


def test_bind_03_unsold_device_is_held_until_the_sale_arrives() -> None:
    """BIND-03: a device taken from the shelf waits; when the ERP sells it to the claimant, it is theirs."""
    [device] = devices()
    user, organisation = customer()
    token = _token(user, organisation)
    held = _register(device, token)
    assert _outcome(held) == (Outcome.HELD, Reason.MORE_EVIDENCE_NEEDED)
    assert held.certificate is None
    assert (device.row.owner, device.row.life) == (None, "onboarded")
    _sell(device, user)
    assert (device.row.owner, device.row.life) == (organisation, "owned")
    later = _register(device, token, at_us=now_us() + 2 * TOKEN_LIFETIME_US)
    assert _outcome(later) == (Outcome.ALREADY_YOURS, Reason.SAME_OWNER)
    ledger.verify_all()


def test_sale_to_somebody_else_leaves_the_claim_held() -> None:
    [device] = devices()
    user, organisation = customer()
    _register(device, _token(user, organisation))
    _sell(device, customer()[0])
    assert device.row.owner is None


def test_sale_evidence_needs_a_confirmed_address_of_an_owner() -> None:
    [device] = devices()
    user, organisation = customer()
    _sell(device, user)
    EmailAddress.objects.filter(user=user).update(verified=False)
    assert _outcome(_register(device, _token(user, organisation)))[0] is Outcome.HELD


def test_scratch_off_code_opens_an_unsold_device_and_is_burnt() -> None:
    [device, second] = devices(2)
    user, organisation = customer()
    token = _token(user, organisation, code=device.code.lower().replace("-", " "))
    assert _outcome(_register(second, _token(user, organisation)))[0] is Outcome.HELD
    assert _outcome(_register(device, token))[0] is Outcome.BOUND
    assert device.row.claim_code_used_at is not None


def test_bind_02_wrong_code_of_another_account_leaves_the_window_open() -> None:
    """BIND-02: the victim's token survives whatever others type."""
    [device] = devices()
    user, organisation = customer()
    _sell(device, user)
    token = _token(user, organisation)
    visitor, other = customer()
    with pytest.raises(CodeRefused):
        _token(visitor, other, code=_unknown_code())
    assert _outcome(_register(device, token))[0] is Outcome.BOUND


def _unknown_code() -> str:
    return claim_code.generate(os.urandom).printed


def test_bind_06_token_is_single_use() -> None:
    """BIND-06: a second device with a used token is refused, and the first keeps its owner."""
    [first, second] = devices(2)
    user, organisation = customer()
    _sell(first, user)
    _sell(second, user)
    token = _token(user, organisation)
    _register(first, token)
    assert _outcome(_register(second, token)) == (Outcome.REFUSED, Reason.TOKEN_USED)
    assert (first.row.owner, second.row.owner) == (organisation, None)


def test_bind_06_token_expires() -> None:
    """BIND-06: after ten minutes a token binds nothing; the refusal is kept once."""
    [device] = devices()
    user, organisation = customer()
    _sell(device, user)
    token = _token(user, organisation)
    for _ in range(3):
        late = _register(device, token, at_us=now_us() + TOKEN_LIFETIME_US)
        assert _outcome(late) == (Outcome.REFUSED, Reason.TOKEN_EXPIRED)
    assert device.row.owner is None
    assert Claim.objects.filter(device=device.row).count() == 1


def test_unknown_token_is_refused() -> None:
    [device] = devices()
    with pytest.raises(UnknownToken):
        _register(device, "A" * 43)


def test_prov_02_certificate_names_the_device_whatever_the_request_says() -> None:
    """PROV-02: a request with a foreign common name gets the device's own name."""
    [device, victim] = devices(2)
    user, organisation = customer()
    _sell(device, user)
    said, _ = statement_of(device, _token(user, organisation))
    forged = replace(said, csr=build_request(p256.generate(os.urandom), victim.device_id))
    answer = actions.register_device(forged, authority=authority(), now_us=now_us())
    assert answer.certificate is not None
    assert answer.certificate.common_name == device.device_id


def test_prov_04_scrapped_device_can_not_be_registered_again() -> None:
    """PROV-04: what is gone keeps its tombstone."""
    [device] = devices()
    user, organisation = customer()
    row = device.row
    row.life = "scrapped"
    row.save()
    assert _outcome(_register(device, _token(user, organisation))) == (Outcome.REFUSED, Reason.OUT_OF_SERVICE)


def test_revoked_device_gets_nothing_any_more() -> None:
    """BIND-09: after revocation neither its tokens nor its keys open anything."""
    device, user, organisation = _owned()
    said, _ = statement_of(device, None, purpose=Purpose.RENEW)
    assert _renew(said).certificate is not None
    token = _token(user, organisation)
    revocation = revoke_device(device.row, f"user:{user.pk}", "lost", now_us=now_us())
    assert device.row.blocked
    assert set(device.row.credentials.values_list("state", flat=True)) == {"revoked"}
    with pytest.raises(DeviceBlocked):
        _renew(said)
    assert _outcome(_register(device, token)) == (Outcome.REFUSED, Reason.BLOCKED)
    assert revoke_device(device.row, "operator", "again", now_us=now_us()) == revocation


def test_unowned_device_can_not_renew() -> None:
    [device] = devices()
    said, _ = statement_of(device, None, purpose=Purpose.RENEW)
    with pytest.raises(NotOwned):
        _renew(said)


def test_old_certificates_are_superseded_but_the_last_one_stays() -> None:
    device, _, _ = _owned()
    for _ in range(3):
        said, _ = statement_of(device, None, purpose=Purpose.RENEW)
        _renew(said)
    states = list(device.row.credentials.order_by("pk").values_list("state", flat=True))
    assert sorted(states) == ["active", "active", "superseded", "superseded"]
    assert states[-1] == "active"


def test_held_device_that_asks_again_leaves_one_record() -> None:
    [device] = devices()
    user, organisation = customer()
    token = _token(user, organisation)
    for _ in range(3):
        assert _outcome(_register(device, token))[0] is Outcome.HELD
    entries = list(CustodyEntry.objects.filter(device=device.row).values_list("kind", flat=True))
    assert (entries.count(Kind.CLAIM_HELD), entries.count(Kind.ONBOARDED)) == (1, 1)
    assert Claim.objects.filter(device=device.row).count() == 1


def _give_back(device: MadeDevice) -> None:
    """What a return leaves behind: nobody's device, in stock, its sale undone."""
    row = device.row
    SaleLine.objects.filter(device=row).delete()
    row.life, row.owner = "stocked", None
    row.save()


def test_new_owner_begins_a_period_and_old_certificates_end() -> None:
    device, _, _ = _owned()
    old = device.row.credentials.get()
    _give_back(device)
    buyer, theirs = customer()
    _sell(device, buyer)
    assert _outcome(_register(device, _token(buyer, theirs)))[0] is Outcome.BOUND
    old.refresh_from_db()
    assert (device.row.owner, device.row.ownership_period, old.state) == (theirs, 2, "superseded")


def test_bind_06_former_owners_old_token_binds_nothing() -> None:
    """BIND-06: after a return neither the former owner's used token nor their sale is worth anything."""
    [device] = devices()
    user, organisation = customer()
    _sell(device, user)
    token = _token(user, organisation)
    _register(device, token)
    _give_back(device)
    for later_us in (0, 2 * TOKEN_LIFETIME_US):
        again = _register(device, token, at_us=now_us() + later_us)
        assert _outcome(again)[0] is Outcome.HELD
        assert again.certificate is None
    assert device.row.owner is None


def test_statement_without_a_signing_request_binds_without_a_certificate() -> None:
    """A device that only seals its messages needs none."""
    [device] = devices()
    user, organisation = customer()
    _sell(device, user)
    said, _ = statement_of(device, _token(user, organisation))
    answer = actions.register_device(replace(said, csr=None), authority=authority(), now_us=now_us())
    assert (_outcome(answer)[0], answer.certificate) == (Outcome.BOUND, None)


def test_first_epoch_follows_the_newest_that_was_seen() -> None:
    device, _, _ = _owned()
    SealedState.objects.filter(device=device.row).update(epoch=4, master=b"wrapped")
    said, _ = statement_of(device, None, purpose=Purpose.RENEW)
    assert _renew(said).epoch == 5


def test_first_epoch_follows_the_newest_connect_proof() -> None:
    """A device on the plain listener may lose its memory before any of its messages was stored."""
    device, _, _ = _owned()
    SealedState.objects.filter(device=device.row).update(connect_epoch=2, connect_seq=0)
    said, _ = statement_of(device, None, purpose=Purpose.RENEW)
    assert _renew(said).epoch == 3


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_revocation_has_a_reason(reason: str) -> None:
    [device] = devices()
    with pytest.raises(MisuseError, match="reason"):
        revoke_device(device.row, "operator", reason, now_us=now_us())
    assert not device.row.blocked


def test_wholesaler_is_no_customer_and_a_customer_no_wholesaler() -> None:
    [device] = devices()
    with pytest.raises(MisuseError, match="no wholesaler"):
        actions.record_sale(
            "O", [device.serial], customer()[1], actor="operator", source="api", now_us=now_us()
        )


def test_batch_with_a_taken_serial_stores_nothing() -> None:
    [known] = devices()
    fresh = blank_devices(3)
    twin = replace(fresh[2], serial=known.serial)
    entries = ledger.count()
    with pytest.raises(MisuseError, match="taken already") as caught:
        actions.record_batch(batch_of(fresh), [*fresh[:2], twin], actor="operator", now_us=now_us())
    assert caught.value.next_step
    assert ledger.count() == entries
    assert not Device.objects.filter(device_id=fresh[0].device_id).exists()


def test_batch_keeps_roots_wrapped_and_codes_hashed() -> None:
    [device] = devices()
    stored = bytes(SealedState.objects.get(device=device.row).root)
    assert device.root_key not in stored
    assert settings.KEY_FILE.unwrap(stored, f"sealed/{device.device_id}/root") == device.root_key
    assert device.code.encode() not in bytes(device.row.claim_code_hash or b"")


def test_devices_that_register_together_are_each_judged_alone() -> None:
    """One transaction, five fates: yours, waiting, somebody else's, no such token, a device blocked."""
    bought, waiting, foreign, tokenless, blocked = devices(5)
    (user, organisation), (owner, owners) = customer(), customer()
    for device, buyer in ((bought, user), (foreign, owner), (blocked, user)):
        _sell(device, buyer)
    _register(foreign, _token(owner, owners))
    revoke_device(blocked.row, "operator", "stolen", now_us=now_us())
    tokens = [*(_token(user, organisation) for _ in range(3)), "A" * 43, _token(user, organisation)]
    made = zip((bought, waiting, foreign, tokenless, blocked), tokens, strict=True)
    requests = [
        Request.prepare(statement_of(device, token)[0], authority(), now_us()) for device, token in made
    ]
    answers = actions.register_devices(requests, now_us())
    outcomes = [
        one.decision and one.decision.outcome for one in answers if isinstance(one, actions.Registration)
    ]
    assert outcomes == [Outcome.BOUND, Outcome.HELD, Outcome.DISPUTED, Outcome.REFUSED]
    assert isinstance(answers[3], UnknownToken)
    with_certificate = [getattr(one, "certificate", None) is not None for one in answers]
    assert with_certificate == [True, False, False, False, False]
    assert [one.row.owner for one in (bought, waiting, foreign)] == [organisation, None, owners]
    ledger.verify_all()
