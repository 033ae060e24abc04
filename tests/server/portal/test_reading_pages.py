"""Who sees which page."""

import pytest
from django.test import Client

from tests.server.portal.world import World


def _pages(world: World) -> dict[str, list[str]]:
    device = f"/devices/{world.live.device_id}/"
    return {
        "member": [
            "/devices/",
            "/devices/?q=green",
            "/devices/?q=zzz",
            device,
            f"{device}live",
            "/people/",
            "/account/",
        ],
        "staff": [
            "/staff/products/",
            f"/staff/products/{world.product.key}/",
            "/staff/batches/",
            f"/staff/batches/{world.batch.number}/",
            f"/staff/devices/{world.live.device_id}/",
            "/staff/sales/",
            f"/staff/sales/{world.live.sale_line.sale_id}/",
            "/staff/claims/",
            "/staff/ledger/",
            "/staff/dead-letters/",
            f"/staff/dead-letters/?device={world.revoked.device_id}",
        ],
    }


def test_member_reads_own_pages(world: World, client: Client) -> None:
    client.force_login(world.owner)
    for path in _pages(world)["member"]:
        assert client.get(path).status_code == 200, path


def test_staff_reads_staff_pages(world: World, client: Client) -> None:
    client.force_login(world.staff)
    for path in _pages(world)["staff"]:
        assert client.get(path).status_code == 200, path


def test_stranger_is_sent_to_log_in(world: World, client: Client) -> None:
    for path in [*_pages(world)["member"], *_pages(world)["staff"]]:
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/accounts/login/"), path
