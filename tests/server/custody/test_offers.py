"""A device changes hands when both sides want it; then everything of its former owner has ended."""

import pytest
from allauth.account.models import EmailAddress

from doorstep.errors import IllegalTransition, MisuseError
from doorstep.ownership.claims import Outcome
from doorstep.ownership.handovers import LASTS_US, DataChoice, HandoverRefused, HandoverState, Way
from doorstep.ownership.ledger import Kind
from doorstep.ownership.life import Life
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.casework import Person
from doorstep.server.custody.actions.offers import (
    accept_return,
    accept_transfer,
    cancel_offer,
    decline_offer,
    expire_offers,
    offer_return,
    offer_transfer,
)
from doorstep.server.custody.changing import Handover, PastOwnership
from doorstep.server.custody.models import CustodyEntry, RegistrationToken, SaleLine
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import Device, KeyRotation, SealedState
from doorstep.server.jobs.models import Job
from tests.server import making
from tests.server.custody.hands import claim, customer, disputed, owned, recipient, row_of

pytestmark = pytest.mark.usefixtures("rolled_back")


def _offer(
    made: making.MadeDevice, owner: Person, to: Person, data: DataChoice = DataChoice.KEEP
) -> Handover:
    return offer_transfer(made.row, to.user.email.upper(), data, owner.actor, now_us=now_us())


def _mail_to(email: str) -> list[str]:
    return [job.arguments["subject"] for job in Job.objects.filter(kind="mail", arguments__to=email)]


def _kinds(device: Device) -> list[str]:
    return list(CustodyEntry.objects.filter(device=device).order_by("number").values_list("kind", flat=True))


def test_recipient_accepts_and_owns_the_device() -> None:
    made, owner = owned()
    friend = customer()
    offer = _offer(made, owner, friend)
    assert row_of(made).owner == owner.organisation  # an offer alone moves nothing
    assert _mail_to(friend.user.email)
    accept_transfer(offer, recipient(friend), now_us=now_us(), alias="Attic")
    row = row_of(made)
    assert (row.owner, row.alias, row.ownership_period) == (friend.organisation, "Attic", 2)
    assert Life(row.life) is Life.OWNED
    assert _kinds(row)[-3:] == ["transfer_offered", "transferred", "owned"]
    past = PastOwnership.objects.get(device=row)
    assert (past.organisation, past.period, past.alias, past.ended_by) == (
        owner.organisation,
        1,
        "Kitchen",
        Way.TRANSFER,
    )
    assert _mail_to(owner.user.email)[-1] == f"{row.serial} has a new owner"
    ledger.verify_all()


def test_transfer_ends_keys_credentials_tokens_and_sessions_of_the_former_owner() -> None:
    made, owner = owned()
    friend = customer()
    actions.make_registration_token(owner.organisation, owner.user, now_us=now_us())
    token = RegistrationToken.objects.get(organisation=owner.organisation)
    token.used_by = made.row
    token.save()
    before = made.row
    offer = _offer(made, owner, friend)
    accept_transfer(offer, recipient(friend), now_us=now_us())
    row = row_of(made)
    assert list(row.credentials.values_list("state", flat=True)) == ["superseded"]
    token.refresh_from_db()
    assert token.expires_at_us <= now_us()
    cut = row.revocations.get()
    assert (cut.handover, cut.purged_us) == (True, None)  # the broker role kicks and purges
    mixed = KeyRotation.objects.get(device=row)
    assert (mixed.kind, mixed.stage) == ("owner", "offered")
    assert row.generation > before.generation
    assert not row.blocked


def test_revoking_after_a_transfer_is_a_revocation_of_its_own() -> None:
    made, owner = owned()
    friend = customer()
    accept_transfer(_offer(made, owner, friend), recipient(friend), now_us=now_us())
    done = revoke_device(row_of(made), friend.actor, "lost", now_us=now_us())
    assert (done.handover, done.reason) == (False, "lost")
    assert row_of(made).blocked


def test_device_whose_root_stays_for_life_is_transferred() -> None:
    made, owner = owned()
    friend = customer()
    SealedState.objects.filter(device=made.row).update(variant="static-8")
    accept_transfer(_offer(made, owner, friend), recipient(friend), now_us=now_us())
    assert row_of(made).owner == friend.organisation
    assert not KeyRotation.objects.filter(device=made.row).exists()


def test_former_owner_who_claims_again_gets_a_dispute() -> None:
    made, owner = owned()
    friend = customer()
    accept_transfer(_offer(made, owner, friend), recipient(friend), now_us=now_us())
    claim(made.row, owner)
    assert made.row.claims.order_by("-pk")[0].decision == Outcome.DISPUTED
    assert row_of(made).owner == friend.organisation


