"""Devices that have owners and readings, for the tests of how they change hands."""

import itertools
import json
import os

from doorstep.ownership.evidence import Evidence
from doorstep.server.accounts.models import Organisation, Role, User
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.casework import Person
from doorstep.server.custody.actions.claiming import Claimant, file_claim
from doorstep.server.custody.actions.offers import Recipient
from doorstep.server.custody.models import Dispute
from doorstep.server.custody.turns import transaction_in_turn
from doorstep.server.fleet.models import Credential, Device
from doorstep.server.jobs.queue import work_off_one
from doorstep.server.readings.models import Message
from tests.server import making

__all__ = [
    "STRONG",
    "claim",
    "customer",
    "disputed",
    "owned",
    "person",
    "readings",
    "recipient",
    "row_of",
    "work_off",
]

STRONG = frozenset({Evidence.DEVICE_KEY, Evidence.SETUP_SESSION, Evidence.STAFF})
_places = itertools.count(1)


def customer() -> Person:
    """Somebody with a customer's account."""
    user, organisation = making.customer(Role.OWNER)
    return person(user, organisation)


def person(user: User, organisation: Organisation) -> Person:
    """Somebody as they act for an organisation."""
    return Person(user, organisation, f"user:{user.pk}@{organisation.pk}")


def recipient(one: Person) -> Recipient:
    """The same, as who accepts a transfer."""
    return Recipient(one.organisation, one.user, one.actor)


def claim(device: Device, one: Person) -> None:
    """File a claim with good evidence."""
    with transaction_in_turn():
        file_claim(device, Claimant(one.organisation, one.user, one.actor), STRONG, now_us())


def owned() -> tuple[making.MadeDevice, Person]:
    """A device that somebody owns, with a certificate and a name."""
    [made] = making.devices()
    owner = customer()
    claim(made.row, owner)
    Device.objects.filter(pk=made.row.pk).update(alias="Kitchen")
    Credential.objects.create(
        device=made.row,
        fingerprint=os.urandom(32).hex(),
        public_key_hash=os.urandom(32).hex(),
        certificate=b"\x30\x00",
        serial=os.urandom(8).hex(),
        not_before_us=0,
        not_after_us=now_us() + 86_400_000_000,
    )
    return made, owner


def disputed() -> tuple[Dispute, Person, Person]:
    """A case: it, the owner, and the claimant."""
    made, owner = owned()
    claimant = customer()
    claim(made.row, claimant)
    return Dispute.objects.get(device=made.row), owner, claimant


def readings(device: Device, count: int, **values: float | str) -> None:
    """Store messages as ingest does."""
    said = values or {"temperature": 21.5}
    records = [{"n": name, "vs" if isinstance(one, str) else "v": one} for name, one in said.items()]
    at_us = now_us() - count
    Message.objects.bulk_create(
        Message(
            device=device,
            epoch=1 + place % 2,
            seq=next(_places),
            channel="data",
            received_us=at_us + place,
            ownership_period=device.ownership_period,
            reading_count=len(records),
            payload=json.dumps(records).encode(),
        )
        for place in range(count)
    )
    Device.objects.filter(pk=device.pk).update(last_seen_us=at_us + count)


def row_of(device: Device | making.MadeDevice) -> Device:
    """Return a device as it is stored now."""
    rows = Device.objects.select_related("product", "batch", "owner")
    return rows.get(device_id=device.device_id)


def work_off() -> None:
    """Do every job that is due."""
    while work_off_one() is not None:
        pass
