"""A deployment for ``bench portal``: rows in bulk, and the roll-ups that the jobs role makes of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from doorstep.ownership.actors import OPERATOR
from doorstep.ownership.kinds import Kind
from doorstep.ownership.ledger import GENESIS, Event, build
from doorstep.server.accounts.models import Member, Organisation, OrganisationKind, Role, User
from doorstep.server.clock import now_us
from doorstep.server.custody.models import CustodyEntry, Sale, SaleLine
from doorstep.server.fleet.models import Batch, Credential, Device, Product
from doorstep.server.fleet.places import Site
from doorstep.server.readings.digest import digest
from doorstep.server.readings.models import Alert, RollUpMark, Threshold

__all__ = ["Filled", "Wanted", "fill"]

_Row = TypeVar("_Row", bound=Model)

_YEAR_OF_MESSAGES: Final = 52_560
"""One in ten minutes."""
_TWO: Final = 2
"""Readings in one message."""
_DAY_US: Final = 86_400_000_000
_AT_ONCE: Final = 5_000
_A_BATCH: Final = 1_000
_A_SALE: Final = 100
_PRODUCTS: Final = 12
_SITES: Final = 40
_ALERTS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much is made."""

    devices: int
    readings: int
    organisations: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What was made, and how long it took."""

    staff: User
    large: User
    """Owner of the customer with a tenth of the devices."""
    small: User
    """Owner of one of the others."""
    talkative: list[Device]
    """Devices of the large customer that sent for a year."""
    site: Site
    readings: int
    fill_s: float
    roll_up_s: float


def fill(wanted: Wanted, say: Callable[[str], None]) -> Filled:
    """Make it all."""
    began = time.monotonic()
    say("making customers")
    customers, people = _customers(wanted.organisations)
    site = _sites(customers[0])
    say("making devices")
    devices = _devices(wanted.devices, customers, site)
    _sales(devices)
    say("writing the ledger")
    _ledger(devices)
    say("storing readings")
    many = max(2, wanted.readings // _TWO // _TWO // _YEAR_OF_MESSAGES)
    readings = _messages(devices, many, wanted.readings)
    _alerts(devices[:many], customers[0])
    _analyse()
    filled_at = time.monotonic()
    say("rolling up")
    while digest(now_us(), budget_s=60.0):
        say(f"rolling up: {RollUpMark.objects.filter(rolled_us__gt=0).count():,} devices done")
    rolled_at = time.monotonic()
    _analyse()
    return Filled(*people, devices[:many], site, readings, filled_at - began, rolled_at - filled_at)


def _customers(count: int) -> tuple[list[Organisation], tuple[User, User, User]]:
    maker = Organisation.objects.create(name="Maker", kind=OrganisationKind.MAKER)
    rows = (Organisation(name=f"Customer {n}", kind=OrganisationKind.CUSTOMER) for n in range(count))
    customers = list(Organisation.objects.bulk_create(rows, _AT_ONCE))
    people = []
    for organisation in (maker, customers[0], customers[1]):
        user = User.objects.create(email=f"user-{organisation.pk}@example.org", password="!")  # noqa: S106
        Member.objects.create(user=user, organisation=organisation, role=Role.OWNER)
        people.append(user)
    staff, large, small = people
    return customers, (staff, large, small)


def _sites(customer: Organisation) -> Site:
    rows = [
        Site(organisation=customer, name=f"Site {n}", latitude=47 + n / 10, longitude=15 - n / 7)
        for n in range(_SITES)
    ]
    return Site.objects.bulk_create(rows)[0]


def _devices(count: int, customers: Sequence[Organisation], site: Site) -> list[Device]:
    products = Product.objects.bulk_create(
        Product(key=f"product-{n}", name=f"Thermo {n}") for n in range(_PRODUCTS)
    )
    batches = Batch.objects.bulk_create(
        Batch(product=products[n % _PRODUCTS], number=f"2026-{n:05}", count=_A_BATCH)
        for n in range(-(-count // _A_BATCH))
    )
    large = count // 10

    def device(n: int) -> Device:
        owner = customers[0 if n < large else 1 + n % (len(customers) - 1)]
        batch = batches[n // _A_BATCH]
        return Device(
            device_id=f"{n:08x}", serial=f"SN-{n:08}", product=batch.product, batch=batch,
            public_key=bytes(91), idevid=bytes(500), claim_code_hash=n.to_bytes(32),
            life="owned", owner=owner, ownership_period=1, alias=f"Room {n * 7919 % count:06}",
            site=site if n % 100 == 0 and n < large else None,
        )  # fmt: skip

    made = list(_stored(Device, map(device, range(count))))
    start_us = now_us()
    _all(Credential, (
        Credential(
            device=one, fingerprint=f"{one.pk:064x}", public_key_hash=f"{one.pk:064x}",
            certificate=bytes(600), not_before_us=start_us, not_after_us=start_us + 90 * _DAY_US,
        )
        for one in made
    ))  # fmt: skip
    return made


def _sales(devices: Sequence[Device]) -> None:
    orders = (Sale(order=f"A-{n}", buyer_email="buyer@example.org", source="csv")
              for n in range(-(-len(devices) // _A_SALE)))  # fmt: skip
    sales = list(_stored(Sale, orders))
    _all(SaleLine, (SaleLine(sale=sales[n // _A_SALE], device=one) for n, one in enumerate(devices)))


def _ledger(devices: Sequence[Device]) -> None:
    """Write three entries a device; their signatures are not real, and no page looks."""

    def events() -> Iterator[tuple[Device, Event]]:
        for one in devices:
            claim: dict[str, str | int] = {
                "organisation": one.owner_id or 0,
                "evidence": "device_key",
                "policy": "device_key",
            }
            yield one, Event(Kind.SOLD, one.device_id, OPERATOR, {"order": "A-1"})
            yield one, Event(Kind.ONBOARDED, one.device_id, OPERATOR, {})
            yield one, Event(Kind.CLAIM_HELD, one.device_id, OPERATOR, claim)

    pairs = list(events())
    began_us = now_us() - 400 * _DAY_US
    sealed = build(GENESIS, (event for _, event in pairs), began_us, lambda _: bytes)
    _all(CustodyEntry, (
        CustodyEntry(
            number=entry.number, device=one, kind=event.kind, at_us=began_us + entry.number,
            body=entry.body, digest=entry.digest, signature=bytes(64),
        )
        for (one, event), entry in zip(pairs, sealed, strict=True)
    ))  # fmt: skip


def _messages(devices: Sequence[Device], many: int, readings: int) -> int:
    """Half of the readings of a few devices over a year; the others of all others over the last days."""
    per_talkative = readings // _TWO // _TWO // many
    quiet = devices[many:]
    per_quiet = max(1, readings // _TWO // _TWO // len(quiet))
    now = now_us()
    _insert(devices[0].pk, devices[many - 1].pk, per_talkative, 365 * _DAY_US // per_talkative, now)
    _insert(quiet[0].pk, quiet[-1].pk, per_quiet, _DAY_US // 24, now)
    Device.objects.update(last_seen_us=now - 5_000_000)
    return (per_talkative * many + per_quiet * len(quiet)) * _TWO


def _insert(first: int, last: int, count: int, gap_us: int, now: int) -> None:
    blob = "convert_to(%s, 'UTF8')" if connection.vendor == "postgresql" else "CAST(%s AS BLOB)"
    text = (
        """'[{"n":"temperature","u":"Cel","v":' || (180 + (step.n * 7 + d.id) % 90) / 10.0"""
        """ || '},{"n":"humidity","u":"%RH","v":' || (400 + (step.n * 3 + d.id) % 200) / 10.0 || '}]'"""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE step(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n < {count - 1})"  # noqa: S608 - our numbers
            " INSERT INTO message (device_id, epoch, seq, channel, received_us, ownership_period,"
            " reading_count, payload)"
            f" SELECT d.id, 1, step.n, 'data', {now} - ({count} - step.n) * CAST({gap_us} AS BIGINT)"
            f" + d.id * 1000, 1, {_TWO}, {blob % text}"
            f" FROM device d CROSS JOIN step WHERE d.id BETWEEN {first} AND {last} ORDER BY step.n, d.id"
        )


def _alerts(devices: Sequence[Device], customer: Organisation) -> None:
    now = now_us()
    Threshold.objects.bulk_create(
        Threshold(organisation=customer, device=one, kind="above", name="temperature", value=26.5,
                  created_by=OPERATOR, created_us=now)
        for one in devices
    )  # fmt: skip
    _all(Alert, (
        Alert(organisation=customer, device=devices[n % len(devices)], ownership_period=1, kind="above",
              name="temperature", limit=26.5, value=26.8, unit="Cel", opened_us=now - n * 60_000_000,
              closed_us=now - n * 60_000_000 + 30_000_000)
        for n in range(_ALERTS)
    ))  # fmt: skip


def _stored(model: type[_Row], rows: Iterator[_Row]) -> Iterator[_Row]:
    while some := list(islice(rows, _AT_ONCE)):
        rows_of: QuerySet[_Row] = QuerySet(model)
        yield from rows_of.bulk_create(some)


def _all(model: type[_Row], rows: Iterator[_Row]) -> None:
    for _ in _stored(model, rows):
        pass


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
