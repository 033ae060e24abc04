"""Shapes of what the REST API takes and answers.

Made by ``python -m tests.client.test_source`` from the API's description: never change it by hand.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "AcceptIn",
    "Activity",
    "AdviceOut",
    "AlertOut",
    "AlertPage",
    "ApiKeyIn",
    "ApiKeyMade",
    "ApiKeyOut",
    "ApiKeyPage",
    "AssumedOut",
    "AttemptOut",
    "Attempts",
    "AttestationIn",
    "AttestationOut",
    "BatchOut",
    "BatchPage",
    "BlockIn",
    "BlockOut",
    "BlockPage",
    "BlockState",
    "BroughtOut",
    "Buyer",
    "CaseDetail",
    "CaseOut",
    "CasePage",
    "CaseStep",
    "ChallengeOut",
    "ChangeOut",
    "Chart",
    "ChartOut",
    "ChildOut",
    "ChildrenOut",
    "Chip",
    "ClaimIn",
    "ClaimOut",
    "ClaimPage",
    "CodeIn",
    "CommandIn",
    "CommandOut",
    "CommandPage",
    "Condition",
    "Control",
    "CostLineOut",
    "CostOut",
    "Damage",
    "DataChoice",
    "DataIn",
    "DecisionOut",
    "DeedOut",
    "DeedPage",
    "Delivery",
    "DeliveryOut",
    "DeliveryPage",
    "DeliveryState",
    "DesiredIn",
    "DesiredOut",
    "DeviceFilter",
    "DeviceGrantOut",
    "DeviceOut",
    "DevicePage",
    "DocumentOut",
    "DocumentPage",
    "DotOut",
    "EntryOut",
    "EntryPage",
    "EventOut",
    "EventType",
    "Events",
    "FileOf",
    "Format",
    "FoundOut",
    "GrantAnswer",
    "GrantIn",
    "GroupIn",
    "GroupOut",
    "GroupPage",
    "Happened",
    "HappeningOut",
    "HealthOut",
    "HeldClaimDetail",
    "HeldClaimOut",
    "HeldClaimPage",
    "ImportOut",
    "InsecureFormat",
    "InvitationOut",
    "InvitationPage",
    "InviteIn",
    "JobOut",
    "JobPage",
    "KeyOut",
    "Kind",
    "LabelIn",
    "LabelOut",
    "LabelState",
    "LedgerEntry",
    "LedgerPage",
    "LegacyIn",
    "LetterOut",
    "LetterPage",
    "Life",
    "LiftIn",
    "LineOut",
    "MethodSetOut",
    "OfferOut",
    "OfferPage",
    "OnboardingIn",
    "OrderIn",
    "PaperOut",
    "PastOut",
    "PastPage",
    "PastReadings",
    "Permission",
    "PersonOut",
    "PersonPage",
    "PieceOut",
    "PlaceIn",
    "PlaceOut",
    "PlacePage",
    "PointOut",
    "PolicyIn",
    "PolicyOut",
    "PolicyVersionOut",
    "Problem",
    "ProductIn",
    "ProductOut",
    "ProductPage",
    "ReadingOut",
    "Readings",
    "RecordOut",
    "ReleaseOut",
    "ReplayIn",
    "ReplayOut",
    "ReturnIn",
    "RevocationOut",
    "RevokeIn",
    "RoleOut",
    "RotateIn",
    "RotationOut",
    "RotationPage",
    "RowProblem",
    "RowsDone",
    "SaleDone",
    "SaleFilter",
    "SaleIn",
    "SaleOut",
    "SalePage",
    "Sales",
    "ScrapIn",
    "SecretOut",
    "SerialsIn",
    "SiteIn",
    "SiteOut",
    "SitePage",
    "SituationIn",
    "SoldOut",
    "Standing",
    "StandingOut",
    "StepIn",
    "StockOut",
    "StockPage",
    "StockReturnIn",
    "Summary",
    "SwapIn",
    "SwapOut",
    "ThresholdIn",
    "ThresholdKind",
    "ThresholdOut",
    "ThresholdPage",
    "TokenIn",
    "TokenOut",
    "TokenState",
    "TransferIn",
    "TrialOut",
    "TriedOut",
    "UserCodeIn",
    "Verified",
    "VouchIn",
    "VoucherOut",
    "WeakMethod",
    "WebhookChange",
    "WebhookIn",
    "WebhookMade",
    "WebhookOut",
    "WebhookPage",
    "WhyIn",
    "WithdrawIn",
]


class AcceptIn(TypedDict):
    """What the device is to be called."""

    alias: NotRequired[str]
    """What the device is to be called."""


class Activity(TypedDict):
    """What happened, newest first."""

    items: list[HappeningOut]
    """Of the kinds that the caller may read: custody, alerts, commands."""
    next_before_us: int | None
    """For the next question; null: there is no more."""


class AdviceOut(TypedDict):
    """A recommendation, its reasons and its neighbours."""

    recommended: MethodSetOut
    """What fits best."""
    reasons: list[str]
    """Why."""
    cheaper: MethodSetOut | None
    """The strongest that costs less, if anything does."""
    stronger: MethodSetOut | None
    """The next method up, if there is one."""
    later: list[str]
    """What would fit better and the platform can't do yet."""
    assumed: dict[str, AssumedOut]
    """Prices that were counted with, by name."""


class AlertOut(TypedDict):
    """A threshold that was crossed."""

    number: int
    """Which one; the event of its webhook names it."""
    device_id: str
    """Of the device."""
    kind: ThresholdKind
    """above, below or silent."""
    name: str
    """Of the reading; empty for silence."""
    limit: float
    """The threshold's value as it was."""
    value: float | None
    """The first reading beyond it; null for silence."""
    unit: str
    """Of both."""
    sentence: str
    """The same in plain words."""
    opened_us: int
    """When it was crossed."""
    closed_us: int | None
    """When all was well again; null: it is still open."""


