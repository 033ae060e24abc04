"""Registration tokens."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Status

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Alias, Number
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import make_registration_token
from doorstep.server.custody.token_progress import progress_of, token_of

__all__ = ["router"]

router = Router(tags=["registration tokens"])


class TokenIn(Schema, extra="forbid"):
    """What the device is to be called, and its scratch-off code if there is one."""

    alias: Alias = ""
    """What the device is to be called."""
    code: Annotated[str, Field(max_length=64)] = ""
    """Scratch-off code, as it stands below the foil."""


class TokenOut(Schema):
    """A token, shown this once."""

    token: str
    """To be carried to the device."""
    number: int
    """Which one it is, for asking the portal what became of it."""
    expires_us: int
    """When it runs out."""


class TokenState(Schema):
    """What became of a token."""

    number: int
    """By which it is asked for."""
    state: str
    """waiting, expired, bound or held."""
    sentence: str
    """The same in plain words."""
    device_id: str | None
    """The device that came, once it is the organisation's."""
    expires_us: int
    """When it runs out."""


@router.get(
    "/registration-tokens/{number}",
    response={200: TokenState},
    operation_id="get_registration_token",
    openapi_extra=needs(Permission.CUSTOMER_TOKENS_WRITE),
)
def get_token(request: HttpRequest, number: Number) -> Any:
    """Say whether a device came with a token, and what became of its claim."""
    caller = caller_of(request)
    row = token_of(caller.organisation, number)
    far = progress_of(row, now_us())
    return {
        "number": row.pk,
        "state": far.state.value,
        "sentence": far.text,
        "device_id": far.device.device_id if far.device else None,
        "expires_us": row.expires_at_us,
    }


@router.post(
    "/registration-tokens",
    response={201: TokenOut},
    operation_id="make_registration_token",
    openapi_extra=needs(Permission.CUSTOMER_TOKENS_WRITE),
)
def make(request: HttpRequest, wish: TokenIn) -> Any:
    """Make a single-use token, good for ten minutes, that lets one device join the caller's organisation."""
    caller = caller_of(request)
    token, row = make_registration_token(
        caller.organisation, caller.user, wish.alias, wish.code, now_us=now_us()
    )
    return Status(201, {"token": token, "number": row.pk, "expires_us": row.expires_at_us})
