"""Every route and page, for every role of every kind of organisation, with own, foreign and grouped devices.

What a role may do is computed from the enum of permissions, and who belongs where from the furnished world;
`authorisation.py` says only which permission each way takes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse

from doorstep.ownership.actors import user_for
from doorstep.ownership.documents import Paper
from doorstep.ownership.handovers import DataChoice
from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.grants import Grant
from doorstep.server.accounts.inviting import invite
from doorstep.server.accounts.members import change_member
from doorstep.server.accounts.models import Member, Organisation, OrganisationKind, Role, User
from doorstep.server.accounts.permissions import Permission, permissions_of
from doorstep.server.api.pace import REQUESTS, SEARCHES
from doorstep.server.channels.models import Downlink
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.casework import Person as CaseSide
from doorstep.server.custody.actions.data_jobs import ask_for_data
from doorstep.server.custody.actions.offers import offer_transfer
from doorstep.server.custody.actions.papers import add_paper
from doorstep.server.custody.changing import DataJob, PastOwnership
from doorstep.server.custody.documents import issue
from doorstep.server.custody.models import Dispute
from doorstep.server.fleet.blocking import add_block
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.places import Site
from tests.server import making
from tests.server.authorisation import PAGES, ROUTES, Page, Route, pages_there_are, routes_there_are
from tests.server.portal.browsing import enter
from tests.server.portal.world import World, person

pytestmark = pytest.mark.slow

_PDF: Final = b"%PDF-1.4 an invoice"
_DENIED: Final = {401, 403, 404}
_HIDDEN: Final = {403, 404}


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a role, logged in."""

    name: str
    client: Client
    user: User
    organisation: Organisation
    permissions: frozenset[Permission]
    limited: bool = False


@dataclass(slots=True)
class Stage:
    """The home's things, by the names that the table uses, and devices by who may see them."""

    home: Organisation
    numbers: dict[str, int | str]
    words: dict[str, str]
    inside: Device
    outside: Device
    foreign: Device
    stock: Device
    wholesaler: Organisation
    known: dict[str, set[int] | None] = field(default_factory=dict)
    """Who may know of a number; None: whoever has the permission. Of all others the home alone."""
    actors: list[Actor] = field(default_factory=list)

    def sees(self, actor: Actor, device: Device) -> bool:
        """Whether a device is within an actor's sight."""
        match OrganisationKind(actor.organisation.kind):
            case OrganisationKind.MAKER:
                return True
            case OrganisationKind.WHOLESALER:
                return actor.organisation == self.wholesaler and device == self.stock
            case OrganisationKind.CUSTOMER:
                if actor.limited:
                    return device == self.inside
                return device.owner_id == actor.organisation.pk

    def path(self, pattern: str, device: Device, number: str) -> str:
        """Fill an address in."""
        told = {
            **self.words,
            "device_id": device.device_id,
            "child_id": self.outside.device_id if device != self.outside else self.inside.device_id,
            "number": str(self.numbers.get(number, 0)),
        }
        for name, value in told.items():
            pattern = pattern.replace("{" + name + "}", value)
        assert "{" not in pattern, pattern
        return pattern


@pytest.fixture(scope="module")
def stage(lasting_world: World) -> Iterator[Stage]:
    """Everybody, and something of everything; undone when all was asked."""
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        for pace in (REQUESTS, SEARCHES):
            patch.setattr(pace, "quota", 1_000_000)
        yield _set(lasting_world)
        transaction.set_rollback(True)


def _set(world: World) -> Stage:
    home = world.owner.memberships.get().organisation
    other = world.stranger.memberships.get().organisation
    foreign, stock = (made.row for made in making.devices(2))
    Device.objects.filter(pk=foreign.pk).update(owner=other, life="owned", ownership_period=1)
    wholesaler = making.wholesaler()
    actions.record_sale("W", [stock.serial], wholesaler, actor="operator", source="api", now_us=now_us())
    for device in (foreign, stock):
        device.refresh_from_db()
    stage = Stage(
        home,
        {},
        {},
        inside=world.live,
        outside=world.quiet,
        foreign=foreign,
        stock=stock,
        wholesaler=wholesaler,
    )
    _number(stage, world)
    stage.actors = list(_everybody(stage, world, other))
    return stage


