"""Products come into the world."""

from typing import Final

from django.db import IntegrityError, transaction

from doorstep.errors import MisuseError
from doorstep.identity.assurance import MADE_IDENTITIES, IdentityMethod
from doorstep.identity.ids import check_product_key
from doorstep.messaging.variant import RATCHET_8, Variant
from doorstep.onboarding.choice import HAVE_DEVICE_KEY
from doorstep.onboarding.methods import DEFAULTS, METHODS
from doorstep.ownership.policy import parse
from doorstep.server.fleet.models import Batch, Product

__all__ = [
    "RESERVED_KEYS",
    "NoSuchProduct",
    "add_product",
    "find_product",
    "open_batch_row",
]

RESERVED_KEYS: Final = frozenset({"new", "advise"})
"""They stand where a product's key stands in the portal's addresses."""


class NoSuchProduct(MisuseError):
    """There is no product of that key."""


def add_product(  # noqa: PLR0913 - what a product is
    key: str,
    name: str,
    claim_policy: str = "",
    *,
    release_setup_code: bool = False,
    identity: IdentityMethod = IdentityMethod.CERTIFICATE,
    sealed: Variant = RATCHET_8,
) -> Product:
    """Store a product; the default claim policy is the strong one. Identity and variant never change.

    Raises MisuseError when the key is taken or reserved, the policy can't be read, or the factory makes no
    such identity; MalformedMessage for what is no key.
    """
    if identity not in MADE_IDENTITIES:
        raise MisuseError(
            f"the factory makes no devices whose identity is {identity.value.replace('_', ' ')}",
            next_step=f"Choose one of {', '.join(method.value for method in MADE_IDENTITIES)}.",
        )
    check_product_key(key)
    if key in RESERVED_KEYS:
        raise MisuseError(f"the portal has a page called {key}", next_step="Choose another key.")
    product = Product(key=key, name=" ".join(name.split())[:120], release_setup_code=release_setup_code)
    product.identity_method = identity.value
    product.sealed_variant = sealed.name
    if identity not in HAVE_DEVICE_KEY:
        product.onboarding_methods = [method for method in DEFAULTS if not METHODS[method].needs_device_key]
    if claim_policy:
        product.claim_policy = parse(claim_policy).text
    try:
        with transaction.atomic():
            product.save()
    except IntegrityError as error:
        raise MisuseError(f"there is a product {key} already", next_step="Choose another key.") from error
    return product


def find_product(key: str) -> Product:
    """Return a product by its key, or raise NoSuchProduct that says how to make it."""
    product = Product.objects.filter(key=key).first()
    if product is None:
        known = ", ".join(Product.objects.order_by("key").values_list("key", flat=True)[:10]) or "none yet"
        raise NoSuchProduct(
            f"there is no product {key[:40]!a}; there are: {known}",
            next_step=f"Make it: doorstep product add {key} --name 'Its name'",
        )
    return product


def open_batch_row(product: Product, number: str, count: int) -> Batch:
    """Store a batch that is about to be made."""
    return Batch.objects.create(
        product=product, number=number, count=count, onboarding_methods=product.onboarding_methods
    )
