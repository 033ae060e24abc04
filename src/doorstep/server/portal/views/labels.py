"""The staff look at a device's label: somebody told them that its foil was off, or it gets a new one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from doorstep.errors import DoorstepError
from doorstep.ownership.label import LabelState, LabelStep, possible
from doorstep.server.accounts.permissions import Permission
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.labels import replace_label, report_label
from doorstep.server.fleet.models import Device
from doorstep.server.portal.access import staff_page
from doorstep.server.portal.sentences import sentences

__all__ = ["label"]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def label(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Show the state of a label; take a report that it was tampered with, or make a new code, shown once."""
    if not principal.may(Permission.MAKER_CLAIMS_VOUCH):
        raise PermissionDenied
    device = get_object_or_404(Device.objects.select_related("product"), device_id=device_id)
    code, step = "", request.POST.get("step")
    try:
        if step == LabelStep.REPORT:
            report_label(device, principal.actor, now_us())
            messages.success(request, "Noted. The code of this label counts for nobody any more.")
            return redirect("label", device_id)
        if step == LabelStep.REPLACE:
            code = replace_label(device, principal.actor, now_us())
            device.refresh_from_db()
    except DoorstepError as error:
        messages.error(request, sentences(error))
    state = LabelState(device.label_state)
    steps = [str(one) for one in possible(state) if one is not LabelStep.REPLACE or device.owner_id is None]
    context = {"device": device, "state": str(state), "steps": steps, "code": code}
    return render(request, "portal/staff/label.html", context)
