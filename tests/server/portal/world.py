"""A small deployment for the portal's tests: a maker, two customers, devices in every state, readings."""

import itertools
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import transaction

from doorstep.messaging.channels import Call
from doorstep.ownership.actors import user_for
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.handovers import DataChoice
from doorstep.server.accounts.grants import Grant
from doorstep.server.accounts.members import change_member
from doorstep.server.accounts.models import DeviceGroup, Member, Organisation, OrganisationKind, Role, User
from doorstep.server.channels.actions import send_command, want_settings
from doorstep.server.channels.models import DeviceEvent, Downlink, ReportedState
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.claiming import Claimant, file_claim
from doorstep.server.custody.actions.codes import type_code
from doorstep.server.custody.actions.offers import Recipient, accept_transfer, offer_transfer
from doorstep.server.custody.models import Dispute
from doorstep.server.fleet import grouping
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.blocking import add_block
from doorstep.server.fleet.models import Batch, Credential, Device, Product, Revocation, SealedState
from doorstep.server.fleet.places import Site
from doorstep.server.readings.models import Alert, DeadLetter, Message, Threshold
from doorstep.server.webhooks.actions import add_endpoint
from doorstep.server.webhooks.events import EventType
from doorstep.server.webhooks.models import WebhookDelivery
from doorstep.server.webhooks.outbox import emit
from tests.server import making
from tests.server.making import MadeDevice

__all__ = ["PASSWORD", "World", "furnish", "person", "send"]

PASSWORD = "a quiet green door"
_STRONG = {Evidence.DEVICE_KEY, Evidence.SETUP_SESSION}
_SECOND = 1_000_000
_sequence = itertools.count(1000)


@dataclass(frozen=True, slots=True)
class World:
    """Who and what is there, by the names that the tests use."""

    staff: User
    owner: User
    viewer: User
    colleague: User
    """An operator who is limited to the group."""
    stranger: User
    group: DeviceGroup
    """``live`` stands in it and nothing else."""
    product: Product
    batch: Batch
    live: Device
    quiet: Device
    waiting: Device
    disputed: Device
    revoked: Device
    held: Device
    unsold: Device
    order: str
    claim: int
    """A claim of the owner's by scratch-off code, which waits for the device."""
    webhook: int
    block: int
    member: int
    """The colleague's membership."""
    past: int
    offer: int
    case: int
    """Number of the owner's only one: one event arrived, one did not yet."""


def person(organisation: Organisation, role: Role, name: str = "") -> User:
    """A user with a confirmed address and the password of all."""
    email = f"{role.value}-{os.urandom(4).hex()}@example.org"
    user = User.objects.create(email=email, name=name, password=_hashed())
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    Member.objects.create(user=user, organisation=organisation, role=role)
    return user


@cache
def _hashed() -> str:
    """The password as the web role verifies it, but quickly."""
    return PBKDF2PasswordHasher().encode(PASSWORD, "pepperandsalt", iterations=1000)


def send(device: Device, at_us: int, **values: float | bool | str) -> None:
    """Store one message as ingest does, and move the device's last time."""
    _message(device, at_us, values).save(force_insert=True)
    Device.objects.filter(pk=device.pk).update(last_seen_us=at_us)
    device.last_seen_us = at_us


def _message(device: Device, at_us: int, values: Mapping[str, float | bool | str]) -> Message:
    units = {"temperature": "Cel", "humidity": "%RH", "battery": "%EL"}
    records = []
    for name, value in values.items():
        kind = "vb" if isinstance(value, bool) else "vs" if isinstance(value, str) else "v"
        records.append({"n": name, kind: value} | ({"u": units[name]} if name in units else {}))
    return Message(
        device=device,
        epoch=7,
        seq=next(_sequence),
        channel="data",
        received_us=at_us,
        ownership_period=device.ownership_period,
        reading_count=len(records),
        payload=json.dumps(records).encode(),
    )