def _number(stage: Stage, world: World) -> None:
    grant, now = Grant(Role.VIEWER), now_us()
    invitation = invite(
        stage.home,
        "waiting@example.org",
        grant,
        None,
        asker=Role.OWNER,
        base_url="http://localhost",
        now_us=now,
    )
    _, token = actions.make_registration_token(stage.home, world.owner, now_us=now)
    _, key = make_api_key(stage.home, "a key", [Permission.CUSTOMER_DEVICES_READ])
    block = add_block("hardware_id", "02:00:5e:00:53:01", "operator", "a test", now_us=now)
    stage.numbers = {
        "member": Member.objects.get(user=person(stage.home, Role.VIEWER)).pk,
        "invitation": invitation.pk,
        "group": world.group.pk,
        "webhook": world.webhook,
        "block": block.pk,
        "token": token.pk,
        "key": key.pk,
        "sale": world.live.sale_line.sale_id,
        "own-invitation": invitation.pk,
        "batch": world.batch.number,
        "claim": world.claim,
        "held": world.held.claims.get(decision="held").pk,
        "case": world.case,
        "past": world.past,
        "site": Site.objects.get(devices=world.live).pk,
        "threshold": world.live.thresholds.get(kind="above").pk,
        **_trade(stage, world),
    }
    maker, other = (one.memberships.get().organisation.pk for one in (world.staff, world.stranger))
    stage.known = {
        **dict.fromkeys(("block", "batch", "held")),
        "sale": {maker},
        "import": {maker},
        "case": {stage.home.pk, maker, other},
        "case-paper": {stage.home.pk, maker},
    }
    stage.words = {
        "serial": world.live.serial,
        "key": world.product.key,
        "command_id": Downlink.objects.filter(device=world.live).latest("pk").command_id,
        "organisation": "",
        "spare": stage.stock.serial,
        "paper": str(_paper(stage, world)),
    }


def _trade(stage: Stage, world: World) -> dict[str, int | str]:
    """Something that is offered, exported, proven and imported."""
    now, by = now_us(), user_for(world.owner.pk, stage.home.pk)
    offer = offer_transfer(world.waiting, "else@example.org", DataChoice.KEEP, by, now_us=now)
    job = ask_for_data(PastOwnership.objects.get(pk=world.past), "export", by, now)
    DataJob.objects.filter(pk=job.pk).update(finished_us=now)
    document = issue(Paper.EXPORT, world.live, stage.home, {}, now)
    rows = b"order,serial,buyer_email\nZ,none,x@example.org\n"
    maker = world.staff.memberships.get().organisation
    sent = actions.import_file(rows, maker, actor="operator", source="csv", now_us=now)
    return {"offer": offer.pk, "job": job.pk, "document": document.pk, "import": sent.pk}


def _paper(stage: Stage, world: World) -> int:
    stage.numbers["case-paper"] = world.case
    side = CaseSide(world.owner, stage.home, user_for(world.owner.pk, stage.home.pk))
    case = Dispute.objects.get(pk=world.case)
    return add_paper(case, side, "invoice.pdf", _PDF, now_us=now_us()).pk


def _everybody(stage: Stage, world: World, other: Organisation) -> Iterator[Actor]:
    maker = world.staff.memberships.get().organisation
    for organisation in (maker, stage.wholesaler, stage.home):
        for role in Role:
            yield _actor(organisation, role)
    yield _actor(other, Role.OWNER)
    for role in (Role.OPERATOR, Role.VIEWER):
        yield _actor(stage.home, role, frozenset({world.group.pk}))


