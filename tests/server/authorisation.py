"""What each route of the REST API and each page of the portal asks for: one line each, and none missing.

`tests/server/portal/test_authorisation.py` holds every role of every kind of organisation against it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.urls import URLPattern, URLResolver

from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import Permission
from tests.server.described import described

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
    """Which object ``{number}`` is; who may know of it, the stage says."""
    file: str = ""
    """Name of the file that it takes in place of a body."""
    owners: bool = False
    """What somebody owns is its owner's alone, even where the maker sees it."""
    proven: bool = False
    """It takes a person who proved a moment ago who they are."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: who can open it, and which permissions reading and sending take; None: there is no such way."""

    who: str
    """``public``, ``door`` (it tells others than customers where to log in), ``user``, ``member``, a kind of
    organisation, or ``trader``: the maker or a wholesaler."""
    get: Needs | None = ()
    post: Needs | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    number: str = ""
    """As of a route."""
    whole: bool = False
    """Not for who is limited to groups."""


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
_HELD: Final = (Permission.CUSTOMER_HANDOVERS_READ,)
_HAND: Final = (Permission.CUSTOMER_HANDOVERS_WRITE,)
_OFFERS: Final = (Permission.MAKER_HANDOVERS_READ, Permission.CUSTOMER_HANDOVERS_READ)
_TAKE: Final = (Permission.MAKER_HANDOVERS_WRITE, Permission.CUSTOMER_HANDOVERS_WRITE)
_DATA: Final = (Permission.CUSTOMER_DATA_WRITE,)
_POINTS: Final = (Permission.CUSTOMER_READINGS_READ,)
_PLACE: Final = (Permission.CUSTOMER_DEVICES_WRITE,)
_CLAIMS: Final = (Permission.CUSTOMER_CLAIMS_READ,)
_CASES: Final = (Permission.MAKER_CASES_READ, Permission.CUSTOMER_CASES_READ)
_SPEAK: Final = (Permission.MAKER_CASES_WRITE, Permission.CUSTOMER_CASES_WRITE)
_BRING: Final = (Permission.CUSTOMER_CASES_WRITE,)
_MADE: Final = (Permission.MAKER_PRODUCTS_READ,)
_SOLD: Final = (Permission.MAKER_SALES_READ, Permission.WHOLESALER_STOCK_READ)
_SELL: Final = (Permission.MAKER_SALES_WRITE, Permission.WHOLESALER_STOCK_WRITE)
_STOCK: Final = (Permission.WHOLESALER_STOCK_WRITE,)
_SITUATION: Final = (
    "damage=data&price=40&budget=2&units=5000&chip=tls&sales=direct&can_scan=true&control=button"
    "&line_online=true"
)
_WHY: Final = {"reason": "a test"}
_HOOK: Final = {"url": "https://hooks.example.org/x"}
_BY: Final = {"email": "buyer@example.org"}

