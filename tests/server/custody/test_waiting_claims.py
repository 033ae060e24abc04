"""Claims that wait: evidence comes piece by piece, in any order, and the device completes them."""

import os
import re
from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doorstep.errors import MisuseError
from doorstep.identity import claim_code, statement
from doorstep.identity.ids import MalformedId
from doorstep.identity.statement import Purpose, Statement
from doorstep.ownership.actors import user_for
from doorstep.ownership.claims import Outcome, Reason
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.label import LabelState
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.accounts.permissions import Caller
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.custody.actions.attempts import REFUSED_AN_HOUR, TooManyAttempts
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.codes import CodeRefused, type_code
from doorstep.server.custody.actions.mails import (
    LIFETIME_US,
    AskedAlready,
    LinkExpired,
    answer_mail,
    ask_buyer,
    mail_of,
)
from doorstep.server.custody.actions.policies import change_policy, policies_of
from doorstep.server.custody.actions.registration import UnknownToken
from doorstep.server.custody.actions.requests import (
    OPENED_AN_HOUR,
    OrderRefused,
    give_order,
    open_request,
)
from doorstep.server.custody.actions.vouching import vouch
from doorstep.server.custody.attesting import attest, make_challenge
from doorstep.server.custody.evidence import brought
from doorstep.server.custody.models import Claim, ClaimAttempt, ClaimRequest
from doorstep.server.jobs.handlers import HANDLERS
from doorstep.server.jobs.models import Job
from tests.server.entering import entered
from tests.server.making import (
    MadeDevice,
    authority,
    customer,
    devices,
    maker,
    statement_of,
    wholesaler,
)

pytestmark = pytest.mark.usefixtures("rolled_back")

_ON_PAPER = "device_key & label_code"
_HOUR_US = 3600 * 1_000_000


def _claimant(of: tuple[User, Organisation] | None = None, alias: str = "") -> Claimant:
    user, organisation = of or customer()
    return Claimant(organisation, user, user_for(user.pk, organisation.pk), alias=alias)


def _sell(device: MadeDevice, buyer: str | Organisation) -> str:
    order = f"order-{os.urandom(4).hex()}"
    actions.record_sale(order, [device.serial], buyer, actor="operator", source="api", now_us=now_us())
    return order


def _report(device: MadeDevice, token: str | None = None) -> actions.Registration:
    said, _ = statement_of(device, token)
    return actions.register_device(said, authority=authority(), now_us=now_us())


def _outcome(registration: actions.Registration) -> tuple[Outcome, Reason]:
    assert registration.decision is not None
    return registration.decision.outcome, registration.decision.reason


def _work() -> None:
    """Do what the worker would do now, mail apart."""
    for job in Job.objects.exclude(kind="mail").filter(done_at_us=None).order_by("pk"):
        HANDLERS[job.kind](job.arguments)
        job.done_at_us = now_us()
        job.save()


def _link() -> str:
    text = Job.objects.filter(kind="mail").order_by("-pk")[0].arguments["text"]
    found = re.search(r"/claims/mail/([\w-]+)/", text)
    assert found
    return found[1]


def test_code_typed_before_the_device_was_ever_online_completes_at_first_contact() -> None:
    [device] = devices(policy=_ON_PAPER)
    claimant = _claimant(alias="Attic")
    assert type_code(claimant, device.code, now_us()) == device.row
    row = device.row
    assert (row.life, row.owner, row.label_state) == ("made", None, LabelState.SCRATCHED)
    assert brought(row, claimant.organisation) == {Evidence.LABEL_CODE}
    told = _report(device)
    assert _outcome(told) == (Outcome.BOUND, Reason.POLICY_MET)
    assert told.certificate is not None
    row = device.row
    assert (row.owner, row.alias, row.claims_waiting) == (claimant.organisation, "Attic", False)
    assert row.claim_code_used_at is not None
    ledger.verify_all()


def test_device_without_token_and_without_claims_learns_nothing() -> None:
    [device] = devices(policy=_ON_PAPER)
    with pytest.raises(UnknownToken):
        _report(device)


