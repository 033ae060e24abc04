"""Outgoing mail of the embedded default, read back from the state folder for the developer page."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from django.utils.html import format_html_join, urlize
from django.utils.safestring import SafeString

__all__ = ["Letter", "letters_in"]

_NEWEST: Final = 50
_END: Final = b"-" * 79 + b"\n"
"""Django's file backend ends every message of a file with this line."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as its receiver reads it."""

    name: str
    """Names it in the page's address: file and place in it."""
    sent: datetime | None
    to: str
    subject: str
    text: str

    @property
    def html(self) -> SafeString:
        """The text with its addresses clickable; everything else is escaped."""
        paragraphs = re.split(r"\n\s*\n", self.text.strip())
        return format_html_join("", "<p>{}</p>", ((_lines(paragraph),) for paragraph in paragraphs))


def letters_in(folder: Path) -> list[Letter]:
    """Return the newest messages of the folder, newest first."""
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns, reverse=True)[:_NEWEST]
    letters: list[Letter] = []
    for path in files:
        chunks = [chunk for chunk in path.read_bytes().split(_END) if chunk.strip()]
        letters += [
            _letter(f"{path.stem}-{place}", chunk) for place, chunk in reversed(list(enumerate(chunks)))
        ]
    return letters[:_NEWEST]


def _letter(name: str, raw: bytes) -> Letter:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # the policy above makes this class
    body = message.get_body(("plain",))
    return Letter(
        name, _sent(message), str(message["to"]), str(message["subject"]), body.get_content() if body else ""
    )


def _sent(message: EmailMessage) -> datetime | None:
    if message["date"] is None:
        return None
    sent: datetime = message["date"].datetime
    # "-0000" is UTC without a claim about the sender's zone (RFC 5322 section 3.3), and comes naive.
    return sent if sent.tzinfo else sent.replace(tzinfo=UTC)


def _lines(paragraph: str) -> SafeString:
    return SafeString(
        "<br>".join(urlize(line, nofollow=False, autoescape=True) for line in paragraph.split("\n"))
    )
