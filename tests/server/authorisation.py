"""What each route of the REST API and each page of the portal asks for: one line each, and none missing.

`tests/server/portal/test_authorisation.py` holds every role of every kind of organisation against it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.urls import URLPattern, URLResolver

from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import Permission

__all__ = ["PAGES", "ROUTES", "Page", "Route", "every", "pages_there_are", "routes_there_are"]

Needs = tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A REST operation: one of these permissions opens it."""

    needs: Needs
    body: Any = None
    """A body that says nothing wrong, so that only the caller matters."""
    query: str = ""
    number: str = ""
    """Which object of the home ``{number}`` is; nobody else may know of it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: who can open it, and which permissions reading and sending take; None: there is no such way."""

    who: str
    """``public``, ``user``, ``member``, a kind of organisation, or ``trader``: the maker or a wholesaler."""
    get: Needs | None = ()
    post: Needs | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    number: str = ""
    """As of a route."""
    whole: bool = False
    """Not for who is limited to groups."""
    pinned: bool = True
    """False: only sight is checked here, and what a role may by the page's own tests."""


def every(what: str) -> Needs:
    """Return the permission as each kind of organisation has it."""
    return tuple(Permission.of(kind, what) for kind in OrganisationKind)


_READ: Final = (
    Permission.MAKER_DEVICES_READ,
    Permission.WHOLESALER_DEVICES_READ,
    Permission.CUSTOMER_DEVICES_READ,
)
_END: Final = (Permission.MAKER_DEVICES_REVOKE, Permission.CUSTOMER_DEVICES_REVOKE)
_DECIDE: Final = (Permission.MAKER_DEVICES_REVOKE,)
_VOUCH: Final = (Permission.MAKER_CLAIMS_VOUCH,)
_SEE: Final = (Permission.CUSTOMER_DEVICES_READ,)
_TOKENS: Final = (Permission.CUSTOMER_TOKENS_WRITE,)
_HEARD: Final = (Permission.CUSTOMER_COMMANDS_READ,)
_TELL: Final = (Permission.CUSTOMER_COMMANDS_WRITE,)
_GATEWAY: Final = (Permission.CUSTOMER_GATEWAYS_WRITE,)
_GROUP: Final = (Permission.CUSTOMER_GROUPS_WRITE,)
_PRODUCT: Final = (Permission.MAKER_PRODUCTS_WRITE,)
_WHY: Final = {"reason": "a test"}
_HOOK: Final = {"url": "https://hooks.example.org/x"}
_BY: Final = {"email": "buyer@example.org"}

