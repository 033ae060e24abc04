"""Tables of products, batches, devices and their credentials; those about trust in them are in `trust`.

Table and column names are a contract: ingest and the broker use some of them with SQL of their own.
Times named ``…_us`` are microseconds since 1970 (UTC), so that both databases and all shells agree on them.
"""

from typing import ClassVar

from django.db import models

from doorstep.messaging.legacy.formats import Format, read_formats
from doorstep.messaging.variant import RATCHET_8
from doorstep.onboarding.choice import weak
from doorstep.onboarding.methods import DEFAULTS, Method
from doorstep.server.accounts.models import DeviceGroup, Organisation, User

__all__ = [
    "Batch",
    "Credential",
    "Device",
    "DeviceSession",
    "GroupedDevice",
    "KeyRotation",
    "LegacyBoard",
    "LegacyChange",
    "OnboardingChange",
    "Product",
    "Revocation",
    "SealedState",
    "default_methods",
]


def default_methods() -> list[str]:
    """Return the onboarding methods that a product starts with."""
    return list(DEFAULTS)


class Product(models.Model):
    """A kind of device, with the methods its maker chose."""

    key = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    identity_method = models.CharField(max_length=20, default="certificate")
    onboarding_methods = models.JSONField(default=default_methods)
    """Keys of ``doorstep.onboarding.methods``; devices made from now on open these and no others."""
    claim_policy = models.CharField(
        max_length=400, default="device_key & setup_session & (sale | label_code | staff)"
    )
    """Boolean expression over evidence kinds; see ``doorstep.ownership.policy``."""
    claim_policy_version = models.PositiveIntegerField(default=1, db_default=1)
    """Counts its policies; every decision names the one it stood on."""
    rotate_after_days = models.PositiveSmallIntegerField(default=180)
    """Sealed roots of its devices are replaced at this age; 0: only when somebody asks."""
    roots_by_hand = models.BooleanField(default=False)
    """A root is replaced over a cable by the factory tool, and never over the network."""
    sealed_variant = models.CharField(max_length=12, default=RATCHET_8.name, db_default=RATCHET_8.name)
    """How its devices seal; a name of ``doorstep.messaging.variant``."""
    release_setup_code = models.BooleanField(default=False)
    """Keep the label codes of devices made from now on, for accounts to which they attest themselves."""
    legacy_formats = models.CharField(max_length=80, blank=True, default="", db_default="")
    """Names of ``doorstep.messaging.legacy.formats.Format`` with blanks between; empty is secure."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "product"

    def __str__(self) -> str:
        return self.name

    @property
    def weak_setup(self) -> tuple[Method, ...]:
        """The weak onboarding methods that are on."""
        return weak(self.onboarding_methods)

    @property
    def insecure_formats(self) -> tuple[Format, ...]:
        """The legacy message formats that are on."""
        return read_formats(self.legacy_formats)


class OnboardingChange(models.Model):
    """A weak onboarding method was put on or taken off; who accepted which risk, in the words they read."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="onboarding_changes")
    method = models.CharField(max_length=40)
    enabled = models.BooleanField()
    risk = models.TextField(blank=True)
    """The sentence that was shown; empty when a method is taken off."""
    actor = models.CharField(max_length=254)
    """As the ledger names them."""
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "onboarding_change"


class Batch(models.Model):
    """Devices made together."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="batches")
    number = models.CharField(max_length=40, unique=True)
    count = models.PositiveIntegerField()
    """How many were asked for; ``devices`` counts those made."""
    onboarding_methods = models.JSONField(default=default_methods)
    """What its devices open: the product's methods when they were made."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)

    class Meta:
        db_table = "batch"

    @property
    def weak_setup(self) -> tuple[Method, ...]:
        """The weak onboarding methods that its devices were made with."""
        return weak(self.onboarding_methods)


