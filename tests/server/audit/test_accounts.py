"""What people change on their own account leaves an entry, without a secret."""

import pytest
from django.test import Client

from doorstep.server.accounts.models import User
from doorstep.server.audit.models import AuditRow
from doorstep.server.audit.queries import deed
from tests.server import making
from tests.server.entering import entered

PASSWORD, ANOTHER = "correct horse battery staple", "a longer and quite other one"


@pytest.fixture(autouse=True)
def _empty(rolled_back: None) -> None:
    """Begin with an empty trail, whatever other tests left in it."""
    AuditRow.objects.all().delete()


@pytest.fixture
def user() -> User:
    """Somebody with a password."""
    somebody, _ = making.customer()
    somebody.set_password(PASSWORD)
    somebody.save()
    return somebody


def proven(user: User) -> Client:
    """Return the client of somebody who just typed their password."""
    client = entered(user, "192.0.2.7")
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302
    return client


def test_changed_password_leaves_an_entry_and_nothing_of_it(user: User) -> None:
    client = proven(user)
    form = {"oldpassword": PASSWORD, "password1": ANOTHER, "password2": ANOTHER}
    client.post("/accounts/password/change/", form)
    [row] = AuditRow.objects.all()
    organisation = user.memberships.get().organisation
    told = deed(row, organisation)
    assert (told.action, told.way, told.address, told.changes) == (
        "change-password",
        "portal",
        "192.0.2.7",
        [],
    )
    assert row.actor == f"user:{user.pk}@{organisation.pk}"


def test_wrong_password_changes_nothing_and_leaves_nothing(user: User) -> None:
    form = {"oldpassword": "wrong", "password1": ANOTHER, "password2": ANOTHER}
    proven(user).post("/accounts/password/change/", form)
    assert not AuditRow.objects.exists()
