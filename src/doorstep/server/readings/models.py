"""Tables of readings: those that ingest writes with SQL of its own, and those derived from them."""

from typing import ClassVar

from django.db import models

from doorstep.server.accounts.models import Organisation
from doorstep.server.fleet.models import Device

__all__ = ["Alert", "DeadLetter", "Message", "RollUp", "RollUpMark", "Threshold"]


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


class RollUp(models.Model):
    """What the readings of one name were within an hour or a day of UTC. Derived: see `rolling`."""

    pk = models.CompositePrimaryKey("device_id", "ownership_period", "hours", "start_us", "name")
    device = models.ForeignKey(Device, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    ownership_period = models.IntegerField()
    hours = models.SmallIntegerField()
    """1 or 24."""
    start_us = models.BigIntegerField()
    """By the readings' own time, not by their arrival."""
    name = models.CharField(max_length=64)
    unit = models.CharField(max_length=32)
    count = models.BigIntegerField()
    total = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    first_epoch = models.BigIntegerField()
    """With `first_seq`, `last_epoch` and `last_seq`: between which messages the readings are found."""
    first_seq = models.BigIntegerField()
    last_epoch = models.BigIntegerField()
    last_seq = models.BigIntegerField()

    class Meta:
        db_table = "roll_up"


class RollUpMark(models.Model):
    """Which messages of a device are in its roll-ups: a replay window, as ingest keeps it."""

    device = models.OneToOneField(
        Device, primary_key=True, on_delete=models.CASCADE, related_name="rolled", db_constraint=False
    )
    epoch = models.BigIntegerField()
    high = models.BigIntegerField()
    window_bits = models.BigIntegerField()
    previous_epoch = models.BigIntegerField(null=True)
    previous_high = models.BigIntegerField(default=-1)
    previous_bits = models.BigIntegerField(default=0)
    seen_us = models.BigIntegerField()
    """What `Device.last_seen_us` was when nothing was left to do."""
    rolled_us = models.BigIntegerField()
    """When this was written."""

    class Meta:
        db_table = "roll_up_mark"


class Threshold(models.Model):
    """What a customer wants to be told about one device. It counts while the device is theirs."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="thresholds")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="thresholds")
    kind = models.CharField(max_length=8)
    """A `watching.Kind`: above, below or silent."""
    name = models.CharField(max_length=64, blank=True)
    """Of the reading; empty for silence."""
    value = models.FloatField()
    """In the reading's own unit; for silence minutes."""
    mail = models.BooleanField(default=True)
    """Whether people get a mail; programs are told by webhook in any case."""
    created_by = models.CharField(max_length=254)
    created_us = models.BigIntegerField()
    told_us = models.BigIntegerField(default=0)
    """When the last mail about it was queued."""

    class Meta:
        db_table = "threshold"


class Alert(models.Model):
    """A threshold was crossed; open until the reading is back."""

    threshold = models.ForeignKey(Threshold, null=True, on_delete=models.SET_NULL, related_name="alerts")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="alerts")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="alerts")
    ownership_period = models.IntegerField()
    kind = models.CharField(max_length=8)
    name = models.CharField(max_length=64, blank=True)
    limit = models.FloatField()
    """The threshold's value as it was."""
    value = models.FloatField(null=True)
    """The first reading beyond it; none for silence."""
    unit = models.CharField(max_length=32, blank=True)
    opened_us = models.BigIntegerField()
    closed_us = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "alert"
        indexes: ClassVar = [
            models.Index(fields=["organisation", "opened_us"], name="alert_by_organisation"),
            models.Index(fields=["device", "opened_us"], name="alert_by_device"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["threshold"],
                condition=models.Q(closed_us__isnull=True),
                name="one_open_alert_a_threshold",
            )
        ]
