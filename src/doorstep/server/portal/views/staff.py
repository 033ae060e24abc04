"""Pages of the maker's staff: products, batches, sales, claims, ledger, dead letters."""

from collections.abc import Iterable
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from doorstep.ownership.chain import LedgerBroken
from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import Principal, actor_name
from doorstep.server.custody import ledger as custody_ledger
from doorstep.server.custody.actions.vouching import held_claims
from doorstep.server.custody.models import Sale
from doorstep.server.custody.queries import all_entries, all_sales, holder_of, lines_of, open_disputes
from doorstep.server.custody.story import chapters, story_of
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.queries import (
    active_credential,
    all_batches,
    all_products,
    devices_in,
    last_revocation,
    last_trouble,
    rotations_of,
)
from doorstep.server.portal.access import staff_page
from doorstep.server.portal.asking import asked
from doorstep.server.portal.sentences import sentences
from doorstep.server.portal.views.policies import simulated
from doorstep.server.readings.queries import dead_letters

__all__ = [
    "batch",
    "batches",
    "claims",
    "device",
    "ledger",
    "letters",
    "product",
    "products",
    "sale",
    "sales",
    "verify",
]

_ROWS: Final = 50


@require_safe
@staff_page
def products(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the kinds of device."""
    return render(request, "portal/staff/products.html", {"page": _page(request, all_products())})


@require_safe
@staff_page
def product(request: HttpRequest, principal: Principal, key: str) -> HttpResponse:
    """Show one product: its methods, its claim policy, its batches."""
    row = get_object_or_404(all_products(), key=key)
    trials = simulated(row.claim_policy)
    context = {"product": row, **trials, "page": _page(request, all_batches().filter(product=row))}
    return render(request, "portal/staff/product.html", context)


@require_safe
@staff_page
def batches(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List batches, newest first."""
    return render(request, "portal/staff/batches.html", {"page": _page(request, all_batches())})


@require_safe
@staff_page
def batch(request: HttpRequest, principal: Principal, number: str) -> HttpResponse:
    """Show one batch and its devices."""
    row = get_object_or_404(all_batches(), number=number)
    context = {"batch": row, "page": _page(request, devices_in(row))}
    return render(request, "portal/staff/batch.html", context)


@require_safe
@staff_page
def device(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Show a device to staff: identity, keys and ledger, but not its owner's readings."""
    row = get_object_or_404(Device.objects.select_related("product", "batch", "owner"), device_id=device_id)
    revocation = last_revocation(row)
    context = {
        "device": row,
        "credential": active_credential(row),
        "rotations": rotations_of(row, 3),
        "revocation": revocation,
        "trouble": last_trouble(row),
        "revoked_by": actor_name(revocation.asked_by, principal) if revocation else "",
        "sealed": getattr(row, "sealed", None),
        "story": story_of(row, principal.organisation),
        "holder": holder_of(row),
        "may_vouch": principal.may(Permission.MAKER_CLAIMS_VOUCH),
    }
    return render(request, "portal/staff/device.html", context)


@require_safe
@staff_page
def sales(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List sales, newest first."""
    return render(request, "portal/staff/sales.html", {"page": _page(request, all_sales())})


@require_safe
@staff_page
def sale(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Show one sale and its devices."""
    row = get_object_or_404(Sale.objects.select_related("wholesaler", "seller"), pk=number)
    return render(request, "portal/staff/sale.html", {"sale": row, "page": _page(request, lines_of(row))})


@require_safe
@staff_page
def claims(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show what waits for somebody: held claims and open disputes."""
    may_vouch = principal.may(Permission.MAKER_CLAIMS_VOUCH)
    context = {
        "may_vouch": may_vouch,
        "disputes": open_disputes()[:_ROWS],
        "page": _page(request, held_claims()),
    }
    return render(request, "portal/staff/claims.html", context)


@require_safe
@staff_page
def ledger(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show the custody ledger, newest first."""
    page = _page(request, all_entries())
    return render(
        request,
        "portal/staff/ledger.html",
        {"page": page, "chapters": chapters(page, principal.organisation)},
    )


@require_POST
@staff_page
def verify(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Verify the whole ledger and say what came of it; a very long one is the command's work."""
    try:
        head = custody_ledger.verify_soon()
    except custody_ledger.LedgerTooLong as error:
        messages.warning(request, sentences(error))
    except LedgerBroken as error:
        messages.error(
            request, f"The ledger is broken: {error.message}. Keep it as it is and look for a backup."
        )
    else:
        messages.success(
            request, f"All {head.number} entries hold: every hash and every signature. End: {head}"
        )
    return redirect("ledger")


@require_safe
@staff_page
def letters(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show messages and attempts that were refused, and why."""
    device_id = asked(request, "device", 8)
    context = {"page": _page(request, dead_letters(device_id)), "device_id": device_id}
    return render(request, "portal/staff/dead_letters.html", context)


def _page(request: HttpRequest, rows: Iterable[Any]) -> Page[Any]:
    return Paginator(rows, _ROWS).get_page(request.GET.get("page"))  # type: ignore[arg-type]  # a query set