ROUTES: Final[Mapping[str, Route]] = {
    "GET /products": Route((Permission.MAKER_PRODUCTS_READ,)),
    "PUT /products/{key}/onboarding": Route(_PRODUCT, {"methods": ["softap"]}),
    "PUT /products/{key}/legacy": Route(_PRODUCT, {"formats": []}),
    "POST /sales": Route(
        (Permission.MAKER_SALES_WRITE, Permission.WHOLESALER_STOCK_WRITE),
        {"order": "Z", "serials": ["none"], "buyer": _BY},
    ),
    "GET /sales": Route((Permission.MAKER_SALES_READ, Permission.WHOLESALER_STOCK_READ)),
    "POST /onboarding/challenges": Route(_TOKENS),
    "POST /onboarding/attestations": Route(_TOKENS, {"statement": "", "transcript": ""}),
    "GET /devices/lookup": Route(_TOKENS, query="serial={serial}", number="home"),
    "POST /devices/{device_id}/release-setup": Route((Permission.CUSTOMER_SETUP_RELEASE,)),
    "GET /devices": Route(_READ),
    "GET /devices/{device_id}": Route(_READ),
    "POST /devices/{device_id}/revoke": Route(_END, _WHY),
    "GET /devices/{device_id}/standing": Route(_READ),
    "POST /devices/{device_id}/quarantine": Route(_DECIDE, _WHY),
    "POST /devices/{device_id}/clear": Route(_DECIDE, _WHY),
    "POST /devices/{device_id}/label": Route(_VOUCH, {"step": "report"}),
    "GET /devices/{device_id}/children": Route(_SEE),
    "PUT /devices/{device_id}/children/{child_id}": Route(_GATEWAY),
    "DELETE /devices/{device_id}/children/{child_id}": Route(_GATEWAY),
    "POST /blocks": Route(_DECIDE, {"kind": "hardware_id", "value": "02:00:5e:10:00:00", **_WHY}),
    "GET /blocks": Route((Permission.MAKER_DEVICES_READ,)),
    "GET /blocks/{number}": Route((Permission.MAKER_DEVICES_READ,), number="block"),
    "POST /blocks/{number}/lift": Route(_DECIDE, _WHY, number="block"),
    "GET /devices/{device_id}/readings": Route((Permission.CUSTOMER_READINGS_READ,)),
    "POST /devices/{device_id}/commands": Route(_TELL, {"name": "identify"}),
    "GET /devices/{device_id}/commands": Route(_HEARD),
    "GET /devices/{device_id}/commands/{command_id}": Route(_HEARD),
    "POST /devices/{device_id}/commands/{command_id}/cancel": Route(_TELL),
    "GET /devices/{device_id}/desired": Route(_HEARD),
    "PUT /devices/{device_id}/desired": Route(_TELL, {"settings": {}, "version": 0}),
    "GET /devices/{device_id}/events": Route(_HEARD),
    "POST /devices/{device_id}/keys/rotate": Route(_END, {}),
    "GET /devices/{device_id}/keys/rotations": Route(_END),
    "GET /devices/{device_id}/ledger": Route(
        (Permission.MAKER_LEDGER_READ, Permission.WHOLESALER_STOCK_READ, Permission.CUSTOMER_LEDGER_READ)
    ),
    "POST /registration-tokens": Route(_TOKENS, {}),
    "GET /dead-letters": Route((Permission.MAKER_DEAD_LETTERS_READ,)),
    "GET /audit": Route(every("audit:read")),
    "GET /people": Route(every("people:read")),
    "PUT /people/{number}": Route(every("people:write"), {"role": "viewer"}, number="member"),
    "DELETE /people/{number}": Route(every("people:write"), number="member"),
    "POST /invitations": Route(every("people:write"), {"email": "x@example.org", "role": "viewer"}),
    "GET /invitations": Route(every("people:read")),
    "DELETE /invitations/{number}": Route(every("people:write"), number="invitation"),
    "GET /groups": Route(_SEE),
    "POST /groups": Route(_GROUP, {"name": "Another"}),
    "PUT /groups/{number}": Route(_GROUP, {"name": "Another"}, number="group"),
    "DELETE /groups/{number}": Route(_GROUP, number="group"),
    "PUT /groups/{number}/devices/{device_id}": Route(_GROUP, number="group"),
    "DELETE /groups/{number}/devices/{device_id}": Route(_GROUP, number="group"),
    "GET /webhooks": Route(every("webhooks:read")),
    "POST /webhooks": Route(every("webhooks:write"), _HOOK),
    "GET /webhooks/{number}": Route(every("webhooks:read"), number="webhook"),
    "PUT /webhooks/{number}": Route(every("webhooks:write"), _HOOK, number="webhook"),
    "DELETE /webhooks/{number}": Route(every("webhooks:write"), number="webhook"),
    "POST /webhooks/{number}/secret": Route(every("webhooks:write"), number="webhook"),
    "POST /webhooks/{number}/test": Route(every("webhooks:write"), number="webhook"),
    "POST /webhooks/{number}/replay": Route(every("webhooks:write"), {"since_us": 0}, number="webhook"),
    "GET /webhooks/{number}/deliveries": Route(every("webhooks:read"), number="webhook"),
}