def test_claim_on_paper_alone_waits_for_the_device_and_says_so() -> None:
    [device] = devices(policy="label_code & sale")
    user, organisation = customer()
    _sell(device, user.email)
    type_code(_claimant((user, organisation)), device.code, now_us())
    claim = Claim.objects.get(device=device.row)
    assert (claim.decision, claim.policy_version) == (Outcome.HELD, 1)
    assert "when it first reports" in claim.reason
    assert device.row.owner is None
    assert _outcome(_report(device))[0] is Outcome.BOUND


def test_device_in_another_hand_completes_the_claim_that_was_complete() -> None:
    [device] = devices(policy="label_code & sale")
    buyer, organisation = customer()
    _sell(device, buyer.email)
    type_code(_claimant((buyer, organisation)), device.code, now_us())
    neighbour, other = customer()
    token, _ = actions.make_registration_token(other, neighbour, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.HELD
    assert device.row.owner == organisation


def test_repeated_code_changes_nothing() -> None:
    [device] = devices()
    claimant = _claimant()
    type_code(claimant, device.code, now_us())
    claims, entries = Claim.objects.count(), ledger.count()
    type_code(claimant, device.code, now_us())
    assert (Claim.objects.count(), ledger.count()) == (claims, entries)
    assert ClaimRequest.objects.filter(organisation=claimant.organisation).count() == 1


def test_two_who_scratched_the_same_code_wait_for_the_device_to_choose() -> None:
    [device] = devices(policy=_ON_PAPER)
    first, second = _claimant(), _claimant()
    for one in (first, second):
        type_code(one, device.code, now_us())
    assert _outcome(_report(device)) == (Outcome.HELD, Reason.CONTESTED)
    token, _ = actions.make_registration_token(second.organisation, second.user, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.BOUND
    row = device.row
    assert (row.owner, row.disputed) == (second.organisation, True)
    assert row.disputes.get().claim.organisation == first.organisation


def test_evidence_of_set_up_alone_opens_no_dispute_when_somebody_else_becomes_owner() -> None:
    [device] = devices()
    shop, store = customer()
    token, _ = actions.make_registration_token(store, shop, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.HELD
    buyer, organisation = customer()
    _sell(device, buyer.email)
    token, _ = actions.make_registration_token(organisation, buyer, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.BOUND
    assert not device.row.disputed


def test_evidence_of_an_earlier_stretch_is_worth_nothing() -> None:
    """BIND-06: what was brought before the device had an owner does not count after it came back."""
    [device] = devices(policy=_ON_PAPER)
    late, owner = _claimant(), _claimant()
    for one in (late, owner):
        type_code(one, device.code, now_us())
    token, _ = actions.make_registration_token(owner.organisation, owner.user, now_us=now_us())
    _report(device, token)
    row = device.row
    row.owner, row.life = None, "transferred"
    row.save()
    assert brought(device.row, late.organisation) == frozenset()


def test_bind_01_codes_that_open_nothing_are_answered_alike_and_after_the_same_work() -> None:
    """BIND-01: unknown, used, somebody else's, reported: one sentence, the same statements in their order."""
    unknown = claim_code.generate(os.urandom).printed
    owned, used, reported = devices(3, policy=_ON_PAPER)
    owner = _claimant()
    for device in (owned, used):
        type_code(owner, device.code, now_us())
        _report(device)
    row = used.row
    row.owner, row.life = None, "transferred"
    row.save()
    row = reported.row
    row.label_state = LabelState.TAMPERED
    row.save()
    visitor = _claimant()
    answers, work = set(), set()
    for code in (unknown, owned.code, used.code, reported.code):
        with CaptureQueriesContext(connection) as seen, pytest.raises(CodeRefused) as caught:
            type_code(visitor, code, now_us())
        answers.add((caught.value.message, caught.value.next_step))
        work.add(tuple(_shape(one["sql"]) for one in seen))
    assert (len(answers), len(work)) == (1, 1)


def _shape(sql: str) -> str:
    """Return a statement's verb and table: what it costs, without what it says."""
    return " ".join(re.findall(r'^\w+|(?:FROM|INTO|UPDATE) "\w+"', sql))


def test_bind_01_guessing_slows_the_guesser_alone() -> None:
    """BIND-01: after a flood of guesses the rightful owner's code is taken at the first try."""
    [device] = devices(policy=_ON_PAPER)
    guesser, buyer = _claimant(), _claimant()
    for _ in range(REFUSED_AN_HOUR):
        with pytest.raises(CodeRefused):
            type_code(guesser, claim_code.generate(os.urandom).printed, now_us())
    with pytest.raises(TooManyAttempts):
        type_code(guesser, device.code, now_us())
    assert type_code(buyer, device.code, now_us()) == device.row
    assert type_code(guesser, device.code, now_us() + _HOUR_US) == device.row


def test_bind_04_refused_codes_tell_the_owner_and_never_flood_them() -> None:
    """BIND-04: many accounts with the same photographed label: every try is kept, few mails are sent."""
    [device] = devices(policy=_ON_PAPER)
    type_code(_claimant(), device.code, now_us())
    _report(device)
    mails = Job.objects.filter(kind="mail").count()
    for _ in range(8):
        with pytest.raises(CodeRefused):
            type_code(_claimant(), device.code, now_us())
    _work()
    assert ClaimAttempt.objects.filter(device=device.row, refused=True).count() == 8
    assert 0 < Job.objects.filter(kind="mail").count() - mails <= 5
    assert device.row.disputes.count() == 1


def test_bind_01_asking_by_serial_says_nothing_about_the_device() -> None:
    """BIND-01: a serial that exists and one that does not give the same row after the same work."""
    [device] = devices()
    claimant = _claimant()
    work = []
    rows = []
    for serial in (device.serial, f"SN-{os.urandom(6).hex()}"):
        with CaptureQueriesContext(connection) as seen:
            rows.append(open_request(claimant, serial, now_us()))
        work.append([_shape(one["sql"]) for one in seen])
    assert work[0] == work[1]
    assert rows[0].serial == device.serial
    assert open_request(claimant, device.serial, now_us()) == rows[0]
    with pytest.raises(MalformedId):
        open_request(claimant, "no serial!", now_us())


def test_serials_are_not_enumerated_by_one_account() -> None:
    claimant = _claimant()
    for number in range(OPENED_AN_HOUR):
        open_request(claimant, f"SN-{number:06}", now_us())
    with pytest.raises(TooManyAttempts):
        open_request(claimant, "SN-999999", now_us())


def test_order_number_alone_never_decides() -> None:
    [device] = devices(policy="device_key & setup_session & order_ref & label_code")
    user, organisation = customer()
    claimant = _claimant((user, organisation))
    order = _sell(device, customer()[0].email)
    request = open_request(claimant, device.serial, now_us())
    with pytest.raises(OrderRefused):
        give_order(request, claimant, "another", now_us())
    give_order(request, claimant, f" {order} ", now_us())
    assert brought(device.row, organisation) == {Evidence.ORDER_REF}
    assert device.row.owner is None
    type_code(claimant, device.code, now_us())
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.BOUND


@pytest.fixture
def asked() -> tuple[MadeDevice, Claimant, ClaimRequest]:
    """A device that was set up and waits for the buyer's word, which was asked for."""
    [device] = devices(policy="device_key & setup_session & email")
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    _report(device, token)
    claimant = _claimant((user, organisation))
    request = open_request(claimant, device.serial, now_us())
    return device, claimant, request


def test_buyer_says_yes_by_the_link_and_the_claim_completes(
    asked: tuple[MadeDevice, Claimant, ClaimRequest],
) -> None:
    device, claimant, request = asked
    _sell(device, "Buyer@example.org")
    ask_buyer(request, now_us())
    _work()
    assert Job.objects.filter(kind="mail").order_by("-pk")[0].arguments["to"] == "buyer@example.org"
    link = _link()
    row, decision = answer_mail(link, yes=True, now_us=now_us())
    assert decision is not None
    assert (decision.outcome, row.confirmed) == (Outcome.BOUND, True)
    assert device.row.owner == claimant.organisation
    assert answer_mail(link, yes=False, now_us=now_us()) == (row, None)


def test_buyer_says_no_and_nothing_moves(asked: tuple[MadeDevice, Claimant, ClaimRequest]) -> None:
    device, _, request = asked
    _sell(device, "buyer@example.org")
    ask_buyer(request, now_us())
    _work()
    row, decision = answer_mail(_link(), yes=False, now_us=now_us())
    assert (row.confirmed, decision, device.row.owner) == (False, None, None)


def test_wholesaler_in_between_is_asked_to_forward(asked: tuple[MadeDevice, Claimant, ClaimRequest]) -> None:
    device, claimant, request = asked
    dealer = wholesaler()
    _sell(device, dealer)
    ask_buyer(request, now_us())
    _work()
    mail = Job.objects.filter(kind="mail").order_by("-pk")[0].arguments
    assert mail["to"] == dealer.email
    assert "forward this mail" in mail["text"]
    answer_mail(_link(), yes=True, now_us=now_us())
    assert device.row.owner == claimant.organisation


def test_mail_is_asked_for_once_an_hour_and_the_buyer_is_not_flooded(
    asked: tuple[MadeDevice, Claimant, ClaimRequest],
) -> None:
    device, claimant, request = asked
    _sell(device, "buyer@example.org")
    ask_buyer(request, now_us())
    with pytest.raises(AskedAlready):
        ask_buyer(request, now_us())
    for _ in range(6):
        ask_buyer(open_request(_claimant(), device.serial, now_us()), now_us())
    _work()
    assert Job.objects.filter(kind="mail", arguments__to="buyer@example.org").count() == 3
    assert claimant.organisation.name


def test_mail_for_a_serial_that_nobody_bought_is_asked_for_alike_and_never_sent() -> None:
    [device] = devices()
    claimant = _claimant()
    mails = Job.objects.filter(kind="mail").count()
    for serial in (device.serial, "SN-000000000000"):
        ask_buyer(open_request(claimant, serial, now_us()), now_us())
    _work()
    assert Job.objects.filter(kind="mail").count() == mails


def test_old_or_unknown_link_is_refused(asked: tuple[MadeDevice, Claimant, ClaimRequest]) -> None:
    device, _, request = asked
    _sell(device, "buyer@example.org")
    ask_buyer(request, now_us())
    _work()
    link = _link()
    for token, at_us in ((link, now_us() + LIFETIME_US), ("A" * 43, now_us())):
        with pytest.raises(LinkExpired):
            mail_of(token, at_us)
    assert link not in str(list(device.row.evidence.values()))


def test_staff_vouch_for_a_claimant_with_a_reason() -> None:
    [device] = devices()
    user, organisation = customer()
    staff, house = maker()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.HELD
    claimant = Claimant(organisation, user, user_for(staff.pk, house.pk))
    with pytest.raises(MisuseError):
        vouch(device.row, claimant, "  ", now_us())
    decision = vouch(device.row, claimant, "Saw the invoice on paper.", now_us())
    assert decision.outcome is Outcome.BOUND
    assert device.row.owner == organisation
    piece = device.row.evidence.get(kind=Evidence.STAFF)
    assert (piece.actor, piece.detail) == (claimant.actor, "Saw the invoice on paper.")


def test_staff_take_nothing_from_an_owner() -> None:
    [device] = devices(policy="device_key & setup_session")
    owner, organisation = customer()
    token, _ = actions.make_registration_token(organisation, owner, now_us=now_us())
    _report(device, token)
    decision = vouch(device.row, _claimant(), "He called us.", now_us())
    assert decision.outcome is Outcome.DISPUTED
    assert (device.row.owner, device.row.disputed) == (organisation, True)


def _press(device: MadeDevice, claimant: Claimant, *, pressed: bool = True) -> None:
    """The claimant's phone relays what the device says of its button."""
    caller = Caller(claimant.organisation, frozenset(), claimant.actor)
    transcript = os.urandom(32)
    challenge = make_challenge(claimant.organisation, now_us())
    said = Statement(Purpose.ATTEST, device.device_id, challenge, transcript=transcript, presence=pressed)
    attest(caller, statement.sign(said, device.key.sign), transcript, now_us())


def test_button_pressed_during_set_up_stands_with_the_decision() -> None:
    [device] = devices(policy="device_key & setup_session & presence")
    claimant, passer_by = _claimant(), _claimant()
    _press(device, passer_by, pressed=False)
    assert not device.row.claims_waiting
    token, _ = actions.make_registration_token(passer_by.organisation, None, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.HELD
    _press(device, claimant)
    _press(device, claimant)
    token, _ = actions.make_registration_token(claimant.organisation, None, now_us=now_us())
    assert _outcome(_report(device, token)) == (Outcome.BOUND, Reason.POLICY_MET)
    claim = Claim.objects.get(device=device.row, organisation=claimant.organisation)
    assert claim.evidence == ["device_key", "presence", "setup_session"]
    _press(device, claimant)
    assert not brought(device.row, claimant.organisation)
    ledger.verify_all()


def test_code_typed_before_stands_with_a_decision_that_did_not_need_it_and_is_burnt() -> None:
    [device] = devices(policy="device_key & setup_session")
    claimant = _claimant()
    type_code(claimant, device.code, now_us())
    token, _ = actions.make_registration_token(claimant.organisation, None, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.BOUND
    assert Claim.objects.filter(device=device.row).latest("pk").evidence == [
        "device_key",
        "label_code",
        "setup_session",
    ]
    assert device.row.claim_code_used_at is not None


def _label(path: str, step: str, user: User) -> str:
    answer = entered(user).post(path, {"step": step}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_staff_report_a_label_and_its_code_counts_for_nobody_until_they_make_another() -> None:
    [device] = devices(policy=_ON_PAPER)
    staff, _ = maker()
    path, early, late = f"/staff/devices/{device.device_id}/label/", _claimant(), _claimant()
    type_code(early, device.code, now_us())
    assert "Counts for nobody" in _label(path, "report", staff)
    assert not brought(device.row, early.organisation)
    with pytest.raises(CodeRefused):
        type_code(late, device.code, now_us())
    found = re.search(r'<code id="secret">([^<]+)</code>', _label(path, "replace", staff))
    assert found
    with pytest.raises(CodeRefused):
        type_code(late, device.code, now_us())
    type_code(late, found[1], now_us())
    _report(device)
    assert device.row.owner == late.organisation
    kinds = device.row.custody.order_by("number").values_list("kind", flat=True)
    assert list(kinds).count("label_reported") == 4
    assert "has an owner" in _label(path, "replace", staff)


def test_label_nobody_touched_gets_no_new_code_and_customers_have_no_such_page() -> None:
    [device] = devices()
    staff, _ = maker()
    path = f"/staff/devices/{device.device_id}/label/"
    page = _label(path, "replace", staff)
    assert "can&#x27;t take the step" in page
    client = Client()
    client.force_login(customer()[0])
    assert client.get(path).status_code == 404
    client.force_login(staff)
    rest = f"/api/v1/devices/{device.device_id}/label"
    told = client.post(rest, {"step": "report"}, "application/json").json()
    assert told == {"device_id": device.device_id, "state": "tampered", "code": ""}
    told = client.post(rest, {"step": "replace"}, "application/json").json()
    assert told["state"] == "sealed"
    claim_code.parse(told["code"])
    assert client.post(rest, {"step": "scratch"}, "application/json").status_code == 422


def test_changed_policy_is_a_new_version_and_judges_what_waits() -> None:
    [device] = devices()
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    assert _outcome(_report(device, token))[0] is Outcome.HELD
    product = change_policy(device.row.product, " device_key & setup_session ", by="user:1", now_us=now_us())
    assert product.claim_policy_version == 2
    _work()
    assert device.row.owner == organisation
    versions = [claim.policy_version for claim in Claim.objects.filter(device=device.row).order_by("pk")]
    assert versions == [1, 2]
    same = change_policy(product, "device_key & setup_session", by="user:1", now_us=now_us())
    assert same.claim_policy_version == 2
    assert [(one.number, one.actor) for one in policies_of(product)] == [(2, "user:1"), (1, "operator")]


_Act = Callable[[MadeDevice, Claimant], object]


def _type(device: MadeDevice, claimant: Claimant) -> object:
    return type_code(claimant, device.code, now_us())


def _set_up(device: MadeDevice, claimant: Claimant) -> object:
    token, _ = actions.make_registration_token(claimant.organisation, claimant.user, now_us=now_us())
    return _report(device, token)


def _buy(device: MadeDevice, claimant: Claimant) -> object:
    assert claimant.user
    return _sell(device, claimant.user.email)


@pytest.mark.parametrize("order", [(_type, _set_up, _buy), (_buy, _type, _set_up), (_set_up, _buy, _type)])
def test_evidence_may_come_in_any_order(order: Sequence[_Act]) -> None:
    [device] = devices(policy="device_key & setup_session & sale & label_code")
    claimant = _claimant()
    for act in order:
        assert device.row.owner is None
        act(device, claimant)
    assert device.row.owner == claimant.organisation
    ledger.verify_all()
