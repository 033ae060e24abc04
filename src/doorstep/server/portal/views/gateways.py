"""Which devices stand behind a gateway."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from doorstep.server.accounts.queries import Principal
from doorstep.server.fleet.gateways import GatewayRefused, attach_child, children_of, detach_child
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.visible import devices_visible_to
from doorstep.server.portal.access import customer_page
from doorstep.server.portal.views.devices import find

__all__ = ["children"]

_CONFLICT = 409


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def children(request: HttpRequest, principal: Principal, device_id: str) -> HttpResponse:
    """Show the devices behind a gateway; put one there, or take one away."""
    gateway = find(principal, device_id)
    if not principal.may_attach or gateway.blocked:
        raise PermissionDenied
    refusal = None
    if request.method == "POST":
        try:
            _change(request, principal, gateway)
        except GatewayRefused as error:
            refusal = error
        else:
            return redirect("children", device_id)
    others = devices_visible_to(principal).filter(blocked=False, gateway=None, children=None)
    context = {
        "device": gateway,
        "children": children_of(gateway, principal.groups),
        "others": others.exclude(pk=gateway.pk),
        "refusal": refusal,
    }
    return render(request, "portal/children.html", context, status=_CONFLICT if refusal else None)


def _change(request: HttpRequest, principal: Principal, gateway: Device) -> None:
    if "take" in request.POST:
        child = find(principal, request.POST["take"])
        if child.gateway_id == gateway.pk:
            detach_child(child)
    else:
        attach_child(gateway, find(principal, request.POST.get("add", "")))
