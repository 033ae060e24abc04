"""A claim is filed: gather the facts, let the core decide, store what it decided."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

from django.conf import settings

from doorstep.ownership.actors import OPERATOR, user_for
from doorstep.ownership.cases import open_case
from doorstep.ownership.claims import Decision, Facts, Outcome, TokenFacts, decide
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.ledger import TEXT_CAP, Event, Kind
from doorstep.ownership.life import Life, Step, advance
from doorstep.ownership.policy import Policy, evaluate, parse
from doorstep.server import bulk
from doorstep.server.accounts.models import Member, Organisation, Role, User
from doorstep.server.clock import from_us
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.changes import Changes
from doorstep.server.custody.evidence import brought, piece, waiting
from doorstep.server.custody.models import Claim, ClaimRequest, Dispute, RegistrationToken
from doorstep.server.fleet.blocking import is_listed, listed
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.actions import send_mail_later

__all__ = [
    "Claimant",
    "Filing",
    "file_claim",
    "file_claims",
    "file_code",
    "filing_for",
    "filing_of_contact",
    "judge_claims",
    "judge_held_claims",
    "sold",
    "sold_to",
]

_Judged = TypeVar("_Judged")
_REASON_CAP: Final = 200
_OWNERS_ADDRESSES: Final = """
SELECT member.organisation_id, lower(account_emailaddress.email) FROM member
JOIN account_emailaddress USING (user_id)
WHERE account_emailaddress.verified AND member.role = 'owner' AND member.organisation_id = ANY(%s)"""
_SALES: Final = """
SELECT sale_line.device_id, sale.wholesaler_id, lower(sale.buyer_email) FROM sale_line
JOIN sale ON sale.id = sale_line.sale_id WHERE sale_line.device_id = ANY(%s)"""
_MANAGERS: Final = (Role.OWNER, Role.ADMIN)
_WITH_ALL: Final = frozenset({Outcome.HELD, Outcome.BOUND})
"""What the claimant brought before counts, and stands with the decision."""
_OF_A_MOMENT: Final = frozenset({Evidence.DEVICE_KEY, Evidence.SETUP_SESSION, Evidence.PRESENCE})
"""Evidence of a time when the device was nobody's; it says nothing against who became its owner."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, and what they came with."""

    organisation: Organisation
    user: User | None
    actor: str
    """As the ledger names whoever brought the claim."""
    token: RegistrationToken | None = None
    alias: str = ""
    """What they want to call the device, where no token says it."""


@dataclass(frozen=True, slots=True)
class Filing:
    """A claim on a device whose row the caller locked."""

    device: Device
    claimant: Claimant
    evidence: Collection[Evidence]
    contested: bool = False
    """Whether somebody else waits with evidence that meets the policy, too."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One claim on a device whose row is locked."""

    device: Device
    claimant: Claimant
    evidence: frozenset[Evidence]
    policy: Policy
    now_us: int
    listed: bool
    """A line of the block-list names the device."""
    contested: bool = False
    known: frozenset[Evidence] = frozenset()
    """What of the evidence is on file already."""

    @classmethod
    def of(cls, filing: Filing, now_us: int, *, listed: bool) -> Self:
        """Put a claim before the policy of its device's product."""
        policy = parse(filing.device.product.claim_policy)
        evidence = frozenset(filing.evidence)
        return cls(filing.device, filing.claimant, evidence, policy, now_us, listed, filing.contested)

    def with_what_waits(self) -> Self:
        """Add the evidence that the claimant brought before."""
        known = brought(self.device, self.claimant.organisation)
        return replace(self, evidence=self.evidence | known, known=known)

    def judged(self) -> Decision:
        token = self.claimant.token
        facts = Facts(
            device=self.device.device_id,
            life=Life(self.device.life),
            blocked=self.device.blocked or self.listed,
            owner=self.device.owner_id,
            claimant=self.claimant.organisation.pk,
            evidence=self.evidence,
            policy=self.policy,
            token=None if token is None else _token_facts(token, self.device),
            contested=self.contested,
        )
        return decide(facts, self.now_us)

    def event(self, kind: Kind, **more: str | int) -> tuple[int, Event]:
        detail: dict[str, str | int] = {
            "organisation": self.claimant.organisation.pk,
            "evidence": " ".join(sorted(self.evidence)),
            "policy": self.policy.text[:TEXT_CAP],
            **more,
        }
        return self.device.pk, Event(kind, self.device.device_id, self.claimant.actor, detail)


