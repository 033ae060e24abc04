"""The job queue: one table, taken by one worker at a time."""

from typing import ClassVar

from django.db import models

__all__ = ["Job"]


class Job(models.Model):
    """Something to do soon, for certain: written in the transaction that caused it."""

    kind = models.CharField(max_length=32)
    arguments = models.JSONField(default=dict)
    run_at_us = models.BigIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at_us = models.BigIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "job"
        indexes: ClassVar = [models.Index(fields=["done_at_us", "run_at_us"], name="job_due")]
