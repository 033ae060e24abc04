"""Shapes of what the REST API takes and answers.

Made by ``python -m tests.client.test_source`` from the API's description: never change it by hand.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "AcceptIn",
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
    "Buyer",
    "CaseDetail",
    "CaseOut",
    "CasePage",
    "CaseStep",
    "ChallengeOut",
    "ChangeOut",
    "ChildOut",
    "ChildrenOut",
    "CommandIn",
    "CommandOut",
    "CommandPage",
    "DataChoice",
    "DataIn",
    "DeedOut",
    "DeedPage",
    "Delivery",
    "DeliveryOut",
    "DeliveryPage",
    "DeliveryState",
    "DesiredIn",
    "DesiredOut",
    "DeviceFilter",
    "DeviceOut",
    "DevicePage",
    "DocumentOut",
    "DocumentPage",
    "EntryOut",
    "EntryPage",
    "EventOut",
    "EventType",
    "Events",
    "FoundOut",
    "GrantIn",
    "GroupIn",
    "GroupOut",
    "GroupPage",
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
    "OfferOut",
    "OfferPage",
    "OnboardingIn",
    "PaperOut",
    "PastOut",
    "PastPage",
    "PastReadings",
    "PersonOut",
    "PersonPage",
    "PointOut",
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
    "ScrapIn",
    "SecretOut",
    "SerialsIn",
    "Standing",
    "StandingOut",
    "StepIn",
    "StockOut",
    "StockPage",
    "StockReturnIn",
    "SwapIn",
    "SwapOut",
    "TokenIn",
    "TokenOut",
    "TokenState",
    "TransferIn",
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


class AttemptOut(TypedDict):
    """What somebody tried with the device, and not who it was."""

    at_us: int
    what: str
    detail: str
    outcome: str
    count: int


class Attempts(TypedDict):
    """Attempts, newest first."""

    items: list[AttemptOut]
    next: str | None


class AttestationIn(TypedDict):
    """What the device said and what the phone had with it, base64url without padding."""

    statement: str
    transcript: str


class AttestationOut(TypedDict):
    """What the platform knows of an attested device."""

    device_id: str
    serial: str
    product: str
    sale: str
    """yours, wholesaler or unknown."""
    owner: str
    """nobody, yours or another."""
    blocked: bool
    presence: bool
    """Somebody pressed its button."""
    may_set_up: bool
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
    product: str
    count: int
    """How many devices were asked for."""
    made: int
    """How many there are. `GET /devices?batch=…` lists them."""
    onboarding_methods: list[str]
    """What its devices open."""
    created_us: int


class BatchPage(TypedDict):
    """Batches, newest first."""

    items: list[BatchOut]
    next: str | None


class BlockIn(TypedDict):
    """What to block."""

    kind: Literal["batch", "hardware_id", "key"]
    value: str
    """Batch number, hardware id, or hex SHA-256 of the factory key's SubjectPublicKeyInfo."""
    reason: str


class BlockOut(TypedDict):
    """A line of the block-list. Lines are only added: a lifted block is two lines."""

    number: int
    action: str
    """block or lift."""
    kind: str
    value: str
    reason: str
    by: str
    at_us: int
    lifted_by: int | None
    """The line that ended this one."""


class BlockPage(TypedDict):
    """Lines, newest first."""

    items: list[BlockOut]
    next: str | None


class BlockState(TypedDict):
    """A line, and how far it is."""

    number: int
    action: str
    """block or lift."""
    kind: str
    value: str
    reason: str
    by: str
    at_us: int
    lifted_by: int | None
    """The line that ended this one."""
    devices: int
    """How many devices it names."""
    shut_out: int
    """Of them, how many are accepted no more: all, from the moment of the answer."""
    finished: int
    """Of them, how many have no session and nothing in a queue any more."""


class Buyer(TypedDict):
    """A customer by e-mail address, or a wholesaler by theirs: exactly one."""

    email: NotRequired[str]
    wholesaler: NotRequired[str]


class CaseDetail(TypedDict):
    """A dispute with its record."""

    number: int
    serial: str
    state: str
    party: str
    evidence: list[str]
    opened_us: int
    due_us: int | None
    closed_us: int | None
    possible: list[str]
    records: list[RecordOut]
    papers: list[PaperOut]


class CaseOut(TypedDict):
    """A dispute. Its owner and claimant are named to the staff alone."""

    number: int
    serial: str
    state: str
    party: str
    evidence: list[str]
    opened_us: int
    due_us: int | None
    closed_us: int | None
    possible: list[str]