class AlertPage(TypedDict):
    """Alerts, newest first."""

    items: list[AlertOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class ApiKeyIn(TypedDict):
    """A key to be."""

    name: str
    """What it is for, for example: ERP."""
    scopes: list[Permission]
    """What it may do: permissions that whoever makes it has, and that a key can have."""
    group: NotRequired[int | None]
    """Number of the device group whose devices alone it sees; null: all."""
    days: NotRequired[int | None]
    """After so many it ends; null: never by itself."""


class ApiKeyMade(TypedDict):
    """A new key, shown this once."""

    number: int
    """By which it is ended."""
    name: str
    """What it is for."""
    prefix: str
    """How the key begins; the ledger and the audit trail name it so."""
    scopes: list[str]
    """What it may do."""
    group: int | None
    """Number of the device group whose devices alone it sees; null: all."""
    created_us: int
    """When it was made."""
    expires_us: int | None
    """When it ends by itself."""
    last_used_us: int | None
    """To the hour; null: never."""
    revoked_us: int | None
    """When it was ended; it opens nothing any more."""
    key: str
    """For ``Authorization: Bearer …``; only its hash is kept."""


class ApiKeyOut(TypedDict):
    """A key, without what opens anything."""

    number: int
    """By which it is ended."""
    name: str
    """What it is for."""
    prefix: str
    """How the key begins; the ledger and the audit trail name it so."""
    scopes: list[str]
    """What it may do."""
    group: int | None
    """Number of the device group whose devices alone it sees; null: all."""
    created_us: int
    """When it was made."""
    expires_us: int | None
    """When it ends by itself."""
    last_used_us: int | None
    """To the hour; null: never."""
    revoked_us: int | None
    """When it was ended; it opens nothing any more."""


class ApiKeyPage(TypedDict):
    """Keys, newest first, ended ones included."""

    items: list[ApiKeyOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class AssumedOut(TypedDict):
    """A price that was counted with."""

    cost: str
    """An amount, or a range of them."""
    what: str
    """What it is paid for."""


class AttemptOut(TypedDict):
    """What somebody tried with the device, and not who it was."""

    at_us: int
    """When."""
    what: str
    """claim, guess or message."""
    detail: str
    """What was brought, or why it was refused."""
    outcome: str
    """What came of it."""
    count: int
    """Repeats within a short time are one row."""


class Attempts(TypedDict):
    """Attempts, newest first."""

    items: list[AttemptOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class AttestationIn(TypedDict):
    """What the device said and what the phone had with it, base64url without padding."""

    statement: str
    """COSE_Sign1 by its factory key."""
    transcript: str
    """SHA-256 of the set-up conversation."""


class AttestationOut(TypedDict):
    """What the platform knows of an attested device."""

    device_id: str
    """Of the device, as its label and lists have it."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """Name of its product."""
    sale: str
    """yours, wholesaler or unknown."""
    owner: str
    """nobody, yours or another."""
    blocked: bool
    """Nothing of it is accepted."""
    presence: bool
    """Somebody pressed its button."""
    may_set_up: bool
    """Whether the caller may set it up."""
    sentence: str
    """The same in plain words."""
    public_key: str | None
    """As in a look-up; null for a device that the caller may not set up."""
    setup_code: str | None
    """The label's code, where the product releases it and the device showed presence."""
    oob_code: str | None
    """The out-of-band data of its Bluetooth pairing; released together with the code."""
    risk: str
    """What this check can't exclude; to be shown."""


class BatchOut(TypedDict):
    """A batch."""

    number: str
    """As its labels have it."""
    product: str
    """Key of its product."""
    count: int
    """How many devices were asked for."""
    made: int
    """How many there are. `GET /devices?batch=…` lists them."""
    onboarding_methods: list[str]
    """What its devices open."""
    created_us: int
    """When it was made."""


class BatchPage(TypedDict):
    """Batches, newest first."""

    items: list[BatchOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class BlockIn(TypedDict):
    """What to block."""

    kind: Literal["batch", "hardware_id", "key"]
    """What the value is."""
    value: str
    """Batch number, hardware id, or hex SHA-256 of the factory key's SubjectPublicKeyInfo."""
    reason: str
    """Why."""


class BlockOut(TypedDict):
    """A line of the block-list. Lines are only added: a lifted block is two lines."""

    number: int
    """By which it is asked for."""
    action: str
    """block or lift."""
    kind: str
    """batch, hardware_id or key."""
    value: str
    """What it names."""
    reason: str
    """Why."""
    by: str
    """Who did it, as the ledger names them."""
    at_us: int
    """When."""
    lifted_by: int | None
    """The line that ended this one."""


class BlockPage(TypedDict):
    """Lines, newest first."""

    items: list[BlockOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class BlockState(TypedDict):
    """A line, and how far it is."""

    number: int
    """By which it is asked for."""
    action: str
    """block or lift."""
    kind: str
    """batch, hardware_id or key."""
    value: str
    """What it names."""
    reason: str
    """Why."""
    by: str
    """Who did it, as the ledger names them."""
    at_us: int
    """When."""
    lifted_by: int | None
    """The line that ended this one."""
    devices: int
    """How many devices it names."""
    shut_out: int
    """Of them, how many are accepted no more: all, from the moment of the answer."""
    finished: int
    """Of them, how many have no session and nothing in a queue any more."""


class BroughtOut(TypedDict):
    """What came of one device of a voucher."""

    serial: str
    """Of the device."""
    outcome: str
    """bound, already_yours, held, disputed or refused."""
    sentence: str
    """The same in plain words."""


class Buyer(TypedDict):
    """A customer by e-mail address, or a wholesaler by theirs: exactly one."""

    email: NotRequired[str]
    """The customer's e-mail address."""
    wholesaler: NotRequired[str]
    """The wholesaler's e-mail address."""


class CaseDetail(TypedDict):
    """A dispute with its record."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    state: str
    """awaiting, review, seconding, dismissed, upheld, appealed, seconding_appeal, kept or moved."""
    party: str
    """As what the caller takes part: claimant, owner or staff."""
    evidence: list[str]
    """What the claimant brought when it began; empty for the owner."""
    opened_us: int
    """When it was opened."""
    due_us: int | None
    """When time alone moves it."""
    closed_us: int | None
    """When it was closed; null: it is open."""
    possible: list[str]
    """Steps that the caller can take now."""
    records: list[RecordOut]
    """Steps, oldest first."""
    papers: list[PaperOut]
    """Those that the caller may read."""


class CaseOut(TypedDict):
    """A dispute. Its owner and claimant are named to the staff alone."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    state: str
    """awaiting, review, seconding, dismissed, upheld, appealed, seconding_appeal, kept or moved."""
    party: str
    """As what the caller takes part: claimant, owner or staff."""
    evidence: list[str]
    """What the claimant brought when it began; empty for the owner."""
    opened_us: int
    """When it was opened."""
    due_us: int | None
    """When time alone moves it."""
    closed_us: int | None
    """When it was closed; null: it is open."""
    possible: list[str]
    """Steps that the caller can take now."""


class CasePage(TypedDict):
    """Disputes, newest first."""

    items: list[CaseOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


CaseStep = Literal[
    "answer",
    "reply",
    "ask",
    "dismiss",
    "propose",
    "confirm",
    "object",
    "appeal",
    "concede",
    "withdraw",
    "lapse",
    "settle",
    "remind",
]


class ChallengeOut(TypedDict):
    """A challenge for one device's attestation, base64url."""

    challenge: str
    """To be signed by the device."""
    expires_us: int
    """Until when it is good."""


class ChangeOut(TypedDict):
    """A change of standing, in words for the device's owner."""

    at_us: int
    """When."""
    before: str
    """Standing before."""
    after: str
    """Standing since."""
    step: str
    """What happened: suspect, quarantine, clear, block or lift."""
    evidence: str
    """alternation, fork or tag_failures; empty when people decided."""
    sentence: str
    """The same in plain words."""
    by: str
    """Who did it, as the ledger names them."""


class Chart(TypedDict):
    """Which lines."""

    span: NotRequired[Literal["hour", "day", "week", "month", "year"]]
    """How far to look back from now."""
    name: NotRequired[list[str]]
    """Of readings; none: the first twelve that the device sends."""


class ChartOut(TypedDict):
    """Numbers that a device sent over a span of time; some hundred points a line at most."""

    until_us: int
    """Where the span ends: now."""
    since_us: int
    """Where it begins."""
    lines: list[LineOut]
    """By name."""


class ChildOut(TypedDict):
    """A device behind a gateway."""

    device_id: str
    """Of the device, as its label and lists have it."""
    alias: str
    """The name that its owner gave it; may be empty."""
    last_seen_us: int | None
    """When its newest message was stored."""


class ChildrenOut(TypedDict):
    """The devices whose messages a gateway may carry."""

    gateway: str
    """Id of the gateway."""
    items: list[ChildOut]
    """By name."""


Chip = Literal["no-crypto", "aes", "tls", "secure-element"]


class ClaimIn(TypedDict):
    """The device that is claimed: its serial, or the scratch-off code that is below its foil; one of
    them.
    """

    serial: NotRequired[str]
    """As it stands on the label."""
    code: NotRequired[str]
    """As it stands below the foil."""
    alias: NotRequired[str]
    """What the device is to be called."""


class ClaimOut(TypedDict):
    """A claim and how it stands. Whether there is such a device shows only when something counts."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device that is claimed."""
    alias: str
    """What the device is to be called."""
    state: Literal["waiting", "held", "yours", "anothers"]
    """waiting: nothing counts yet; held: something is missing; yours; anothers: somebody else owns it."""
    sentence: str
    """The same in plain words, with what would help."""
    brought: list[str]
    """What counts so far, in plain words."""
    denied: bool
    """Whoever got the seller's mail said no."""
    device_id: str | None
    """Once the caller may know it."""
    opened_us: int
    """When it was opened."""
    mail_asked_us: int | None
    """When the buyer was last asked by mail."""


class ClaimPage(TypedDict):
    """Claims, newest first."""

    items: list[ClaimOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class CodeIn(TypedDict):
    """A scratch-off code."""

    code: str
    """As it stands below the foil."""


class CommandIn(TypedDict):
    """What the device is to do. Names and values are those that its firmware knows."""

    name: str
    """What the device is to do."""
    arguments: NotRequired[dict[str, float | bool | str]]
    """With what."""
    expires_in_s: NotRequired[int]
    """The device does not carry it out later than that."""


class CommandOut(TypedDict):
    """A command and how far it is. Times are microseconds since 1970."""

    command_id: str
    """By which it is asked for."""
    channel: str
    """``cmd``, or ``config`` for settings on their way."""
    name: str
    """What the device is to do."""
    state: str
    """queued, sent, acknowledged, refused, expired or cancelled."""
    detail: str
    """What the device said about it."""
    tries: int
    """How often it was sent."""
    asked_by: str
    """Who asked for it, as the ledger names them."""
    asked_us: int
    """When it was asked for."""
    expires_us: int | None
    """After that the device does not carry it out."""
    sent_us: int | None
    """When it was last sent."""
    closed_us: int | None
    """When it was answered, expired or withdrawn."""


class CommandPage(TypedDict):
    """Commands, newest first."""

    items: list[CommandOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


Condition = Literal["attention", "live", "quiet", "waiting", "revoked"]

Control = Literal["none", "button", "display"]


class CostLineOut(TypedDict):
    """One part of what a device costs more."""

    what: str
    """What is paid for."""
    low: str
    """At least."""
    high: str
    """At most."""
    basis: str
    """What the figure stands on."""


class CostOut(TypedDict):
    """What a set of methods adds to one device."""

    low: str
    """At least, in all."""
    high: str
    """At most, in all."""
    lines: list[CostLineOut]
    """Its parts."""


Damage = Literal["nuisance", "service", "data", "control", "safety"]

DataChoice = Literal["keep", "hand_over", "erase", "export"]


class DataIn(TypedDict):
    """What is to happen to readings."""

    kind: Literal["export", "erase"]
    """What is done with them."""


class DecisionOut(TypedDict):
    """What came of a claim."""

    outcome: str
    """bound, already_yours, held, disputed or refused."""
    sentence: str
    """The same in plain words."""


class DeedOut(TypedDict):
    """One entry. Details are those that the caller's organisation may see."""

    number: int
    """Its place in the trail."""
    at_us: int
    """When."""
    actor: str
    """Who did it, as the ledger names them."""
    action: str
    """Name of the page or operation."""
    way: str
    """portal or rest."""
    looked: bool
    """The maker's staff looked, and changed nothing."""
    device_id: str
    """About which device; may be empty."""
    before: dict[str, str | int | bool | None]
    """Values that it changed."""
    after: dict[str, str | int | bool | None]
    """The same values since."""
    address: str
    """Where it came from; only for who acted for the caller's organisation."""
    erased: bool
    """Before, after and address were erased."""
    digest: str
    """SHA-256 of the entry, hexadecimal."""


class DeedPage(TypedDict):
    """Entries, newest first."""

    items: list[DeedOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


Delivery = Literal["queued", "sent", "acknowledged", "refused", "expired", "cancelled"]


class DeliveryOut(TypedDict):
    """An event on its way to a webhook."""

    event_id: str
    """The ``webhook-id`` of every attempt."""
    type: EventType
    """Of the event."""
    at_us: int
    """When it happened."""
    data: dict[str, Any]
    """The event's data."""
    state: DeliveryState
    """How far it is."""
    attempts: int
    """How often it was tried."""
    tried_us: int | None
    """When it was last tried."""
    due_us: int | None
    """When it is tried again; null once it is not."""
    status: int | None
    """HTTP status of the last answer; null when there was none."""
    detail: str
    """Why the last attempt failed."""


class DeliveryPage(TypedDict):
    """Deliveries, newest event first."""

    items: list[DeliveryOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


DeliveryState = Literal["waiting", "delivered", "failed"]


class DesiredIn(TypedDict):
    """All settings that the device should have."""

    settings: dict[str, float | bool | str]
    """All of them; one that is missing is taken away."""
    version: int
    """The version that you read; another one in between is a conflict."""


class DesiredOut(TypedDict):
    """The settings that a device should have, and what it said last about itself."""

    version: int
    """Of ``settings``; 0 when nobody ever set any."""
    settings: dict[str, float | bool | str]
    """All that the device should have."""
    asked_us: int | None
    """When somebody last set any."""
    applied_version: int | None
    """The version that the device said it has."""
    waiting: bool
    """The device has not said yet that it applied them."""
    reported: list[PointOut]
    """What the device said last on channel ``state``."""
    reported_us: int | None
    """When it said that."""


class DeviceFilter(TypedDict):
    """Which devices."""

    serial: NotRequired[str | None]
    """Of the device, as its label has it."""
    product: NotRequired[str | None]
    """Key of its product."""
    batch: NotRequired[str | None]
    """Number of its batch."""
    life: NotRequired[Life | None]
    """How far its life is."""
    standing: NotRequired[Standing | None]
    """How far it is trusted."""
    disputed: NotRequired[bool | None]
    """Somebody else claims it."""
    search: NotRequired[str | None]
    """Words of its name, serial, product or site; as all that follow only for the owner of the devices."""
    condition: NotRequired[Condition | None]
    """How it is now."""
    site: NotRequired[int | None]
    """Number of the site where it stands."""
    group: NotRequired[int | None]
    """Number of a device group that it stands in."""


class DeviceGrantOut(TypedDict):
    """The device that shows a code."""

    serial: str
    """Of the device."""
    product: str
    """Key of the product."""
    expires_us: int
    """When the code is good no more."""


class DeviceOut(TypedDict):
    """A device."""

    device_id: str
    """Of the device, as its label and lists have it."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """Key of its product."""
    batch: str
    """Number of its batch."""
    life: str
    """made, stocked, dispatched, sold, onboarded, owned, transferred, returned, swapped or scrapped."""
    blocked: bool
    """Nothing of it is accepted: it is blocked or in quarantine."""
    standing: str
    """ok, suspected, quarantined or blocked."""
    disputed: bool
    """Somebody else claims it."""
    owned: bool
    """Whether anybody owns it."""
    alias: str
    """The name its owner gave it; empty for everybody else."""
    weak_setup: list[str]
    """Keys of the weak onboarding methods that it was made with; none is best."""
    insecure_formats: list[str]
    """The legacy message format that is taken of it; none is best."""
    last_seen_us: int | None
    """When its newest message was stored; only for its owner."""


class DevicePage(TypedDict):
    """Devices by id."""

    items: list[DeviceOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class DocumentOut(TypedDict):
    """A signed document; ``text`` is the file to keep (docs/spec/documents.md)."""

    number: int
    """By which it is asked for."""
    paper: str
    """erasure, export or scrapping."""
    serial: str
    """Of the device, as its label has it."""
    at_us: int
    """When."""
    text: str
    """The file to keep."""


class DocumentPage(TypedDict):
    """Documents, newest first."""

    items: list[DocumentOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class DotOut(TypedDict):
    """One point of a line."""

    time_us: int
    """Its moment, or the beginning of its hour or day."""
    mean: float
    """Of the readings that it stands for."""
    low: float
    """The lowest of them."""
    high: float
    """The highest of them."""


class EntryOut(TypedDict):
    """A ledger entry. What concerns another organisation shows neither actor nor detail."""

    number: int
    """Its place in the ledger."""
    at_us: int
    """When."""
    kind: str
    """What happened."""
    actor: str
    """Who did it, as the ledger names them."""
    detail: dict[str, str | int]
    """With what."""
    digest: str
    """SHA-256 of the entry, hexadecimal."""


class EntryPage(TypedDict):
    """Entries, oldest first."""

    items: list[EntryOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class EventOut(TypedDict):
    """One message on channel ``event``."""

    received_us: int
    """When it arrived."""
    points: list[PointOut]
    """What it said."""


EventType = Literal[
    "device.registered",
    "device.held",
    "device.disputed",
    "device.revoked",
    "device.restored",
    "device.suspected",
    "device.quarantined",
    "device.cleared",
    "device.dispute_decided",
    "device.dispute_appealed",
    "device.dispatched",
    "device.sold",
    "device.received",
    "device.transfer_offered",
    "device.transfer_ended",
    "device.transferred",
    "device.released",
    "device.returned",
    "device.swapped",
    "device.scrapped",
    "device.erased",
    "device.exported",
    "device.corrected",
    "sale.recorded",
    "alert.raised",
    "alert.cleared",
    "webhook.test",
]


class Events(TypedDict):
    """Events, newest first."""

    items: list[EventOut]
    """Newest first."""


class FileOf(TypedDict):
    """Which file."""

    since: str
    """First day, of UTC."""
    until: str
    """Last day, which is in the file."""
    kind: NotRequired[Literal["csv", "parquet"]]
    """csv, or parquet where the server makes it: at most a year at once."""


Format = Literal["csv", "parquet"]


class FoundOut(TypedDict):
    """A device that the caller may set up."""

    device_id: str
    """Of the device, as its label and lists have it."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """Name of its product."""
    public_key: str
    """Factory key, uncompressed P-256 point, base64url: credentials are sealed to it."""
    sale: str
    """yours, wholesaler or unknown."""
    owner: str
    """nobody or yours."""


class GrantAnswer(TypedDict):
    """What is answered to the device that shows a code."""

    user_code: str
    """Eight letters, such as WDJB-MJHT."""
    yes: bool
    """Whether it may join the caller's organisation."""
    alias: NotRequired[str]
    """What the device is to be called."""


class GrantIn(TypedDict):
    """What somebody may do, and with which devices."""

    role: str
    """owner, admin, operator or viewer."""
    groups: NotRequired[list[int] | None]
    """Numbers of the groups that they see; null for all devices. Only for operators and viewers."""


class GroupIn(TypedDict):
    """What a group is called."""

    name: str
    """As its people call it."""


class GroupOut(TypedDict):
    """A device group."""

    number: int
    """By which it is asked for."""
    name: str
    """As its people call it."""
    devices: int
    """How many devices stand in it."""


class GroupPage(TypedDict):
    """Groups, by number."""

    items: list[GroupOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


Happened = Literal["custody", "alert", "alert_ended", "command", "settings"]


class HappeningOut(TypedDict):
    """One thing that happened to one device."""

    at_us: int
    """When."""
    device_id: str
    """To which."""
    kind: Happened
    """custody, alert, alert_ended, command or settings."""
    sentence: str
    """In plain words."""


class HealthOut(TypedDict):
    """All parts that run beside the portal."""

    roles: list[RoleOut]
    """In the order in which they start; none where they run on other machines."""


class HeldClaimDetail(TypedDict):
    """A claim that waits, with what was brought for it."""

    number: int
    """By which it is vouched for."""
    device_id: str
    """Of the device that is claimed."""
    serial: str
    """Of the same device."""
    product: str
    """Key of its product."""
    claimant: str
    """Name of the organisation that claims it."""
    evidence: list[str]
    """Kinds that it had brought when the claim was judged."""
    policy: str
    """By which it was judged."""
    policy_version: int
    """Which of the product's policies that was."""
    sentence: str
    """What the claimant was told."""
    at_us: int
    """When it was judged."""
    pieces: list[PieceOut]
    """The claimant's evidence, oldest first."""
    contested: bool
    """Whether others brought evidence for the same device."""


class HeldClaimOut(TypedDict):
    """A claim whose evidence is less than the product's policy asks for, on a device that nobody owns."""

    number: int
    """By which it is vouched for."""
    device_id: str
    """Of the device that is claimed."""
    serial: str
    """Of the same device."""
    product: str
    """Key of its product."""
    claimant: str
    """Name of the organisation that claims it."""
    evidence: list[str]
    """Kinds that it had brought when the claim was judged."""
    policy: str
    """By which it was judged."""
    policy_version: int
    """Which of the product's policies that was."""
    sentence: str
    """What the claimant was told."""
    at_us: int
    """When it was judged."""


class HeldClaimPage(TypedDict):
    """Claims that wait, newest first."""

    items: list[HeldClaimOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class ImportOut(TypedDict):
    """What became of a file."""

    number: int
    """By which it is asked for."""
    at_us: int
    """When it came."""
    stored: int
    """Rows that were stored."""
    unchanged: int
    """Rows that stood so before."""
    failed: int
    """Rows that were not stored; `…/failures` has them."""


class InsecureFormat(TypedDict):
    """A legacy message format that is on, and what an attacker can do with it."""

    format: str
    """Key of the format."""
    risk: str
    """What an attacker can do."""


class InvitationOut(TypedDict):
    """An invitation that waits."""

    number: int
    """By which it is asked for."""
    email: str
    """E-mail address."""
    role: str
    """owner, admin, operator or viewer."""
    groups: list[int] | None
    """Numbers of the groups that they will see; null for all devices."""
    expires_us: int
    """Until when it is good."""


class InvitationPage(TypedDict):
    """Invitations, newest first."""

    items: list[InvitationOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class InviteIn(TypedDict):
    """Whom to invite, to what."""

    role: str
    """owner, admin, operator or viewer."""
    groups: NotRequired[list[int] | None]
    """Numbers of the groups that they see; null for all devices. Only for operators and viewers."""
    email: str
    """Where the invitation goes."""


class JobOut(TypedDict):
    """A data job and how far it is."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    period: int
    """Which of the device's owners' times."""
    kind: str
    """erase, export or hand_over."""
    total: int
    """Messages that there were when it was asked for."""
    done: int
    """Messages so far."""
    asked_us: int
    """When it was asked for."""
    finished_us: int | None
    """When it was done."""
    size: int
    """Bytes of the file, which is kept for 30 days."""
    receipt: int | None
    """Number of the document that proves it."""


class JobPage(TypedDict):
    """Data jobs, newest first."""

    items: list[JobOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class KeyOut(TypedDict):
    """The Ed25519 key that signs documents: 32 bytes, hexadecimal."""

    public_key: str
    """For whoever verifies them."""


Kind = Literal[
    "made",
    "stocked",
    "dispatched",
    "received",
    "sold",
    "onboarded",
    "owned",
    "claim_held",
    "claim_disputed",
    "case_decided",
    "case_appealed",
    "label_reported",
    "blocked",
    "unblocked",
    "suspected",
    "quarantined",
    "cleared",
    "transfer_offered",
    "transfer_ended",
    "transferred",
    "released",
    "returned",
    "swapped",
    "replaces",
    "scrapped",
    "erased",
    "exported",
    "setup_released",
    "code_released",
    "corrected",
    "key_added",
]


class LabelIn(TypedDict):
    """What happened to a label."""

    step: Literal["report", "replace"]
    """``report``: its foil was off, so its code counts for nobody; ``replace``: it gets a new code."""


class LabelOut(TypedDict):
    """A label as it is now."""

    device_id: str
    """Of the device, as its label and lists have it."""
    state: LabelState
    """sealed, scratched or tampered."""
    code: str
    """The new code as it is printed, shown this once; empty when there is none."""


LabelState = Literal["sealed", "scratched", "tampered"]


class LedgerEntry(TypedDict):
    """An entry of the whole ledger."""

    number: int
    """Its place in the ledger."""
    at_us: int
    """When."""
    kind: str
    """What happened."""
    actor: str
    """Who did it, as the ledger names them."""
    detail: dict[str, str | int]
    """With what."""
    digest: str
    """SHA-256 of the entry, hexadecimal."""
    device_id: str
    """Empty where it is about no device."""


class LedgerPage(TypedDict):
    """Entries of all devices, oldest first."""

    items: list[LedgerEntry]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class LegacyIn(TypedDict):
    """The legacy formats to take, all of them, and those whose risk a person accepts."""

    formats: list[str]
    """Keys of all formats to take."""
    accept_risk: NotRequired[list[str]]
    """Keys of those whose risk is accepted."""


class LetterOut(TypedDict):
    """A refused message or attempt; repeats within a minute are counted in one row."""

    at_us: int
    """When it last came."""
    device_id: str
    """As the topic or credential named it; it may not exist."""
    topic: str
    """Where it came."""
    reason: str
    """Why, for programs."""
    detail: str
    """Why, for people."""
    size: int
    """In bytes."""
    count: int
    """Repeats that the row counts."""


class LetterPage(TypedDict):
    """Dead letters, newest first."""

    items: list[LetterOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


Life = Literal[
    "made",
    "stocked",
    "dispatched",
    "sold",
    "onboarded",
    "owned",
    "transferred",
    "returned",
    "swapped",
    "scrapped",
]


class LiftIn(TypedDict):
    """Why a block ends."""

    reason: str
    """Why."""


class LineOut(TypedDict):
    """One reading of a device."""

    name: str
    """As the device calls it."""
    unit: str
    """As the device says it, in SenML's units."""
    dots: list[DotOut]
    """Oldest first."""


class MethodSetOut(TypedDict):
    """Methods that go together."""

    identity: str
    """Identity method."""
    onboarding: str
    """Onboarding method."""
    claim_policy: str
    """Claim policy."""
    claim_needs: str
    """What a claim takes by it, in plain words."""
    cost: CostOut
    """For each device."""
    assurance: int
    """0 to 3."""
    risks: list[str]
    """What an attacker can still do."""
    obstacles: list[str]
    """What speaks against it here; none when it fits."""
    available: bool
    """Whether the platform does it today."""


class OfferOut(TypedDict):
    """An offer. Times are microseconds since 1970."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """Key of its product."""
    way: str
    """transfer or return."""
    state: str
    """offered, accepted, declined, cancelled or expired."""
    data: str
    """keep, hand_over, erase or export."""
    giver: str
    """Name of the organisation that offers it."""
    email: str
    """To whom it is offered; only for the giver."""
    words: str
    """What was said with it; may be empty."""
    offered_us: int
    """When it was offered."""
    due_us: int
    """When it expires."""
    closed_us: int | None
    """When it was closed; null: it is open."""


class OfferPage(TypedDict):
    """Offers, newest first."""

    items: list[OfferOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class OnboardingIn(TypedDict):
    """The methods to have on, all of them, and the weak ones among them whose risk a person accepts."""

    methods: list[str]
    """Keys of all methods to have on."""
    accept_risk: NotRequired[list[str]]
    """Keys of the weak ones among them whose risk is accepted."""


class OrderIn(TypedDict):
    """An order's number; it helps, and never decides alone."""

    order: str
    """From the invoice."""


class PaperOut(TypedDict):
    """A paper that a side brought."""

    number: int
    """By which it is asked for."""
    party: str
    """Who brought it: claimant or owner."""
    name: str
    """As the file was called."""
    kind: str
    """Media type."""
    size: int
    """In bytes."""
    sha256: str
    """Of its bytes, hexadecimal."""
    at_us: int
    """When it was brought."""


class PastOut(TypedDict):
    """A device that the organisation had."""

    number: int
    """By which it is asked for."""
    serial: str
    """Of the device, as its label has it."""
    alias: str
    """The name that it had."""
    period: int
    """Which time of its life that was."""
    ended_us: int
    """When the device left."""
    ended_by: str
    """transfer, return, swap, scrap or dispute."""
    data: str
    """keep, hand_over, erase or export."""
    replacement: str | None
    """Serial of the device that took its place."""
    gone_us: int | None
    """When the last of its readings were erased or handed over."""


class PastPage(TypedDict):
    """Past devices, newest first."""

    items: list[PastOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class PastReadings(TypedDict):
    """Readings of a past device, oldest first."""

    points: list[PointOut]
    """By time."""


Permission = Literal[
    "maker:products:read",
    "maker:products:write",
    "maker:sales:read",
    "maker:sales:write",
    "maker:devices:read",
    "maker:devices:revoke",
    "maker:claims:read",
    "maker:claims:vouch",
    "maker:ledger:read",
    "maker:dead-letters:read",
    "maker:health:read",
    "maker:cases:read",
    "maker:cases:write",
    "maker:handovers:read",
    "maker:handovers:write",
    "maker:people:read",
    "maker:people:write",
    "maker:keys:write",
    "maker:webhooks:read",
    "maker:webhooks:write",
    "maker:audit:read",
    "wholesaler:devices:read",
    "wholesaler:stock:read",
    "wholesaler:stock:write",
    "wholesaler:people:read",
    "wholesaler:people:write",
    "wholesaler:keys:write",
    "wholesaler:webhooks:read",
    "wholesaler:webhooks:write",
    "wholesaler:audit:read",
    "customer:devices:read",
    "customer:devices:write",
    "customer:devices:revoke",
    "customer:readings:read",
    "customer:commands:read",
    "customer:commands:write",
    "customer:ledger:read",
    "customer:tokens:write",
    "customer:claims:read",
    "customer:setup:release",
    "customer:gateways:write",
    "customer:cases:read",
    "customer:cases:write",
    "customer:handovers:read",
    "customer:handovers:write",
    "customer:data:write",
    "customer:groups:write",
    "customer:people:read",
    "customer:people:write",
    "customer:keys:write",
    "customer:webhooks:read",
    "customer:webhooks:write",
    "customer:audit:read",
]


class PersonOut(TypedDict):
    """A member."""

    number: int
    """By which it is asked for."""
    email: str
    """E-mail address."""
    name: str
    """As they call themselves."""
    role: str
    """owner, admin, operator or viewer."""
    groups: list[int] | None
    """Numbers of the groups that they see; null for all devices."""
    joined_us: int
    """When they became a member."""


class PersonPage(TypedDict):
    """Members, by number."""

    items: list[PersonOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class PieceOut(TypedDict):
    """A piece of evidence that counts now."""

    kind: str
    """As policies name it."""
    by: str
    """Who brought it, as the ledger names them."""
    detail: str
    """What it was, without addresses or codes."""
    at_us: int
    """When it was brought."""


class PlaceIn(TypedDict):
    """What a device is called, and where it stands."""

    alias: NotRequired[str]
    """Empty: it is shown by its serial."""
    site: NotRequired[int | None]
    """Number of the site; null: none."""


class PlaceOut(TypedDict):
    """What a device is called, and where it stands."""

    device_id: str
    """Of the device."""
    alias: str
    """Empty: it is shown by its serial."""
    site: int | None
    """Number of the site; null: none."""


class PlacePage(TypedDict):
    """Devices of a sale, by serial."""

    items: list[SoldOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class PointOut(TypedDict):
    """One value that a device said."""

    name: str
    """As the device calls it."""
    unit: str
    """In SenML's words; may be empty."""
    time_us: int
    """Its time, by the device's clock or else by its arrival."""
    value: float | bool | str
    """A number, a yes or no, or a text."""


class PolicyIn(TypedDict):
    """A claim policy."""

    claim_policy: str
    """Kinds of evidence, joined with ``&`` (and) and ``|`` (or)."""


class PolicyOut(TypedDict):
    """A product's claim policy."""

    claim_policy: str
    """The policy that was tried."""
    explanation: str
    """What it asks for, in plain words."""
    trials: list[TrialOut]
    """People who may come, the wrong ones among them."""
    warnings: list[str]
    """What to think about; none is best."""
    version: int
    """How many the product has had, this one included."""
    history: list[PolicyVersionOut]
    """All of them, newest first; empty where it was never changed."""


class PolicyVersionOut(TypedDict):
    """A policy that the product had."""

    version: int
    """Its number; decisions name it."""
    claim_policy: str
    """As it read."""
    by: str
    """Who put it there, as the ledger names them."""
    at_us: int
    """When it began to hold."""


class Problem(TypedDict):
    """A problem document (RFC 9457), with the next step for its reader."""

    type: str
    """For programs; docs/reference/rest.md lists them."""
    title: str
    """The type in words."""
    status: int
    """The answer's status."""
    detail: str
    """What happened, and to whom."""
    next_step: str
    """What to do about it."""
    rows: NotRequired[list[RowProblem] | None]
    """Each bad row, when a sale was refused because of its rows."""


class ProductIn(TypedDict):
    """A product to be."""

    key: str
    """As programs write it; it stays for good."""
    name: str
    """As customers read it."""
    claim_policy: NotRequired[str]
    """The evidence that makes somebody the owner; empty for the strong one."""
    identity: NotRequired[Literal["certificate", "symmetric_key", "secure_element"]]
    """What its devices are made with; it stays for good."""


class ProductOut(TypedDict):
    """A product."""

    key: str
    """As programs write it."""
    name: str
    """As customers read it."""
    identity_method: str
    """What its devices are made with."""
    claim_policy: str
    """The evidence that makes somebody the owner."""
    onboarding_methods: list[str]
    """What devices open that are made from now on."""
    weak_setup: list[WeakMethod]
    """Weak onboarding methods that are on; none is best."""
    insecure_formats: list[InsecureFormat]
    """Legacy message formats that are taken; none is best."""


class ProductPage(TypedDict):
    """Products by key."""

    items: list[ProductOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class ReadingOut(TypedDict):
    """One reading."""

    name: str
    """As the device calls it."""
    unit: str
    """In SenML's words; may be empty."""
    time_us: int
    """Its time, by the device's clock or else by its arrival."""
    value: float | bool | str
    """A number, a yes or no, or a text."""
    channel: str
    """``data`` for sealed messages; a legacy format's name for those that are insecure."""


class Readings(TypedDict):
    """Readings, oldest first. ``next_after_us`` goes into the next question."""

    points: list[ReadingOut]
    """By time."""
    next_after_us: int
    """For the next question."""


class RecordOut(TypedDict):
    """A step that was taken. What the other side said is not shown."""

    at_us: int
    """When."""
    step: str
    """What was done."""
    after: str
    """State since."""
    party: str
    """Who did it: claimant, owner, staff or clock (time was up)."""
    words: str
    """What was said with it."""


class ReleaseOut(TypedDict):
    """A release to bring to the device, base64url; no secret."""

    release: str
    """To be handed to the device."""
    expires_us: int
    """Until when it is good."""


class ReplayIn(TypedDict):
    """What to deliver again: one event, or all since a time that did not arrive. Exactly one of the two."""

    event_id: NotRequired[str]
    """The one event."""
    since_us: NotRequired[int | None]
    """What did not arrive since then."""


class ReplayOut(TypedDict):
    """How many deliveries were queued."""

    queued: int
    """How many deliveries."""


class ReturnIn(TypedDict):
    """Why the device goes back, and what happens to its readings."""

    data: NotRequired[DataChoice]
    """What happens to the readings."""
    words: NotRequired[str]
    """Why."""


class RevocationOut(TypedDict):
    """A revocation and how far it is. Times are microseconds since 1970."""

    device_id: str
    """Of the device, as its label and lists have it."""
    reason: str
    """Why."""
    asked_us: int
    """When it was asked for."""
    kicked_us: int | None
    """Every session of the device was closed."""
    purged_us: int | None
    """Its queued and retained messages are gone: the revocation is finished."""
    sessions_kicked: int
    """How many sessions were closed."""
    messages_purged: int
    """How many messages were removed."""
    effective_us: int | None
    """From then on nothing of it was accepted."""
    last_accepted_us: int | None
    """When the last message that was accepted had arrived."""


class RevokeIn(TypedDict):
    """Why."""

    reason: str
    """Why."""


class RoleOut(TypedDict):
    """One part of the platform."""

    role: str
    """Its name."""
    state: str
    """waiting, starting, running, stalled, silent, broken (it comes back), stopping or stopped."""
    pid: int | None
    """Number of its process."""
    uptime_s: float
    """Seconds since it runs."""
    restarts: int
    """How often it was started again."""
    reason: str
    """Why it does not serve, or why it was started again last."""
    figures: dict[str, float | str]
    """What it counts, by names of its own."""


class RotateIn(TypedDict):
    """Which key."""

    key: NotRequired[Literal["root", "certificate", "exchange"]]
    """``root``: of its sealed messages; ``exchange``: the same by EDHOC, so that a thief of the old root
    cannot follow; ``certificate``: the operational one.
    """


class RotationOut(TypedDict):
    """A replacement of a key. Times are microseconds since 1970."""

    device_id: str
    """Of the device, as its label and lists have it."""
    number: int
    """Of the replacement, counted for each device."""
    kind: str
    """fresh, owner or exchanged (the sealed root), or certificate."""
    stage: str
    """offered: the platform waits for the device; staged: the old and the new key work; settled."""
    outcome: str
    """done or abandoned, once it is settled."""
    detail: str
    """Why it waits, or was abandoned."""
    asked_by: str
    """Who asked for it, as the ledger names them."""
    asked_us: int
    """When it was asked for."""
    staged_us: int | None
    """When both keys began to work."""
    settled_us: int | None
    """When it was settled."""


class RotationPage(TypedDict):
    """Replacements of a device's keys, newest first."""

    items: list[RotationOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class RowProblem(TypedDict):
    """A row that can't be stored."""

    row: int
    """Which, counted from 1."""
    serial: str
    """As the row has it."""
    reason: str
    """Why, for programs."""
    detail: str
    """Why, for people."""


class RowsDone(TypedDict):
    """What became of the rows. Good ones are done, whatever the others are."""

    done: list[str]
    """Serials of this request."""
    unchanged: list[str]
    """Serials that stood so before."""
    failed: list[RowProblem]
    """Rows that were not stored, and why."""


class SaleDone(TypedDict):
    """What the sale did."""

    order: str
    """The order's number."""
    sold: list[str]
    """Serials sold by this request."""
    unchanged: list[str]
    """Serials that this order had sold before."""


class SaleFilter(TypedDict):
    """Which sales."""

    order: NotRequired[str | None]
    """The order's number, as the seller writes it."""
    buyer_email: NotRequired[str | None]
    """The customer, in any case of letters; of the own sales alone."""
    serial: NotRequired[str | None]
    """The order that has this device."""


class SaleIn(TypedDict):
    """An order: sold to a customer, or dispatched to a wholesaler."""

    order: str
    """The order's number, as the seller writes it."""
    serials: list[str]
    """Devices by serial."""
    buyer: Buyer
    """To whom."""
    box: NotRequired[str]
    """Label of the box in which they travel."""
    seller: NotRequired[str]
    """Address of the wholesaler that holds them, where the maker tells it in their place."""


class SaleOut(TypedDict):
    """A stored sale."""

    number: int
    """By which its devices are asked for; the portal's pages have it in their address."""
    order: str
    """The order's number, as the seller writes it."""
    seller: str
    """Name of the wholesaler that sold; empty: the maker."""
    buyer_email: str
    """The seller alone reads it."""
    wholesaler: str
    """Name of the wholesaler to which it was dispatched."""
    serials: int
    """How many devices it has."""
    created_us: int
    """When it was made."""


class SalePage(TypedDict):
    """Sales, newest first."""

    items: list[SaleOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


Sales = Literal["direct", "wholesale"]


class ScrapIn(TypedDict):
    """Why, and what happens to the readings."""

    reason: str
    """It stays in the ledger."""
    data: NotRequired[DataChoice]
    """What happens to the readings."""


class SecretOut(TypedDict):
    """A new signing secret, shown this once. For a day the one before signs, too."""

    secret: str
    """Signs the deliveries, as Standard Webhooks says; it starts with ``whsec_``."""


class SerialsIn(TypedDict):
    """Devices."""

    serials: list[str]
    """Devices by serial."""


class SiteIn(TypedDict):
    """A site."""

    name: str
    """As its people call it."""
    address: NotRequired[str]
    """For people who go there."""
    latitude: NotRequired[float | None]
    """Degrees north; with the longitude it gets the site onto the map."""
    longitude: NotRequired[float | None]
    """Degrees east."""


class SiteOut(TypedDict):
    """A site and how many devices the caller sees there."""

    name: str
    """As its people call it."""
    address: NotRequired[str]
    """For people who go there."""
    latitude: NotRequired[float | None]
    """Degrees north; with the longitude it gets the site onto the map."""
    longitude: NotRequired[float | None]
    """Degrees east."""
    number: int
    """By which it is asked for."""
    devices: int
    """How many of the devices that the caller sees stand there."""


class SitePage(TypedDict):
    """Sites, by name."""

    items: list[SiteOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class SituationIn(TypedDict):
    """The product, in nine answers; money in whatever currency the maker counts."""

    damage: Damage
    """The worst that an attacker could do with it."""
    price: str
    """Of one device."""
    budget: str
    """What identity, label and the work for them may cost for each device."""
    units: int
    """Made in a year."""
    chip: Chip
    """What the chip on the board can do."""
    sales: Sales
    """Whom customers buy it from."""
    can_scan: bool
    """Whether every customer can see and scan a label."""
    control: Control
    """What there is to press or read on the device."""
    line_online: bool
    """Whether the factory line is online while it flashes."""
    assume: NotRequired[list[str]]
    """Prices that the maker knows better, each as ``label=0.02..0.06``."""


class SoldOut(TypedDict):
    """A device of a sale."""

    device_id: str
    """Of the device."""
    serial: str
    """Of the same device."""
    product: str
    """Name of its product."""
    box: str
    """Label of the box in which it travelled."""
    stands: str
    """on_its_way, received, sold, passed_on (the buyer sold it), returned or withdrawn. Whoever sold to
    a wholesaler does not read what that one did with it.
    """


Standing = Literal["ok", "suspected", "quarantined", "blocked"]


class StandingOut(TypedDict):
    """How far a device is trusted now, and how it came to that, newest first."""

    device_id: str
    """Of the device, as its label and lists have it."""
    standing: str
    """ok, suspected, quarantined or blocked."""
    changes: list[ChangeOut]
    """Newest first."""


class StepIn(TypedDict):
    """A step, and what is said with it."""

    step: CaseStep
    """One of those that are possible."""
    words: NotRequired[str]
    """For the staff; the other side does not read it."""


class StockOut(TypedDict):
    """A device that a wholesaler holds and nobody owns."""

    device_id: str
    """Of the device, as its label and lists have it."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """The product's key."""
    wholesaler: str
    """Name of the wholesaler that holds it."""
    order: str
    """By which it came."""
    sender: str
    """The wholesaler that sent it; empty: the maker."""
    box: str
    """Label of the box in which it came; may be empty."""
    received_us: int | None
    """When the wholesaler said that it has come; none: it is on its way."""


class StockPage(TypedDict):
    """Devices, newest first."""

    items: list[StockOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class StockReturnIn(TypedDict):
    """Devices that go back."""

    serials: list[str]
    """Devices by serial."""
    reason: str
    """It stays in the ledger and names no person."""


class Summary(TypedDict):
    """How many of the devices that the caller sees are how; each counts once besides in ``all``."""

    all: int
    """All of them."""
    attention: int
    """Suspected, in quarantine or disputed."""
    live: int
    """Sent something a moment ago."""
    quiet: int
    """Sent something before."""
    waiting: int
    """Never sent anything yet."""
    revoked: int
    """Nothing of them is accepted."""


class SwapIn(TypedDict):
    """Serial or id of the device that takes its place."""

    replacement: str
    """Its serial or id."""


class SwapOut(TypedDict):
    """The device that is the owner's now."""

    device_id: str
    """Of the new device."""
    serial: str
    """Of the new device."""


class ThresholdIn(TypedDict):
    """What to watch for."""

    kind: ThresholdKind
    """above or below a value, or silent: no message for some minutes."""
    name: NotRequired[str]
    """Of the reading; without meaning for silence."""
    value: float
    """In the reading's own unit; for silence minutes, from 2 to 43200."""
    mail: NotRequired[bool]
    """Whether everybody who manages devices gets a mail; webhooks tell programs in any case."""


ThresholdKind = Literal["above", "below", "silent"]


class ThresholdOut(TypedDict):
    """What is watched of a device."""

    number: int
    """By which it is removed."""
    kind: ThresholdKind
    """above, below or silent."""
    name: str
    """Of the reading; empty for silence."""
    value: float
    """In the reading's own unit; for silence minutes."""
    mail: bool
    """Whether people get a mail."""
    by: str
    """Who asked for it, as the ledger names them."""
    created_us: int
    """From then on it is watched."""


class ThresholdPage(TypedDict):
    """What is watched of a device, by reading."""

    items: list[ThresholdOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class TokenIn(TypedDict):
    """What the device is to be called, and its scratch-off code if there is one."""

    alias: NotRequired[str]
    """What the device is to be called."""
    code: NotRequired[str]
    """Scratch-off code, as it stands below the foil."""


class TokenOut(TypedDict):
    """A token, shown this once."""

    token: str
    """To be carried to the device."""
    number: int
    """Which one it is, for asking the portal what became of it."""
    expires_us: int
    """When it runs out."""


class TokenState(TypedDict):
    """What became of a token."""

    number: int
    """By which it is asked for."""
    state: str
    """waiting, expired, bound or held."""
    sentence: str
    """The same in plain words."""
    device_id: str | None
    """The device that came, once it is the organisation's."""
    expires_us: int
    """When it runs out."""


class TransferIn(TypedDict):
    """To whom the device is offered, and what happens to its readings."""

    email: str
    """To whom; whoever confirmed this address may accept."""
    data: NotRequired[DataChoice]
    """What happens to the readings."""
    words: NotRequired[str]
    """For the other side."""


class TrialOut(TypedDict):
    """What would come of somebody's claim."""

    who: str
    """Who comes, in plain words."""
    brings: list[str]
    """Kinds of evidence."""
    rightful: bool
    """Whether the device should become theirs."""
    free: str
    """Outcome while nobody owns the device: bound, held, disputed or refused."""
    free_sentence: str
    """The same in the words that they would read."""
    owned: str
    """Outcome while somebody else owns it."""
    surprising: bool
    """A wrong person would get the device."""


class TriedOut(TypedDict):
    """What a policy means, and who could claim a device with what."""

    claim_policy: str
    """The policy that was tried."""
    explanation: str
    """What it asks for, in plain words."""
    trials: list[TrialOut]
    """People who may come, the wrong ones among them."""
    warnings: list[str]
    """What to think about; none is best."""


class UserCodeIn(TypedDict):
    """A code that a device shows (RFC 8628)."""

    user_code: str
    """Eight letters, such as WDJB-MJHT."""


class Verified(TypedDict):
    """What came of verifying the ledger."""

    holds: bool
    """Every hash and every signature holds."""
    entries: int | None
    """How many there are."""
    end: str | None
    """Number and SHA-256 of the last one: keep it elsewhere, and a cut ledger shows."""
    problem: str
    """What is broken; empty while it holds."""


class VouchIn(TypedDict):
    """Why the staff believe the claimant."""

    reason: str
    """How you know; kept with the evidence, for the staff who look at the claim later."""


class VoucherOut(TypedDict):
    """What came of a voucher."""

    devices: list[BroughtOut]
    """Its devices that this maker has."""


class WeakMethod(TypedDict):
    """A weak onboarding method that is on, and what an attacker can do with it."""

    method: str
    """Key of the method."""
    risk: str
    """What an attacker can do."""


class WebhookChange(TypedDict):
    """What a webhook is to be."""

    url: str
    """An https address on the public Internet."""
    types: NotRequired[list[EventType]]
    """Types to hear; none means all."""
    description: NotRequired[str]
    """What it is for."""
    enabled: NotRequired[bool]
    """Whether events are delivered."""


class WebhookIn(TypedDict):
    """Where events go."""

    url: str
    """An https address on the public Internet."""
    types: NotRequired[list[EventType]]
    """Types to hear; none means all."""
    description: NotRequired[str]
    """What it is for."""


class WebhookMade(TypedDict):
    """A new webhook, and its signing secret, shown this once."""

    number: int
    """By which it is asked for."""
    url: str
    """Where events go."""
    types: list[EventType]
    """What it hears; none means all."""
    description: str
    """What it is for."""
    enabled: bool
    """Whether events are delivered."""
    disabled_because: str
    """Empty while it is enabled."""
    failing_since_us: int | None
    """When the first delivery failed since the last one that worked."""
    created_us: int
    """When it was made."""
    secret: str
    """Signs the deliveries, as Standard Webhooks says; it starts with ``whsec_``."""


class WebhookOut(TypedDict):
    """A webhook."""

    number: int
    """By which it is asked for."""
    url: str
    """Where events go."""
    types: list[EventType]
    """What it hears; none means all."""
    description: str
    """What it is for."""
    enabled: bool
    """Whether events are delivered."""
    disabled_because: str
    """Empty while it is enabled."""
    failing_since_us: int | None
    """When the first delivery failed since the last one that worked."""
    created_us: int
    """When it was made."""


class WebhookPage(TypedDict):
    """Webhooks by number."""

    items: list[WebhookOut]
    """In the order that the list says."""
    next: str | None
    """Cursor of the page that follows; null: this is the last."""


class WhyIn(TypedDict):
    """Why."""

    reason: str
    """Why."""


class WithdrawIn(TypedDict):
    """Devices to take out of an order."""

    order: str
    """The order's number, as the seller writes it."""
    serials: list[str]
    """Devices by serial."""
    reason: str
    """Why."""
    seller: NotRequired[str]
    """As in a sale."""
