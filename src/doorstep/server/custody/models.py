"""Tables of sales, registration tokens, claims, disputes and the custody ledger."""

from typing import ClassVar

from django.db import models

from doorstep.server.accounts.models import ApiKey, Organisation, User
from doorstep.server.fleet.models import Device

__all__ = [
    "Claim",
    "CustodyEntry",
    "Dispute",
    "IdempotencyRecord",
    "LedgerKey",
    "RegistrationToken",
    "Sale",
    "SaleLine",
]


class CustodyEntry(models.Model):
    """One line of the append-only, hash-chained, signed ledger."""

    number = models.BigIntegerField(primary_key=True)
    """1, 2, 3 … without a gap."""
    device = models.ForeignKey(Device, null=True, on_delete=models.PROTECT, related_name="custody")
    kind = models.CharField(max_length=24)
    """What happened; an event of ``doorstep.ownership``."""
    at_us = models.BigIntegerField()
    body = models.BinaryField()
    """Canonical CBOR of the whole entry, the previous entry's hash included."""
    digest = models.BinaryField(max_length=32)
    """SHA-256 of ``body``."""
    signature = models.BinaryField()
    """By the actor's key, over ``digest``: see ``doorstep.ownership.actors``."""

    class Meta:
        db_table = "custody_entry"
        indexes: ClassVar = [models.Index(fields=["device", "number"], name="custody_by_device")]


class LedgerKey(models.Model):
    """A key that signs for an organisation in the ledger; the newest counts."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="ledger_keys")
    public_key = models.BinaryField(max_length=32)
    secret = models.BinaryField()
    """Seed of the Ed25519 key, wrapped in the context ``ledger/<organisation>/<public key in hex>``."""
    created_us = models.BigIntegerField()

    class Meta:
        db_table = "ledger_key"


class Sale(models.Model):
    """An order as the ERP told it."""

    order = models.CharField(max_length=80, unique=True)
    buyer_email = models.EmailField(blank=True, max_length=254)
    """The customer's address, or empty when a wholesaler bought."""
    wholesaler = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="purchases"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=20)
    """api or csv."""

    class Meta:
        db_table = "sale"


class SaleLine(models.Model):
    """One device of a sale. A device stands in one sale that was not cancelled."""

    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="lines")
    device = models.OneToOneField(Device, on_delete=models.PROTECT, related_name="sale_line")

    class Meta:
        db_table = "sale_line"


class RegistrationToken(models.Model):
    """A single-use token that lets a device join an organisation. Only its hash is kept; it names nobody."""

    token_hash = models.BinaryField(max_length=32, unique=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="registration_tokens"
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    alias = models.CharField(max_length=80, blank=True)
    """Name the customer gave; the device takes it."""
    code_device = models.ForeignKey(Device, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    """Device whose scratch-off code the customer typed (evidence ``label_code``)."""
    created_at_us = models.BigIntegerField()
    expires_at_us = models.BigIntegerField()
    used_at_us = models.BigIntegerField(null=True, blank=True)
    used_by = models.ForeignKey(Device, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        db_table = "registration_token"


class Claim(models.Model):
    """Evidence that somebody brought for a device, and what the policy made of it. Kept for ever."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="claims")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="claims")
    claimant = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    evidence = models.JSONField(default=list)
    """Evidence kinds found, sorted."""
    policy = models.CharField(max_length=400)
    """The policy as it read then."""
    decision = models.CharField(max_length=10)
    """bound, held, disputed, refused."""
    reason = models.CharField(max_length=200)
    """Plain words for the claimant."""
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "claim"
        indexes: ClassVar = [models.Index(fields=["device", "at_us"], name="claim_by_device")]


class Dispute(models.Model):
    """A claim against a device that has an owner. The owner's access is unchanged while it is open."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="disputes")
    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="dispute")
    state = models.CharField(max_length=12, default="open")
    """open, upheld, dismissed."""
    opened_at_us = models.BigIntegerField()
    closed_at_us = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "dispute"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device"], condition=models.Q(state="open"), name="one_open_dispute_a_device"
            )
        ]


class IdempotencyRecord(models.Model):
    """The answer to a request that named an idempotency key, so that a repeat gets the same answer."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE)
    key = models.CharField(max_length=100)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotency_record"
        constraints: ClassVar = [models.UniqueConstraint(fields=["api_key", "key"], name="one_answer_a_key")]
