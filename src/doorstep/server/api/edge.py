"""The outermost step of each REST answer: the caller's allowance, and no error without a document."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from doorstep.server.api.auth import left_of
from doorstep.server.api.problems import PROBLEM_MEDIA, plain_problem

__all__ = ["rest_edge"]

_BELOW: Final = "/api/v1/"
_FIRST_PROBLEM: Final = 400


def rest_edge(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Make every error a problem document, and add the RateLimit fields.

    Their form is draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path.startswith(_BELOW):
            return response
        if response.status_code >= _FIRST_PROBLEM and response.headers["Content-Type"] != PROBLEM_MEDIA:
            response = _told(response)
        left = left_of(request)
        if left is not None:
            response.headers["RateLimit-Policy"] = f'"{left.name}";q={left.quota};w={left.window_s}'
            response.headers["RateLimit"] = f'"{left.name}";r={left.remaining};t={left.reset_s}'
        return response

    return middleware


def _told(bare: HttpResponse) -> HttpResponse:
    """Say in a document what a framework said in its own way: wrong method, unknown address, no token."""
    told = plain_problem(bare.status_code)
    if "Allow" in bare.headers:
        told.headers["Allow"] = bare.headers["Allow"]
    return told
