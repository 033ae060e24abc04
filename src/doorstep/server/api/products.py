"""Products and the onboarding methods that they have on."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Status
from pydantic import Field

from doorstep.identity.assurance import IdentityMethod
from doorstep.messaging.legacy.formats import Format
from doorstep.onboarding.methods import METHODS
from doorstep.ownership.policy import POLICY_CAP
from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.fields import Line, ProductKey
from doorstep.server.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, page
from doorstep.server.api.routing import Router, needs
from doorstep.server.api.schema import Schema
from doorstep.server.clock import now_us
from doorstep.server.fleet.legacy import set_legacy
from doorstep.server.fleet.models import Product
from doorstep.server.fleet.onboarding import set_onboarding
from doorstep.server.fleet.products import add_product, find_product
from doorstep.server.fleet.queries import all_products

__all__ = ["router"]

router = Router(tags=["products"])
_READ = needs(Permission.MAKER_PRODUCTS_READ)
_WRITE = needs(Permission.MAKER_PRODUCTS_WRITE)

Keys = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=len(METHODS))]


class WeakMethod(Schema):
    """A weak onboarding method that is on, and what an attacker can do with it."""

    method: str
    """Key of the method."""
    risk: str
    """What an attacker can do."""


class InsecureFormat(Schema):
    """A legacy message format that is on, and what an attacker can do with it."""

    format: str
    """Key of the format."""
    risk: str
    """What an attacker can do."""


class ProductOut(Schema):
    """A product."""

    key: str
    """As programs write it."""
    name: str
    """As customers read it."""
    identity_method: str
    """What its devices are made with."""
    claim_policy: str
    """The evidence that makes somebody the owner."""
    onboarding_methods: list[str]
    """What devices open that are made from now on."""
    weak_setup: list[WeakMethod]
    """Weak onboarding methods that are on; none is best."""
    insecure_formats: list[InsecureFormat]
    """Legacy message formats that are taken; none is best."""


class ProductPage(Page[ProductOut]):
    """Products by key."""


class ProductIn(Schema, extra="forbid"):
    """A product to be."""

    key: Annotated[str, Field(pattern="^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
    """As programs write it; it stays for good."""
    name: Annotated[Line, Field(min_length=1)]
    """As customers read it."""
    claim_policy: Annotated[str, Field(max_length=POLICY_CAP)] = ""
    """The evidence that makes somebody the owner; empty for the strong one."""
    identity: Literal["certificate", "symmetric_key", "secure_element"] = "certificate"
    """What its devices are made with; it stays for good."""


class OnboardingIn(Schema, extra="forbid"):
    """The methods to have on, all of them, and the weak ones among them whose risk a person accepts."""

    methods: Keys
    """Keys of all methods to have on."""
    accept_risk: Keys = Field(default_factory=list)
    """Keys of the weak ones among them whose risk is accepted."""


Formats = Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=len(Format))]


class LegacyIn(Schema, extra="forbid"):
    """The legacy formats to take, all of them, and those whose risk a person accepts."""

    formats: Formats
    """Keys of all formats to take."""
    accept_risk: Formats = Field(default_factory=list)
    """Keys of those whose risk is accepted."""


@router.get("/products", response={200: ProductPage}, operation_id="list_products", openapi_extra=_READ)
def list_products(request: HttpRequest, cursor: Cursor = "", limit: Limit = DEFAULT_LIMIT) -> Any:
    """List the products."""
    return page(all_products(), "key", _shown, cursor, limit)


@router.post("/products", response={201: ProductOut}, operation_id="add_product", openapi_extra=_WRITE)
def make_product(request: HttpRequest, wish: ProductIn) -> Any:
    """Add a product. Its devices are made by `doorstep factory batch`."""
    made = add_product(wish.key, wish.name, wish.claim_policy, identity=IdentityMethod(wish.identity))
    return Status(201, _shown(made))


@router.get("/products/{key}", response={200: ProductOut}, operation_id="get_product", openapi_extra=_READ)
def get_product(request: HttpRequest, key: ProductKey) -> Any:
    """Return one product."""
    return _shown(find_product(key))


@router.put(
    "/products/{key}/onboarding",
    response={200: ProductOut},
    operation_id="set_onboarding",
    openapi_extra=_WRITE,
)
def put_onboarding(request: HttpRequest, key: ProductKey, wish: OnboardingIn) -> Any:
    """Choose a product's onboarding methods; a weak one needs its risk accepted, once, and marks the product.

    Batches made from now on have them; devices that are made keep theirs.
    """
    caller = caller_of(request)
    product = find_product(key)
    return _shown(
        set_onboarding(product, wish.methods, wish.accept_risk, actor=caller.actor, now_us=now_us())
    )


@router.put(
    "/products/{key}/legacy",
    response={200: ProductOut},
    operation_id="set_legacy_formats",
    openapi_extra=_WRITE,
)
def put_legacy(request: HttpRequest, key: ProductKey, wish: LegacyIn) -> Any:
    """Choose which insecure message formats are taken of a product's devices; each needs its risk accepted.

    It holds from now on for all of them, and marks the product and each device that uses one.
    """
    caller = caller_of(request)
    product = find_product(key)
    return _shown(set_legacy(product, wish.formats, wish.accept_risk, actor=caller.actor, now_us=now_us()))


def _shown(product: Product) -> dict[str, Any]:
    return {
        "key": product.key,
        "name": product.name,
        "identity_method": product.identity_method,
        "claim_policy": product.claim_policy,
        "onboarding_methods": product.onboarding_methods,
        "weak_setup": [{"method": one.key, "risk": one.risk} for one in product.weak_setup],
        "insecure_formats": [{"format": one, "risk": one.risk} for one in product.insecure_formats],
    }
