"""Papers that a side of a dispute brings. They are kept and handed out; nothing here opens them."""

import hashlib
from typing import Final

from doorstep.errors import MalformedMessage, RefusedError
from doorstep.ownership.cases import CaseRefused, CaseState, Party
from doorstep.server.custody.actions.casework import Person, mover_of
from doorstep.server.custody.changing import CaseFile
from doorstep.server.custody.models import Dispute
from doorstep.server.custody.turns import transaction_in_turn

__all__ = ["FILES_CAP", "FILE_CAP", "KINDS", "PaperRefused", "add_paper"]

FILE_CAP: Final = 4 * 1024 * 1024
"""Bytes of one paper."""
FILES_CAP: Final = 8
"""Papers of one side in one case."""
_NAME_CAP: Final = 120

KINDS: Final = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""Media types by the bytes that a file begins with; what a file is called says nothing."""


class PaperRefused(RefusedError):
    """This side has brought as many papers as it can."""


def add_paper(dispute: Dispute, person: Person, name: str, content: bytes, *, now_us: int) -> CaseFile:
    """Keep a paper; the same one again is the first. Raises CaseRefused, PaperRefused or MalformedMessage."""
    kind = _kind(content)
    with transaction_in_turn():
        row = Dispute.objects.select_for_update(of=("self",)).select_related("claim").get(pk=dispute.pk)
        party = mover_of(row, person).party
        _check_open(row, party)
        digest = hashlib.sha256(content).hexdigest()
        theirs = row.files.filter(party=party)
        known = theirs.filter(digest=digest).first()
        if known is not None:
            return known
        if theirs.count() >= FILES_CAP:
            raise PaperRefused(f"one side brings at most {FILES_CAP} papers")
        return CaseFile.objects.create(
            dispute=row,
            party=party,
            name=_name(name),
            kind=kind,
            size=len(content),
            digest=digest,
            content=content,
            by=person.actor,
            at_us=now_us,
        )


def _check_open(row: Dispute, party: Party) -> None:
    if party is Party.STAFF:
        raise CaseRefused("papers come from the two sides")
    if not CaseState(row.state).is_open:
        raise CaseRefused("this case is closed")


def _kind(content: bytes) -> str:
    if len(content) > FILE_CAP:
        raise MalformedMessage(
            f"a paper has at most {FILE_CAP // 1024 // 1024} MiB", next_step="Make the picture smaller."
        )
    for start, kind in KINDS.items():
        if content.startswith(start):
            return kind
    raise MalformedMessage("a paper is a PDF, JPEG or PNG file", next_step="Save it as one of these.")


def _name(name: str) -> str:
    """Return the last part of a name, without what could be markup or a path."""
    last = name.replace("\\", "/").rpartition("/")[2]
    safe = "".join(char for char in last if char.isalnum() or char in " ._-()")
    return safe.strip(" .")[-_NAME_CAP:] or "paper"
