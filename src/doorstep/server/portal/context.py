"""What every page's frame shows: who acts, and where they can go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy

from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import Principal
from doorstep.server.portal.access import principal
from doorstep.server.settings import DOORSTEP

if TYPE_CHECKING:
    from django.utils.functional import Promise

__all__ = ["Place", "frame"]


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    url: str
    icon: str
    text: "str | Promise"
    current: bool


_Entry = tuple[str, str, "str | Promise"]

_CUSTOMER: Final = (
    ("home", "home", gettext_lazy("Home")),
    ("devices", "device", gettext_lazy("Devices")),
    ("groups", "batch", gettext_lazy("Groups")),
    ("sites", "site", gettext_lazy("Sites")),
    ("alerts", "alert", gettext_lazy("Alerts")),
    ("activity", "clock", gettext_lazy("Activity")),
)
_OWNER: Final = (
    ("handovers", "sale", gettext_lazy("Coming and going")),
    ("cases", "claim", gettext_lazy("Disputes")),
)
_WHOLESALER: Final = (
    ("stock", "batch", gettext_lazy("Stock")),
    ("orders", "sale", gettext_lazy("Orders")),
)
_MEMBER: Final = (("people", "people", gettext_lazy("People")),)
_WEBHOOKS: Final = (("webhooks", "letter", gettext_lazy("Webhooks")),)
_MANAGER: Final = (("audit", "search", gettext_lazy("Audit")),)
_STAFF: Final = (
    ("products", "product", "Products"),
    ("batches", "batch", "Batches"),
    ("sales", "sale", "Sales"),
    ("claims", "claim", "Claims"),
    ("cases", "claim", "Disputes"),
    ("handovers", "sale", "Returns"),
    ("blocks", "refused", "Block-list"),
    ("ledger", "ledger", "Ledger"),
    ("dead-letters", "refused", "Dead letters"),
    ("health", "check", "Health"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return what the templates' frame needs; cheap for pages that have none."""
    somebody = principal(request) if hasattr(request, "user") else None
    return {
        "principal": somebody,
        "places": _places(request, _entries(somebody)) if somebody else (),
        "developer_page": DOORSTEP.developer_page,
        "mail_is_shown": DOORSTEP.developer_page and not DOORSTEP.smtp_url,
        "base_url": DOORSTEP.base_url,
    }


def _entries(somebody: Principal) -> tuple[_Entry, ...]:
    member = (
        *(_MEMBER if somebody.may_see_people else ()),
        *(_WEBHOOKS if somebody.may_see_webhooks else ()),
        *(_MANAGER if somebody.may_audit else ()),
    )
    if somebody.is_maker:
        return _STAFF + member
    owner = _OWNER if somebody.may(Permission.CUSTOMER_HANDOVERS_READ) else ()
    return (*_CUSTOMER, *owner, *member) if somebody.is_customer else _WHOLESALER + member


def _places(request: HttpRequest, entries: tuple[_Entry, ...]) -> tuple[Place, ...]:
    urls = ((reverse(name), icon, text) for name, icon, text in entries)
    here = request.path
    return tuple(
        Place(url, icon, text, here == url or (url != "/" and here.startswith(url)))
        for url, icon, text in urls
    )