class CasePage(TypedDict):
    """Disputes, newest first."""

    items: list[CaseOut]
    next: str | None


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
    expires_us: int


class ChangeOut(TypedDict):
    """A change of standing, in words for the device's owner."""

    at_us: int
    before: str
    after: str
    step: str
    evidence: str
    """alternation, fork or tag_failures; empty when people decided."""
    sentence: str
    by: str


class ChildOut(TypedDict):
    """A device behind a gateway."""

    device_id: str
    alias: str
    last_seen_us: int | None


class ChildrenOut(TypedDict):
    """The devices whose messages a gateway may carry."""

    gateway: str
    items: list[ChildOut]


class CommandIn(TypedDict):
    """What the device is to do. Names and values are those that its firmware knows."""

    name: str
    arguments: NotRequired[dict[str, float | bool | str]]
    expires_in_s: NotRequired[int]
    """The device does not carry it out later than that."""


class CommandOut(TypedDict):
    """A command and how far it is. Times are microseconds since 1970."""

    command_id: str
    channel: str
    """``cmd``, or ``config`` for settings on their way."""
    name: str
    state: str
    """queued, sent, acknowledged, refused, expired or cancelled."""
    detail: str
    """What the device said about it."""
    tries: int
    asked_by: str
    asked_us: int
    expires_us: int | None
    sent_us: int | None
    closed_us: int | None


class CommandPage(TypedDict):
    """Commands, newest first."""

    items: list[CommandOut]
    next: str | None


DataChoice = Literal["keep", "hand_over", "erase", "export"]


class DataIn(TypedDict):
    """What is to happen to readings."""

    kind: Literal["export", "erase"]


class DeedOut(TypedDict):
    """One entry. Details are those that the caller's organisation may see."""

    number: int
    at_us: int
    actor: str
    action: str
    """Name of the page or operation."""
    way: str
    """portal or rest."""
    looked: bool
    """The maker's staff looked, and changed nothing."""
    device_id: str
    before: dict[str, str | int | bool | None]
    after: dict[str, str | int | bool | None]
    address: str
    """Where it came from; only for who acted for the caller's organisation."""
    erased: bool
    """Before, after and address were erased."""
    digest: str
    """SHA-256 of the entry, hexadecimal."""


class DeedPage(TypedDict):
    """Entries, newest first."""

    items: list[DeedOut]
    next: str | None


Delivery = Literal["queued", "sent", "acknowledged", "refused", "expired", "cancelled"]


class DeliveryOut(TypedDict):
    """An event on its way to a webhook."""

    event_id: str
    """The ``webhook-id`` of every attempt."""
    type: EventType
    at_us: int
    """When it happened."""
    data: dict[str, Any]
    state: DeliveryState
    attempts: int
    tried_us: int | None
    due_us: int | None
    """When it is tried again; null once it is not."""
    status: int | None
    """HTTP status of the last answer; null when there was none."""
    detail: str
    """Why the last attempt failed."""


class DeliveryPage(TypedDict):
    """Deliveries, newest event first."""

    items: list[DeliveryOut]
    next: str | None


DeliveryState = Literal["waiting", "delivered", "failed"]


class DesiredIn(TypedDict):
    """All settings that the device should have."""

    settings: dict[str, float | bool | str]
    version: int
    """The version that you read; another one in between is a conflict."""


class DesiredOut(TypedDict):
    """The settings that a device should have, and what it said last about itself."""

    version: int
    """Of ``settings``; 0 when nobody ever set any."""
    settings: dict[str, float | bool | str]
    asked_us: int | None
    applied_version: int | None
    waiting: bool
    """The device has not said yet that it applied them."""
    reported: list[PointOut]
    """What the device said last on channel ``state``."""
    reported_us: int | None


class DeviceFilter(TypedDict):
    """Which devices."""

    serial: NotRequired[str | None]
    product: NotRequired[str | None]
    batch: NotRequired[str | None]
    life: NotRequired[Life | None]
    standing: NotRequired[Standing | None]
    disputed: NotRequired[bool | None]


class DeviceOut(TypedDict):
    """A device."""

    device_id: str
    serial: str
    product: str
    batch: str
    life: str
    """made, stocked, dispatched, sold, onboarded, owned, transferred, returned, swapped or scrapped."""
    blocked: bool
    """Nothing of it is accepted: it is blocked or in quarantine."""
    standing: str
    """ok, suspected, quarantined or blocked."""
    disputed: bool
    owned: bool
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
    next: str | None


class DocumentOut(TypedDict):
    """A signed document; ``text`` is the file to keep (docs/spec/documents.md)."""

    number: int
    paper: str
    serial: str
    at_us: int
    text: str


