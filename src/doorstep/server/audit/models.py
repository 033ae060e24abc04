"""The table of the audit trail."""

from typing import ClassVar

from django.db import models

__all__ = ["AuditRow"]


class AuditRow(models.Model):
    """One deed. The columns repeat what the signed body says, to be searched."""

    number = models.BigIntegerField(primary_key=True)
    """1, 2, 3 … without a gap."""
    at_us = models.BigIntegerField(db_index=True)
    actor = models.CharField(max_length=100)
    acting = models.BigIntegerField(null=True)
    """Number of the organisation that the actor acts for."""
    action = models.CharField(max_length=100)
    way = models.CharField(max_length=12)
    owner = models.BigIntegerField(default=0)
    """Number of the organisation that it concerns; 0 for none."""
    device_id = models.CharField(max_length=8, blank=True)
    body = models.BinaryField()
    """Canonical CBOR of the whole entry, the previous entry's hash included."""
    digest = models.BinaryField(max_length=32)
    signature = models.BinaryField()
    salt = models.BinaryField(max_length=16)
    details = models.BinaryField(null=True)
    """Before, after and address; null when they were erased."""

    class Meta:
        db_table = "audit_entry"
        indexes: ClassVar = [
            models.Index(fields=["owner", "number"], name="audit_by_owner"),
            models.Index(fields=["acting", "number"], name="audit_by_acting"),
            models.Index(fields=["device_id", "number"], name="audit_by_device"),
        ]