class Device(models.Model):
    """One device: its identity never changes, and no claim overwrites its owner."""

    device_id = models.CharField(max_length=8, unique=True)
    serial = models.CharField(max_length=40, unique=True)
    hardware_id = models.CharField(max_length=18, null=True, blank=True, unique=True)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="devices")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="devices")
    public_key = models.BinaryField()
    """Factory P-256 key, DER SubjectPublicKeyInfo."""
    # Without an index: each registration would pay for it, and lines of the block-list are few.
    public_key_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    """Hex SHA-256 of ``public_key``, as the block-list names factory keys; empty without a key."""
    idevid = models.BinaryField()
    """Factory certificate (IEEE 802.1AR IDevID), DER."""
    claim_code_hash = models.BinaryField(null=True, db_index=True)
    claim_code_used_at = models.DateTimeField(null=True, blank=True)
    label_state = models.CharField(max_length=10, default="sealed", db_default="sealed")
    """State of ``doorstep.ownership.label.LabelState``: whether the claim code is still good evidence."""
    claims_waiting = models.BooleanField(default=False, db_default=False)
    """Somebody brought evidence for it and waits; see ``claim_evidence``."""
    setup_code = models.BinaryField(null=True)
    """The label's code, wrapped in the context ``setup/<device_id>/code``; only if the product keeps it."""
    oob_code = models.BinaryField(null=True)
    """Out-of-band data of its Bluetooth pairing, wrapped for ``setup/<device_id>/oob``; as above."""
    setup_released_us = models.BigIntegerField(null=True, blank=True)
    """When its owner last allowed to set it up again."""

    life = models.CharField(max_length=12, default="made")
    """State of ``doorstep.ownership.life.Life``."""
    blocked = models.BooleanField(default=False)
    """Overlay: blocked or quarantined; nothing of it is accepted."""
    standing = models.CharField(max_length=12, default="ok", db_default="ok")
    """State of ``doorstep.ownership.standing.Standing``; `blocked` follows it."""
    must_renew = models.BooleanField(default=False, db_default=False)
    """Two users of its identity were noticed: it connects again only after it renewed."""
    disputed = models.BooleanField(default=False)
    """Overlay: somebody else holds a valid-looking claim; the owner's access is unchanged."""
    owner = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="devices"
    )
    alias = models.CharField(max_length=80, blank=True)
    ownership_period = models.PositiveIntegerField(default=0)
    """Counts owners; every stored message carries it."""
    generation = models.PositiveIntegerField(default=0)
    """Grows with each change that ingest or the authorizer must notice (blocked, period, keys)."""
    gateway = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children"
    )
    """The device that may carry its messages; it counts only while both have the same owner."""
    site = models.ForeignKey(
        "fleet.Site", null=True, blank=True, on_delete=models.SET_NULL, related_name="devices"
    )
    """Where it stands, as its owner says."""
    last_seen_us = models.BigIntegerField(null=True, blank=True)
    """Time of the newest stored message; written by ingest."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "device"
        indexes: ClassVar = [
            models.Index(fields=["owner", "device_id"], name="device_by_owner"),
            models.Index(fields=["owner", "alias", "serial"], name="device_by_name"),
        ]

    def __str__(self) -> str:
        return self.alias or self.serial

    @property
    def weak_setup(self) -> tuple[Method, ...]:
        """The weak onboarding methods that it was made with."""
        return self.batch.weak_setup

    @property
    def insecure_formats(self) -> tuple[Format, ...]:
        """The legacy message format that is taken of it; none once it has migrated."""
        board: LegacyBoard | None = getattr(self, "legacy", None)
        if board is None or board.migrated_us is not None or board.ownership_period != self.ownership_period:
            return ()
        return tuple(one for one in self.product.insecure_formats if one == board.format)


class GroupedDevice(models.Model):
    """A device stands in a group of its owner, for as long as that owner has it."""

    group = models.ForeignKey(DeviceGroup, on_delete=models.CASCADE, related_name="placings")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="placings")
    ownership_period = models.PositiveIntegerField()
    """It counts only in this period: what returns to a former owner stands in none of their old groups."""

    class Meta:
        db_table = "grouped_device"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "device"], name="one_place_a_group")
        ]


class Credential(models.Model):
    """An operational client certificate. Rotates, expires, is revoked; identity stays."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="credentials")
    fingerprint = models.CharField(max_length=64, unique=True)
    """Hex SHA-256 of the certificate's DER."""
    public_key_hash = models.CharField(max_length=64, db_index=True)
    """Hex SHA-256 of its SubjectPublicKeyInfo."""
    certificate = models.BinaryField()
    """DER."""
    not_before_us = models.BigIntegerField()
    not_after_us = models.BigIntegerField()
    state = models.CharField(max_length=12, default="active")
    """active, superseded, revoked."""
    serial = models.CharField(max_length=40, blank=True, default="", db_default="", db_index=True)
    """The certificate's serial number in hex; what revocation lists and OCSP call it by."""
    ended_us = models.BigIntegerField(null=True, blank=True, db_index=True)
    """When it stopped being active."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "credential"


class SealedState(models.Model):
    """Where one device's sealed messages stand: epoch, keys (wrapped by the key file), replay windows.

    Written by the factory (epoch 0: only ``root``), then by ingest in the transaction that stores messages.
    Wrapped secrets use the contexts ``sealed/<device_id>/root``, ``…/master``, ``…/previous``, ``…/staged``.
    """

    device = models.OneToOneField(Device, primary_key=True, on_delete=models.CASCADE, related_name="sealed")
    epoch = models.BigIntegerField(default=0)
    """Newest epoch that a verified message used; 0 before the first."""
    root = models.BinaryField()
    """Wrapped root of the next epoch (the factory root before the first)."""
    master = models.BinaryField(null=True)
    """Wrapped master secret of ``epoch``."""
    seq_high = models.BigIntegerField(default=-1)
    """Highest sequence seen in ``epoch``; -1 before the first."""
    window_bits = models.BigIntegerField(default=0)
    """64-bit replay window below ``seq_high``, as a signed number."""
    previous_epoch = models.BigIntegerField(null=True)
    previous_master = models.BinaryField(null=True)
    previous_seq_high = models.BigIntegerField(default=-1)
    previous_window_bits = models.BigIntegerField(default=0)
    previous_until_us = models.BigIntegerField(null=True)
    """When late messages of the previous epoch stop being taken."""
    staged_epoch = models.BigIntegerField(null=True)
    """First epoch of the root that is staged; ingest takes it over with the first message under it."""
    staged_root = models.BinaryField(null=True)
    variant = models.CharField(max_length=12, default=RATCHET_8.name, db_default=RATCHET_8.name)
    """How the device seals; its product's when it was made."""
    connect_epoch = models.BigIntegerField(default=0)
    """Place of the last CONNECT proof or sealed request; the next must be greater."""
    connect_seq = models.BigIntegerField(default=-1)

    class Meta:
        db_table = "sealed_state"