def file_claims(filings: Sequence[Filing], now_us: int) -> list[Decision]:
    """Judge claims as `judge_claims` does, and note in the ledger what came of them."""
    decisions, events = judge_claims(filings, now_us)
    if events:
        ledger.append(events, now_us)
    return decisions


def judge_claims(filings: Sequence[Filing], now_us: int) -> tuple[list[Decision], list[tuple[int, Event]]]:
    """Judge claims on different devices with different tokens, and store what comes of them together.

    Returns also what the ledger has to note, last of all.
    """
    changes, decisions = Changes(), []
    named = listed(filing.device for filing in filings)
    for filing in filings:
        case = _Case.of(filing, now_us, listed=filing.device.pk in named)
        decision = case.judged()
        if decision.outcome in _WITH_ALL and case.device.claims_waiting:
            case = case.with_what_waits()
            decision = case.judged()
        _carry_out(case, decision, changes)
        decisions.append(decision)
    changes.store(now_us)
    # A device that was heard may complete the claim of somebody else.
    heard = [
        one.device for one in filings if Evidence.DEVICE_KEY in one.evidence and one.device.claims_waiting
    ]
    return decisions, changes.events + judge_held_claims(heard, now_us)


def file_claim(device: Device, claimant: Claimant, evidence: Collection[Evidence], now_us: int) -> Decision:
    """Judge one claim as `file_claims` does."""
    [decision] = file_claims([Filing(device, claimant, evidence)], now_us)
    return decision


def file_code(device: Device, organisation: Organisation, user: User | None, now_us: int) -> Decision:
    """Judge what follows from somebody typing the code of a device that has an owner."""
    actor = user_for(user.pk, organisation.pk) if user else OPERATOR
    return file_claim(device, Claimant(organisation, user, actor), {Evidence.LABEL_CODE}, now_us)


def judge_held_claims(devices: Iterable[Device], now_us: int) -> list[tuple[int, Event]]:
    """Look again at the claims that wait for these locked devices; return what the ledger has to note."""
    changes = Changes()
    for device in devices:
        if device.claims_waiting and device.owner_id is None:
            on_list = is_listed(device)
            cases = [
                _Case.of(one, now_us, listed=on_list) for one in _filings(device, frozenset(), "platform")
            ]
            case, decision = _foremost([(one, one.judged()) for one in cases])
            _carry_out(replace(case, known=case.evidence), decision, changes)
    changes.store(now_us)
    return changes.events


def filing_of_contact(device: Device, actor: str, now_us: int) -> Filing:
    """Return the claim that a device completes by reporting without a token.

    That is the one whose evidence now suffices, else the one that has waited longest. Call it only for a
    locked device for which claims wait.
    """
    filings = _filings(device, frozenset({Evidence.DEVICE_KEY}), actor)
    cases = {id(one): _Case.of(one, now_us, listed=False) for one in filings}
    return _foremost([(one, cases[id(one)].judged()) for one in filings])[0]


def filing_for(device: Device, claimant: Claimant) -> Filing:
    """Return an organisation's claim with everything that speaks for it now; the device is locked."""
    organisation = claimant.organisation
    if device.owner_id is None:
        waits = _filings(device, frozenset(), claimant.actor)
        return next(one for one in waits if one.claimant.organisation == organisation)
    bought = {Evidence.SALE} if sold_to(device, organisation) else set[Evidence]()
    return Filing(device, claimant, brought(device, organisation) | bought)


