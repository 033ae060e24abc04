"""Choose a product's methods with advice, and make the product."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from doorstep.errors import DoorstepError, MisuseError
from doorstep.identity.advice import Advice, MethodSet, advise
from doorstep.identity.ids import check_product_key
from doorstep.identity.methods import name_of
from doorstep.identity.prices import ASSUMED, ASSUMPTIONS, Price, Prices, Range, parse_range
from doorstep.identity.situation import (
    DECIMALS_CAP,
    PRICE_CAP,
    QUESTIONS,
    UNITS_CAP,
    WORDS,
    Chip,
    Control,
    Damage,
    Sales,
    Situation,
)
from doorstep.ownership.policy import POLICY_CAP, BadPolicy, needs, parse
from doorstep.server.accounts.queries import Principal
from doorstep.server.fleet.models import Product
from doorstep.server.fleet.products import add_product
from doorstep.server.portal.access import staff_page
from doorstep.server.portal.asking import asked
from doorstep.server.portal.sentences import sentences
from doorstep.server.portal.views.policies import simulated

__all__ = ["advice", "new"]

_UNSAID: Final = ("", "Please choose")
_YES_NO: Final = (_UNSAID, ("yes", "Yes"), ("no", "No"))
_RANGE_CAP: Final = 40


def _choose(kind: type[Damage] | type[Chip] | type[Sales] | type[Control]) -> forms.TypedChoiceField:
    words = [(one.value, WORDS[one][:1].upper() + WORDS[one][1:]) for one in kind]
    return forms.TypedChoiceField(choices=[_UNSAID, *words], coerce=kind)


def _yes_or_no() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(choices=_YES_NO, coerce=lambda text: text == "yes")


def _money() -> forms.DecimalField:
    return forms.DecimalField(min_value=0, max_value=PRICE_CAP, decimal_places=DECIMALS_CAP)


class AdviseForm(forms.Form):
    """The questions of `doorstep.identity.situation`, and the prices that the maker knows better."""

    damage = _choose(Damage)
    price = _money()
    budget = _money()
    units = forms.IntegerField(min_value=1, max_value=UNITS_CAP)
    chip = _choose(Chip)
    sales = _choose(Sales)
    can_scan = _yes_or_no()
    control = _choose(Control)
    line_online = _yes_or_no()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask in the words of the core and add a field for each assumed price."""
        super().__init__(*args, **kwargs)
        for name, question in QUESTIONS.items():
            self.fields[name].label = question
        for price, (assumed, says) in ASSUMPTIONS.items():
            self.fields[price.value] = forms.CharField(
                label=says[:1].upper() + says[1:],
                required=False,
                max_length=_RANGE_CAP,
                help_text=f"We assume {assumed}. Write one amount, as 0.62, or a range, as 0.5..1.",
            )
        for field in self.fields.values():
            field.error_messages["required"] = "Please answer this."

    @property
    def questions(self) -> list[forms.BoundField]:
        """The fields that must be answered."""
        return [self[name] for name in QUESTIONS]

    @property
    def prices(self) -> list[forms.BoundField]:
        """The fields that replace an assumption."""
        return [self[price.value] for price in Price]

    @property
    def has_price_errors(self) -> bool:
        """Whether a field that is folded away needs attention."""
        return any(field.errors for field in self.prices)

    def clean(self) -> dict[str, Any]:
        """Read the prices that were given."""
        for price in Price:
            text: str = self.cleaned_data.get(price.value, "")
            try:
                self.cleaned_data[price.value] = parse_range(text) if text else ASSUMED[price]
            except MisuseError as error:
                self.add_error(price.value, sentences(error))
        return self.cleaned_data

    def advice(self) -> Advice:
        """Return what the answers lead to; only for a valid form."""
        prices: Prices = {price: self.cleaned_data[price.value] for price in Price}
        return advise(Situation(**{name: self.cleaned_data[name] for name in QUESTIONS}), prices)


class NewProductForm(forms.Form):
    """A product's key, name and claim policy."""

    name = forms.CharField(label="Name", max_length=120, help_text="As customers read it: Thermo One.")
    key = forms.CharField(
        label="Key",
        max_length=40,
        help_text="As programs write it: thermo-1. Lower-case letters, digits and dashes; it stays for good.",
    )
    claim_policy = forms.CharField(
        label="Claim policy",
        max_length=POLICY_CAP,
        help_text="The evidence that makes somebody the owner, joined with &amp; (and) and | (or).",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def clean_key(self) -> str:
        """Return a key that can be one."""
        try:
            return check_product_key(self.cleaned_data["key"])
        except DoorstepError as error:
            raise forms.ValidationError(sentences(error)) from error

    def clean_claim_policy(self) -> str:
        """Return a policy that can be read."""
        try:
            return parse(self.cleaned_data["claim_policy"]).text
        except BadPolicy as error:
            raise forms.ValidationError(sentences(error)) from error


@require_safe
@staff_page
def advice(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Ask about a product, and say below the same address which methods fit it."""
    form = AdviseForm(request.GET or None)
    answer = form.advice() if form.is_valid() else None
    context = {"form": form, "may_make": principal.may_make_products}
    if answer:
        context |= _shown(answer, form.cleaned_data["price"])
    return render(request, "portal/staff/advise.html", context)


def _shown(answer: Advice, price: Decimal) -> Mapping[str, Any]:
    sets = (
        ("Next cheaper", answer.cheaper),
        ("Recommended", answer.recommended),
        ("Next stronger", answer.stronger),
    )
    policy = urlencode({"claim_policy": answer.recommended.policy})
    return {
        "advice": answer,
        "identity": name_of(answer.recommended.identity),
        "claim_needs": needs(parse(answer.recommended.policy)),
        "share": answer.recommended.cost.percent_of(price),
        "compared": [_row(title, one) for title, one in sets if one],
        "make": f"{reverse('new-product')}?{policy}",
    }


def _row(title: str, one: MethodSet) -> tuple[str, str, Range, MethodSet]:
    return title, name_of(one.identity), one.cost.total, one


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def new(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Ask for a product's name, key and claim policy; make it, or only explain the policy."""
    if not principal.may_make_products:
        raise PermissionDenied
    if request.method == "POST" and "explain" not in request.POST:
        form = NewProductForm(request.POST)
        if form.is_valid() and (made := _make(form)):
            messages.success(request, f"{made.name} is there. A claim: {needs(parse(made.claim_policy))}")
            return redirect("product", made.key)
    else:
        form = NewProductForm(initial=_typed(request))
    shown = simulated(str(form["claim_policy"].value() or ""))
    if form.is_bound:
        shown.pop("problem", None)  # the field says it
    context = {"form": form, **shown}
    return render(request, "portal/staff/new_product.html", context)


def _make(form: NewProductForm) -> Product | None:
    try:
        return add_product(
            form.cleaned_data["key"], form.cleaned_data["name"], form.cleaned_data["claim_policy"]
        )
    except MisuseError as error:
        form.add_error("key", sentences(error))
        return None


def _typed(request: HttpRequest) -> dict[str, Any]:
    """Return what was typed before the explanation was asked for, or what the advice suggests."""
    if request.method == "POST":
        return {name: request.POST.get(name, "") for name in NewProductForm.base_fields}
    suggested = asked(request, "claim_policy", POLICY_CAP)
    return {"claim_policy": suggested or Product().claim_policy}