class KeyRotation(models.Model):
    """One replacement of a device's key: from the wish to the first use of the new one."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="rotations")
    number = models.BigIntegerField()
    """Grows with each of a device; the device refuses one that a later one has overtaken."""
    kind = models.CharField(max_length=12)
    """``fresh``, ``owner`` or ``exchanged`` (the sealed root), or ``certificate``."""
    stage = models.CharField(max_length=12)
    """Stage of ``doorstep.identity.rotation``: offered, staged, settled."""
    outcome = models.CharField(max_length=12, blank=True)
    """Once it is settled: ``done`` or ``abandoned``."""
    detail = models.CharField(max_length=200, blank=True)
    """Why it waits or was abandoned, for people."""
    secret = models.BinaryField(blank=True, default=b"")
    """Wrapped in the context ``rotation/<device_id>/<number>``; empty when it is settled."""
    by_hand = models.BooleanField(default=False)
    """Its messages go over a cable or a local session, and not through the broker."""
    command_id = models.CharField(max_length=16, blank=True, db_index=True)
    """The command that the device has to answer; empty when there is none."""
    tries = models.PositiveSmallIntegerField(default=0)
    """Commands that were made for it."""
    asked_by = models.CharField(max_length=254)
    asked_us = models.BigIntegerField()
    staged_us = models.BigIntegerField(null=True)
    settled_us = models.BigIntegerField(null=True)

    class Meta:
        db_table = "key_rotation"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "number"], name="one_rotation_a_number")
        ]
        indexes: ClassVar = [models.Index(fields=["stage", "id"], name="rotation_by_stage")]


class DeviceSession(models.Model):
    """A broker connection of a device: what a kick needs to know. Written by the authorizer."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="sessions")
    broker = models.CharField(max_length=10)
    """Which broker process: ``secure`` or ``plain``."""
    server_id = models.CharField(max_length=80)
    client_id = models.BigIntegerField()
    """The broker's number of the connection."""
    credential = models.CharField(max_length=64, blank=True)
    """Fingerprint of the certificate it came with; empty for a CONNECT proof."""
    children = models.TextField(blank=True, default="")
    """Rows of the devices whose messages it may carry: their numbers in ascending order, with commas."""
    address = models.CharField(max_length=45, blank=True, default="", db_default="")
    """Where it came from."""
    connected_us = models.BigIntegerField()
    ended_us = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "device_session"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["broker", "server_id", "client_id"], name="one_row_a_connection")
        ]
        indexes: ClassVar = [
            models.Index(fields=["device", "ended_us"], name="session_by_device"),
            models.Index(fields=["connected_us"], name="session_by_time"),
            models.Index(
                fields=["device"],
                condition=models.Q(ended_us__isnull=True) & ~models.Q(children=""),
                name="session_of_gateway",
            ),
        ]