def furnish() -> World:
    """Build it all by the actions that build it in life, where there are such."""
    maker, _ = Organisation.objects.get_or_create(
        kind=OrganisationKind.MAKER, defaults={"name": "Test Maker"}
    )
    home = Organisation.objects.create(name="Hillside nursery", kind=OrganisationKind.CUSTOMER)
    other = Organisation.objects.create(name="Another home", kind=OrganisationKind.CUSTOMER)
    staff, owner = person(maker, Role.ADMIN), person(home, Role.OWNER)
    viewer, stranger = person(home, Role.VIEWER), person(other, Role.OWNER)
    made = making.devices(9)
    rows = [device.row for device in made]
    mark = os.urandom(3).hex()
    Product.objects.filter(pk=rows[0].product_id).update(name="Thermo One", key=f"thermo-{mark}")
    Batch.objects.filter(pk=rows[0].batch_id).update(number=f"2026-{mark}")
    order = f"A-{mark}"
    actions.record_sale(
        order,
        [row.serial for row in rows[:5]],
        owner.email,
        actor="operator",
        source="csv",
        now_us=now_us(),
    )
    names = ["Greenhouse 1", "Cold room", "Propagation bench", "Greenhouse 2", "Delivery van"]
    for row, name in zip(rows, names, strict=False):
        _bind(row, home, owner, name)
    _claim(rows[3], other, stranger)
    _claim(rows[5], other, stranger)
    _messages(rows[0], rows[1], rows[3])
    _places(rows[0], rows[1], home)
    _watching(rows[0], home)
    _revoke(rows[4], owner)
    _dead_letters(rows[4])
    _commands(rows[0], owner)
    group, colleague = _grouped(home, rows[0])
    live, quiet, waiting, disputed, revoked, held, unsold = (_fresh(row) for row in rows[:7])
    return World(
        staff=staff,
        owner=owner,
        viewer=viewer,
        colleague=colleague,
        group=group,
        stranger=stranger,
        product=live.product,
        batch=live.batch,
        live=live,
        quiet=quiet,
        waiting=waiting,
        disputed=disputed,
        revoked=revoked,
        held=held,
        unsold=unsold,
        order=order,
        claim=_claim_by_code(made[8], home, owner),
        webhook=_webhook(home, live),
        block=_block(),
        member=Member.objects.get(user=colleague).pk,
        **_handed_over(rows[7], home, owner),
        case=Dispute.objects.get(device=disputed).pk,
    )


def _handed_over(row: Device, home: Organisation, owner: User) -> dict[str, int]:
    """A device that the home gave to a neighbour, who offers it back."""
    street = Organisation.objects.create(name="A neighbour", kind=OrganisationKind.CUSTOMER)
    neighbour = person(street, Role.OWNER)
    _bind(row, home, owner, "Shed")
    send(_fresh(row), now_us() - 3600 * _SECOND, temperature=11.5)
    given = offer_transfer(_fresh(row), neighbour.email, DataChoice.KEEP, "operator", now_us=now_us())
    accept_transfer(given, Recipient(street, neighbour, "operator"), now_us=now_us())
    back = offer_transfer(
        _fresh(row), owner.email, DataChoice.HAND_OVER, "operator", now_us=now_us(), words="Thank you"
    )
    return {"past": row.past_ownerships.get().pk, "offer": back.pk}


def _webhook(home: Organisation, row: Device) -> int:
    at_us = now_us() - 600 * _SECOND
    endpoint, _ = add_endpoint(home, "https://erp.example.org/doorstep", (), "ERP", now_us=at_us)
    for status, detail in ((204, ""), (503, "it answered 503")):
        about = {"device_id": row.device_id, "serial": row.serial, "at_us": at_us}
        emit(EventType.ALERT_RAISED, home.pk, about, now_us=at_us)
        delivery = WebhookDelivery.objects.filter(endpoint=endpoint).latest("pk")
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            state="waiting" if detail else "delivered",
            attempts=1,
            tried_us=at_us,
            due_us=now_us() + 3600 * _SECOND,
            status=status,
            detail=detail,
        )
    return endpoint.number


def _block() -> int:
    stray = "02:00:5e:" + os.urandom(3).hex(":")
    return add_block("hardware_id", stray, "operator", "lost on the way", now_us=now_us()).pk


def _claim_by_code(made: MadeDevice, organisation: Organisation, user: User) -> int:
    claimant = Claimant(organisation, user, user_for(user.pk, organisation.pk), alias="Attic")
    type_code(claimant, made.code, now_us())
    return organisation.claim_requests.get().pk


def _grouped(home: Organisation, row: Device) -> tuple[DeviceGroup, User]:
    group = grouping.make_group(home, "Greenhouses")
    grouping.place(_fresh(row), group)
    colleague = person(home, Role.OPERATOR)
    member = Member.objects.get(user=colleague)
    change_member(member, Grant(Role.OPERATOR, frozenset({group.pk})), asker=Role.OWNER)
    return group, colleague


def _fresh(row: Device) -> Device:
    return Device.objects.select_related("product", "batch", "owner").get(pk=row.pk)


def _claim(row: Device, organisation: Organisation, user: User, *more: Evidence) -> None:
    with transaction.atomic():
        claimant = Claimant(organisation, user, f"user:{user.pk}")
        file_claim(_fresh(row), claimant, {*_STRONG, *more}, now_us())


