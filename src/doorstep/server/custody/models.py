"""Tables of sales, registration tokens, claims and their evidence, disputes and the custody ledger."""

from typing import ClassVar

from django.db import models

from doorstep.server.accounts.models import Organisation, User
from doorstep.server.fleet.models import Device, Product

__all__ = [
    "Claim",
    "ClaimAttempt",
    "ClaimEvidence",
    "ClaimMail",
    "ClaimRequest",
    "CustodyEntry",
    "DeviceGrant",
    "Dispute",
    "LedgerKey",
    "PastSaleLine",
    "PolicyVersion",
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
    """The key that signs for an organisation in the ledger."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="ledger_keys")
    public_key = models.BinaryField(max_length=32)
    secret = models.BinaryField()
    """Seed of the Ed25519 key, wrapped in the context ``ledger/<organisation>/<public key in hex>``."""
    created_us = models.BigIntegerField()

    class Meta:
        db_table = "ledger_key"


class Sale(models.Model):
    """An order: devices that their holder sold to a customer, or dispatched to a wholesaler."""

    seller = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="sales"
    )
    """The wholesaler that held them; none: the maker."""
    order = models.CharField(max_length=80)
    buyer_email = models.EmailField(blank=True, max_length=254)
    """The customer's address, or empty when a wholesaler bought."""
    wholesaler = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="purchases"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=20)
    """api, csv or portal."""

    class Meta:
        db_table = "sale"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["seller", "order"], name="one_sale_an_order"),
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(seller=None), name="one_sale_an_order_of_the_maker"
            ),
        ]


class SaleLine(models.Model):
    """The sale in which a device stands now: the sale's buyer holds it. None: the maker holds it."""

    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="lines")
    device = models.OneToOneField(Device, on_delete=models.PROTECT, related_name="sale_line")
    box = models.CharField(max_length=40, blank=True, default="", db_default="")
    """Label of the box that it travelled in, so that people may name the box."""
    received_us = models.BigIntegerField(null=True, blank=True)
    """When the wholesaler said that it has come."""

    class Meta:
        db_table = "sale_line"


class PastSaleLine(models.Model):
    """A sale in which a device stood before."""

    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="past_lines")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="past_sale_lines")
    box = models.CharField(max_length=40, blank=True)
    received_us = models.BigIntegerField(null=True, blank=True)
    ended_us = models.BigIntegerField()
    outcome = models.CharField(max_length=10)
    """``passed_on`` (dispatched or sold by its buyer), ``returned`` or ``withdrawn``."""

    class Meta:
        db_table = "past_sale_line"


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
    only_device = models.ForeignKey(Device, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    """The one device that may use it, where the device itself asked for it (RFC 8628)."""
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
    policy_version = models.PositiveIntegerField(default=1, db_default=1)
    """Which of the product's policies that was."""
    decision = models.CharField(max_length=10)
    """bound, held, disputed, refused."""
    reason = models.CharField(max_length=200)
    """Plain words for the claimant."""
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "claim"
        indexes: ClassVar = [models.Index(fields=["device", "at_us"], name="claim_by_device")]


class ClaimEvidence(models.Model):
    """One piece of evidence that an organisation brought for a device and that waits for the rest."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="evidence")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    """Who claimed; the device goes to their organisation."""
    stretch = models.PositiveIntegerField()
    """Grows whenever the device gets or loses an owner: evidence is worth nothing in another stretch."""
    kind = models.CharField(max_length=20)
    """A kind of ``doorstep.ownership.evidence``."""
    actor = models.CharField(max_length=254)
    """Who brought it, as the ledger names them."""
    detail = models.CharField(max_length=200, blank=True)
    """What it was, without addresses or codes."""
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "claim_evidence"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device", "organisation", "stretch", "kind"], name="one_piece_a_kind_and_stretch"
            )
        ]


class ClaimRequest(models.Model):
    """Somebody wants to claim the device with this serial; whether there is one, the row does not say."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="claim_requests")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    serial = models.CharField(max_length=40)
    alias = models.CharField(max_length=80, blank=True)
    """Name the customer gave; the device takes it."""
    opened_us = models.BigIntegerField()
    mail_asked_us = models.BigIntegerField(null=True, blank=True)
    """When they last asked for a mail to the buyer."""

    class Meta:
        db_table = "claim_request"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "serial"], name="one_request_a_serial")
        ]


