"""Table of the files that were sent to the platform row by row."""

from typing import ClassVar

from django.db import models

from doorstep.server.accounts.models import Organisation

__all__ = ["ImportRun"]


class ImportRun(models.Model):
    """A file of sales and dispatches: how many rows were stored, and those that were not."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="imports")
    actor = models.CharField(max_length=200)
    """As the ledger names them."""
    at_us = models.BigIntegerField()
    stored = models.PositiveIntegerField()
    unchanged = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    failures = models.TextField(blank=True)
    """CSV of the same form, with one more column that says what to mend."""

    class Meta:
        db_table = "import_run"
        indexes: ClassVar = [models.Index(fields=["organisation", "id"], name="import_by_organisation")]
