"""Set-up without a code: challenges, attestations, public keys, and the owner's release."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

from django.conf import settings
from django.http import HttpRequest
from ninja import Field, Query, Status

from doorstep.crypto.p256 import PublicKey
from doorstep.errors import MalformedMessage
from doorstep.identity.statement import STATEMENT_CAP, TRANSCRIPT_LENGTH
from doorstep.onboarding.attestation.verdict import RESIDUAL_RISK
from doorstep.runtime.authority import load_authority
from doorstep.server.accounts.permissions import Caller, Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import DeviceId
from doorstep.server.api.pace import SEARCHES
from doorstep.server.api.problems import Problem
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.releasing import release_setup
from doorstep.server.custody.attesting import Attested, attest, look_up, make_challenge
from doorstep.server.device_api.nonces import LIFETIME_US
from doorstep.server.fleet.access import NoSuchDevice, device_for
from doorstep.server.fleet.models import Device
from doorstep.wire import base64url

__all__ = ["router"]

router = Router(tags=["set-up without a code"])

_SET_UP: Final = needs(Permission.CUSTOMER_TOKENS_WRITE)
_TEXT_CAP: Final = STATEMENT_CAP * 4 // 3 + 4


class ChallengeOut(Schema):
    """A challenge for one device's attestation, base64url."""

    challenge: str
    """To be signed by the device."""
    expires_us: int
    """Until when it is good."""


class AttestationIn(Schema, extra="forbid"):
    """What the device said and what the phone had with it, base64url without padding."""

    statement: Annotated[str, Field(max_length=_TEXT_CAP)]
    """COSE_Sign1 by its factory key."""
    transcript: Annotated[str, Field(max_length=64)]
    """SHA-256 of the set-up conversation."""


class FoundOut(Schema):
    """A device that the caller may set up."""

    device_id: str
    """Of the device, as its label and lists have it."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """Name of its product."""
    public_key: str
    """Factory key, uncompressed P-256 point, base64url: credentials are sealed to it."""
    sale: str
    """yours, wholesaler or unknown."""
    owner: str
    """nobody or yours."""


class AttestationOut(Schema):
    """What the platform knows of an attested device."""

    device_id: str
    """Of the device, as its label and lists have it."""
    serial: str
    """Of the device, as its label has it."""
    product: str
    """Name of its product."""
    sale: str
    """yours, wholesaler or unknown."""
    owner: str
    """nobody, yours or another."""
    blocked: bool
    """Nothing of it is accepted."""
    presence: bool
    """Somebody pressed its button."""
    may_set_up: bool
    """Whether the caller may set it up."""
    sentence: str
    """The same in plain words."""
    public_key: str | None
    """As in a look-up; null for a device that the caller may not set up."""
    setup_code: str | None
    """The label's code, where the product releases it and the device showed presence."""
    oob_code: str | None
    """The out-of-band data of its Bluetooth pairing; released together with the code."""
    risk: str
    """What this check can't exclude; to be shown."""


class ReleaseOut(Schema):
    """A release to bring to the device, base64url; no secret."""

    release: str
    """To be handed to the device."""
    expires_us: int
    """Until when it is good."""


@router.post(
    "/onboarding/challenges",
    response={201: ChallengeOut},
    operation_id="make_challenge",
    openapi_extra=_SET_UP,
)
def challenge(request: HttpRequest) -> Any:
    """Make a challenge that a device signs; good for five minutes and for the caller's organisation."""
    caller, at_us = _paced(request)
    made = make_challenge(caller.organisation, at_us)
    return Status(201, {"challenge": base64url.encode(made), "expires_us": at_us + LIFETIME_US})


@router.post(
    "/onboarding/attestations",
    response={200: AttestationOut},
    operation_id="attest_device",
    openapi_extra=_SET_UP,
)
def attestation(request: HttpRequest, brought: AttestationIn) -> Any:
    """Say what is known of a device by its signed statement, which the caller's phone relays."""
    caller, at_us = _paced(request)
    transcript = base64url.decode(brought.transcript)
    if len(transcript) != TRANSCRIPT_LENGTH:
        raise MalformedMessage(f"a transcript has {TRANSCRIPT_LENGTH} bytes")
    return _attested(attest(caller, base64url.decode(brought.statement), transcript, at_us))


@router.get(
    "/devices/lookup",
    response={200: FoundOut, 404: Problem},
    operation_id="look_up_device",
    openapi_extra=_SET_UP,
)
def lookup(
    request: HttpRequest, serial: Annotated[str, Query(max_length=80, description="Serial or device id.")]
) -> Any:
    """Find a device to seal Wi-Fi credentials for, by serial or device id, typed or said in any case."""
    caller, _ = _paced(request)
    found = look_up(caller.organisation, serial)
    return _names(found.device) | {
        "public_key": _public_key(found.device),
        "sale": found.facts.sale,
        "owner": found.facts.owner,
    }


@router.post(
    "/devices/{device_id}/release-setup",
    response={201: ReleaseOut},
    operation_id="release_setup",
    openapi_extra=needs(Permission.CUSTOMER_SETUP_RELEASE),
)
def release(request: HttpRequest, device_id: DeviceId) -> Any:
    """Allow to set a device up again that the caller owns: its code died when it was claimed."""
    caller = caller_of(request)
    device = device_for(caller, device_id, (Permission.CUSTOMER_SETUP_RELEASE,))
    authority = load_authority(Path(settings.STATE.ca), now=datetime.now(UTC))
    signed, expires = release_setup(device, caller.actor, authority, now_us=now_us())
    return Status(201, {"release": base64url.encode(signed), "expires_us": expires * 1_000_000})


def _paced(request: HttpRequest) -> tuple[Caller, int]:
    caller, at_us = caller_of(request), now_us()
    SEARCHES.spend(str(caller.organisation.pk), at_us)
    return caller, at_us


def _attested(found: Attested) -> dict[str, Any]:
    facts, verdict = found.facts, found.verdict
    return _names(found.device) | {
        "sale": facts.sale,
        "owner": facts.owner,
        "blocked": facts.blocked,
        "presence": facts.presence,
        "may_set_up": verdict.may_set_up,
        "sentence": verdict.sentence,
        "public_key": _public_key(found.device) if verdict.may_set_up else None,
        "setup_code": found.setup_code,
        "oob_code": found.oob_code,
        "risk": RESIDUAL_RISK,
    }


def _names(device: Device) -> dict[str, Any]:
    return {"device_id": device.device_id, "serial": device.serial, "product": device.product.name}


def _public_key(device: Device) -> str:
    if not device.public_key:
        raise NoSuchDevice(device.serial)
    return base64url.encode(PublicKey.from_spki(bytes(device.public_key)).point)
