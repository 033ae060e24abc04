"""A claim is filed: gather the facts, let the core decide, store what it decided."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from doorstep.ownership.claims import Decision, Facts, Outcome, TokenFacts, decide
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.ledger import TEXT_CAP, Event, Kind
from doorstep.ownership.life import Life, Step, advance
from doorstep.ownership.policy import Policy, parse
from doorstep.server.accounts.models import Member, Organisation, Role, User
from doorstep.server.clock import from_us
from doorstep.server.custody import ledger
from doorstep.server.custody.models import Claim, Dispute, RegistrationToken, SaleLine
from doorstep.server.fleet.blocking import is_listed
from doorstep.server.fleet.models import Device
from doorstep.server.jobs.actions import send_mail_later

__all__ = ["Claimant", "file_claim", "file_code", "judge_held_claims", "sold_to"]

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
class _Case:
    """One claim on a device whose row is locked."""

    device: Device
    claimant: Claimant
    evidence: frozenset[Evidence]
    policy: Policy
    now_us: int

    def judged(self) -> Decision:
        token = self.claimant.token
        facts = Facts(
            device=self.device.device_id,
            life=Life(self.device.life),
            blocked=self.device.blocked or is_listed(self.device),
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


def file_claim(device: Device, claimant: Claimant, evidence: Collection[Evidence], now_us: int) -> Decision:
    """Judge a claim on a device whose row the caller locked, and store what comes of it."""
    case = _Case(device, claimant, frozenset(evidence), parse(device.product.claim_policy), now_us)
    decision = case.judged()
    ledger.append(_carry_out(case, decision), now_us)
    return decision


def file_code(device: Device, organisation: Organisation, user: User | None, now_us: int) -> Decision:
    """Judge what follows from somebody typing the code of a device that has an owner."""
    actor = f"user:{user.pk}" if user else "operator"
    return file_claim(device, Claimant(organisation, user, actor), {Evidence.LABEL_CODE}, now_us)


def judge_held_claims(devices: Iterable[Device], now_us: int) -> list[tuple[int, Event]]:
    """Look again at claims that waited for a sale; return the ledger events of those that are bound now."""
    events: list[tuple[int, Event]] = []
    for device in devices:
        for claim in device.claims.filter(decision=Outcome.HELD).order_by("at_us").select_related():
            if device.owner_id is None and sold_to(device, claim.organisation):
                claimant = Claimant(claim.organisation, claim.claimant, "operator")
                evidence = frozenset({Evidence(kind) for kind in claim.evidence} | {Evidence.SALE})
                case = _Case(device, claimant, evidence, parse(device.product.claim_policy), now_us)
                decision = case.judged()
                if decision.outcome is Outcome.BOUND:
                    events += _carry_out(case, decision)
    return events


def sold_to(device: Device, organisation: Organisation) -> bool:
    """Whether the ERP sold the device to an owner of the organisation, by confirmed address."""
    confirmed = EmailAddress.objects.filter(
        email__iexact=OuterRef("sale__buyer_email"),
        verified=True,
        user__memberships__organisation=organisation,
        user__memberships__role=Role.OWNER,
    )
    bought = Q(sale__wholesaler=organisation) | Exists(confirmed)
    return SaleLine.objects.filter(bought, device=device).exists()


def _token_facts(token: RegistrationToken, device: Device) -> TokenFacts:
    if token.used_by_id in {None, device.pk}:
        return TokenFacts(token.expires_at_us, device.device_id if token.used_by_id else None)
    return TokenFacts(token.expires_at_us, Device.objects.get(pk=token.used_by_id).device_id)


def _carry_out(case: _Case, decision: Decision) -> list[tuple[int, Event]]:
    match decision.outcome:
        case Outcome.BOUND:
            return _bind(case, decision)
        case Outcome.HELD:
            return _hold(case, decision)
        case Outcome.DISPUTED:
            return _dispute(case, decision)
        case Outcome.REFUSED:
            _remember(case, decision)
            return []
        case Outcome.ALREADY_YOURS:
            _use_token(case)
            return []


def _bind(case: _Case, decision: Decision) -> list[tuple[int, Event]]:
    device = case.device
    events = _onboard(case)
    device.life = advance(Life(device.life), Step.BIND)
    device.owner = case.claimant.organisation
    device.ownership_period += 1
    device.generation += 1
    if case.claimant.token is not None and case.claimant.token.alias:
        device.alias = case.claimant.token.alias
    if Evidence.LABEL_CODE in case.evidence:
        device.claim_code_used_at = from_us(case.now_us)
    device.save(
        update_fields=["life", "owner", "ownership_period", "generation", "alias", "claim_code_used_at"]
    )
    if device.ownership_period > 1:
        device.credentials.filter(state="active").update(state="superseded", ended_us=case.now_us)
    _use_token(case)
    _record(case, decision)
    return [*events, case.event(Kind.OWNED, period=device.ownership_period)]


def _hold(case: _Case, decision: Decision) -> list[tuple[int, Event]]:
    _use_token(case)
    if _remember(case, decision) is None:
        return []
    events = _onboard(case)
    case.device.save(update_fields=["life"])
    return [*events, case.event(Kind.CLAIM_HELD)]


def _onboard(case: _Case) -> list[tuple[int, Event]]:
    """Note that the device was heard for the first time since it was made, sold or given away."""
    device, before = case.device, Life(case.device.life)
    if before in {Life.ONBOARDED, Life.TRANSFERRED}:
        return []
    device.life = advance(before, Step.ONBOARD)
    return [(device.pk, Event(Kind.ONBOARDED, device.device_id, case.claimant.actor, {}))]


def _dispute(case: _Case, decision: Decision) -> list[tuple[int, Event]]:
    """Open or extend a dispute. The owner keeps everything, and hears of it once for each claimant."""
    _use_token(case)
    claim = _remember(case, decision)
    if claim is None:
        return []
    device = case.device
    if not device.disputes.filter(state="open").exists():
        Dispute.objects.create(device=device, claim=claim, opened_at_us=case.now_us)
        device.disputed = True
        device.save(update_fields=["disputed"])
    _tell_owner(device)
    return [case.event(Kind.CLAIM_DISPUTED)]


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


def _use_token(case: _Case) -> None:
    token = case.claimant.token
    if token is not None and token.used_by_id is None:
        token.used_by, token.used_at_us = case.device, case.now_us
        token.save(update_fields=["used_by", "used_at_us"])


def _remember(case: _Case, decision: Decision) -> Claim | None:
    """Keep the claim, unless it repeats this claimant's last one: a device retries every few seconds."""
    last = (
        case.device.claims.filter(organisation=case.claimant.organisation).order_by("-at_us", "-pk").first()
    )
    same = (decision.outcome.value, sorted(case.evidence), decision.sentence[:_REASON_CAP])
    if last is not None and (last.decision, last.evidence, last.reason) == same:
        return None
    return _record(case, decision)


def _record(case: _Case, decision: Decision) -> Claim:
    return Claim.objects.create(
        device=case.device,
        organisation=case.claimant.organisation,
        claimant=case.claimant.user,
        evidence=sorted(case.evidence),
        policy=case.policy.text,
        decision=decision.outcome,
        reason=decision.sentence[:_REASON_CAP],
        at_us=case.now_us,
    )