def _filings(device: Device, more: frozenset[Evidence], actor: str) -> list[Filing]:
    """Return the claims that wait, oldest first, each with everything that speaks for it now."""
    people = waiting(device)
    bought = sold([(device, one) for one in people])
    policy = parse(device.product.claim_policy)
    evidence = {
        one: kinds | more | ({Evidence.SALE} if (device.pk, one.pk) in bought else frozenset())
        for one, (_, kinds) in people.items()
    }
    # That the device reported speaks for all who wait, whichever of them it was noted for.
    heard = {Evidence.DEVICE_KEY}
    complete = {one for one, kinds in evidence.items() if evaluate(policy, kinds | heard)}
    aliases = dict(
        ClaimRequest.objects.filter(serial=device.serial, organisation__in=people).values_list(
            "organisation", "alias"
        )
    )
    return [
        Filing(
            device,
            Claimant(one, user, actor, alias=aliases.get(one.pk, "")),
            evidence[one],
            contested=bool(complete - {one}),
        )
        for one, (user, _) in people.items()
    ]


def _foremost(judged: Sequence[tuple[_Judged, Decision]]) -> tuple[_Judged, Decision]:
    return next((one for one in judged if one[1].outcome is Outcome.BOUND), judged[0])


def sold_to(device: Device, organisation: Organisation) -> bool:
    """Whether the ERP sold the device to an owner of the organisation, by confirmed address."""
    return bool(sold([(device, organisation)]))


def sold(pairs: Sequence[tuple[Device, Organisation]]) -> set[tuple[int, int]]:
    """Return those pairs, by their keys, of which `sold_to` is true."""
    confirmed = set(bulk.select(_OWNERS_ADDRESSES, {organisation.pk for _, organisation in pairs}))
    lines = bulk.select(_SALES, {device.pk for device, _ in pairs})
    sales = {device: (wholesaler, buyer) for device, wholesaler, buyer in lines}
    return {
        (device.pk, organisation.pk)
        for device, organisation in pairs
        if (sale := sales.get(device.pk)) is not None
        and (sale[0] == organisation.pk or (organisation.pk, sale[1]) in confirmed)
    }


def _token_facts(token: RegistrationToken, device: Device) -> TokenFacts:
    meant_for = token.used_by_id or token.only_device_id
    if meant_for in {None, device.pk}:
        return TokenFacts(token.expires_at_us, device.device_id if token.used_by_id else None)
    return TokenFacts(token.expires_at_us, Device.objects.get(pk=meant_for).device_id)


def _carry_out(case: _Case, decision: Decision, changes: Changes) -> None:
    match decision.outcome:
        case Outcome.BOUND:
            _bind(case, decision, changes)
        case Outcome.HELD:
            _hold(case, decision, changes)
        case Outcome.DISPUTED:
            _dispute(case, decision, changes)
        case Outcome.REFUSED:
            _remember(case, decision, changes)
        case Outcome.ALREADY_YOURS:
            _use_token(case, changes)


def _bind(case: _Case, decision: Decision, changes: Changes) -> None:
    device = case.device
    rivals = _rivals(case)
    _onboard(case, changes)
    device.life = advance(Life(device.life), Step.BIND)
    device.owner = case.claimant.organisation
    device.ownership_period += 1
    device.generation += 1
    device.claims_waiting = False
    token = case.claimant.token
    alias = case.claimant.alias if token is None else token.alias
    if alias:
        device.alias = alias
    if Evidence.LABEL_CODE in case.evidence:
        device.claim_code_used_at = from_us(case.now_us)
    changes.devices[device.pk] = device
    if device.ownership_period > 1:
        changes.handed_over.append(device.pk)
    _use_token(case, changes)
    changes.claims.append(_claim(case, decision))
    changes.events.append(case.event(Kind.OWNED, period=device.ownership_period))
    for rival in rivals:
        _carry_out(rival, rival.judged(), changes)


def _rivals(case: _Case) -> list[_Case]:
    """Return the claims of everybody else who waits for a device that gets its owner now."""
    if not case.device.claims_waiting:
        return []
    return [
        replace(
            case, claimant=Claimant(one, user, "platform"), evidence=kinds - _OF_A_MOMENT, contested=False
        )
        for one, (user, kinds) in waiting(case.device).items()
        if one != case.claimant.organisation and kinds - _OF_A_MOMENT
    ]


