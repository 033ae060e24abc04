"""What the browser tests share: log-in, the pages there are, and axe."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.test import Client
from playwright.sync_api import Browser, Page

from doorstep.server.accounts.models import Role, User
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import import_file, receive, record_sale
from doorstep.server.custody.models import Claim, Sale
from tests.browsers import axe_source, violations
from tests.server.making import devices, wholesaler
from tests.server.portal.world import PASSWORD, World, person

__all__ = [
    "ANSWERS",
    "WITHIN_MS",
    "anonymous_pages",
    "axe_source",
    "claimant_pages",
    "enter",
    "log_in",
    "member_pages",
    "phone",
    "shots_folder",
    "staff_pages",
    "violations",
    "wholesaler_with_pages",
]

WITHIN_MS: Final = 30_000
"""How long a window waits: the machine may be busy with other things."""

ANSWERS: Final = (
    "damage=safety&price=40&budget=1&units=20000&chip=tls&sales=wholesale&can_scan=no&control=button"
    "&line_online=no"
)
"""A product that the wizard can't satisfy fully."""


@contextmanager
def phone(chromium: Browser) -> Iterator[Page]:
    """Open a phone's window of somebody whom nobody knows yet; a script error fails at its end."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    context.set_default_timeout(WITHIN_MS)
    window = context.new_page()
    broken: list[str] = []
    window.on("pageerror", lambda error: broken.append(str(error)))
    window.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    yield window
    context.close()
    assert not broken


def log_in(page: Page, portal: str, user: User) -> None:
    """Log in by the form."""
    page.goto(f"{portal}/accounts/login/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)


def anonymous_pages() -> dict[str, str]:
    """Pages before the door."""
    return {
        "log-in": "/accounts/login/",
        "sign-up": "/accounts/signup/",
        "reset": "/accounts/password/reset/",
        "reset-sent": "/accounts/password/reset/done/",
        "reset-bad-link": "/accounts/password/reset/key/1-x/",
        "mail-sent": "/accounts/confirm-email/",
        "confirm-bad-link": "/accounts/confirm-email/nothing/",
        "outgoing-mail": "/developer/",
        "components": "/developer/components/",
        "claim-before-log-in": "/claim/",
        "activate-before-log-in": "/activate/",
        "claim-bad-link": "/claims/mail/nothing/",
        "missing": "/nothing-here/",
    }


def member_pages(world: World) -> dict[str, str]:
    """Pages of a customer."""
    return {
        "home": "/",
        "activity": "/activity/",
        "alerts": "/alerts/",
        "sites": "/sites/",
        "new-site": "/sites/new/",
        "site": f"/sites/{world.live.site_id}/",
        "charts-day": f"/devices/{world.live.device_id}/charts/",
        "charts-compared": f"/devices/{world.live.device_id}/charts/?span=week&with={world.quiet.device_id}",
        "charts-none": f"/devices/{world.waiting.device_id}/charts/",
        "thresholds": f"/devices/{world.live.device_id}/thresholds/",
        "download": f"/devices/{world.live.device_id}/download/",
        "place": f"/devices/{world.live.device_id}/place/",
        "devices": "/devices/",
        "devices-none-found": "/devices/?q=teapot",
        "device": f"/devices/{world.live.device_id}/",
        "device-waiting": f"/devices/{world.waiting.device_id}/",
        "device-disputed": f"/devices/{world.disputed.device_id}/",
        "device-revoked": f"/devices/{world.revoked.device_id}/",
        "revoke": f"/devices/{world.quiet.device_id}/revoke/",
        "command": f"/devices/{world.live.device_id}/command/",
        "settings": f"/devices/{world.live.device_id}/settings/",
        "release": f"/devices/{world.quiet.device_id}/release/",
        "children": f"/devices/{world.quiet.device_id}/children/",
        "hand-over": f"/devices/{world.quiet.device_id}/hand-over/",
        "return": f"/devices/{world.quiet.device_id}/return/",
        "scrap": f"/devices/{world.quiet.device_id}/scrap/",
        "handovers": "/handovers/",
        "offer": f"/handovers/{world.offer}/",
        "past-device": f"/past/{world.past}/",
        "cases": "/cases/",
        "case": f"/cases/{world.case}/",
        "set-up": "/devices/set-up/",
        "add-device": "/devices/add/",
        "claim": "/claim/",
        "own-claims": "/claims/",
        "own-claim": f"/claims/{world.claim}/",
        "activate": "/activate/",
        "people": "/people/",
        "webhooks": "/webhooks/",
        "webhook": f"/webhooks/{world.webhook}/",
        "invite": "/people/invite/",
        "member": f"/people/{world.member}/",
        "groups": "/groups/",
        "group": f"/groups/{world.group.pk}/",
        "invitations": "/invitations/",
        "account": "/account/",
        "passkeys": "/accounts/2fa/",
        "passkey-list": "/accounts/2fa/webauthn/",
        "code-app": "/accounts/2fa/totp/activate/",
        "sessions": "/accounts/sessions/",
        "audit": "/audit/",
        "keys": "/keys/",
        "delete-account": "/account/delete/",
        "password": "/accounts/password/change/",
        "e-mail": "/accounts/email/",
        "log-out": "/accounts/logout/",
    }


def staff_pages(world: World) -> dict[str, str]:
    """Pages of the maker's staff."""
    return {
        "staff-revoke": f"/staff/devices/{world.live.device_id}/revoke/",
        "staff-people": "/people/",
        "products": "/staff/products/",
        "advise": "/staff/products/advise/",
        "advise-errors": "/staff/products/advise/?damage=data&price=cheap",
        "advise-answer": f"/staff/products/advise/?{ANSWERS}",
        "new-product": "/staff/products/new/",
        "new-product-with-policy": "/staff/products/new/?claim_policy=device_key+%26+setup_session+%26+sale",
        "product": f"/staff/products/{world.product.key}/",
        "setup-methods": f"/staff/products/{world.product.key}/setup/",
        "legacy-formats": f"/staff/products/{world.product.key}/legacy/",
        "batches": "/staff/batches/",
        "batch": f"/staff/batches/{world.batch.number}/",
        "staff-device": f"/staff/devices/{world.live.device_id}/",
        "swap": f"/staff/devices/{world.live.device_id}/swap/",
        "quarantine": f"/staff/devices/{world.live.device_id}/quarantine/",
        "clear": f"/staff/devices/{world.live.device_id}/clear/",
        "staff-label": f"/staff/devices/{world.unsold.device_id}/label/",
        "blocks": "/staff/blocks/",
        "lift-block": f"/staff/blocks/{world.block}/lift/",
        "staff-cases": "/cases/",
        "staff-case": f"/cases/{world.case}/",
        "returns": "/handovers/",
        "sales": "/staff/sales/",
        "take-in": "/stock/take-in/",
        "staff-dispatch": "/stock/dispatch/",
        "staff-audit": "/audit/",
        "staff-order": f"/orders/{world.live.sale_line.sale_id}/",
        "sale": f"/staff/sales/{world.live.sale_line.sale_id}/",
        "claims": "/staff/claims/",
        "vouch": f"/staff/claims/{Claim.objects.filter(device=world.held)[0].pk}/vouch/",
        "claim-policy": f"/staff/products/{world.product.key}/policy/",
        "ledger": "/staff/ledger/",
        "dead-letters": "/staff/dead-letters/",
        "health": "/staff/health/",
    }


