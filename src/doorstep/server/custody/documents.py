"""Signed documents of this deployment: made in the caller's transaction, found again for their owner."""

from collections.abc import Mapping
from functools import cache

from django.conf import settings

from doorstep.crypto.ed25519 import SigningKey
from doorstep.ownership.documents import Document, Paper, write
from doorstep.server.accounts.models import Organisation
from doorstep.server.custody.changing import SignedDocument
from doorstep.server.fleet.models import Device

__all__ = ["document_key", "issue"]


@cache
def document_key() -> SigningKey:
    """Return the key that signs documents. It signs nothing else."""
    return SigningKey.from_seed(settings.KEY_FILE.derive("documents"))


def issue(
    paper: Paper, device: Device, organisation: Organisation, facts: Mapping[str, str | int], now_us: int
) -> SignedDocument:
    """Sign a document for an organisation and store it."""
    row = SignedDocument.objects.create(organisation=organisation, device=device, paper=paper, at_us=now_us)
    document = Document(paper, row.pk, device.device_id, device.serial, now_us, facts)
    key = document_key()
    row.text = write(document, key.verifying_key.raw, key.sign)
    row.save(update_fields=["text"])
    return row
