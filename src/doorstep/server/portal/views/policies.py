"""The maker's staff vouch for a claim, and choose by what a product is claimed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from doorstep.errors import DoorstepError
from doorstep.ownership.claims import Outcome
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.policy import POLICY_CAP, BadPolicy
from doorstep.ownership.simulation import try_policy
from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import Principal, actor_name
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.policies import change_policy, policies_of
from doorstep.server.custody.actions.vouching import NoSuchClaim, held_claim, vouch_for_claim
from doorstep.server.custody.evidence import DETAIL_CAP, pieces
from doorstep.server.fleet.models import Product
from doorstep.server.portal.access import staff_page
from doorstep.server.portal.sentences import sentences

__all__ = ["choose_policy", "simulated", "vouch_for"]


class PolicyForm(forms.Form):
    """A claim policy."""

    claim_policy = forms.CharField(
        label="Claim policy",
        max_length=POLICY_CAP,
        help_text="The evidence that makes somebody the owner, joined with &amp; (and) and | (or): "
        + ", ".join(Evidence),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )


class VouchForm(forms.Form):
    """Why the staff believe a claimant."""

    reason = forms.CharField(
        label="How you know",
        max_length=DETAIL_CAP,
        help_text="Kept with the evidence, for the staff who look at the claim later.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def simulated(text: str) -> dict[str, Any]:
    """Return what pages show of a policy: its meaning, and who could claim a device with what; or why not."""
    try:
        tried = try_policy(text)
    except BadPolicy as error:
        return {"problem": sentences(error)}
    return {"explanation": tried.explanation, "trials": tried.trials, "warnings": tried.warnings}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def choose_policy(request: HttpRequest, principal: Principal, key: str) -> HttpResponse:
    """Show who could claim a product's devices with what, by its policy or by one that is tried."""
    product = get_object_or_404(Product, key=key)
    if not principal.may_make_products:
        raise PermissionDenied
    form = PolicyForm(request.POST or None, initial={"claim_policy": product.claim_policy})
    if request.method == "POST" and "try" not in request.POST and form.is_valid():
        try:
            row = change_policy(
                product, form.cleaned_data["claim_policy"], by=principal.actor, now_us=now_us()
            )
        except BadPolicy as error:
            form.add_error("claim_policy", sentences(error))
        else:
            messages.success(request, f"{row.name} has claim policy {row.claim_policy_version}.")
            return redirect("product", row.key)
    tried = str(form["claim_policy"].value() or "")
    shown = simulated(tried)
    if form.is_bound and form.errors:
        shown.pop("problem", None)
    history = [(one, actor_name(one.actor, principal)) for one in policies_of(product)]
    context = {"product": product, "form": form, "history": history, "tried": tried, **shown}
    return render(request, "portal/staff/policy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def vouch_for(request: HttpRequest, principal: Principal, number: int) -> HttpResponse:
    """Show what a claimant brought, and take the staff's word for them."""
    try:
        claim = held_claim(number)
    except NoSuchClaim as error:
        raise Http404 from error
    if not principal.may(Permission.MAKER_CLAIMS_VOUCH):
        raise PermissionDenied
    form = VouchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            decision = vouch_for_claim(number, form.cleaned_data["reason"], principal.actor, now_us())
        except DoorstepError as error:
            form.add_error("reason", sentences(error))
        else:
            told = f"{claim.device.serial}: {decision.outcome}. {decision.sentence}"
            (messages.success if decision.outcome is Outcome.BOUND else messages.warning)(request, told)
            return redirect("claims")
    brought = pieces(claim.device, claim.organisation)
    others = pieces(claim.device).exclude(organisation=claim.organisation).exists()
    context = {"claim": claim, "form": form, "pieces": brought, "others": others}
    return render(request, "portal/staff/vouch.html", context)
