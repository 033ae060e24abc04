"""Tables around a change of owner: steps and papers of disputes, offers, past ownership, data jobs."""

from typing import ClassVar

from django.db import models

from doorstep.server.accounts.models import Organisation
from doorstep.server.fleet.models import Device

__all__ = [
    "CaseFile",
    "CaseRecord",
    "DataJob",
    "ExportPiece",
    "Handover",
    "PastOwnership",
    "SignedDocument",
]


class CaseRecord(models.Model):
    """One step of a dispute. Kept for ever."""

    dispute = models.ForeignKey("custody.Dispute", on_delete=models.PROTECT, related_name="records")
    at_us = models.BigIntegerField()
    step = models.CharField(max_length=12)
    """A ``doorstep.ownership.cases.CaseStep``."""
    after = models.CharField(max_length=20)
    """The ``CaseState`` that it led to."""
    party = models.CharField(max_length=10)
    """As what the step was taken: a ``Party``."""
    by = models.CharField(max_length=254)
    """As the ledger names them."""
    words = models.TextField(blank=True)
    """What they said; the other side never reads it."""

    class Meta:
        db_table = "case_record"


class CaseFile(models.Model):
    """A paper that one side brought. It is kept, handed out to the staff, and never opened here."""

    dispute = models.ForeignKey("custody.Dispute", on_delete=models.PROTECT, related_name="files")
    party = models.CharField(max_length=10)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    """Media type, by its first bytes."""
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    """Hex SHA-256."""
    content = models.BinaryField()
    by = models.CharField(max_length=254)
    at_us = models.BigIntegerField()

    class Meta:
        db_table = "case_file"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dispute", "party", "digest"], name="one_copy_of_a_paper")
        ]


class Handover(models.Model):
    """An offer of a device: to another owner, or back to its maker. Nothing changes until it is accepted."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="handovers")
    way = models.CharField(max_length=10)
    """A ``doorstep.ownership.handovers.Way``."""
    state = models.CharField(max_length=10)
    """A ``HandoverState``."""
    data = models.CharField(max_length=10)
    """A ``DataChoice``: what happens to the readings."""
    giver = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="given")
    email = models.EmailField(blank=True, max_length=254)
    """To whom a transfer is offered; empty for a return."""
    taker = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="taken"
    )
    """Who took it."""
    words = models.CharField(max_length=200, blank=True)
    """Why, for the other side."""
    by = models.CharField(max_length=254)
    offered_us = models.BigIntegerField()
    due_us = models.BigIntegerField(db_index=True)
    closed_us = models.BigIntegerField(null=True, blank=True)
    closed_by = models.CharField(max_length=254, blank=True)

    class Meta:
        db_table = "handover"
        indexes: ClassVar = [models.Index(fields=["email", "state"], name="handover_by_email")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device"], condition=models.Q(state="offered"), name="one_open_offer_a_device"
            )
        ]


class PastOwnership(models.Model):
    """An ownership period that has ended, and what became of its readings."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="past_ownerships")
    period = models.PositiveIntegerField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="past_ownerships")
    alias = models.CharField(max_length=80, blank=True)
    ended_us = models.BigIntegerField()
    ended_by = models.CharField(max_length=10)
    """``transfer``, ``return``, ``swap``, ``scrap`` or ``dispute``."""
    data = models.CharField(max_length=10)
    """A ``DataChoice``."""
    replacement = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.PROTECT, related_name="replaced"
    )
    """The device that took its place."""
    gone_us = models.BigIntegerField(null=True, blank=True)
    """When the last of its readings were erased or handed over."""

    class Meta:
        db_table = "past_ownership"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "period"], name="one_end_of_a_period")
        ]
        indexes: ClassVar = [models.Index(fields=["organisation", "ended_us"], name="past_by_organisation")]


class SignedDocument(models.Model):
    """A receipt or certificate as it was signed. Kept for ever."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="documents")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="documents")
    paper = models.CharField(max_length=12)
    """A ``doorstep.ownership.documents.Paper``."""
    at_us = models.BigIntegerField()
    text = models.TextField(blank=True)

    class Meta:
        db_table = "signed_document"


class DataJob(models.Model):
    """The readings of one ownership period are erased, exported or handed over, a piece at a time."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="data_jobs")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="data_jobs")
    """Whose readings they are."""
    period = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    """``erase``, ``export`` or ``hand_over``."""
    next_period = models.PositiveIntegerField(null=True, blank=True)
    """To which a hand-over goes."""
    then_erase = models.BooleanField(default=False)
    """Whether what was exported is erased afterwards."""
    until_us = models.BigIntegerField()
    """What arrived later is left alone."""
    total = models.BigIntegerField()
    """Messages that there were when it was asked for."""
    done = models.BigIntegerField(default=0)
    at_epoch = models.BigIntegerField(default=-1)
    """With `at_seq`, the last message that was exported."""
    at_seq = models.BigIntegerField(default=-1)
    size = models.BigIntegerField(default=0)
    """Bytes of the file, so far."""
    by = models.CharField(max_length=254)
    asked_us = models.BigIntegerField()
    finished_us = models.BigIntegerField(null=True, blank=True)
    receipt = models.OneToOneField(
        SignedDocument, null=True, blank=True, on_delete=models.PROTECT, related_name="job"
    )

    class Meta:
        db_table = "data_job"
        indexes: ClassVar = [models.Index(fields=["organisation", "asked_us"], name="data_job_by_owner")]


class ExportPiece(models.Model):
    """A piece of an exported file: a gzip member. Joined they are one gzip file (RFC 1952 section 2.2)."""

    job = models.ForeignKey(DataJob, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        db_table = "export_piece"
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "number"], name="one_piece_a_number")]