class Revocation(models.Model):
    """A revocation and how long it took: asked for by the server, carried out by the broker role."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="revocations")
    reason = models.CharField(max_length=200)
    asked_by = models.CharField(max_length=254)
    asked_us = models.BigIntegerField()
    """The click."""
    kicked_us = models.BigIntegerField(null=True, blank=True)
    """Every session of the device was closed."""
    purged_us = models.BigIntegerField(null=True, blank=True)
    """Its queued and retained messages are gone; then the revocation is finished."""
    sessions_kicked = models.PositiveIntegerField(default=0)
    messages_purged = models.PositiveIntegerField(default=0)
    effective_us = models.BigIntegerField(null=True, blank=True)
    """From then on ingest could store nothing of the device: measured with its row locked."""
    last_accepted_us = models.BigIntegerField(null=True, blank=True)
    """When the last message that was stored had arrived; None when none ever was."""
    block = models.ForeignKey(
        "fleet.BlockEntry", null=True, blank=True, on_delete=models.PROTECT, related_name="revocations"
    )
    """The block-list entry that asked for it, if one did; only such a block can be lifted."""
    quarantine = models.BooleanField(default=False, db_default=False)
    """It may end well: certificates are kept, and somebody decides."""
    handover = models.BooleanField(default=False, db_default=False)
    """The device changed hands, or lost its insecure format: what was open and queued ends, it goes on."""

    class Meta:
        db_table = "revocation"
        indexes: ClassVar = [models.Index(fields=["purged_us"], name="revocation_open")]


class LegacyChange(models.Model):
    """A legacy message format was put on or taken off; who accepted which risk, in the words they read."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="legacy_changes")
    format = models.CharField(max_length=20)
    enabled = models.BooleanField()
    risk = models.TextField(blank=True)
    """The sentence that was shown; empty when a format is taken off."""
    actor = models.CharField(max_length=254)
    """As the ledger names them."""
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "legacy_change"


class LegacyBoard(models.Model):
    """A device that still speaks a legacy format: its keys, its log-in, and where its messages stand.

    What moves is written by ingest; ``migrated_us`` by the authorizer, once.
    """

    device = models.OneToOneField(Device, primary_key=True, on_delete=models.CASCADE, related_name="legacy")
    format = models.CharField(max_length=20)
    node_id = models.CharField(max_length=32)
    """What its envelopes name."""
    keys = models.BinaryField()
    """``LegacyKeys.to_bytes``, wrapped in the context ``legacy/<device_id>/keys``."""
    data_key_mark = models.CharField(max_length=64, unique=True)
    passphrase_mark = models.CharField(max_length=64, unique=True)
    """Keyed hashes, so that no two boards have one key."""
    login_hash = models.CharField(max_length=64)
    """Hex SHA-256 of its password."""
    peer = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.SET_NULL, related_name="legacy_peers"
    )
    """Who gets what it says."""
    ownership_period = models.PositiveIntegerField()
    """The owner who has its keys; it ends with them."""
    added_us = models.BigIntegerField()
    added_by = models.CharField(max_length=254)
    migrated_us = models.BigIntegerField(null=True, blank=True)
    """When the device first proved itself with a better credential; its legacy log-in and messages ended."""
    last_number = models.BigIntegerField(default=0)
    session = models.CharField(max_length=64, blank=True)
    session_until_us = models.BigIntegerField(default=0)
    announced = models.CharField(max_length=64, blank=True)
    announced_until_us = models.BigIntegerField(default=0)
    recent = models.BinaryField(default=b"")

    class Meta:
        db_table = "legacy_board"


# Django finds the tables of an app in this module alone.
from doorstep.server.fleet import places as _places  # noqa: E402, F401 - they refer to the ones above by name
from doorstep.server.fleet import trust as _trust  # noqa: E402, F401 - as above
