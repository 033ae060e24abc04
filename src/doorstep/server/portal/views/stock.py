"""Stock and orders: for wholesalers their own, for the maker's staff what leaves the maker."""

from typing import TYPE_CHECKING, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from doorstep.errors import MisuseError
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import import_file, withdraw
from doorstep.server.custody.actions.imports import UPLOAD_CAP
from doorstep.server.custody.actions.rows import RowsOutcome
from doorstep.server.custody.models import Sale
from doorstep.server.custody.queries import (
    NoSuchImport,
    NoSuchSale,
    deliveries_to,
    import_of,
    places_in,
    sale_for,
    sales_by,
    seller_of,
    stand_of,
    stock_of,
)
from doorstep.server.portal.access import trade_page, wholesaler_page
from doorstep.server.portal.asking import asked
from doorstep.server.portal.moving import MOVES, DevicesForm, WithdrawForm, serials_in
from doorstep.server.portal.sentences import sentences

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
from doorstep.server.files import attached

__all__ = ["failures", "imported", "move", "order", "orders", "overview", "send_file", "take_back"]

_ROWS: Final = 50


def _check_size(file: "UploadedFile[bytes]") -> None:
    if file.size is None or file.size > UPLOAD_CAP:
        raise forms.ValidationError(
            _("The file has more than %(size)s MiB. Split it.") % {"size": UPLOAD_CAP >> 20}
        )


class FileForm(forms.Form):
    """A file of orders."""

    file = forms.FileField(
        validators=[_check_size],
        label=_("CSV file"),
        help_text=_("Columns: order, serial, and buyer_email or wholesaler, perhaps box. At most 2 MiB."),
    )


@require_safe
@wholesaler_page
def overview(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List what the wholesaler holds, and what is on its way to it."""
    search = asked(request, "q", 80)
    rows = stock_of(principal.organisation)
    coming = rows.filter(received_us=None).count()
    if search:
        rows = rows.filter(
            Q(device__serial__icontains=search) | Q(box__iexact=search) | Q(sale__order__iexact=search)
        )
    page = Paginator(rows, _ROWS).get_page(request.GET.get("page"))
    return render(request, "portal/stock/stock.html", {"page": page, "search": search, "coming": coming})


@require_http_methods(["GET", "HEAD", "POST"])
@trade_page
def move(request: HttpRequest, principal: Principal, what: str) -> HttpResponse:
    """Take devices by their names, move them, and say of each that could not be moved why."""
    doing = MOVES.get(what)
    if doing is None or not doing.is_for(principal):
        raise Http404
    _require(principal)
    form = doing.form(request.POST or None, initial={"devices": asked(request, "devices", 200)})
    outcome = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            serials = serials_in(said["devices"], seller_of(principal.organisation))
            outcome = doing.act(principal, said, serials)
        except MisuseError as error:
            form.add_error(None, sentences(error))
        else:
            form = _left(doing.form, request, outcome)
    context = {"move": doing, "form": form, "outcome": outcome}
    return render(request, "portal/stock/move.html", context)


@require_safe
@trade_page
def orders(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List a wholesaler's own orders, or what was sent to it."""
    if principal.is_maker:
        return redirect("sales")
    coming = request.GET.get("show") == "deliveries"
    rows = (deliveries_to if coming else sales_by)(principal.organisation)
    page = Paginator(rows, _ROWS).get_page(request.GET.get("page"))
    return render(request, "portal/stock/orders.html", {"page": page, "coming": coming})


@require_safe
@trade_page
def order(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Show an order to its seller, or to the wholesaler that bought, with where its devices are."""
    return _order(request, principal, number, None, None)


@require_http_methods(["POST"])
@trade_page
def take_back(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Take devices out of an order of one's own."""
    _require(principal)
    sale = _sale(principal, number)
    seller = seller_of(principal.organisation)
    if sale.seller != seller:
        raise Http404
    form: DevicesForm = WithdrawForm(request.POST)
    outcome = None
    if form.is_valid():
        said = form.cleaned_data
        try:
            outcome = withdraw(
                seller,
                sale.order,
                serials_in(said["devices"], None),
                said["reason"],
                actor=principal.actor,
                now_us=now_us(),
            )
        except MisuseError as error:
            form.add_error(None, sentences(error))
        else:
            form = _left(WithdrawForm, request, outcome)
    return _order(request, principal, number, form, outcome)


@require_http_methods(["GET", "HEAD", "POST"])
@trade_page
def send_file(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Take a file of orders."""
    _require(principal)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            run = import_file(
                form.cleaned_data["file"].read(),
                principal.organisation,
                actor=principal.actor,
                source="portal",
                now_us=now_us(),
            )
        except MisuseError as error:
            form.add_error("file", sentences(error))
        else:
            return redirect("imported", run.pk)
    return render(request, "portal/stock/file.html", {"form": form})


@require_safe
@trade_page
def imported(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Say what became of a file."""
    try:
        run = import_of(principal.organisation, number)
    except NoSuchImport as error:
        raise Http404 from error
    return render(request, "portal/stock/imported.html", {"run": run})


@require_safe
@trade_page
def failures(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Hand out the rows of a file that were not stored."""
    try:
        run = import_of(principal.organisation, number)
    except NoSuchImport as error:
        raise Http404 from error
    return attached(run.failures, "text/csv; charset=utf-8", f"orders-{run.pk}-failed.csv")


def _order(
    request: HttpRequest,
    principal: Principal,
    number: int,
    form: DevicesForm | None,
    outcome: RowsOutcome | None,
) -> HttpResponse:
    sale = _sale(principal, number)
    mine = sale.seller == seller_of(principal.organisation)
    page = Paginator(places_in(sale), _ROWS).get_page(request.GET.get("page"))
    context = {
        "sale": sale,
        "mine": mine,
        "page": page,
        "stands": [stand_of(sale, place, principal.organisation) for place in page],
        "form": (form or WithdrawForm()) if mine and principal.may_trade else None,
        "outcome": outcome,
    }
    return render(request, "portal/stock/order.html", context)


def _sale(principal: Principal, number: int) -> Sale:
    try:
        return sale_for(principal.organisation, number)
    except NoSuchSale as error:
        raise Http404 from error


def _left(form: type[DevicesForm], request: HttpRequest, outcome: RowsOutcome) -> DevicesForm:
    """Return the form again with the devices that could not be moved, and the rest as it was typed."""
    typed = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    return form(initial=typed | {"devices": "\n".join(bad.serial for bad in outcome.bad)})


def _require(principal: Principal) -> None:
    if not principal.may_trade:
        raise PermissionDenied
