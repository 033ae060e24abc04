"""Nothing that changes something escapes the trail: each form, route and table is told, or says why not."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from django.apps import apps
from django.db.models import BinaryField
from django.test import Client

from doorstep.ownership.audit import Details
from doorstep.server.accounts.models import (
    ApiKey,
    Invitation,
    Member,
    Organisation,
    OrganisationKind,
    Role,
    User,
)
from doorstep.server.api.app import api
from doorstep.server.audit.models import AuditRow
from doorstep.server.audit.notes import keep, taking_notes
from doorstep.server.audit.told import TOLD
from doorstep.server.custody.models import Claim
from doorstep.server.fleet.models import Device
from doorstep.server.portal.urls import urlpatterns
from tests.server import making
from tests.server.authorisation import PAGES
from tests.server.entering import entered

pytestmark = pytest.mark.usefixtures("rolled_back")

_WATCHED: Final = {
    "member_page.<locals>.page",
    "door_page.<locals>.around.<locals>.page",
}
"""What puts a page under the eyes of the trail."""
_FORMS_NOT_WATCHED: Final = {
    "language": "sets a cookie",
    "begin": "opens an organisation: there was none whose trail it could stand in",
    "accept-invitation": "watches itself, for the organisation that invited",
    "decline-invitation": "as above",
}
_TABLES_NOT_TOLD: Final = {
    "auth": "Django's own, not used",
    "contenttypes": "Django's own",
    "sessions": "how a log-in went",
    "account": "a person's own log-in, no organisation's",
    "mfa": "as above",
    "usersessions": "as above",
    "accounts.User": "a person, who is no organisation's; memberships are told",
    "accounts.GroupGrant": "the member's change says the groups",
    "api.Allowance": "how fast somebody asks",
    "api.StoredAnswer": "how a request went",
    "audit.AuditRow": "the trail itself",
    "channels.DeviceEvent": "the device wrote it",
    "channels.DownlinkCounter": "a counter",
    "channels.DownlinkMark": "a counter",
    "channels.ReportedState": "the device wrote it",
    "custody.CaseRecord": "a record itself; the case's state is told",
    "custody.Claim": "in the ledger, with its evidence",
    "custody.ClaimAttempt": "a record itself",
    "custody.ClaimEvidence": "in the ledger when it is judged",
    "custody.CustodyEntry": "the ledger itself",
    "custody.ExportPiece": "readings",
    "custody.LedgerKey": "a key that signs in the ledger",
    "custody.PastSaleLine": "in the ledger, a line for each device",
    "custody.PolicyVersion": "the product's change says it",
    "custody.SaleLine": "in the ledger, a line for each device",
    "custody.SignedDocument": "a record itself",
    "fleet.CloneChallenge": "in the ledger",
    "fleet.Credential": "in the ledger",
    "fleet.DeviceSession": "the broker wrote it",
    "fleet.LegacyBoard": "made by the operator's command alone",
    "fleet.LegacyChange": "a record itself; the product's change says it",
    "fleet.OnboardingChange": "a record itself; the product's change says it",
    "fleet.Revocation": "how far the broker is; the device's standing is told",
    "fleet.RevocationList": "signed by the platform by itself",
    "fleet.SealedState": "keys and counters",
    "fleet.StandingChange": "a record itself; the device's standing is told",
    "jobs": "work that waits",
    "readings.Alert": "the platform wrote it",
    "readings.DeadLetter": "the device wrote it",
    "readings.Message": "the device wrote it",
    "readings.RollUp": "computed from readings",
    "readings.RollUpMark": "a counter",
    "webhooks.WebhookDelivery": "how a delivery went",
    "webhooks.WebhookEvent": "what happened, which is told",
}


def test_every_form_of_the_portal_is_watched_or_says_why_not() -> None:
    writing = {name for name, page in PAGES.items() if page.post is not None}
    found = {str(one.name) for one in urlpatterns if _WATCHED & set(_wrappers(one.callback))}
    assert writing - found == _FORMS_NOT_WATCHED.keys()


def test_every_operation_of_the_api_is_watched() -> None:
    paths = [path for _, router in api._routers for path in router.path_operations.values()]
    views = [one.view_func for path in paths for one in path.operations]
    assert len(views) > 80
    assert not [view for view in views if "_guarded.<locals>.answer" not in set(_wrappers(view))]


def test_every_table_is_told_or_says_why_not() -> None:
    ours = [one._meta for one in apps.get_models()]
    missing = [
        one.label
        for one in ours
        if not {one.label, one.app_label} & _TABLES_NOT_TOLD.keys() and one.label not in TOLD
    ]
    assert not missing, f"add each to TOLD, or here with the reason: {missing}"
    assert not TOLD.keys() & _TABLES_NOT_TOLD.keys()


@pytest.mark.parametrize("label", TOLD)
def test_no_column_that_is_told_holds_a_secret(label: str) -> None:
    model, told = apps.get_model(label), TOLD[label]
    assert list(model._base_manager.values(told.name, *told.columns)[:1]) is not None
    for column in (told.name, *told.columns):
        first = column.partition("__")[0]
        fields = [one for one in model._meta.fields if first in {one.name, one.attname, "pk"}]
        assert first == "pk" or not isinstance(fields[0], BinaryField), column
        assert not {"secret", "hash", "token", "password", "body"} & set(column.split("_")), column


@pytest.fixture
def home() -> tuple[User, Organisation, Device]:
    user, organisation = making.customer()
    row = making.devices()[0].row
    Device.objects.filter(pk=row.pk).update(owner=organisation, life="owned", ownership_period=1)
    row.refresh_from_db()
    return user, organisation, row


def _changes(user: User, path: str, sent: dict[str, Any], method: str = "post") -> dict[str, Any]:
    """Send it, and return what the newest entry says: each name with before and after."""
    client, had = entered(user), AuditRow.objects.count()
    told = {"content_type": "application/json"} if path.startswith("/api/") else {}
    answer = getattr(client, method)(path, sent, **told)
    assert answer.status_code in {200, 201, 202, 204, 302}, answer.content
    rows = list(AuditRow.objects.order_by("-number"))
    assert len(rows) == had + 1, (path, answer.content)
    details = Details.from_bytes(bytes(rows[0].details or b""))
    return {name: (details.before.get(name), new) for name, new in details.after.items()}


def test_people_roles_groups_keys_and_webhooks_are_told_before_and_after(
    home: tuple[User, Organisation, Device],
) -> None:
    user, organisation, device = home
    other, _ = making.customer()
    member = Member.objects.create(user=other, organisation=organisation, role=Role.ADMIN)
    said = _changes(user, "/groups/", {"name": "Greenhouse"})
    assert said == {"group Greenhouse name": (None, "Greenhouse")}
    group = organisation.device_groups.get()
    path = f"/api/v1/groups/{group.pk}/devices/{device.device_id}"
    said = _changes(user, path, {}, "put")
    assert said == {f"placing {device.device_id} group name": (None, "Greenhouse")}
    said = _changes(user, f"/api/v1/people/{member.pk}", {"role": "viewer", "groups": [group.pk]}, "put")
    assert said[f"member {other.email} role"] == ("admin", "viewer")
    assert said["groups"] == ("", "Greenhouse")
    said = _changes(user, f"/people/{member.pk}/remove/", {})
    assert said[f"member {other.email} role"] == ("viewer", None)
    hook = {"url": "https://hooks.example.org/a"}
    said = _changes(user, "/api/v1/webhooks", hook)
    assert said["webhook 1 url"] == (None, hook["url"])
    said = _changes(user, "/api/v1/webhooks/1", {"url": "https://hooks.example.org/b"}, "put")
    assert said == {"webhook 1 url": (hook["url"], "https://hooks.example.org/b")}
    said = _changes(user, "/api/v1/webhooks/1/secret", {})
    assert said == {"webhook 1 secret": (None, "another one")}


def test_what_stands_on_a_device_is_told_before_and_after(home: tuple[User, Organisation, Device]) -> None:
    user, _, device = home
    said = _changes(user, "/sites/new/", {"name": "Shed", "latitude": "47.5", "longitude": "15"})
    assert said["site Shed latitude"] == (None, "47.5")
    site = device.owner.sites.get()  # type: ignore[union-attr]
    said = _changes(user, f"/devices/{device.device_id}/place/", {"alias": "Door", "site": site.pk})
    assert said == {"alias": ("", "Door"), "site name": (None, "Shed")}
    sent = {"minutes": "30"}
    said = _changes(user, f"/devices/{device.device_id}/thresholds/", sent)
    assert (None, "30.0") in said.values()
    wanted = {"settings": {"interval": 5}, "version": 0}
    said = _changes(user, f"/api/v1/devices/{device.device_id}/desired", wanted, "put")
    assert said[f"settings {device.device_id} version"] == (None, 1)


def test_policy_block_and_key_of_the_maker_are_told_before_and_after() -> None:
    staff, maker = making.maker()
    product = making.devices()[0].row.product
    policy = {"claim_policy": "device_key & setup_session & email"}
    said = _changes(staff, f"/staff/products/{product.key}/policy/", policy)
    assert said[f"product {product.key} claim_policy"] == (product.claim_policy, policy["claim_policy"])
    assert said[f"product {product.key} claim_policy_version"] == (1, 2)
    line = {"kind": "hardware_id", "value": "02:00:5e:10:00:07", "reason": "recall"}
    said = _changes(staff, "/api/v1/blocks", line)
    assert said["line 02005E100007 reason"] == (None, "recall")
    ApiKey.objects.create(organisation=maker, name="ERP", prefix="dkaudit", key_hash=b"x" * 32, scopes=[])
    key = ApiKey.objects.get(prefix="dkaudit")
    with taking_notes() as notes:
        keep(key)
        ApiKey.objects.filter(pk=key.pk).update(name="Other")
    assert notes.changes("") == ({"key dkaudit name": "ERP"}, {"key dkaudit name": "Other"})


def test_who_accepts_an_invitation_is_told_to_the_organisation() -> None:
    (_, organisation), (guest, _) = making.customer(), making.customer()
    Invitation.objects.create(
        organisation=organisation, email=guest.email, role=Role.VIEWER, invited_us=0, expires_us=2**62
    )
    said = _changes(guest, f"/invitations/{Invitation.objects.get().pk}/accept/", {})
    assert said[f"member {guest.email} role"] == (None, "viewer")
    row = AuditRow.objects.latest("number")
    assert (row.owner, row.actor) == (organisation.pk, f"user:{guest.pk}@{organisation.pk}")


def test_entry_of_a_great_change_says_that_there_was_more() -> None:
    organisations = [Organisation(name=f"o{one}", kind=OrganisationKind.CUSTOMER) for one in range(30)]
    with taking_notes() as notes:
        for one in organisations:
            one.save()
        one.delete()
    _, after = notes.changes("")
    assert after["and more"] is True
    assert len(after) == 21


def test_staff_who_open_a_claim_leave_an_entry_that_the_claimant_reads() -> None:
    staff, _ = making.maker()
    user, organisation = making.customer()
    device = making.devices()[0].row
    claim = Claim.objects.create(
        device=device, organisation=organisation, claimant=user, policy="staff", decision="held", at_us=1
    )
    client = Client()
    client.force_login(staff)
    assert client.get(f"/staff/claims/{claim.pk}/vouch/").status_code == 200
    row = AuditRow.objects.get(owner=organisation.pk)
    assert (row.action, row.way, row.owner, row.device_id) == (
        "vouch",
        "portal-read",
        organisation.pk,
        device.device_id,
    )


def _wrappers(view: Callable[..., Any] | None) -> Iterator[str]:
    while view is not None:
        yield view.__code__.co_qualname
        view = getattr(view, "__wrapped__", None)
