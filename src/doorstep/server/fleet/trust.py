"""Tables about trust in devices: block-lists, changes of standing, clone challenges, revocation lists."""

from typing import ClassVar

from django.db import models

__all__ = ["BlockEntry", "CloneChallenge", "RevocationList", "StandingChange"]


class BlockEntry(models.Model):
    """One line of the block-list. Lines are only added: lifting a block is a line of its own."""

    action = models.CharField(max_length=8)
    """``block`` or ``lift``."""
    kind = models.CharField(max_length=12)
    """``batch``, ``hardware_id`` or ``key``."""
    value = models.CharField(max_length=64, db_index=True)
    """Batch number, hardware id, or hex SHA-256 of the factory key's SubjectPublicKeyInfo."""
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=254)
    """As the ledger names them."""
    at_us = models.BigIntegerField()
    lifted_by = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="lifts"
    )
    """The line that ended this one."""

    class Meta:
        app_label = "fleet"
        db_table = "block_entry"

    @property
    def kind_in_words(self) -> str:
        """The kind in words."""
        return {"batch": "batch", "hardware_id": "hardware id", "key": "factory key"}[self.kind]


class StandingChange(models.Model):
    """A step of ``doorstep.ownership.standing`` that a device took, and why, in words for its owner."""

    device = models.ForeignKey("fleet.Device", on_delete=models.CASCADE, related_name="standing_changes")
    at_us = models.BigIntegerField()
    before = models.CharField(max_length=12)
    after = models.CharField(max_length=12)
    step = models.CharField(max_length=12)
    evidence = models.CharField(max_length=20, blank=True)
    """Kind of ``doorstep.ownership.suspicion.Evidence``; empty when people decided."""
    sentence = models.CharField(max_length=400)
    by = models.CharField(max_length=254)
    """As the ledger names them; ``platform`` when it noticed by itself."""

    class Meta:
        app_label = "fleet"
        db_table = "standing_change"
        indexes: ClassVar = [models.Index(fields=["device", "at_us"], name="standing_by_device")]


class CloneChallenge(models.Model):
    """Two users of one identity were told to renew; the first who does goes on, alone."""

    device = models.ForeignKey("fleet.Device", on_delete=models.CASCADE, related_name="challenges")
    asked_us = models.BigIntegerField()
    kicked_us = models.BigIntegerField(null=True, blank=True)
    """Every session that was open then is closed; written by the broker role."""
    nonce = models.BinaryField()
    """Mixed into the sealed root of whoever answers; wrapped in the context ``clone/<device_id>/nonce``."""
    epoch = models.BigIntegerField()
    """The first epoch under the mixed root; 0 before the first answer."""
    answered_us = models.BigIntegerField(null=True, blank=True)
    key_hash = models.CharField(max_length=64, blank=True)
    """Hex SHA-256 of the SubjectPublicKeyInfo that the first answer came with: only it renews from now on."""
    refused = models.PositiveIntegerField(default=0)
    """Renewals by somebody else since."""
    closed_us = models.BigIntegerField(null=True, blank=True)
    """When its owner or the staff settled it."""

    class Meta:
        app_label = "fleet"
        db_table = "clone_challenge"
        indexes: ClassVar = [models.Index(fields=["device", "closed_us"], name="challenge_by_device")]


class RevocationList(models.Model):
    """A certificate revocation list (RFC 5280) as it was signed; the newest is served."""

    number = models.BigIntegerField(primary_key=True)
    """Grows by one."""
    at_us = models.BigIntegerField()
    until_us = models.BigIntegerField()
    ends = models.BigIntegerField()
    last_end_us = models.BigIntegerField()
    """How many certificates had ended in the minutes before, and when the last did: another makes it old."""
    content = models.BinaryField()
    """DER."""

    class Meta:
        app_label = "fleet"
        db_table = "revocation_list"
