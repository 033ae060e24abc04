"""What people see when a page could not be made."""

import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

__all__ = ["broken"]

_RETRY_S: Final = "30"


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 503 when the database is away or full, and 500 for every error that nobody expected."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": _RETRY_S})
    return HttpResponse(render_to_string("500.html"), status=500)