def _bind(row: Device, organisation: Organisation, user: User, alias: str) -> None:
    _claim(row, organisation, user, Evidence.SALE)
    Device.objects.filter(pk=row.pk).update(alias=alias)
    SealedState.objects.filter(device=row).update(epoch=7, seq_high=12)
    Credential.objects.create(
        device=row,
        fingerprint=os.urandom(32).hex(),
        public_key_hash=os.urandom(32).hex(),
        certificate=b"\x30\x00",
        not_before_us=now_us() - 86_400 * _SECOND,
        not_after_us=now_us() + 89 * 86_400 * _SECOND,
    )


def _places(live: Device, quiet: Device, home: Organisation) -> None:
    sites = [
        Site.objects.create(organisation=home, name=name, latitude=north, longitude=east)
        for name, north, east in (
            ("Hillside", 47.07, 15.44),
            ("Market hall", 47.05, 15.46),
            ("Van", None, None),
        )
    ]
    Device.objects.filter(pk=live.pk).update(site=sites[0])
    Device.objects.filter(pk=quiet.pk).update(site=sites[1])


def _watching(row: Device, home: Organisation) -> None:
    what = {"organisation": home, "device": row, "created_by": "user:1", "created_us": 0}
    warm = Threshold.objects.create(**what, kind="above", name="temperature", value=24.0)
    Threshold.objects.create(**what, kind="silent", value=30.0)
    told = {"organisation": home, "device": row, "ownership_period": 1}
    crossed = {"kind": "above", "name": "temperature", "limit": 24.0, "unit": "Cel"}
    Alert.objects.create(**told, **crossed, threshold=warm, value=24.3, opened_us=now_us() - 200 * _SECOND)
    Alert.objects.create(
        **told,
        kind="silent",
        limit=30.0,
        opened_us=now_us() - 9000 * _SECOND,
        closed_us=now_us() - 6000 * _SECOND,
    )


def _revoke(row: Device, user: User) -> None:
    done = revoke_device(_fresh(row), f"user:{user.pk}", "stolen with the van", now_us=now_us())
    asked = done.asked_us
    Revocation.objects.filter(device=row).update(
        kicked_us=asked + 181_000, purged_us=asked + 240_000, sessions_kicked=1, messages_purged=3
    )


def _messages(live: Device, quiet: Device, disputed: Device) -> None:
    for device, end_s, count in ((live, 2, 120), (quiet, 5400, 40), (disputed, 20, 60)):
        fresh = _fresh(device)
        last_us = now_us() - end_s * _SECOND
        times = [last_us - back * 5 * _SECOND for back in reversed(range(count))]
        Message.objects.bulk_create(
            _message(fresh, at_us, _weather(index)) for index, at_us in enumerate(times)
        )
        Device.objects.filter(pk=device.pk).update(last_seen_us=last_us)


def _weather(index: int) -> dict[str, float | bool | str]:
    warmth = 21.5 + 2.4 * math.sin(index / 14) + 0.25 * math.sin(index * 1.7)
    return {
        "temperature": round(warmth, 2),
        "humidity": round(58 - 6 * math.sin(index / 19), 1),
        "battery": round(92 - index / 80, 1),
    }


def _commands(row: Device, user: User) -> None:
    device, by, at_us = _fresh(row), f"user:{user.pk}", now_us() - 90 * _SECOND
    done = send_command(device, Call("identify"), lasts_s=3600, by=by, now_us=at_us)
    Downlink.objects.filter(pk=done.pk).update(
        state="acknowledged", tries=1, sent_us=at_us + 200_000, closed_us=at_us + 350_000, detail=b"blinked"
    )
    refused = send_command(device, Call("relay", {"on": True}), lasts_s=3600, by=by, now_us=at_us)
    Downlink.objects.filter(pk=refused.pk).update(
        state="refused", tries=1, closed_us=at_us + 350_000, detail=b"this device knows no command relay"
    )
    want_settings(device, {"interval": 30.0, "led": True}, seen=0, by=by, now_us=now_us() - 2 * _SECOND)
    place = {"device": device, "epoch": 7, "seq": 3, "received_us": at_us}
    period = device.ownership_period
    said = b'{"config.version":0,"agent.version":"0.1","interval":60}'
    ReportedState.objects.create(**place, ownership_period=period, version=0, payload=said)
    DeviceEvent.objects.create(**place, ownership_period=period, payload=b'{"door":"open"}')


def _dead_letters(device: Device) -> None:
    samples = [
        ("revoked", "", 12),
        ("bad_tag", "the seal does not hold", 1),
        ("forbidden_topic", "published on another device's topic", 3),
        ("replayed", "sequence 41 was seen before", 1),
    ]
    for place, (reason, detail, count) in enumerate(samples):
        DeadLetter.objects.create(
            at_us=now_us() - place * 311 * _SECOND,
            device_id=device.device_id,
            topic=f"d/{device.device_id}/up/data",
            reason=reason,
            detail=detail,
            size=87,
            count=count,
        )
