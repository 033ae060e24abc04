"""Shapes of what the REST API takes and answers.

Made by ``python -m tests.docs.test_client`` from the API's description: never change it by hand.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "AttestationIn",
    "AttestationOut",
    "BlockIn",
    "BlockOut",
    "BlockPage",
    "BlockState",
    "Buyer",
    "ChallengeOut",
    "ChangeOut",
    "ChildOut",
    "ChildrenOut",
    "CommandIn",
    "CommandOut",
    "CommandPage",
    "DeedOut",
    "DeedPage",
    "DeliveryOut",
    "DeliveryPage",
    "DeliveryState",
    "DesiredIn",
    "DesiredOut",
    "DeviceFilter",
    "DeviceOut",
    "DevicePage",
    "EntryOut",
    "EntryPage",
    "EventOut",
    "EventType",
    "Events",
    "FoundOut",
    "InsecureFormat",
    "LegacyIn",
    "LetterOut",
    "LetterPage",
    "Life",
    "LiftIn",
    "OnboardingIn",
    "PointOut",
    "Problem",
    "ProductOut",
    "Products",
    "ReadingOut",
    "Readings",
    "ReleaseOut",
    "ReplayIn",
    "ReplayOut",
    "RevocationOut",
    "RevokeIn",
    "RotateIn",
    "RotationOut",
    "RotationsOut",
    "RowProblem",
    "SaleDone",
    "SaleIn",
    "SaleOut",
    "SalePage",
    "SecretOut",
    "Standing",
    "StandingOut",
    "TokenIn",
    "TokenOut",
    "WeakMethod",
    "WebhookChange",
    "WebhookIn",
    "WebhookMade",
    "WebhookOut",
    "WebhookPage",
    "WhyIn",
]


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
    owner: str
    blocked: bool
    presence: bool
    may_set_up: bool
    sentence: str
    public_key: str | None
    setup_code: str | None
    oob_code: str | None
    risk: str


class BlockIn(TypedDict):
    """What to block."""

    kind: Literal["batch", "hardware_id", "key"]
    value: str
    reason: str


class BlockOut(TypedDict):
    """A line of the block-list. Lines are only added: a lifted block is two lines."""

    number: int
    action: str
    kind: str
    value: str
    reason: str
    by: str
    at_us: int
    lifted_by: int | None


class BlockPage(TypedDict):
    """Lines, newest first."""

    items: list[BlockOut]
    next: str | None


class BlockState(TypedDict):
    """A line, and how far it is."""

    number: int
    action: str
    kind: str
    value: str
    reason: str
    by: str
    at_us: int
    lifted_by: int | None
    devices: int
    shut_out: int
    finished: int


class Buyer(TypedDict):
    """A customer by e-mail address, or a wholesaler by theirs: exactly one."""

    email: NotRequired[str]
    wholesaler: NotRequired[str]


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


class CommandOut(TypedDict):
    """A command and how far it is. Times are microseconds since 1970."""

    command_id: str
    channel: str
    name: str
    state: str
    detail: str
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


class DeedOut(TypedDict):
    """One entry. Details are those that the caller's organisation may see."""

    number: int
    at_us: int
    actor: str
    action: str
    way: str
    looked: bool
    device_id: str
    before: dict[str, str | int | bool | None]
    after: dict[str, str | int | bool | None]
    address: str
    erased: bool
    digest: str


class DeedPage(TypedDict):
    """Entries, newest first."""

    items: list[DeedOut]
    next: str | None


class DeliveryOut(TypedDict):
    """An event on its way to a webhook."""

    event_id: str
    type: EventType
    at_us: int
    data: dict[str, Any]
    state: DeliveryState
    attempts: int
    tried_us: int | None
    due_us: int | None
    status: int | None
    detail: str


class DeliveryPage(TypedDict):
    """Deliveries, newest event first."""

    items: list[DeliveryOut]
    next: str | None


DeliveryState = Literal["waiting", "delivered", "failed"]


class DesiredIn(TypedDict):
    """All settings that the device should have."""

    settings: dict[str, float | bool | str]
    version: int


class DesiredOut(TypedDict):
    """The settings that a device should have, and what it said last about itself."""

    version: int
    settings: dict[str, float | bool | str]
    asked_us: int | None
    applied_version: int | None
    waiting: bool
    reported: list[PointOut]
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
    blocked: bool
    standing: str
    disputed: bool
    owned: bool
    alias: str
    weak_setup: list[str]
    insecure_formats: list[str]
    last_seen_us: int | None


class DevicePage(TypedDict):
    """Devices by id."""

    items: list[DeviceOut]
    next: str | None


