"""Choose a product's onboarding methods: each weak one with its risk and a box to accept it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from doorstep.errors import DoorstepError
from doorstep.onboarding.methods import METHODS, Method
from doorstep.server.accounts.queries import Principal, actor_name
from doorstep.server.clock import now_us
from doorstep.server.fleet.models import OnboardingChange, Product
from doorstep.server.fleet.onboarding import set_onboarding
from doorstep.server.portal.access import staff_page
from doorstep.server.portal.sentences import sentences

__all__ = ["choose"]

_MOST: Final = len(METHODS)


@dataclass(frozen=True, slots=True)
class _Row:
    """One method as the form shows it."""

    method: Method
    on: bool
    accepted: bool


@dataclass(frozen=True, slots=True)
class _Change:
    """Who put a weak method on or off."""

    change: OnboardingChange
    name: str
    who: str


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def choose(request: HttpRequest, principal: Principal, key: str) -> HttpResponse:
    """Show every method that a product can have, and store what is chosen."""
    if not principal.may_make_products:
        raise PermissionDenied
    product = get_object_or_404(Product, key=key)
    wanted, accepted, problem = product.onboarding_methods, _known(product), ""
    if request.method == "POST":
        wanted, accepted = _ticked(request, "method"), _ticked(request, "accept")
        # Accepting a risk is half of a choice: a box left ticked for a method that is off means nothing.
        meant = [method for method in accepted if method in wanted]
        try:
            set_onboarding(product, wanted, meant, actor=principal.actor, now_us=now_us())
        except DoorstepError as error:
            problem = sentences(error)
        else:
            messages.success(request, "Devices made from now on have these methods.")
            return redirect("product", product.key)
    context = {
        "product": product,
        "problem": problem,
        "rows": _rows(wanted, accepted),
        "changes": _changes(product, principal),
    }
    return render(request, "portal/staff/setup_methods.html", context, status=422 if problem else 200)


def _known(product: Product) -> Sequence[str]:
    return [method.key for method in product.weak_setup]


def _ticked(request: HttpRequest, name: str) -> Sequence[str]:
    return request.POST.getlist(name)[:_MOST]


def _rows(wanted: Sequence[str], accepted: Sequence[str]) -> list[_Row]:
    return [
        _Row(method, method.key in wanted, method.key in accepted)
        for method in METHODS.values()
        if method.may_be_chosen
    ]


def _changes(product: Product, principal: Principal) -> list[_Change]:
    rows = product.onboarding_changes.order_by("-at_us", "-pk")[:_MOST]
    return [_Change(row, METHODS[row.method].name, actor_name(row.actor, principal)) for row in rows]