def _actor(organisation: Organisation, role: Role, groups: frozenset[int] | None = None) -> Actor:
    user, client = person(organisation, role), Client()
    if groups is not None:
        change_member(Member.objects.get(user=user), Grant(role, groups), asker=Role.OWNER)
    enter(client, user)
    limited = groups is not None
    granted = permissions_of(OrganisationKind(organisation.kind), role, limited=limited)
    name = f"{'limited ' if limited else ''}{role} of {organisation}"
    return Actor(name, client, user, organisation, granted, limited)


def _undone(client: Client, method: str, path: str, **told: Any) -> int:
    """Ask, and undo what came of it; return the status, 401 for a way to the log-in."""
    cookies = client.cookies.output()
    with transaction.atomic():
        answer = client.generic(method, path, **told)
        transaction.set_rollback(True)
    if client.cookies.output() != cookies:  # whoever logged out, or deleted their account, has not
        client.cookies = SimpleCookie(cookies.replace("Set-Cookie: ", ""))
    if answer.status_code == 302 and answer["Location"].startswith("/accounts/login/"):
        return 401
    return answer.status_code


def _devices(stage: Stage, pattern: str, actor: Actor, needs: tuple[Permission, ...]) -> tuple[Device, ...]:
    """Return the devices to ask about: one is enough for who may not ask at all."""
    if "device_id" not in pattern or (needs and not actor.permissions & set(needs)):
        return (stage.inside,)
    return stage.inside, stage.outside, stage.foreign, stage.stock


def _hidden(stage: Stage, actor: Actor, number: str) -> bool:
    """Whether an address names what the actor can't know."""
    known = stage.known.get(number, {stage.home.pk})
    return bool(number) and known is not None and actor.organisation.pk not in known


@pytest.mark.parametrize("name", sorted(ROUTES.keys() & routes_there_are().keys()))
def test_route_opens_for_whom_it_should_and_for_nobody_else(stage: Stage, name: str) -> None:
    """ORG-01: each role of each organisation asks each operation for its own, foreign and grouped devices."""
    pattern = name.split()[1]
    route = ROUTES[name]
    wrong = []
    for actor in stage.actors:
        if route.proven:
            enter(actor.client, actor.user)
        for device in _devices(stage, pattern, actor, route.needs):
            got = _ask_route(stage, actor.client, name, route, device)
            if not _fits(got, _of_route(stage, actor, pattern, route, device)):
                wrong.append(f"{name} {device} as {actor.name}: {got}")
    assert _ask_route(stage, Client(), name, route, stage.inside) == 401
    assert not wrong, "\n".join(wrong)


def _ask_route(stage: Stage, client: Client, name: str, route: Route, device: Device) -> int:
    method, pattern = name.split()
    path = stage.path(f"/api/v1{pattern}{'?' if route.query else ''}{route.query}", device, route.number)
    told: dict[str, Any] = {}
    if route.file:
        sent = {route.file: SimpleUploadedFile("a.pdf", _PDF)}
        told = {"data": encode_multipart(BOUNDARY, sent), "content_type": MULTIPART_CONTENT}
    if route.body is not None:
        body = json.dumps(route.body).replace("{spare}", stage.words["spare"])
        told = {"data": body, "content_type": "application/json"}
    return _undone(client, method, path, **told)


def _of_route(stage: Stage, actor: Actor, pattern: str, route: Route, device: Device) -> set[int] | None:
    """Return the refusals that are right; None when it opens."""
    if not actor.permissions & set(route.needs):
        return {403}
    if _hidden(stage, actor, route.number):
        return {404}
    if "device_id" not in pattern:
        return None
    seen = [device] if "child_id" not in pattern else [device, stage.outside]
    if not all(stage.sees(actor, one) for one in seen):
        return {404}
    if route.owners and device.owner_id not in {None, actor.organisation.pk}:
        return {403}
    # The command and the threshold of the table belong to one device alone.
    of_one = "command_id" in pattern or route.number == "threshold"
    return {404} if of_one and device != stage.inside else None


