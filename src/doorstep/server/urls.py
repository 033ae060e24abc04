"""Addresses of the portal and the REST API."""

from django.urls import URLPattern, URLResolver, include, path

from doorstep.server.api.app import api

__all__ = ["handler500", "urlpatterns"]

handler500 = "doorstep.server.portal.views.failures.broken"

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("api/v1/", api.urls),
    path("pki/", include("doorstep.server.pki.urls")),
    path("", include("doorstep.server.portal.urls")),
]