PAGES: Final[Mapping[str, Page]] = {
    "home": Page("member"),
    "devices": Page("customer"),
    "add-device": Page("customer", _TOKENS, _TOKENS),
    "set-up": Page("customer", _TOKENS),
    "set-up-qr": Page("customer", None, _TOKENS),
    "added": Page("customer", number="token", whole=True),
    "added-state": Page("customer", number="token", whole=True),
    "device": Page("customer"),
    "device-live": Page("customer"),
    "command": Page("customer", _TELL, _TELL),
    "cancel-command": Page("customer", None, _TELL),
    "device-settings": Page("customer", _TELL, _TELL),
    "revoke": Page("customer", _END, _END),
    "rotate": Page("customer", None, _END),
    "release-setup": Page(
        "customer", (Permission.CUSTOMER_SETUP_RELEASE,), (Permission.CUSTOMER_SETUP_RELEASE,)
    ),
    "children": Page("customer", _GATEWAY, _GATEWAY, {"add": "{child_id}"}),
    "people": Page("member", every("people:read")),
    "invite": Page("member", every("people:write"), every("people:write")),
    "member": Page("member", every("people:write"), every("people:write"), number="member"),
    "remove-member": Page("member", None, every("people:write"), number="member"),
    "withdraw-invitation": Page("member", None, every("people:write"), number="invitation"),
    "groups": Page("customer", (), _GROUP),
    "group": Page("customer", (), _GROUP, number="group"),
    "group-devices": Page("customer", None, _GROUP, {"add": "{child_id}"}, number="group"),
    "remove-group": Page("customer", None, _GROUP, number="group"),
    "invitations": Page("user"),
    "begin": Page("user", None, ()),
    "accept-invitation": Page("user", None, (), number="own-invitation"),
    "decline-invitation": Page("user", None, (), number="own-invitation"),
    "audit": Page("member", every("audit:read")),
    "audit-export": Page("member", every("audit:read")),
    "account": Page("member"),
    "delete-account": Page("member"),
    "keys": Page("member", every("keys:write"), every("keys:write")),
    "end-key": Page("member", None, every("keys:write"), number="key"),
    "switch-organisation": Page("member", None, (), {"organisation": "{organisation}"}),
    "webhooks": Page("member", every("webhooks:read"), every("webhooks:write")),
    "webhook": Page("member", every("webhooks:read"), every("webhooks:write"), number="webhook"),
    "webhook-act": Page("member", None, every("webhooks:write"), {"act": "test"}, number="webhook"),
    "products": Page("maker"),
    "advise": Page("maker"),
    "new-product": Page("maker", _PRODUCT, _PRODUCT),
    "product": Page("maker"),
    "legacy-formats": Page("maker", _PRODUCT, _PRODUCT),
    "setup-methods": Page("maker", _PRODUCT, _PRODUCT),
    "batches": Page("maker"),
    "batch": Page("maker"),
    "staff-device": Page("maker"),
    "label": Page("maker", _VOUCH, _VOUCH),
    "staff-revoke": Page("maker", _DECIDE, _DECIDE),
    "staff-rotate": Page("maker", None, _DECIDE),
    "quarantine": Page("maker", _DECIDE, _DECIDE),
    "clear": Page("maker", _DECIDE, _DECIDE),
    "blocks": Page("maker", (), _DECIDE),
    "lift-block": Page("maker", _DECIDE, _DECIDE, number="block"),
    "sales": Page("maker"),
    "sale": Page("maker", number="sale"),
    "claims": Page("maker"),
    "ledger": Page("maker"),
    "ledger-verify": Page("maker", None, ()),
    "dead-letters": Page("maker"),
    "claim": Page("public", pinned=False),
    "own-claims": Page("customer", whole=True),
    "claim-request": Page("customer", number="none", pinned=False),
    "claim-code": Page("customer", None, (), number="none", pinned=False),
    "claim-order": Page("customer", None, (), number="none", pinned=False),
    "claim-ask": Page("customer", None, (), number="none", pinned=False),
    "claim-label": Page("customer", None, (), number="none", pinned=False),
    "claim-voucher": Page("customer", None, (), pinned=False),
    "claim-answer": Page("public", pinned=False),
    "activate": Page("public", pinned=False),
    "choose-policy": Page("maker", _PRODUCT, _PRODUCT),
    "vouch": Page("maker", number="none", pinned=False),
    "stock": Page("wholesaler", pinned=False),
    "send-file": Page("trader", pinned=False),
    "imported": Page("trader", number="none", pinned=False),
    "import-failures": Page("trader", number="none", pinned=False),
    "move": Page("trader", pinned=False),
    "orders": Page("trader", pinned=False),
    "order": Page("trader", number="none", pinned=False),
    "take-back": Page("trader", None, (), number="none", pinned=False),
    "hand-over": Page("customer", pinned=False),
    "return-device": Page("customer", pinned=False),
    "scrap-device": Page("customer", pinned=False),
    "device-data": Page("customer", None, (), pinned=False),
    "handovers": Page("member", pinned=False),
    "handover": Page("member", number="none", pinned=False),
    "handover-step": Page("member", None, (), number="none", pinned=False),
    "past-device": Page("member", number="none", pinned=False),
    "export-file": Page("member", number="none", pinned=False),
    "document": Page("member", number="none", pinned=False),
    "cases": Page("member", pinned=False),
    "case": Page("member", number="none", pinned=False),
    "case-paper": Page("member", None, (), number="none", pinned=False),
    "case-paper-file": Page("member", number="none", pinned=False),
    "swap": Page("maker", pinned=False),
    "activity": Page("member", pinned=False),
    "alerts": Page("member", pinned=False),
    "language": Page("public", None, ()),
    "sites": Page("customer", pinned=False),
    "new-site": Page("customer", pinned=False),
    "site": Page("customer", number="none", pinned=False),
    "remove-site": Page("customer", None, (), number="none", pinned=False),
    "charts": Page("customer", pinned=False),
    "download": Page("customer", pinned=False),
    "place": Page("customer", pinned=False),
    "thresholds": Page("customer", pinned=False),
    "remove-threshold": Page("customer", None, (), number="none", pinned=False),
    "developer": Page("public"),
    "developer-mail": Page("public"),
    "components": Page("public"),
}


@cache  # describing the API takes seconds, and a list of parameters asks for each route
def routes_there_are() -> dict[str, list[str]]:
    """Return every REST operation, ``METHOD /path``, with the scopes that it says it takes."""
    from doorstep.server.api.app import api  # noqa: PLC0415 - needs Django started

    paths = api.get_openapi_schema(path_prefix="")["paths"]
    return {
        f"{method.upper()} {path}": list(told.get("x-scopes", ()))
        for path, methods in paths.items()
        for method, told in methods.items()
    }


def pages_there_are() -> dict[str, str]:
    """Return the path of every page of the portal by name, out of its URL configuration."""
    from doorstep.server.portal.urls import urlpatterns  # noqa: PLC0415 - needs Django started

    return {str(one.name): str(one.pattern) for one in _leaves(urlpatterns)}


def _leaves(patterns: list[Any]) -> Iterator[URLPattern]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from _leaves(one.url_patterns)
        else:
            yield one