class DocumentPage(TypedDict):
    """Documents, newest first."""

    items: list[DocumentOut]
    next: str | None


class EntryOut(TypedDict):
    """A ledger entry. What concerns another organisation shows neither actor nor detail."""

    number: int
    at_us: int
    kind: str
    actor: str
    detail: dict[str, str | int]
    digest: str
    """SHA-256 of the entry, hexadecimal."""


class EntryPage(TypedDict):
    """Entries, oldest first."""

    items: list[EntryOut]
    next: str | None


class EventOut(TypedDict):
    """One message on channel ``event``."""

    received_us: int
    points: list[PointOut]


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


class FoundOut(TypedDict):
    """A device that the caller may set up."""

    device_id: str
    serial: str
    product: str
    public_key: str
    """Factory key, uncompressed P-256 point, base64url: credentials are sealed to it."""
    sale: str
    """yours, wholesaler or unknown."""
    owner: str
    """nobody or yours."""


class GrantIn(TypedDict):
    """What somebody may do, and with which devices."""

    role: str
    groups: NotRequired[list[int] | None]


class GroupIn(TypedDict):
    """What a group is called."""

    name: str


class GroupOut(TypedDict):
    """A device group."""

    number: int
    name: str
    devices: int


class GroupPage(TypedDict):
    """Groups, by number."""

    items: list[GroupOut]
    next: str | None


class ImportOut(TypedDict):
    """What became of a file."""

    number: int
    at_us: int
    stored: int
    unchanged: int
    failed: int


class InsecureFormat(TypedDict):
    """A legacy message format that is on, and what an attacker can do with it."""

    format: str
    risk: str


class InvitationOut(TypedDict):
    """An invitation that waits."""

    number: int
    email: str
    role: str
    groups: list[int] | None
    expires_us: int


class InvitationPage(TypedDict):
    """Invitations, newest first."""

    items: list[InvitationOut]
    next: str | None


class InviteIn(TypedDict):
    """Whom to invite, to what."""

    role: str
    groups: NotRequired[list[int] | None]
    email: str


class JobOut(TypedDict):
    """A data job and how far it is."""

    number: int
    serial: str
    period: int
    kind: str
    total: int
    done: int
    asked_us: int
    finished_us: int | None
    size: int
    receipt: int | None


class JobPage(TypedDict):
    """Data jobs, newest first."""

    items: list[JobOut]
    next: str | None


class KeyOut(TypedDict):
    """The Ed25519 key that signs documents: 32 bytes, hexadecimal."""

    public_key: str


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
    state: LabelState
    code: str
    """The new code as it is printed, shown this once; empty when there is none."""


LabelState = Literal["sealed", "scratched", "tampered"]


class LedgerEntry(TypedDict):
    """An entry of the whole ledger."""

    number: int
    at_us: int
    kind: str
    actor: str
    detail: dict[str, str | int]
    digest: str
    """SHA-256 of the entry, hexadecimal."""
    device_id: str
    """Empty where it is about no device."""


class LedgerPage(TypedDict):
    """Entries of all devices, oldest first."""

    items: list[LedgerEntry]
    next: str | None


class LegacyIn(TypedDict):
    """The legacy formats to take, all of them, and those whose risk a person accepts."""

    formats: list[str]
    accept_risk: NotRequired[list[str]]


class LetterOut(TypedDict):
    """A refused message or attempt; repeats within a minute are counted in one row."""

    at_us: int
    device_id: str
    """As the topic or credential named it; it may not exist."""
    topic: str
    reason: str
    detail: str
    size: int
    count: int


class LetterPage(TypedDict):
    """Dead letters, newest first."""

    items: list[LetterOut]
    next: str | None


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


class OfferOut(TypedDict):
    """An offer. Times are microseconds since 1970."""

    number: int
    serial: str
    product: str
    way: str
    state: str
    data: str
    giver: str
    email: str
    words: str
    offered_us: int
    due_us: int
    closed_us: int | None


class OfferPage(TypedDict):
    """Offers, newest first."""

    items: list[OfferOut]
    next: str | None


class OnboardingIn(TypedDict):
    """The methods to have on, all of them, and the weak ones among them whose risk a person accepts."""

    methods: list[str]
    accept_risk: NotRequired[list[str]]


class PaperOut(TypedDict):
    """A paper that a side brought; the portal hands it out."""

    number: int
    party: str
    name: str
    kind: str
    size: int
    sha256: str
    at_us: int