class EntryOut(TypedDict):
    """A ledger entry. What concerns another organisation shows neither actor nor detail."""

    number: int
    at_us: int
    kind: str
    actor: str
    detail: dict[str, str | int]
    digest: str


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
    "device.dispatched",
    "device.sold",
    "device.transferred",
    "device.returned",
    "device.swapped",
    "device.scrapped",
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
    sale: str
    owner: str


class InsecureFormat(TypedDict):
    """A legacy message format that is on, and what an attacker can do with it."""

    format: str
    risk: str


class LegacyIn(TypedDict):
    """The legacy formats to take, all of them, and those whose risk a person accepts."""

    formats: list[str]
    accept_risk: NotRequired[list[str]]


class LetterOut(TypedDict):
    """A refused message or attempt; repeats within a minute are counted in one row."""

    at_us: int
    device_id: str
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


class OnboardingIn(TypedDict):
    """The methods to have on, all of them, and the weak ones among them whose risk a person accepts."""

    methods: list[str]
    accept_risk: NotRequired[list[str]]


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


class ProductOut(TypedDict):
    """A product."""

    key: str
    name: str
    identity_method: str
    claim_policy: str
    onboarding_methods: list[str]
    weak_setup: list[WeakMethod]
    insecure_formats: list[InsecureFormat]


class Products(TypedDict):
    """Every product, by name."""

    items: list[ProductOut]


class ReadingOut(TypedDict):
    """One reading."""

    name: str
    unit: str
    time_us: int
    value: float | bool | str
    channel: str


class Readings(TypedDict):
    """Readings, oldest first. ``next_after_us`` goes into the next question."""

    points: list[ReadingOut]
    next_after_us: int


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


class RevocationOut(TypedDict):
    """A revocation and how far it is. Times are microseconds since 1970."""

    device_id: str
    reason: str
    asked_us: int
    kicked_us: int | None
    purged_us: int | None
    sessions_kicked: int
    messages_purged: int
    effective_us: int | None
    last_accepted_us: int | None


class RevokeIn(TypedDict):
    """Why."""

    reason: str


class RotateIn(TypedDict):
    """Which key."""

    key: NotRequired[Literal["root", "certificate", "exchange"]]


class RotationOut(TypedDict):
    """A replacement of a key. Times are microseconds since 1970."""

    device_id: str
    number: int
    kind: str
    stage: str
    outcome: str
    detail: str
    asked_by: str
    asked_us: int
    staged_us: int | None
    settled_us: int | None


class RotationsOut(TypedDict):
    """The newest replacements of a device's keys."""

    items: list[RotationOut]


class RowProblem(TypedDict):
    """A row of a sale that can't be stored."""

    row: int
    serial: str
    reason: str
    detail: str


class SaleDone(TypedDict):
    """What the sale did."""

    order: str
    sold: list[str]
    unchanged: list[str]


class SaleIn(TypedDict):
    """An order."""

    order: str
    serials: list[str]
    buyer: Buyer


class SaleOut(TypedDict):
    """A stored sale."""

    order: str
    buyer_email: str
    wholesaler: str
    serials: int
    created_us: int


class SalePage(TypedDict):
    """Sales, newest first."""

    items: list[SaleOut]
    next: str | None


class SecretOut(TypedDict):
    """A new signing secret, shown this once. For a day the one before signs, too."""

    secret: str


Standing = Literal["ok", "suspected", "quarantined", "blocked"]


class StandingOut(TypedDict):
    """How far a device is trusted now, and how it came to that, newest first."""

    device_id: str
    standing: str
    changes: list[ChangeOut]


class TokenIn(TypedDict):
    """What the device is to be called, and its scratch-off code if there is one."""

    alias: NotRequired[str]
    code: NotRequired[str]


class TokenOut(TypedDict):
    """A token, shown this once."""

    token: str
    number: int
    expires_us: int


class WeakMethod(TypedDict):
    """A weak onboarding method that is on, and what an attacker can do with it."""

    method: str
    risk: str


class WebhookChange(TypedDict):
    """What a webhook is to be."""

    url: str
    types: NotRequired[list[EventType]]
    description: NotRequired[str]
    enabled: NotRequired[bool]


class WebhookIn(TypedDict):
    """Where events go."""

    url: str
    types: NotRequired[list[EventType]]
    description: NotRequired[str]


class WebhookMade(TypedDict):
    """A new webhook, and its signing secret, shown this once."""

    number: int
    url: str
    types: list[EventType]
    description: str
    enabled: bool
    disabled_because: str
    failing_since_us: int | None
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
    failing_since_us: int | None
    created_us: int


class WebhookPage(TypedDict):
    """Webhooks by number."""

    items: list[WebhookOut]
    next: str | None


class WhyIn(TypedDict):
    """Why."""

    reason: str