def test_offer_is_for_whoever_confirmed_its_address() -> None:
    made, owner = owned()
    friend, stranger = customer(), customer()
    offer = _offer(made, owner, friend)
    for act in (accept_transfer, decline_offer):
        with pytest.raises(HandoverRefused, match="another address"):
            act(offer, recipient(stranger), now_us=now_us())
    EmailAddress.objects.filter(user=friend.user).update(verified=False)
    with pytest.raises(HandoverRefused, match="another address"):
        accept_transfer(offer, recipient(friend), now_us=now_us())
    assert row_of(made).owner == owner.organisation


def test_owner_does_not_take_their_own_offer() -> None:
    made, owner = owned()
    with pytest.raises(HandoverRefused, match="yours already"):
        accept_transfer(_offer(made, owner, owner), recipient(owner), now_us=now_us())


def test_maker_takes_no_transfer() -> None:
    made, owner = owned()
    user, maker = making.maker()
    offer = offer_transfer(made.row, user.email, DataChoice.KEEP, owner.actor, now_us=now_us())
    staff = recipient(Person(user, maker, "user:1"))
    with pytest.raises(HandoverRefused, match="belong to customers"):
        accept_transfer(offer, staff, now_us=now_us())


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c"])
def test_offer_needs_an_address(address: str) -> None:
    made, owner = owned()
    with pytest.raises(MisuseError, match="e-mail address"):
        offer_transfer(made.row, address, DataChoice.KEEP, owner.actor, now_us=now_us())


def test_offer_takes_a_short_note() -> None:
    made, owner = owned()
    with pytest.raises(MisuseError, match="at most 200"):
        offer_return(made.row, DataChoice.KEEP, owner.actor, now_us=now_us(), words="x" * 201)


@pytest.mark.parametrize("ends", ["cancel", "decline", "expire"])
def test_offer_that_ends_leaves_the_owner(ends: str) -> None:
    made, owner = owned()
    friend = customer()
    offer = _offer(made, owner, friend)
    match ends:
        case "cancel":
            cancel_offer(offer, owner.actor, now_us=now_us())
        case "decline":
            decline_offer(offer, recipient(friend), now_us=now_us())
        case _:
            assert expire_offers(now_us()) == 0
            assert expire_offers(offer.due_us) >= 1
    offer.refresh_from_db()
    assert not HandoverState(offer.state).is_open
    with pytest.raises(IllegalTransition):
        accept_transfer(offer, recipient(friend), now_us=now_us())
    assert (row_of(made).owner, row_of(made).alias) == (owner.organisation, "Kitchen")
    assert _kinds(made.row)[-1] == "transfer_ended"
    _offer(made, owner, friend)  # and it can be offered anew


def test_offer_runs_out_even_before_the_clock_notes_it() -> None:
    made, owner = owned()
    friend = customer()
    offer = _offer(made, owner, friend)
    with pytest.raises(HandoverRefused, match="run out"):
        accept_transfer(offer, recipient(friend), now_us=offer.offered_us + LASTS_US[Way.TRANSFER])


def test_device_that_is_blocked_meanwhile_is_not_accepted() -> None:
    made, owner = owned()
    friend = customer()
    offer = _offer(made, owner, friend)
    revoke_device(made.row, owner.actor, "stolen", now_us=now_us())
    with pytest.raises(HandoverRefused, match="shut out"):
        accept_transfer(offer, recipient(friend), now_us=now_us())


def test_device_is_offered_once_and_not_during_a_case() -> None:
    made, owner = owned()
    offer = _offer(made, owner, customer())
    with pytest.raises(HandoverRefused, match="offered to somebody already"):
        _offer(made, owner, customer())
    claim(made.row, customer())
    with pytest.raises(HandoverRefused, match="a case about this device"):
        accept_transfer(offer, recipient(customer()), now_us=now_us())
    dispute, whose, _ = disputed()
    with pytest.raises(HandoverRefused, match="a case about this device"):
        offer_return(dispute.device, DataChoice.KEEP, whose.actor, now_us=now_us())


def test_maker_accepts_a_return_and_nobody_owns_the_device() -> None:
    made, owner = owned()
    making.maker()
    actions.record_sale(
        "A-1", [made.serial], owner.user.email, actor="operator", source="api", now_us=now_us()
    )
    offer = offer_return(made.row, DataChoice.KEEP, owner.actor, now_us=now_us(), words="too small")
    assert row_of(made).owner == owner.organisation
    accept_return(offer, "operator", now_us=now_us())
    row = row_of(made)
    assert (row.owner, row.life, row.alias) == (None, Life.RETURNED, "")
    assert _kinds(row)[-1] == Kind.RETURNED
    assert not SaleLine.objects.filter(device=row).exists()
    claim(row, owner)  # what they bought once is no evidence for a device that went back
    assert row_of(made).owner is None
