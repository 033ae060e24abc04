"""A claim is filed: gather the facts, let the core decide, store what it decided."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models.functions import Lower

from doorstep.ownership.actors import user_for
from doorstep.ownership.claims import Decision, Facts, Outcome, TokenFacts, decide
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.ledger import TEXT_CAP, Event, Kind
from doorstep.ownership.life import Life, Step, advance
from doorstep.ownership.policy import Policy, parse
from doorstep.server.accounts.models import Member, Organisation, Role, User
from doorstep.server.clock import from_us
from doorstep.server.custody import ledger
from doorstep.server.custody.actions.changes import Changes
from doorstep.server.custody.models import Claim, Dispute, RegistrationToken, SaleLine
from doorstep.server.fleet.blocking import is_listed, listed
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.actions import send_mail_later

__all__ = [
    "Claimant",
    "Filing",
    "file_claim",
    "file_claims",
    "file_code",
    "judge_held_claims",
    "sold",
    "sold_to",
]

_REASON_CAP: Final = 200
_MANAGERS: Final = (Role.OWNER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, and what they came with."""

    organisation: Organisation
    user: User | None
    actor: str
    """As the ledger names whoever brought the claim."""
    token: RegistrationToken | None = None


@dataclass(frozen=True, slots=True)
class Filing:
    """A claim on a device whose row the caller locked."""

    device: Device
    claimant: Claimant
    evidence: Collection[Evidence]


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
    """Judge claims on different devices with different tokens, and store what comes of them together."""
    changes, decisions = Changes(), []
    named = listed(filing.device for filing in filings)
    for filing in filings:
        case = _Case(
            filing.device,
            filing.claimant,
            frozenset(filing.evidence),
            parse(filing.device.product.claim_policy),
            now_us,
            filing.device.pk in named,
        )
        decision = case.judged()
        _carry_out(case, decision, changes)
        decisions.append(decision)
    changes.store(now_us)
    if changes.events:
        ledger.append(changes.events, now_us)
    return decisions


def file_claim(device: Device, claimant: Claimant, evidence: Collection[Evidence], now_us: int) -> Decision:
    """Judge one claim as `file_claims` does."""
    [decision] = file_claims([Filing(device, claimant, evidence)], now_us)
    return decision


def file_code(device: Device, organisation: Organisation, user: User | None, now_us: int) -> Decision:
    """Judge what follows from somebody typing the code of a device that has an owner."""
    actor = user_for(user.pk, organisation.pk) if user else "operator"
    return file_claim(device, Claimant(organisation, user, actor), {Evidence.LABEL_CODE}, now_us)


def judge_held_claims(devices: Iterable[Device], now_us: int) -> list[tuple[int, Event]]:
    """Look again at claims that waited for a sale; return the ledger events of those that are bound now."""
    changes = Changes()
    for device in devices:
        for claim in device.claims.filter(decision=Outcome.HELD).order_by("at_us").select_related():
            if device.owner_id is None and sold_to(device, claim.organisation):
                claimant = Claimant(claim.organisation, claim.claimant, "operator")
                evidence = frozenset({Evidence(kind) for kind in claim.evidence} | {Evidence.SALE})
                policy = parse(device.product.claim_policy)
                case = _Case(device, claimant, evidence, policy, now_us, is_listed(device))
                decision = case.judged()
                if decision.outcome is Outcome.BOUND:
                    _carry_out(case, decision, changes)
    changes.store(now_us)
    return changes.events


def sold_to(device: Device, organisation: Organisation) -> bool:
    """Whether the ERP sold the device to an owner of the organisation, by confirmed address."""
    return bool(sold([(device, organisation)]))


def sold(pairs: Sequence[tuple[Device, Organisation]]) -> set[tuple[int, int]]:
    """Return those pairs, by their keys, of which `sold_to` is true."""
    organisations = {organisation.pk for _, organisation in pairs}
    confirmed = set(
        EmailAddress.objects.filter(
            verified=True,
            user__memberships__organisation__in=organisations,
            user__memberships__role=Role.OWNER,
        ).values_list("user__memberships__organisation", Lower("email"))
    )
    lines = SaleLine.objects.filter(device__in={device.pk for device, _ in pairs})
    sales = {
        device: (wholesaler, buyer)
        for device, wholesaler, buyer in lines.values_list(
            "device", "sale__wholesaler", Lower("sale__buyer_email")
        )
    }
    return {
        (device.pk, organisation.pk)
        for device, organisation in pairs
        if (sale := sales.get(device.pk)) is not None
        and (sale[0] == organisation.pk or (organisation.pk, sale[1]) in confirmed)
    }


def _token_facts(token: RegistrationToken, device: Device) -> TokenFacts:
    if token.used_by_id in {None, device.pk}:
        return TokenFacts(token.expires_at_us, device.device_id if token.used_by_id else None)
    return TokenFacts(token.expires_at_us, Device.objects.get(pk=token.used_by_id).device_id)


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
    _onboard(case, changes)
    device.life = advance(Life(device.life), Step.BIND)
    device.owner = case.claimant.organisation
    device.ownership_period += 1
    device.generation += 1
    if case.claimant.token is not None and case.claimant.token.alias:
        device.alias = case.claimant.token.alias
    if Evidence.LABEL_CODE in case.evidence:
        device.claim_code_used_at = from_us(case.now_us)
    changes.devices[device.pk] = device
    if device.ownership_period > 1:
        changes.handed_over.append(device.pk)
    _use_token(case, changes)
    changes.claims.append(_claim(case, decision))
    changes.events.append(case.event(Kind.OWNED, period=device.ownership_period))


def _hold(case: _Case, decision: Decision, changes: Changes) -> None:
    _use_token(case, changes)
    if _remember(case, decision, changes) is None:
        return
    _onboard(case, changes)
    changes.devices[case.device.pk] = case.device
    changes.events.append(case.event(Kind.CLAIM_HELD))


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
    if not device.disputes.filter(state="open").exists():
        changes.disputes.append(Dispute(device=device, claim=claim, opened_at_us=case.now_us))
        device.disputed = True
        changes.devices[device.pk] = device
    _tell_owner(device)
    changes.events.append(case.event(Kind.CLAIM_DISPUTED))


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
        decision=decision.outcome,
        reason=decision.sentence[:_REASON_CAP],
        at_us=case.now_us,
    )