class PastOut(TypedDict):
    """A device that the organisation had."""

    number: int
    serial: str
    alias: str
    period: int
    ended_us: int
    ended_by: str
    data: str
    replacement: str | None
    gone_us: int | None


class PastPage(TypedDict):
    """Past devices, newest first."""

    items: list[PastOut]
    next: str | None


class PastReadings(TypedDict):
    """Readings of a past device, oldest first."""

    points: list[PointOut]


class PersonOut(TypedDict):
    """A member."""

    number: int
    email: str
    name: str
    role: str
    groups: list[int] | None
    joined_us: int


class PersonPage(TypedDict):
    """Members, by number."""

    items: list[PersonOut]
    next: str | None


class PointOut(TypedDict):
    """One value that a device said."""

    name: str
    unit: str
    time_us: int
    value: float | bool | str


class Problem(TypedDict):
    """A problem document (RFC 9457), with the next step for its reader."""

    type: str
    title: str
    status: int
    detail: str
    next_step: str
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
    identity: NotRequired[Literal["certificate", "symmetric_key"]]
    """What its devices are made with; it stays for good."""


class ProductOut(TypedDict):
    """A product."""

    key: str
    name: str
    identity_method: str
    claim_policy: str
    onboarding_methods: list[str]
    """What devices open that are made from now on."""
    weak_setup: list[WeakMethod]
    insecure_formats: list[InsecureFormat]


class ProductPage(TypedDict):
    """Products by key."""

    items: list[ProductOut]
    next: str | None


class ReadingOut(TypedDict):
    """One reading."""

    name: str
    unit: str
    time_us: int
    value: float | bool | str
    channel: str
    """``data`` for sealed messages; a legacy format's name for those that are insecure."""


class Readings(TypedDict):
    """Readings, oldest first. ``next_after_us`` goes into the next question."""

    points: list[ReadingOut]
    next_after_us: int


class RecordOut(TypedDict):
    """A step that was taken. What the other side said is not shown."""

    at_us: int
    step: str
    after: str
    party: str
    words: str


class ReleaseOut(TypedDict):
    """A release to bring to the device, base64url; no secret."""

    release: str
    expires_us: int


class ReplayIn(TypedDict):
    """What to deliver again: one event, or all since a time that did not arrive. Exactly one of the two."""

    event_id: NotRequired[str]
    since_us: NotRequired[int | None]


class ReplayOut(TypedDict):
    """How many deliveries were queued."""

    queued: int


class ReturnIn(TypedDict):
    """Why the device goes back, and what happens to its readings."""

    data: NotRequired[DataChoice]
    words: NotRequired[str]


class RevocationOut(TypedDict):
    """A revocation and how far it is. Times are microseconds since 1970."""

    device_id: str
    reason: str
    asked_us: int
    kicked_us: int | None
    """Every session of the device was closed."""
    purged_us: int | None
    """Its queued and retained messages are gone: the revocation is finished."""
    sessions_kicked: int
    messages_purged: int
    effective_us: int | None
    """From then on nothing of it was accepted."""
    last_accepted_us: int | None
    """When the last message that was accepted had arrived."""


class RevokeIn(TypedDict):
    """Why."""

    reason: str


class RotateIn(TypedDict):
    """Which key."""

    key: NotRequired[Literal["root", "certificate", "exchange"]]
    """``root``: of its sealed messages; ``exchange``: the same by EDHOC, so that a thief of the old root
    cannot follow; ``certificate``: the operational one.
    """


class RotationOut(TypedDict):
    """A replacement of a key. Times are microseconds since 1970."""

    device_id: str
    number: int
    kind: str
    """fresh, owner or exchanged (the sealed root), or certificate."""
    stage: str
    """offered: the platform waits for the device; staged: the old and the new key work; settled."""
    outcome: str
    """done or abandoned, once it is settled."""
    detail: str
    """Why it waits, or was abandoned."""
    asked_by: str
    asked_us: int
    staged_us: int | None
    settled_us: int | None


class RotationPage(TypedDict):
    """Replacements of a device's keys, newest first."""

    items: list[RotationOut]
    next: str | None


class RowProblem(TypedDict):
    """A row that can't be stored."""

    row: int
    serial: str
    reason: str
    detail: str


class RowsDone(TypedDict):
    """What became of the rows. Good ones are done, whatever the others are."""

    done: list[str]
    unchanged: list[str]
    failed: list[RowProblem]


class SaleDone(TypedDict):
    """What the sale did."""

    order: str
    sold: list[str]
    """Serials sold by this request."""
    unchanged: list[str]
    """Serials that this order had sold before."""


