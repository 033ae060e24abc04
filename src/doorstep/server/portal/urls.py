"""Addresses of the portal's pages."""

from django.urls import URLPattern, path

from doorstep.server.portal import asking  # noqa: F401 - registers the converter <key>
from doorstep.server.portal.views import (
    commands,
    developer,
    devices,
    people,
    products,
    registration,
    releasing,
    revocation,
    rotating,
    setup,
    setup_methods,
    staff,
)

__all__ = ["urlpatterns"]

urlpatterns: list[URLPattern] = [
    path("", devices.home, name="home"),
    path("devices/", devices.overview, name="devices"),
    path("devices/add/", registration.add, name="add-device"),
    path("devices/set-up/", setup.set_up, name="set-up"),
    path("devices/set-up/qr", setup.qr, name="set-up-qr"),
    path("devices/added/<int:number>/", registration.added, name="added"),
    path("devices/added/<int:number>/state", registration.state, name="added-state"),
    path("devices/<key:device_id>/", devices.one, name="device"),
    path("devices/<key:device_id>/live", devices.live, name="device-live"),
    path("devices/<key:device_id>/command/", commands.send, name="command"),
    path("devices/<key:device_id>/command/<key:command_id>/cancel", commands.cancel, name="cancel-command"),
    path("devices/<key:device_id>/settings/", commands.settings, name="device-settings"),
    path("devices/<key:device_id>/revoke/", revocation.revoke, name="revoke"),
    path("devices/<key:device_id>/rotate/", rotating.rotate, name="rotate"),
    path("devices/<key:device_id>/release/", releasing.release, name="release-setup"),
    path("people/", people.people, name="people"),
    path("account/", people.account, name="account"),
    path("organisation/", people.switch, name="switch-organisation"),
    path("staff/products/", staff.products, name="products"),
    path("staff/products/advise/", products.advice, name="advise"),
    path("staff/products/new/", products.new, name="new-product"),
    path("staff/products/<key:key>/", staff.product, name="product"),
    path("staff/products/<key:key>/setup/", setup_methods.choose, name="setup-methods"),
    path("staff/batches/", staff.batches, name="batches"),
    path("staff/batches/<key:number>/", staff.batch, name="batch"),
    path("staff/devices/<key:device_id>/", staff.device, name="staff-device"),
    path("staff/devices/<key:device_id>/revoke/", revocation.revoke_as_staff, name="staff-revoke"),
    path("staff/devices/<key:device_id>/rotate/", rotating.rotate_as_staff, name="staff-rotate"),
    path("staff/sales/", staff.sales, name="sales"),
    path("staff/sales/<int:number>/", staff.sale, name="sale"),
    path("staff/claims/", staff.claims, name="claims"),
    path("staff/ledger/", staff.ledger, name="ledger"),
    path("staff/ledger/verify", staff.verify, name="ledger-verify"),
    path("staff/dead-letters/", staff.letters, name="dead-letters"),
    path("developer/", developer.overview, name="developer"),
    path("developer/mail/<key:name>/", developer.mail, name="developer-mail"),
    path("developer/components/", developer.components, name="components"),
]
