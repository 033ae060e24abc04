"""Who may make whom what."""

import pytest

from doorstep.server.accounts.grants import Grant
from doorstep.server.accounts.inviting import invite
from doorstep.server.accounts.members import PeopleRefused, add_member, change_member, remove_member
from doorstep.server.accounts.models import Role
from doorstep.server.clock import now_us
from tests.server.making import customer

REFUSED = [
    (Role.ADMIN, Role.OWNER, "owner"),
    (Role.OPERATOR, Role.OWNER, "owner"),
    (None, Role.OWNER, "owner"),
    (None, Role.ADMIN, "admin"),
]


@pytest.mark.parametrize(("asker", "role", "word"), REFUSED)
def test_asker_makes_and_unmakes_nobody_above(
    rolled_back: None, asker: Role | None, role: Role, word: str
) -> None:
    organisation = customer()[1]
    viewer = add_member(organisation, customer()[0], Grant(Role.VIEWER))
    above = add_member(organisation, customer()[0], Grant(role))
    with pytest.raises(PeopleRefused, match=word):
        change_member(viewer, Grant(role), asker=asker)
    with pytest.raises(PeopleRefused, match=word):
        change_member(above, Grant(Role.VIEWER), asker=asker)
    with pytest.raises(PeopleRefused, match=word):
        remove_member(above, asker=asker)
    with pytest.raises(PeopleRefused, match=word):
        invite(
            organisation, "new@example.org", Grant(role), None,
            asker=asker, base_url="https://portal.example", now_us=now_us(),
        )  # fmt: skip


@pytest.mark.parametrize(("asker", "role"), [(Role.ADMIN, Role.ADMIN), (None, Role.OPERATOR)])
def test_asker_makes_and_removes_who_is_not_above(rolled_back: None, asker: Role | None, role: Role) -> None:
    organisation = customer()[1]
    member = add_member(organisation, customer()[0], Grant(Role.VIEWER))
    assert change_member(member, Grant(role), asker=asker).role == role
    remove_member(member, asker=asker)
    assert not organisation.members.filter(pk=member.pk).exists()
