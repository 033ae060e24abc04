"""Addresses below ``/pki/``; certificates carry them, so they never change."""

from django.urls import URLPattern, path

from doorstep.runtime.authority import PUBLISHED
from doorstep.server.pki import views

__all__ = ["urlpatterns"]

urlpatterns: list[URLPattern] = [
    path(PUBLISHED["crl"], views.crl),
    path(PUBLISHED["issuer"], views.issuer),
    path(PUBLISHED["ocsp"], views.ocsp),
    path(PUBLISHED["ocsp"] + "/", views.ocsp),
    path(PUBLISHED["ocsp"] + "/<path:question>", views.ocsp),
]
