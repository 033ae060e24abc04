"""Which methods a product has on: what contradicts itself is refused, what is weak needs a person's yes."""

from collections.abc import Collection, Iterable
from typing import Final

from doorstep.errors import MisuseError, RefusedError
from doorstep.identity.assurance import IdentityMethod
from doorstep.onboarding.methods import DEFAULTS, METHODS, Method, Standing

__all__ = ["HAVE_DEVICE_KEY", "ContradictingMethods", "RiskNotAccepted", "UnknownMethod", "choose", "weak"]

HAVE_DEVICE_KEY: Final = frozenset({IdentityMethod.CERTIFICATE, IdentityMethod.SECURE_ELEMENT})
"""Identities with a P-256 key in the device."""

_WHY_NOT: Final = {
    Standing.REFUSED: "protects nothing and is never on a product",
    Standing.DOCUMENTED: "is documented only",
}


class UnknownMethod(MisuseError):
    """There is no onboarding method of that name."""


class ContradictingMethods(MisuseError):
    """Methods that cannot stand side by side, or not on this product."""


class RiskNotAccepted(RefusedError):
    """A weak method was asked for and nobody has accepted its risk; ``method`` says which."""

    def __init__(self, method: Method) -> None:
        super().__init__(
            f"{method.name} is weak: {method.risk}",
            next_step=f"Leave {method.key} off, or accept the risk: --accept-risk {method.key}",
        )
        self.method = method


def choose(
    wanted: Iterable[str], identity: IdentityMethod, accepted: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the methods in the table's order; ``accepted`` are the weak ones whose risk a person took.

    Raises `UnknownMethod`, `ContradictingMethods` and `RiskNotAccepted`.
    """
    keys = set(wanted)
    chosen = tuple(method for method in _known(keys | set(accepted)) if method.key in keys)
    if not chosen:
        raise ContradictingMethods(
            "a product without an onboarding method can never be set up",
            next_step=f"Leave one on, as {DEFAULTS[0]}.",
        )
    for method in chosen:
        _check(method, keys, identity)
    if pointless := sorted(set(accepted) - {method.key for method in chosen if method.needs_consent}):
        raise ContradictingMethods(
            f"there is no risk to accept for {pointless[0]}: it is not asked for, or needs no consent",
            next_step=f"To turn it on: --enable {pointless[0]}",
        )
    for method in chosen:
        if method.needs_consent and method.key not in accepted:
            raise RiskNotAccepted(method)
    return tuple(method.key for method in chosen)


def weak(keys: Iterable[str]) -> tuple[Method, ...]:
    """Return those of a product's methods that mark it."""
    return tuple(METHODS[key] for key in keys if key in METHODS and METHODS[key].needs_consent)


def _known(keys: Collection[str]) -> list[Method]:
    if unknown := sorted(set(keys) - METHODS.keys()):
        raise UnknownMethod(
            f"there is no onboarding method {unknown[0][:40]!r}", next_step="See: doorstep product methods"
        )
    return [method for method in METHODS.values() if method.key in keys]


def _check(method: Method, keys: Collection[str], identity: IdentityMethod) -> None:
    if not method.may_be_chosen:
        raise ContradictingMethods(
            f"{method.key} {_WHY_NOT[method.standing]}", next_step=f"{method.risk} It needs: {method.needs}"
        )
    if method.needs_device_key and identity not in HAVE_DEVICE_KEY:
        raise ContradictingMethods(
            f"{method.key} needs a device with a P-256 factory key, and this product's identity is "
            f"{identity.value.replace('_', ' ')}",
            next_step="Give the product certificates or secure elements, or choose another method.",
        )
    if method.needs_key_at_factory and identity is IdentityMethod.SECURE_ELEMENT:
        raise ContradictingMethods(
            f"the factory computes the label of {method.key} from the device's private key, and a secure "
            "element gives its key to nobody",
            next_step=f"Leave it off, or take it off: --disable {method.key}",
        )
    if clash := sorted(method.excludes & set(keys)):
        raise ContradictingMethods(
            f"{method.key} and {clash[0]} contradict each other: an attacker would choose the weaker",
            next_step=f"Take one of them off: --disable {method.key} or --disable {clash[0]}",
        )
    if method.asks_for and not method.asks_for & set(keys):
        raise ContradictingMethods(
            f"{method.key} protects nothing by itself: it is how Bluetooth pairs before another method",
            next_step=f"Turn one of these on as well: {', '.join(sorted(method.asks_for))}",
        )
