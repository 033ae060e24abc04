"""The buyer's address in the seller's records is asked about a claim, and answers by a link."""

import hashlib
import os
from typing import Final

from django.conf import settings

from doorstep.errors import RefusedError
from doorstep.ownership.claims import Decision
from doorstep.ownership.evidence import Evidence
from doorstep.server.custody.actions.bringing import bring, locked_device
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.evidence import stretch_of
from doorstep.server.custody.models import ClaimMail, ClaimRequest, SaleLine
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.jobs.actions import enqueue, send_mail_later
from doorstep.wire import base64url

__all__ = [
    "LIFETIME_US",
    "AskedAlready",
    "LinkExpired",
    "answer_mail",
    "ask_buyer",
    "mail_of",
    "send_claim_mail",
]

LIFETIME_US: Final = 7 * 86_400 * 1_000_000
"""How long a link is good."""

_HOUR_US: Final = 3600 * 1_000_000
_DAY_US: Final = 24 * _HOUR_US
_A_DAY: Final = 3
"""Mails about one device in a day, whoever asks: buyers are not to be flooded."""

_TOKEN_BYTES: Final = 32
_TOKEN_CAP: Final = 64


class AskedAlready(RefusedError):
    """The buyer was asked a moment ago."""

    def __init__(self) -> None:
        super().__init__(
            "you asked for a mail within the last hour",
            next_step="Look into the mailbox of the address that the seller has, the spam folder, too.",
        )


class LinkExpired(RefusedError):
    """A link about a claim is unknown, too old, or about a device that has changed hands since."""

    def __init__(self) -> None:
        super().__init__(
            "this link is not good any more",
            next_step="Whoever claims the device can ask for a new one on the page of their claim.",
        )


def ask_buyer(request: ClaimRequest, now_us: int) -> None:
    """Have a link mailed to the address in the seller's records, if there is one.

    Nothing tells whoever asks whether there is. Raises AskedAlready.
    """
    with transaction_in_turn():
        row = ClaimRequest.objects.select_for_update().get(pk=request.pk)
        if row.mail_asked_us is not None and row.mail_asked_us > now_us - _HOUR_US:
            raise AskedAlready
        row.mail_asked_us = now_us
        row.save(update_fields=["mail_asked_us"])
        enqueue("claim_mail", {"request": row.pk})


def send_claim_mail(request: ClaimRequest, now_us: int) -> None:
    """Send what was asked for: to the buyer, or to the wholesaler who sold on, to forward it."""
    lines = SaleLine.objects.select_related("device__product", "sale__wholesaler")
    line = lines.filter(device__serial=request.serial).first()
    if line is None or line.device.owner_id == request.organisation_id:
        return
    sent = ClaimMail.objects.filter(device=line.device, sent_us__gt=now_us - _DAY_US)
    wholesaler = line.sale.wholesaler
    address = wholesaler.email if wholesaler else line.sale.buyer_email
    if not address or sent.count() >= _A_DAY:
        return
    token = base64url.encode(os.urandom(_TOKEN_BYTES))
    ClaimMail.objects.create(
        token_hash=_hash(token),
        request=request,
        device=line.device,
        stretch=stretch_of(line.device),
        forwarded=wholesaler is not None,
        sent_us=now_us,
        expires_us=now_us + LIFETIME_US,
    )
    text = _text(line, request, f"{settings.DOORSTEP.base_url}/claims/mail/{token}/")
    send_mail_later(address, f"Is the {line.device.product} {line.device.serial} yours?", text)


def mail_of(token: str, now_us: int) -> ClaimMail:
    """Return the mail whose link has this token; raise LinkExpired."""
    rows = ClaimMail.objects.select_related("request__organisation", "request__user", "device__product")
    row = rows.filter(token_hash=_hash(token)).first()
    if row is None or (row.answered_us is None and not _good(row, now_us)):
        raise LinkExpired
    return row


def answer_mail(token: str, *, yes: bool, now_us: int) -> tuple[ClaimMail, Decision | None]:
    """Take the answer of whoever follows the link; the first answer stays. Raises LinkExpired."""
    with transaction_in_turn():
        device = locked_device(pk=mail_of(token, now_us).device_id)
        row = mail_of(token, now_us)
        if row.answered_us is not None or device is None:
            return row, None
        row.answered_us, row.confirmed = now_us, yes
        row.save(update_fields=["answered_us", "confirmed"])
        if not yes:
            return row, None
        how = "forwarded by the wholesaler" if row.forwarded else "sent to the buyer"
        claimant = Claimant(row.request.organisation, row.request.user, "platform", alias=row.request.alias)
        decision = bring(device, claimant, Evidence.EMAIL, now_us=now_us, detail=f"mail {row.pk}, {how}")
    return row, decision


def _good(row: ClaimMail, now_us: int) -> bool:
    return now_us < row.expires_us and row.stretch == stretch_of(row.device)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token[:_TOKEN_CAP].encode()).digest()


def _text(line: SaleLine, request: ClaimRequest, url: str) -> str:
    device, order = line.device, line.sale.order
    forward = (
        "You sold this device on. Please forward this mail to the customer who bought it from you, and do "
        "not answer it yourself.\n\n"
        if line.sale.wholesaler_id
        else ""
    )
    return (
        f"{forward}The account {request.organisation.name} wants to register the device with the serial "
        f"{device.serial} ({device.product}, order {order}).\n\n"
        f"If this is your account and your device, open this page and say yes:\n\n{url}\n\n"
        "If it is not, open the page and say no, or do nothing: without your yes this mail gives them "
        "nothing. The link is good for seven days.\n"
    )
