"""API keys and roles: what is granted, and nothing else."""

import pytest

from doorstep.errors import MisuseError, VerificationFailed
from doorstep.ownership.actors import program_for
from doorstep.server.accounts.api_keys import KEY_CAP, find_caller, make_api_key
from doorstep.server.accounts.bootstrap import add_staff, bootstrap
from doorstep.server.accounts.models import ApiKey, Organisation, OrganisationKind, Role, User
from doorstep.server.accounts.permissions import Permission, permissions_of
from tests.server.making import customer

pytestmark = pytest.mark.usefixtures("rolled_back")


def test_key_opens_what_it_was_made_for() -> None:
    _, organisation = customer()
    key, row = make_api_key(organisation, "  The   ERP ", ["customer:devices:read"])
    caller = find_caller(key)
    assert caller.may(Permission.CUSTOMER_DEVICES_READ)
    assert not caller.may(Permission.CUSTOMER_DEVICES_REVOKE)
    assert not caller.may(Permission.MAKER_DEVICES_READ)
    assert (row.name, caller.actor, caller.key) == (
        "The ERP",
        program_for(row.prefix, organisation.pk),
        row.pk,
    )
    assert key not in repr(ApiKey.objects.values_list().get(pk=row.pk))


def test_wrong_keys_are_refused_alike() -> None:
    _, organisation = customer()
    key, row = make_api_key(organisation, "x", ["customer:devices:read"])
    wrong = ["", row.prefix, key[:-1], key + "x", key.upper(), "x" * (KEY_CAP + 1), "schlüssel", "a\x00b"]
    said = set()
    for text in wrong:
        with pytest.raises(VerificationFailed) as caught:
            find_caller(text)
        said.add(str(caught.value))
    assert len(said) == 1


@pytest.mark.parametrize("scopes", [[], ["maker:sales:write"], ["everything"], [""]])
def test_scope_that_means_nothing_to_the_organisation_is_refused(scopes: list[str]) -> None:
    with pytest.raises(MisuseError, match="can't be given") as caught:
        make_api_key(customer()[1], "x", scopes)
    assert "customer:devices:read" in caught.value.next_step


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_key_needs_a_name(name: str) -> None:
    with pytest.raises(MisuseError, match="name"):
        make_api_key(customer()[1], name, ["customer:devices:read"])


@pytest.mark.parametrize("kind", OrganisationKind)
def test_roles_get_less_and_less(kind: OrganisationKind) -> None:
    owner, admin, operator, viewer = (permissions_of(kind, role) for role in Role)
    assert owner == admin >= operator >= viewer
    assert all(permission.scope is kind for permission in owner)
    assert all(permission.reads for permission in viewer)


def test_first_start_makes_maker_and_staff_once() -> None:
    Organisation.objects.filter(kind=OrganisationKind.MAKER).delete()
    made = bootstrap("Test Maker", "first@example.org")
    assert made is not None
    email, password = made
    assert User.objects.get(email=email).check_password(password)
    assert bootstrap() is None


@pytest.mark.parametrize("email", ["nobody", "", "a b@example.org"])
def test_staff_need_an_address(email: str) -> None:
    with pytest.raises(MisuseError, match="address"):
        add_staff(email)


def test_staff_address_is_taken_once() -> None:
    add_staff("one@example.org")
    with pytest.raises(MisuseError, match="already"):
        add_staff("ONE@example.org ")
