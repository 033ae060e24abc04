"""Tables of what goes down, and of what devices say beside readings.

Table and column names are a contract: the roles ``downlink`` and ``ingest`` use them with SQL of their own.
"""

from typing import ClassVar

from django.db import models

from doorstep.server.fleet.models import Device

__all__ = ["DesiredSettings", "DeviceEvent", "Downlink", "DownlinkCounter", "ReportedState"]


class Downlink(models.Model):
    """One command to one device, from the queue to the device's answer."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="downlinks")
    number = models.BigIntegerField()
    """Counts the commands of a device from 1; lower ones go first."""
    command_id = models.CharField(max_length=16, unique=True)
    """Hex of the 8 bytes that the device sees, the same at each try."""
    channel = models.CharField(max_length=16)
    """``cmd``, ``config`` or ``keys``."""
    name = models.CharField(max_length=64, blank=True)
    """What it is, for people; the rest of the body may be secret."""
    body = models.BinaryField()
    """Wrapped in the context ``downlink/<device_id>/<command_id>``; empty once nobody needs it any more."""
    state = models.CharField(max_length=12, default="queued")
    """State of ``doorstep.messaging.delivery.Delivery``."""
    ownership_period = models.PositiveIntegerField()
    """It is for the device of this owner and dies with the period."""
    asked_by = models.CharField(max_length=254)
    """As the ledger names them."""
    asked_us = models.BigIntegerField()
    expires_us = models.BigIntegerField(null=True, blank=True)
    """Null: until something newer takes its place."""
    tries = models.PositiveIntegerField(default=0)
    """How often it was sent."""
    tries_here = models.PositiveIntegerField(default=0)
    """How often since the device showed itself last."""
    tried_epoch = models.BigIntegerField(default=-1)
    tried_session = models.BigIntegerField(default=0)
    """Epoch and session in which it was sent last: another one means that the device showed itself anew."""
    sent_us = models.BigIntegerField(null=True, blank=True)
    """When it was sent first."""
    next_us = models.BigIntegerField(default=0)
    """When it is sent again, unless the device shows itself before."""
    closed_us = models.BigIntegerField(null=True, blank=True)
    """When it was acknowledged, refused, expired or cancelled."""
    detail = models.BinaryField(blank=True, default=b"")
    """What the device said, or why it was withdrawn."""

    class Meta:
        db_table = "downlink"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "number"], name="one_downlink_a_number")
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "id"], name="downlink_by_state"),
            models.Index(fields=["device", "state", "number"], name="downlink_of_device"),
        ]


class DownlinkCounter(models.Model):
    """The platform's own sequence numbers for one device. Written by ``downlink`` before each send."""

    device = models.OneToOneField(Device, primary_key=True, on_delete=models.CASCADE, related_name="+")
    epoch = models.BigIntegerField()
    next_seq = models.BigIntegerField()

    class Meta:
        db_table = "downlink_counter"


class DesiredSettings(models.Model):
    """The settings that somebody wants a device to have. The version only ever grows, across owners too."""

    device = models.OneToOneField(Device, primary_key=True, on_delete=models.CASCADE, related_name="desired")
    version = models.BigIntegerField()
    settings = models.BinaryField()
    """JSON object, wrapped in the context ``settings/<device_id>/desired``."""
    ownership_period = models.PositiveIntegerField()
    asked_by = models.CharField(max_length=254)
    asked_us = models.BigIntegerField()

    class Meta:
        db_table = "device_desired"


class ReportedState(models.Model):
    """What a device said last on channel ``state``. Written by ingest."""

    device = models.OneToOneField(Device, primary_key=True, on_delete=models.CASCADE, related_name="reported")
    epoch = models.BigIntegerField()
    seq = models.BigIntegerField()
    received_us = models.BigIntegerField()
    ownership_period = models.IntegerField()
    version = models.BigIntegerField(null=True)
    """Version of the settings that it has applied, if it says so."""
    payload = models.BinaryField()

    class Meta:
        db_table = "device_reported"


class DeviceEvent(models.Model):
    """One message on channel ``event``. Written by ingest."""

    pk = models.CompositePrimaryKey("device_id", "epoch", "seq")
    device = models.ForeignKey(Device, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    epoch = models.BigIntegerField()
    seq = models.BigIntegerField()
    received_us = models.BigIntegerField()
    ownership_period = models.IntegerField()
    payload = models.BinaryField()

    class Meta:
        db_table = "device_event"
