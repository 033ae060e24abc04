"""The pages that ``bench portal`` asks for, and how long each takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.test import Client

from doorstep.cli.bench.portal_rows import Filled
from doorstep.errors import UnavailableError
from doorstep.server.accounts.models import User
from doorstep.server.custody.models import Sale
from doorstep.server.fleet.models import Batch, Device, Product
from doorstep.server.portal.keyset import cursor_of

__all__ = ["Took", "ask"]

_HOST: Final = "localhost"
_WARM: Final = 2
_DEEP: Final = 9
"""Tenths of a list that lie before its deep page."""

Address = Callable[[int], str]
"""Makes the address of the n-th time."""


@dataclass(frozen=True, slots=True)
class Took:
    """What 95 of 100 requests for a page take at most, in milliseconds."""

    wall: float
    cpu: float
    """Of the server's thread and of its database process together: what a busy machine does not change."""


def ask(filled: Filled, rounds: int, say: Callable[[str], None]) -> dict[str, Took]:
    """Ask for each page so often."""
    found = {}
    work = _worker()
    for user, pages in (
        (filled.large, {**_lists(filled), **_devices(filled)}),
        (filled.small, {"small-home": _same("/"), "small-devices": _same("/devices/"),
                        "small-activity": _same("/activity/")}),
        (filled.staff, _staff(filled)),
    ):  # fmt: skip
        client = _client(user)
        for name, address in pages.items():
            say(f"asking for {name}")
            found[name] = _p95(client, address, rounds, work)
    return found


def _client(user: User) -> Client:
    settings.ALLOWED_HOSTS.append("testserver")  # what the client calls itself
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    return client


def _p95(client: Client, address: Address, rounds: int, work: Callable[[], float]) -> Took:
    walls, works = [], []
    for number in range(_WARM + rounds):
        path = address(number)
        began, worked = time.perf_counter(), work()
        answer = client.get(path)
        walls.append(time.perf_counter() - began)
        works.append(work() - worked)
        if answer.status_code != 200:  # noqa: PLR2004 - OK
            raise UnavailableError(f"{path} answers {answer.status_code}", next_step="Look at the page.")
    return Took(_high(walls[_WARM:]), _high(works[_WARM:]))


def _high(seconds: list[float]) -> float:
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1000, 1)


def _worker() -> Callable[[], float]:
    """Return what tells the processor time of this process and, with PostgreSQL, of its one connection."""
    if connection.vendor != "postgresql":
        return time.process_time
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    return lambda: time.process_time() + int(backend.read_text().split()[0]) / 1e9


def _same(path: str) -> Address:
    return lambda _: path


def _lists(filled: Filled) -> dict[str, Address]:
    mine = Device.objects.filter(owner=filled.talkative[0].owner).order_by("alias", "serial")
    deep = cursor_of(mine[mine.count() * _DEEP // 10], ("alias", "serial"))
    return {
        "home": _same("/"),
        "devices": _same("/devices/"),
        "devices-deep": _same(f"/devices/?after={deep}"),
        "devices-search": lambda n: f"/devices/?q=room+00{n % 10}",
        "devices-search-none": lambda n: f"/devices/?q=teapot+{n}",
        "devices-quiet": _same("/devices/?status=quiet"),
        "devices-site": _same(f"/devices/?site={filled.site.pk}"),
        "sites": _same("/sites/"),
        "alerts": _same("/alerts/"),
        "activity": _same("/activity/"),
        "people": _same("/people/"),
        "api-devices": _same("/api/v1/devices"),
    }


def _devices(filled: Filled) -> dict[str, Address]:
    ids = [one.device_id for one in filled.talkative]

    def of(path: str) -> Address:
        return lambda n: path.format(ids[n % len(ids)], ids[(n + 1) % len(ids)])

    charts = {f"charts-{span}": of(f"/devices/{{}}/charts/?span={span}")
              for span in ("hour", "day", "week", "month", "year")}  # fmt: skip
    return {
        "device": of("/devices/{}/"),
        "device-live": of("/devices/{}/live?after_us=0"),
        **charts,
        "charts-year-compared": of("/devices/{}/charts/?span=year&with={}"),
        "thresholds": of("/devices/{}/thresholds/"),
    }


def _staff(filled: Filled) -> dict[str, Address]:
    batch, product, sale = Batch.objects.all()[0], Product.objects.all()[0], Sale.objects.all()[0]
    return {
        "staff-products": _same("/staff/products/"),
        "staff-product": _same(f"/staff/products/{product.key}/"),
        "staff-batches": _same("/staff/batches/"),
        "staff-batch": _same(f"/staff/batches/{batch.number}/"),
        "staff-sales": _same("/staff/sales/"),
        "staff-sale": _same(f"/staff/sales/{sale.pk}/"),
        "staff-claims": _same("/staff/claims/"),
        "staff-ledger": _same("/staff/ledger/"),
        "staff-dead-letters": _same("/staff/dead-letters/"),
        "staff-device": lambda n: f"/staff/devices/{filled.talkative[n % len(filled.talkative)].device_id}/",
    }
