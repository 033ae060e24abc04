"""Addresses of the portal and the REST API."""

from django.urls import URLPattern, URLResolver, include, path

from doorstep.server.api.app import api

__all__ = ["urlpatterns"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.account.urls")),
    path("api/v1/", api.urls),
    path("", include("doorstep.server.portal.urls")),
]