class SaleFilter(TypedDict):
    """Which sales."""

    order: NotRequired[str | None]
    buyer_email: NotRequired[str | None]
    serial: NotRequired[str | None]
    """The order that has this device."""


class SaleIn(TypedDict):
    """An order: sold to a customer, or dispatched to a wholesaler."""

    order: str
    serials: list[str]
    buyer: Buyer
    box: NotRequired[str]
    """Label of the box in which they travel."""
    seller: NotRequired[str]
    """Address of the wholesaler that holds them, where the maker tells it in their place."""


class SaleOut(TypedDict):
    """A stored sale."""

    order: str
    seller: str
    """Name of the wholesaler that sold; empty: the maker."""
    buyer_email: str
    """The seller alone reads it."""
    wholesaler: str
    """Name of the wholesaler to which it was dispatched."""
    serials: int
    """How many devices it has."""
    created_us: int


class SalePage(TypedDict):
    """Sales, newest first."""

    items: list[SaleOut]
    next: str | None


class ScrapIn(TypedDict):
    """Why, and what happens to the readings."""

    reason: str
    data: NotRequired[DataChoice]


class SecretOut(TypedDict):
    """A new signing secret, shown this once. For a day the one before signs, too."""

    secret: str


class SerialsIn(TypedDict):
    """Devices."""

    serials: list[str]


Standing = Literal["ok", "suspected", "quarantined", "blocked"]


class StandingOut(TypedDict):
    """How far a device is trusted now, and how it came to that, newest first."""

    device_id: str
    standing: str
    """ok, suspected, quarantined or blocked."""
    changes: list[ChangeOut]


class StepIn(TypedDict):
    """A step, and what is said with it."""

    step: CaseStep
    words: NotRequired[str]


class StockOut(TypedDict):
    """A device that a wholesaler holds and nobody owns."""

    device_id: str
    serial: str
    product: str
    wholesaler: str
    order: str
    sender: str
    box: str
    received_us: int | None


class StockPage(TypedDict):
    """Devices, newest first."""

    items: list[StockOut]
    next: str | None


class StockReturnIn(TypedDict):
    """Devices that go back."""

    serials: list[str]
    reason: str


class SwapIn(TypedDict):
    """Serial or id of the device that takes its place."""

    replacement: str


class SwapOut(TypedDict):
    """The device that is the owner's now."""

    device_id: str
    serial: str


class TokenIn(TypedDict):
    """What the device is to be called, and its scratch-off code if there is one."""

    alias: NotRequired[str]
    code: NotRequired[str]


class TokenOut(TypedDict):
    """A token, shown this once."""

    token: str
    number: int
    """Which one it is, for asking the portal what became of it."""
    expires_us: int


class TokenState(TypedDict):
    """What became of a token."""

    number: int
    state: str
    """waiting, expired, bound or held."""
    sentence: str
    device_id: str | None
    """The device that came, once it is the organisation's."""
    expires_us: int


class TransferIn(TypedDict):
    """To whom the device is offered, and what happens to its readings."""

    email: str
    data: NotRequired[DataChoice]
    words: NotRequired[str]


class WeakMethod(TypedDict):
    """A weak onboarding method that is on, and what an attacker can do with it."""

    method: str
    risk: str


class WebhookChange(TypedDict):
    """What a webhook is to be."""

    url: str
    types: NotRequired[list[EventType]]
    """Types to hear; none means all."""
    description: NotRequired[str]
    enabled: NotRequired[bool]


class WebhookIn(TypedDict):
    """Where events go."""

    url: str
    types: NotRequired[list[EventType]]
    """Types to hear; none means all."""
    description: NotRequired[str]


class WebhookMade(TypedDict):
    """A new webhook, and its signing secret, shown this once."""

    number: int
    url: str
    types: list[EventType]
    description: str
    enabled: bool
    disabled_because: str
    """Empty while it is enabled."""
    failing_since_us: int | None
    """When the first delivery failed since the last one that worked."""
    created_us: int
    secret: str


class WebhookOut(TypedDict):
    """A webhook."""

    number: int
    url: str
    types: list[EventType]
    description: str
    enabled: bool
    disabled_because: str
    """Empty while it is enabled."""
    failing_since_us: int | None
    """When the first delivery failed since the last one that worked."""
    created_us: int


class WebhookPage(TypedDict):
    """Webhooks by number."""

    items: list[WebhookOut]
    next: str | None


class WhyIn(TypedDict):
    """Why."""

    reason: str


class WithdrawIn(TypedDict):
    """Devices to take out of an order."""

    order: str
    serials: list[str]
    reason: str
    seller: NotRequired[str]
    """As in a sale."""
