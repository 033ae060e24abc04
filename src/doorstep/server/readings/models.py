"""Tables that ingest writes with SQL of its own; the server only reads them."""

from django.db import models

from doorstep.server.fleet.models import Device

__all__ = ["DeadLetter", "Message"]


class Message(models.Model):
    """One verified message: its plaintext as the device sent it."""

    pk = models.CompositePrimaryKey("device_id", "epoch", "seq")
    device = models.ForeignKey(Device, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    epoch = models.BigIntegerField()
    seq = models.BigIntegerField()
    channel = models.CharField(max_length=16)
    """``data``, ``state``, ``event`` or ``ack``."""
    received_us = models.BigIntegerField()
    ownership_period = models.IntegerField()
    reading_count = models.IntegerField()
    payload = models.BinaryField()
    """SenML (JSON or CBOR) or a plain JSON object; checked before it was stored, decoded when read."""

    class Meta:
        db_table = "message"


class DeadLetter(models.Model):
    """A message, or an attempt, that was not accepted, and why. Repeats within a minute share one row."""

    at_us = models.BigIntegerField(db_index=True)
    device_id = models.CharField(max_length=8, blank=True, db_index=True)
    """As the topic or credential named it; it may not exist."""
    topic = models.CharField(max_length=200)
    reason = models.CharField(max_length=32)
    """A reason of ``docs/spec/sealed.md``, or forbidden_topic, revoked, unknown_device, connect_refused."""
    detail = models.CharField(max_length=200, blank=True)
    """Cleaned and cut; never key material."""
    size = models.IntegerField(default=0)
    sample = models.BinaryField(blank=True, default=b"")
    """First 64 bytes as they came."""
    count = models.IntegerField(default=1)

    class Meta:
        db_table = "dead_letter"