def _hold(case: _Case, decision: Decision, changes: Changes) -> None:
    _use_token(case, changes)
    _keep_evidence(case, changes)
    if _remember(case, decision, changes) is None:
        return
    if Evidence.DEVICE_KEY in case.evidence:
        _onboard(case, changes)
    changes.events.append(case.event(Kind.CLAIM_HELD))


def _keep_evidence(case: _Case, changes: Changes) -> None:
    device, claimant = case.device, case.claimant
    # A sale is looked up anew each time: it may be taken back.
    fresh = case.evidence - case.known - {Evidence.SALE}
    changes.evidence += [
        piece(device, claimant.organisation, claimant.user, kind, actor=claimant.actor, now_us=case.now_us)
        for kind in sorted(fresh)
    ]
    device.claims_waiting = device.claims_waiting or bool(fresh)
    changes.devices[device.pk] = device


def _onboard(case: _Case, changes: Changes) -> None:
    """Note that the device was heard for the first time since it was made, sold or given away."""
    device, before = case.device, Life(case.device.life)
    if before in {Life.ONBOARDED, Life.TRANSFERRED}:
        return
    device.life = advance(before, Step.ONBOARD)
    heard = Event(Kind.ONBOARDED, device.device_id, case.claimant.actor, {})
    changes.events.append((device.pk, heard))


def _dispute(case: _Case, decision: Decision, changes: Changes) -> None:
    """Open or extend a dispute. The owner keeps everything, and hears of it once for each claimant."""
    _use_token(case, changes)
    claim = _remember(case, decision, changes)
    if claim is None:
        return
    device = case.device
    opened = any(one.device_id == device.pk for one in changes.disputes)
    if not opened and not device.disputes.filter(closed_at_us=None).exists():
        changes.disputes.append(_opened(device, claim, case.now_us))
        device.disputed = True
        changes.devices[device.pk] = device
    _tell_owner(device)
    changes.events.append(case.event(Kind.CLAIM_DISPUTED))


def _opened(device: Device, claim: Claim, now_us: int) -> Dispute:
    fresh = open_case(now_us)
    return Dispute(
        device=device,
        claim=claim,
        owner_id=device.owner_id,
        state=fresh.state,
        due_us=fresh.due_us,
        opened_at_us=now_us,
    )


def _tell_owner(device: Device) -> None:
    text = (
        f"Somebody with another account tried to register your device {device} (serial {device.serial}).\n\n"
        "Nothing has changed: the device is yours, and its readings go on to you alone. The attempt is "
        "recorded, and the maker's staff will look at it.\n\n"
        "If you gave the device away, hand it over in the portal. If you did not, nothing is needed from "
        f"you.\n\n{settings.DOORSTEP.base_url}/devices/{device.device_id}/\n"
    )
    members = Member.objects.filter(organisation=device.owner_id, role__in=_MANAGERS)
    for address in members.values_list("user__email", flat=True):
        send_mail_later(address, f"Somebody tried to register your device {device}", text)


def _use_token(case: _Case, changes: Changes) -> None:
    token = case.claimant.token
    if token is not None and token.used_by_id is None:
        token.used_by, token.used_at_us = case.device, case.now_us
        changes.tokens.append(token)


def _remember(case: _Case, decision: Decision, changes: Changes) -> Claim | None:
    """Keep the claim, unless it repeats this claimant's last one: a device retries every few seconds."""
    last = (
        case.device.claims.filter(organisation=case.claimant.organisation).order_by("-at_us", "-pk").first()
    )
    same = (decision.outcome.value, sorted(case.evidence), decision.sentence[:_REASON_CAP])
    if last is not None and (last.decision, last.evidence, last.reason) == same:
        return None
    claim = _claim(case, decision)
    changes.claims.append(claim)
    return claim


def _claim(case: _Case, decision: Decision) -> Claim:
    return Claim(
        device=case.device,
        organisation=case.claimant.organisation,
        claimant=case.claimant.user,
        evidence=sorted(case.evidence),
        policy=case.policy.text,
        policy_version=case.device.product.claim_policy_version,
        decision=decision.outcome,
        reason=decision.sentence[:_REASON_CAP],
        at_us=case.now_us,
    )