def claimant_pages(world: World) -> dict[str, str]:
    """Pages of somebody who has no device, and a case about another's."""
    return {
        "home-empty": "/",
        "devices-empty": "/devices/",
        "groups-empty": "/groups/",
        "sites-empty": "/sites/",
        "case-of-claimant": f"/cases/{world.case}/",
    }


def wholesaler_with_pages() -> tuple[User, dict[str, str]]:
    """Somebody who owns a wholesaler that received, sold and sent a file, and their pages."""
    shop, serials = wholesaler(), [one.serial for one in devices(4)]
    number = f"D-{shop.pk}"
    record_sale(number, serials, shop, actor="operator", source="api", now_us=now_us(), box="BOX-7")
    receive(shop, serials[:2], actor="operator", now_us=now_us())
    rows = "".join(f"{number},{serial},ada@example.org\n" for serial in (serials[0], "SN-X"))
    content = f"order,serial,buyer_email\n{rows}".encode()
    run = import_file(content, shop, actor="operator", source="csv", now_us=now_us())
    order, delivery = Sale.objects.get(seller=shop), Sale.objects.get(wholesaler=shop)
    return person(shop, Role.OWNER), {
        "stock": "/stock/",
        "receive": "/stock/receive/",
        "sell": "/stock/sell/",
        "send-back": "/stock/return/",
        "dispatch": "/stock/dispatch/",
        "orders": "/orders/",
        "deliveries": "/orders/?show=deliveries",
        "order": f"/orders/{order.pk}/",
        "delivery": f"/orders/{delivery.pk}/",
        "send-file": "/stock/file/",
        "imported": f"/stock/file/{run.pk}/",
    }


def shots_folder() -> Path | None:
    """Where screenshots go, when somebody asked for them."""
    folder = os.environ.get("PORTAL_SCREENSHOTS")
    return Path(folder) if folder else None


def enter(client: Client, user: User) -> None:
    """Log in as somebody who typed their password just now."""
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