@pytest.mark.parametrize("name", sorted(PAGES.keys() & pages_there_are().keys()))
def test_page_opens_for_whom_it_should_and_for_nobody_else(stage: Stage, name: str) -> None:
    """ORG-01: the same of each page."""
    page = PAGES[name]
    wrong = []
    for method, needs in (("GET", page.get), ("POST", page.post)):
        if needs is None:
            continue
        for actor in stage.actors:
            for device in _devices(stage, _pattern(name), actor, needs):
                got = _ask_page(stage, actor.client, method, name, page, device, actor)
                right = _of_page(stage, actor, name, page, needs, device)
                if page.who == "door" and actor.organisation.kind != OrganisationKind.CUSTOMER:
                    right = {403} if method == "POST" else None
                if method == "POST" and _names_another(stage, actor, page):
                    right = right or {404}
                if not _fits(got, right):
                    wrong.append(f"{method} {name} {device} as {actor.name}: {got}")
        if page.who not in {"public", "door"}:
            assert _ask_page(stage, Client(), method, name, page, stage.inside, None) == 401
    assert not wrong, "\n".join(wrong)


@cache
def _patterns() -> dict[str, str]:
    return pages_there_are()


def _pattern(name: str) -> str:
    return _patterns()[name]


def _ask_page(  # noqa: PLR0913, PLR0917 - what a request is made of
    stage: Stage, client: Client, method: str, name: str, page: Page, device: Device, actor: Actor | None
) -> int:
    stage.words["organisation"] = str(actor.organisation.pk) if actor else ""
    pattern = _pattern(name)
    told: dict[str, Any] = {}
    if "device_id" in pattern:
        told["device_id"] = device.device_id
    if "command_id" in pattern:
        told["command_id"] = stage.words["command_id"]
    if "<int:number>" in pattern:
        told["number"] = stage.numbers.get(page.number, 0)
    elif "<key:number>" in pattern:
        told["number"] = stage.inside.batch.number
    if "<key:key>" in pattern:
        told["key"] = stage.words["key"]
    if "<int:paper>" in pattern:
        told["paper"] = stage.words["paper"]
    if "<key:token>" in pattern:
        told["token"] = "none"
    if "<key:what>" in pattern:
        told["what"] = "dispatch"
    if "<key:name>" in pattern:
        told["name"] = "none"
    data = {key: stage.path(value, device, page.number) for key, value in page.data.items()}
    form = {"data": urlencode(data), "content_type": "application/x-www-form-urlencoded"}
    return _undone(client, method, reverse(name, kwargs=told), **(form if method == "POST" else {}))


def _of_page(  # noqa: PLR0911, PLR0913, PLR0917 - one line for each reason
    stage: Stage, actor: Actor, name: str, page: Page, needs: tuple[Permission, ...], device: Device
) -> set[int] | None:
    if page.who == "public":
        return {404} if name == "developer-mail" else None
    if page.number == "own-invitation":
        return {404}  # it waits for somebody else
    kind = actor.organisation.kind
    trader = set() if kind == OrganisationKind.CUSTOMER else {"trader"}
    if page.who not in {"user", "member", "door", kind} | trader:
        return {404}
    if page.who != "user" and needs and not actor.permissions & set(needs):
        return _HIDDEN
    if _hidden(stage, actor, page.number) or (page.whole and actor.limited):
        return {404}
    if "device_id" not in _pattern(name):
        return None
    if not stage.sees(actor, device):
        return {404}
    of_one = "command_id" in _pattern(name) or page.number == "threshold"
    return {404} if of_one and device != stage.inside else None


def _names_another(stage: Stage, actor: Actor, page: Page) -> bool:
    """Whether a form names a second device that is out of the actor's sight."""
    return "{child_id}" in page.data.values() and not stage.sees(actor, stage.outside)


def _fits(got: int, refusals: set[int] | None) -> bool:
    return got not in _DENIED and got < 500 if refusals is None else got in refusals
