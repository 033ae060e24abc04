"""Who may open a page: each view is handed the principal it reads for."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from doorstep.server.accounts.models import User
from doorstep.server.accounts.queries import CHOSEN, Principal, principal_of
from doorstep.server.audit.requests import see_page

__all__ = [
    "customer_page",
    "door_page",
    "member_page",
    "principal",
    "proven",
    "staff_page",
    "trade_page",
    "user_of",
    "wholesaler_page",
]

_KNOWN = "doorstep_principal"

Parameters = ParamSpec("Parameters")
PageView = Callable[Concatenate[HttpRequest, Principal, Parameters], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase]


def principal(request: HttpRequest) -> Principal | None:
    """Return who this request acts as; None for strangers and for users without an organisation."""
    if not isinstance(request.user, User):
        return None
    # The page and its frame both ask; the second time is free.
    if not hasattr(request, _KNOWN):
        setattr(request, _KNOWN, principal_of(request.user, request.session.get(CHOSEN)))
    known: Principal | None = getattr(request, _KNOWN)
    return known


def member_page(view: PageView[Parameters]) -> View[Parameters]:
    """Open the page for people who are logged in and belong to an organisation."""

    @login_required
    @wraps(view)
    def page(
        request: HttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponseBase:
        somebody = principal(request)
        if somebody is None:
            return redirect("invitations")
        return see_page(request, somebody, kwargs, lambda: view(request, somebody, *args, **kwargs))

    return page


def user_of(request: HttpRequest) -> User:
    """Return who is logged in; for pages that only people who are can open."""
    user = request.user
    assert isinstance(user, User)
    return user


def proven(view: PageView[Parameters]) -> PageView[Parameters]:
    """Open the page only for who typed their password, or used their passkey, a moment ago.

    It goes inside `member_page`. A form that was sent too late is sent on after the question.
    """

    @wraps(view)
    def page(
        request: HttpRequest, somebody: Principal, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponseBase:
        def go_on(_: HttpRequest) -> HttpResponseBase:
            return view(request, somebody, *args, **kwargs)

        answer: HttpResponseBase = reauthentication_required(go_on, app="account")(request)
        return answer

    return page


def door_page(template: str) -> Callable[[PageView[Parameters]], View[Parameters]]:
    """Open the page for members of a customer; to everybody else the template says where to log in."""

    def around(view: PageView[Parameters]) -> View[Parameters]:
        @wraps(view)
        def page(
            request: HttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs
        ) -> HttpResponseBase:
            somebody = principal(request)
            if somebody is not None and somebody.is_customer:
                return see_page(request, somebody, kwargs, lambda: view(request, somebody, *args, **kwargs))
            if request.method == "POST":
                raise PermissionDenied
            return render(request, template, {"form": None})

        return page

    return around


def customer_page(view: PageView[Parameters]) -> View[Parameters]:
    """Open the page for members of a customer; for everybody else it does not exist."""
    return _only_for(lambda somebody: somebody.is_customer, view)


def staff_page(view: PageView[Parameters]) -> View[Parameters]:
    """Open the page for the maker's members; for everybody else it does not exist."""
    return _only_for(lambda somebody: somebody.is_maker, view)


def wholesaler_page(view: PageView[Parameters]) -> View[Parameters]:
    """Open the page for members of a wholesaler; for everybody else it does not exist."""
    return _only_for(lambda somebody: somebody.is_wholesaler, view)


def trade_page(view: PageView[Parameters]) -> View[Parameters]:
    """Open the page for wholesalers' members and the maker's; for everybody else it does not exist."""
    return _only_for(lambda somebody: somebody.is_wholesaler or somebody.is_maker, view)


def _only_for(whom: Callable[[Principal], bool], view: PageView[Parameters]) -> View[Parameters]:
    @member_page
    @wraps(view)
    def page(
        request: HttpRequest, somebody: Principal, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponseBase:
        if not whom(somebody):
            raise Http404
        return view(request, somebody, *args, **kwargs)

    return page
