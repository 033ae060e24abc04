"""Who may connect, and what for. Pure: the shell loads the facts, this decides.

Order of checks, the first that fails names the reason: kind of client, who it says it is, is that device
ours and free, does its credential hold, does it use its own client id.
"""

import enum
import hmac
from dataclasses import dataclass, field

from doorstep.errors import RefusedError
from doorstep.identity.ids import kid_of
from doorstep.messaging.errors import Rejected
from doorstep.messaging.legacy.formats import SESSION_CHANNEL, read_formats
from doorstep.messaging.legacy.login import password_hash
from doorstep.messaging.proof import Counter, Standing, open_connect_proof
from doorstep.ownership import standing as trust
from doorstep.ownership.life import Life
from doorstep.runtime.brokers import UP_CHANNELS, Broker, partition_of

__all__ = [
    "PLAIN_SESSION_US",
    "Admission",
    "ConnectRefused",
    "ConnectRequest",
    "CredentialFacts",
    "DeviceFacts",
    "LegacyFacts",
    "Reason",
    "admit_certificate",
    "admit_legacy",
    "admit_proof",
    "claimed_device",
]

PLAIN_SESSION_US = 24 * 3600 * 1_000_000
"""A session that a proof opened ends after a day at the latest; the device comes back with a new proof."""


class Reason(enum.StrEnum):
    """Why a connection was refused; stands in the dead letter's detail."""

    NOT_MQTT = "not_mqtt"  # a NATS client that is not one of ours
    UNKNOWN_CREDENTIAL = "unknown_credential"  # no certificate, or one we never issued
    UNKNOWN_DEVICE = "unknown_device"  # the user name is no device of ours
    REVOKED = "revoked"  # the device is blocked, or its certificate was withdrawn
    QUARANTINED = "quarantined"  # nothing of the device is accepted until somebody decides
    RENEW_FIRST = "renew_first"  # two users of the identity were noticed
    NOT_OWNED = "not_owned"  # nobody registered it, or it was given back
    EXPIRED = "expired"  # the certificate's time is over, or has not begun
    FOREIGN_CLIENT_ID = "foreign_client_id"  # connects under another name than its own
    BAD_PROOF = "bad_proof"  # the CONNECT proof is forged, used or malformed
    BAD_LOGIN = "bad_login"  # the password of a legacy board is wrong
    LEGACY_OFF = "legacy_off"  # the product takes no such messages, or the keys are an earlier owner's
    MIGRATED = "migrated"  # the device has proved itself better since, and cannot go back
    DUPLICATE = "duplicate"  # its connections push each other out; the younger one waits


class ConnectRefused(RefusedError):
    """A connection was refused."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the machine-readable ``reason`` beside the words."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """What the broker says about somebody who wants in."""

    broker: Broker
    kind: str
    """``mqtt`` for a device."""
    client_id: str
    """MQTT client id."""
    username: str
    password: str = field(repr=False)
    fingerprint: str
    """Hex SHA-256 of the verified client certificate, empty without one."""
    user_nkey: str
    """The broker's name for this login; the answer repeats it."""
    server_id: str
    connection: int
    """The broker's number of the connection."""
    address: str = ""
    """Where it comes from, as the broker sees it."""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """The device that the credential or user name belongs to."""

    device_id: str
    blocked: bool
    life: str
    standing: str = trust.Standing.OK
    must_renew: bool = False
    """Two users of its identity were noticed; whoever renews first goes on."""


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """The certificate's row."""

    state: str
    not_before_us: int
    not_after_us: int


@dataclass(frozen=True, slots=True)
class LegacyFacts:
    """A legacy board's row, and what its product takes."""

    format: str
    login_hash: str
    taken: str
    """The product's legacy formats, with blanks between."""
    is_owners: bool
    """Its keys were given to the present owner."""
    is_migrated: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """What a device may do, until when, and the counter of the proof that it used."""

    device_id: str
    expires_us: int
    proof: Counter | None = None
    channels: tuple[str, ...] = UP_CHANNELS
    is_legacy: bool = False
    children: tuple[str, ...] = ()
    """Devices whose messages it may carry, as a gateway."""

    @property
    def publish(self) -> list[str]:
        """Subjects it may publish to, as the broker's mapping makes them.

        A child's channels are not listed one by one, because the answer to the broker has a cap; the
        channel is sealed into each message.
        """
        own = [f"{_lane(self.device_id)}.{channel}" for channel in self.channels]
        return own + [f"{_lane(child)}.*" for child in self.children]

    @property
    def subscribe(self) -> list[str]:
        """Subjects it may subscribe to: ``d/<device>/down/<channel>`` and ``d/<device>/down/#``."""
        own = [f"d.{self.device_id}.down", f"d.{self.device_id}.down.>"]
        return own + [f"d.{child}.down.*" for child in self.children]