class ClaimAttempt(models.Model):
    """Somebody typed a secret or an order's number; kept to limit guesses and to tell owners of attempts."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=20)
    """``label_code``, ``order_ref`` or ``user_code``."""
    guess = models.BinaryField(max_length=32)
    """Keyed hash of what was typed."""
    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.CASCADE, related_name="claim_attempts"
    )
    """The device that it names, if there is one."""
    refused = models.BooleanField()
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "claim_attempt"
        indexes: ClassVar = [
            models.Index(fields=["organisation", "at_us"], name="attempt_by_organisation"),
            models.Index(fields=["device", "at_us"], name="attempt_by_device"),
        ]


class ClaimMail(models.Model):
    """A link that went to the address in the seller's records; whoever follows it answers for a claim."""

    token_hash = models.BinaryField(max_length=32, unique=True)
    request = models.ForeignKey(ClaimRequest, on_delete=models.CASCADE, related_name="mails")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    stretch = models.PositiveIntegerField()
    forwarded = models.BooleanField()
    """It went to the wholesaler, who forwards it to the customer."""
    sent_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    answered_us = models.BigIntegerField(null=True, blank=True)
    confirmed = models.BooleanField(null=True)

    class Meta:
        db_table = "claim_mail"
        indexes: ClassVar = [models.Index(fields=["device", "sent_us"], name="claim_mail_by_device")]


class DeviceGrant(models.Model):
    """A device asked to be registered by whoever types the code that it shows (RFC 8628)."""

    device_code_hash = models.BinaryField(max_length=32, unique=True)
    user_code_hash = models.BinaryField(max_length=32, unique=True)
    device = models.ForeignKey(Device, null=True, on_delete=models.CASCADE, related_name="grants")
    """None for an id that no device has: whoever asks for it can't tell."""
    state = models.CharField(max_length=10, default="pending")
    """State of ``doorstep.ownership.device_grant.GrantState``."""
    created_us = models.BigIntegerField()
    expires_us = models.BigIntegerField(db_index=True)
    interval_s = models.PositiveSmallIntegerField()
    polled_us = models.BigIntegerField(default=0)
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    alias = models.CharField(max_length=80, blank=True)
    token = models.ForeignKey(RegistrationToken, null=True, on_delete=models.SET_NULL, related_name="+")
    """The registration token that the device got for it."""

    class Meta:
        db_table = "device_grant"


class PolicyVersion(models.Model):
    """A claim policy that a product had, and who put it there."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField()
    text = models.CharField(max_length=400)
    actor = models.CharField(max_length=254)
    """As the ledger names them."""
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "claim_policy_version"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product", "number"], name="one_policy_a_version")
        ]


class Dispute(models.Model):
    """A claim against a device that has an owner. The owner's access is unchanged while it is open."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="disputes")
    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="dispute")
    owner = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="disputes"
    )
    """Who owned it when the case was opened."""
    state = models.CharField(max_length=20, default="awaiting")
    """A ``doorstep.ownership.cases.CaseState``."""
    due_us = models.BigIntegerField(null=True, blank=True, db_index=True)
    """When the clock takes its step."""
    proposed_by = models.CharField(max_length=40, blank=True, default="", db_default="")
    """Of the staff, who would take the device away."""
    decided_by = models.CharField(max_length=40, blank=True, default="", db_default="")
    """Of the staff, who decided first."""
    opened_at_us = models.BigIntegerField()
    closed_at_us = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "dispute"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device"],
                condition=models.Q(closed_at_us__isnull=True),
                name="one_open_dispute_a_device",
            )
        ]


# Django finds the tables of an app in this module alone.
from doorstep.server.custody import changing as _changing  # noqa: E402, F401 - they refer to the ones above
from doorstep.server.custody import trading as _trading  # noqa: E402, F401 - as above