ROUTES: Final[Mapping[str, Route]] = {
    "GET /products": Route((Permission.MAKER_PRODUCTS_READ,)),
    "PUT /products/{key}/onboarding": Route(_PRODUCT, {"methods": ["softap"]}),
    "PUT /products/{key}/legacy": Route(_PRODUCT, {"formats": []}),
    "POST /products": Route(_PRODUCT, {"key": "another", "name": "Another"}),
    "GET /products/{key}": Route(_MADE),
    "GET /products/{key}/claim-policy": Route(_MADE),
    "PUT /products/{key}/claim-policy": Route(_PRODUCT, {"claim_policy": "device_key & sale"}),
    "POST /claim-policies/try": Route(_MADE, {"claim_policy": "device_key & sale"}),
    "GET /advice": Route(_MADE, query=_SITUATION),
    "GET /batches": Route(_MADE),
    "GET /batches/{number}": Route(_MADE, number="batch"),
    "POST /sales": Route(_SELL, {"order": "Z", "serials": ["none"], "buyer": _BY}),
    "GET /sales": Route(_SOLD),
    "GET /sales/{number}": Route(_SOLD, number="sale"),
    "GET /sales/{number}/devices": Route(_SOLD, number="sale"),
    "POST /sales/withdraw": Route(_SELL, {"order": "Z", "serials": ["none"], **_WHY}),
    "GET /deliveries": Route((Permission.WHOLESALER_STOCK_READ,)),
    "POST /imports": Route(_SELL, file="file"),
    "GET /imports/{number}": Route(_SOLD, number="import"),
    "GET /imports/{number}/failures": Route(_SOLD, number="import"),
    "GET /stock": Route(_SOLD),
    "POST /stock/receive": Route(_STOCK, {"serials": ["none"]}),
    "POST /stock/return": Route(_STOCK, {"serials": ["none"], **_WHY}),
    "POST /stock/take-in": Route((Permission.MAKER_SALES_WRITE,), {"serials": ["none"]}),
    "GET /claims": Route(_CLAIMS),
    "POST /claims": Route(_TOKENS, {"serial": "A-1"}),
    "GET /claims/{number}": Route(_CLAIMS, number="claim"),
    "POST /claims/{number}/code": Route(_TOKENS, {"code": "none"}, number="claim"),
    "POST /claims/{number}/order": Route(_TOKENS, {"order": "none"}, number="claim"),
    "POST /claims/{number}/mail": Route(_TOKENS, number="claim"),
    "POST /claims/{number}/report-label": Route(_TOKENS, number="claim"),
    "POST /vouchers": Route(_TOKENS, file="voucher"),
    "POST /device-grants/find": Route(_TOKENS, {"user_code": "WDJB-MJHT"}),
    "POST /device-grants/answer": Route(_TOKENS, {"user_code": "WDJB-MJHT", "yes": False}),
    "GET /held-claims": Route((Permission.MAKER_CLAIMS_READ,)),
    "GET /held-claims/{number}": Route((Permission.MAKER_CLAIMS_READ,), number="held"),
    "POST /held-claims/{number}/vouch": Route(_VOUCH, _WHY, number="held"),
    "GET /cases": Route(_CASES),
    "GET /cases/{number}": Route(_CASES, number="case"),
    "POST /cases/{number}/steps": Route(_SPEAK, {"step": "lapse"}, number="case"),
    "POST /cases/{number}/papers": Route(_BRING, number="case", file="paper"),
    "GET /cases/{number}/papers/{paper}": Route(_CASES, number="case-paper"),
    "GET /devices/{device_id}/attempts": Route(_SEE),
    "GET /handovers": Route(_OFFERS),
    "GET /handovers/{number}": Route(_OFFERS, number="offer"),
    "POST /devices/{device_id}/transfer": Route(_HAND, _BY),
    "POST /devices/{device_id}/return": Route(_HAND, {}),
    "POST /handovers/{number}/accept": Route(_TAKE, {}, number="offer"),
    "POST /handovers/{number}/decline": Route(_HAND, number="offer"),
    "POST /handovers/{number}/cancel": Route(_HAND, number="offer"),
    "POST /devices/{device_id}/swap": Route((Permission.MAKER_HANDOVERS_WRITE,), {"replacement": "{spare}"}),
    "POST /devices/{device_id}/scrap": Route(_TAKE, _WHY, owners=True),
    "GET /past-devices": Route(_HELD),
    "GET /past-devices/{number}/readings": Route(_POINTS, number="past"),
    "POST /past-devices/{number}/data": Route(_DATA, {"kind": "export"}, number="past"),
    "POST /devices/{device_id}/data": Route(_DATA, {"kind": "export"}),
    "GET /data-jobs": Route(_HELD),
    "GET /data-jobs/{number}": Route(_HELD, number="job"),
    "GET /data-jobs/{number}/file": Route(_HELD, number="job"),
    "GET /documents": Route(_OFFERS),
    "GET /documents/{number}": Route(_OFFERS, number="document"),
    "GET /document-key": Route(_OFFERS),
    "GET /ledger": Route((Permission.MAKER_LEDGER_READ,)),
    "GET /ledger/verification": Route((Permission.MAKER_LEDGER_READ,)),
    "GET /registration-tokens/{number}": Route(_TOKENS, number="token"),
    "GET /sites": Route(_SEE),
    "POST /sites": Route(_PLACE, {"name": "Another"}),
    "GET /sites/{number}": Route(_SEE, number="site"),
    "PUT /sites/{number}": Route(_PLACE, {"name": "Another"}, number="site"),
    "DELETE /sites/{number}": Route(_PLACE, number="site"),
    "PUT /devices/{device_id}/place": Route(_PLACE, {"alias": "Another"}),
    "GET /alerts": Route(_POINTS),
    "GET /devices/{device_id}/thresholds": Route(_POINTS),
    "POST /devices/{device_id}/thresholds": Route(_PLACE, {"kind": "silent", "value": 30}),
    "DELETE /devices/{device_id}/thresholds/{number}": Route(_PLACE, number="threshold"),
    "GET /devices/{device_id}/chart": Route(_POINTS),
    "GET /devices/{device_id}/readings/file": Route(_POINTS, query="since=2026-01-01&until=2026-01-02"),
    "GET /activity": Route((Permission.CUSTOMER_LEDGER_READ, *_POINTS, Permission.CUSTOMER_COMMANDS_READ)),
    "GET /summary": Route(_SEE),
    "GET /api-keys": Route(every("keys:write"), proven=True),
    "POST /api-keys": Route(
        every("keys:write"), {"name": "x", "scopes": ["customer:devices:read"]}, proven=True
    ),
    "DELETE /api-keys/{number}": Route(every("keys:write"), number="key"),
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
    "GET /health": Route((Permission.MAKER_HEALTH_READ,)),
    "GET /audit": Route(every("audit:read")),
    "GET /people": Route(every("people:read")),
    "PUT /people/{number}": Route(every("people:write"), {"role": "viewer"}, number="member", proven=True),
    "DELETE /people/{number}": Route(every("people:write"), number="member", proven=True),
    "POST /invitations": Route(
        every("people:write"), {"email": "x@example.org", "role": "viewer"}, proven=True
    ),
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
    "health": Page("maker"),
    "claim": Page("door", _TOKENS, _TOKENS),
    "own-claims": Page("customer", whole=True),
    "claim-request": Page("customer", number="claim", whole=True),
    "claim-code": Page("customer", None, _TOKENS, number="claim"),
    "claim-order": Page("customer", None, _TOKENS, number="claim"),
    "claim-ask": Page("customer", None, _TOKENS, number="claim"),
    "claim-label": Page("customer", None, _TOKENS, number="claim"),
    "claim-voucher": Page("customer", None, _TOKENS),
    "claim-answer": Page("public"),
    "activate": Page("door", _TOKENS, _TOKENS),
    "choose-policy": Page("maker", _PRODUCT, _PRODUCT),
    "vouch": Page("maker", _VOUCH, _VOUCH, number="held"),
    "stock": Page("wholesaler"),
    "send-file": Page("trader", _SELL, _SELL),
    "imported": Page("trader", number="import"),
    "import-failures": Page("trader", number="import"),
    "move": Page("trader", _SELL, _SELL),
    "orders": Page("trader"),
    "order": Page("trader", number="sale"),
    "take-back": Page("trader", None, _SELL, number="sale"),
    "hand-over": Page("customer", _HAND, _HAND),
    "return-device": Page("customer", _HAND, _HAND),
    "scrap-device": Page("customer", _HAND, _HAND),
    "device-data": Page("customer", None, _DATA, {"kind": "export"}),
    "handovers": Page("member", _OFFERS),
    "handover": Page("member", _OFFERS, number="offer"),
    "handover-step": Page("member", None, _TAKE, {"step": "cancel"}, number="offer"),
    "past-device": Page("customer", _HELD, number="past"),
    "export-file": Page("customer", _HELD, number="job"),
    "document": Page("member", _OFFERS, number="document"),
    "cases": Page("member", _CASES),
    "case": Page("member", _CASES, _SPEAK, {"step": "lapse"}, number="case"),
    "case-paper": Page("member", None, _BRING, number="case"),
    "case-paper-file": Page("member", _CASES, number="case-paper"),
    "swap": Page("maker", (Permission.MAKER_HANDOVERS_WRITE,), (Permission.MAKER_HANDOVERS_WRITE,)),
    "activity": Page("customer"),
    "alerts": Page("customer"),
    "language": Page("public", None, ()),
    "sites": Page("customer"),
    "new-site": Page("customer", _PLACE, _PLACE),
    "site": Page("customer", _PLACE, _PLACE, number="site"),
    "remove-site": Page("customer", None, _PLACE, number="site"),
    "charts": Page("customer"),
    "download": Page("customer"),
    "place": Page("customer", _PLACE, _PLACE),
    "thresholds": Page("customer", (), _PLACE),
    "remove-threshold": Page("customer", None, _PLACE, number="threshold"),
    "developer": Page("public"),
    "developer-mail": Page("public"),
    "components": Page("public"),
}


def routes_there_are() -> dict[str, list[str]]:
    """Return every REST operation, ``METHOD /path``, with the scopes that it says it takes."""
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}": list(told.get("x-scopes", ()))
        for path, methods in described()["paths"].items()
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