def claimed_device(request: ConnectRequest) -> str:
    """Return the device that a refused client named, for the record; it may be anything."""
    return request.client_id or request.username


def admit_certificate(
    request: ConnectRequest,
    device: DeviceFacts | None,
    credential: CredentialFacts | None,
    now_us: int,
    children: tuple[str, ...] = (),
) -> Admission:
    """Judge a client of the mTLS listener; ``device`` and ``credential`` are those of its fingerprint.

    ``children`` are the devices that its owner put behind it.
    """
    _check_kind(request)
    if device is None or credential is None:
        raise ConnectRefused(Reason.UNKNOWN_CREDENTIAL, "the certificate is not one that we issued")
    _check_device(device)
    if credential.state != "active":
        raise ConnectRefused(Reason.REVOKED, f"the certificate is {credential.state}")
    if not credential.not_before_us <= now_us < credential.not_after_us:
        raise ConnectRefused(Reason.EXPIRED, "the certificate is not valid now")
    _check_client_id(request, device)
    return Admission(device.device_id, credential.not_after_us, children=children)


def admit_proof(
    request: ConnectRequest,
    device: DeviceFacts | None,
    sealed: Standing | None,
    now_us: int,
) -> Admission:
    """Judge a client of the plain listener; ``sealed`` is where the named device's messages stand."""
    _check_kind(request)
    if device is None or sealed is None:
        raise ConnectRefused(Reason.UNKNOWN_DEVICE, "the user name is no device of ours")
    _check_device(device)
    _check_client_id(request, device)
    try:
        counter = open_connect_proof(kid_of(device.device_id), sealed, request.password, now_us)
    except Rejected as error:
        raise ConnectRefused(Reason.BAD_PROOF, f"{error.reason}: {error.message}") from error
    return Admission(device.device_id, now_us + PLAIN_SESSION_US, counter)


def admit_legacy(
    request: ConnectRequest, device: DeviceFacts | None, legacy: LegacyFacts | None, now_us: int
) -> Admission:
    """Judge a client of the plain listener that brings a legacy board's password."""
    _check_kind(request)
    if device is None or legacy is None:
        raise ConnectRefused(Reason.UNKNOWN_DEVICE, "the user name is no legacy board of ours")
    if not hmac.compare_digest(password_hash(request.password), legacy.login_hash):
        raise ConnectRefused(Reason.BAD_LOGIN, "the password is not the legacy board's")
    _check_device(device)
    _check_client_id(request, device)
    if legacy.is_migrated:
        raise ConnectRefused(Reason.MIGRATED, "the device has proved itself better since")
    if legacy.format not in read_formats(legacy.taken) or not legacy.is_owners:
        raise ConnectRefused(Reason.LEGACY_OFF, f"nothing in format {legacy.format} is taken of this device")
    channels = (legacy.format, SESSION_CHANNEL)
    return Admission(device.device_id, now_us + PLAIN_SESSION_US, channels=channels, is_legacy=True)


def _lane(device_id: str) -> str:
    return f"u.{partition_of(device_id)}.{device_id}"


def _check_kind(request: ConnectRequest) -> None:
    if request.kind != "mqtt":
        raise ConnectRefused(Reason.NOT_MQTT, "only MQTT devices and our own roles may connect")


def _check_device(device: DeviceFacts) -> None:
    if device.standing == trust.Standing.QUARANTINED:
        raise ConnectRefused(Reason.QUARANTINED, "the device is in quarantine")
    if device.blocked:
        raise ConnectRefused(Reason.REVOKED, "the device is revoked")
    if device.must_renew:
        raise ConnectRefused(Reason.RENEW_FIRST, "two devices use this identity; the device renews first")
    if device.life != Life.OWNED:
        raise ConnectRefused(Reason.NOT_OWNED, f"the device is {device.life}, not {Life.OWNED}")


def _check_client_id(request: ConnectRequest, device: DeviceFacts) -> None:
    if request.client_id != device.device_id:
        raise ConnectRefused(Reason.FOREIGN_CLIENT_ID, "the MQTT client id is not the device's own id")
