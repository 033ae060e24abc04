"""The table of all onboarding methods; `METHODS` is where products, pages and documents read it."""

from collections.abc import Mapping
from typing import Final

from doorstep.onboarding.methods.bluetooth import BLUETOOTH
from doorstep.onboarding.methods.method import Method, Proof, Role, Standing
from doorstep.onboarding.methods.others import OTHERS
from doorstep.onboarding.methods.pages import PAGES
from doorstep.onboarding.methods.proofs import PROOFS
from doorstep.onboarding.methods.protocomm import PROTOCOMM
from doorstep.onboarding.methods.singletouch import SINGLE_TOUCH

__all__ = ["DEFAULTS", "METHODS", "PROOFS", "Method", "Proof", "Role", "Standing"]

METHODS: Final[Mapping[str, Method]] = {
    method.key: method for method in (*PROTOCOMM, *SINGLE_TOUCH, *PAGES, *OTHERS, *BLUETOOTH)
}
"""Key → method, in the order in which people read it."""

DEFAULTS: Final = tuple(key for key, method in METHODS.items() if method.standing is Standing.DEFAULT)
"""What a product starts with."""
