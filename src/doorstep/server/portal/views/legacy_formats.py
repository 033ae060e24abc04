"""Choose which insecure message formats are taken of a product's old boards: each with its risk."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from doorstep.errors import DoorstepError
from doorstep.messaging.legacy.formats import Format
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.fleet.legacy import set_legacy
from doorstep.server.fleet.models import Product
from doorstep.server.portal.access import staff_page

__all__ = ["choose"]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def choose(request: HttpRequest, principal: Principal, key: str) -> HttpResponse:
    """Show every legacy format with its risk, and store what is accepted."""
    if not principal.may_make_products:
        raise PermissionDenied
    product = get_object_or_404(Product, key=key)
    wanted, problem = list(product.insecure_formats), ""
    if request.method == "POST":
        # One box a format: to tick it is to say that its risk was read, so no second one is needed.
        accepted = request.POST.getlist("accept")[: len(Format)]
        try:
            set_legacy(product, accepted, accepted, actor=principal.actor, now_us=now_us())
        except DoorstepError as error:
            problem = f"{error.message[:1].upper()}{error.message[1:]}"
        else:
            messages.success(request, "It holds from now on, for all of its devices.")
            return redirect("product", product.key)
    context = {"product": product, "problem": problem, "rows": [(one, one in wanted) for one in Format]}
    return render(request, "portal/staff/legacy_formats.html", context, status=422 if problem else 200)
