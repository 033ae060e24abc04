"""Tables of the API itself: answers that a repeat gets again, and who asked how often."""

from typing import ClassVar

from django.db import models

from doorstep.server.accounts.models import Organisation

__all__ = ["Allowance", "StoredAnswer"]


class StoredAnswer(models.Model):
    """The answer to a request that named an idempotency key, so that a repeat gets the same answer."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    actor = models.CharField(max_length=60)
    """Who asked, as the ledger names them."""
    key = models.CharField(max_length=100)
    fingerprint = models.BinaryField(max_length=32)
    """Keyed hash of the request: it may hold a code that is short enough to guess."""
    answer = models.BinaryField(default=b"")
    """Status and body, wrapped by the key file: it may hold a token that is shown once."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "stored_answer"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "actor", "key"], name="one_answer_a_key")
        ]


class Allowance(models.Model):
    """What one caller has taken in a window of time, in every process together."""

    subject = models.CharField(max_length=80, unique=True)
    """What is counted, and whose: ``requests/key:7``."""
    since_us = models.BigIntegerField()
    """When the window began."""
    taken = models.BigIntegerField()

    class Meta:
        db_table = "allowance"
