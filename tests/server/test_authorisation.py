"""No route and no page without its line in the table of authorisation, and docs that say the same."""

from pathlib import Path

from django.test import Client

from doorstep.server.accounts.models import OrganisationKind, Role
from doorstep.server.accounts.permissions import Permission, permissions_of, scopes_of
from tests.server.authorisation import PAGES, ROUTES, pages_there_are, routes_there_are

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "roles.md"
_HEAD = """# Roles and permissions

What a member may do follows from the role and the kind of organisation. This page is made from the code:
`python -m tests.server.test_authorisation`. An API key has those of its organisation's permissions that were
chosen as its scopes, and never one that is marked *people only*. Operators and viewers of a customer can be
limited to groups of devices: they then see those devices and no others, and lose what is marked *whole*.
"""


_COLUMNS = (Role.OWNER, Role.OPERATOR, Role.VIEWER)
_TABLE = "| permission | owner, admin | operator | viewer | |\n|---|---|---|---|---|"


def roles_page() -> str:
    """The page as the enum of permissions says it."""
    lines = [_HEAD]
    for kind in OrganisationKind:
        lines += [
            f"\n## {kind.label}\n",
            "| permission | owner, admin | operator | viewer | |",
            "|---|---|---|---|---|",
        ]
        granted = {role: permissions_of(kind, role) for role in Role}
        assert granted[Role.OWNER] == granted[Role.ADMIN]
        limited = permissions_of(kind, Role.OPERATOR, limited=True)
        for one in (each for each in Permission if each.scope is kind):
            marks = [
                "yes" if one in granted[role] else "" for role in (Role.OWNER, Role.OPERATOR, Role.VIEWER)
            ]
            notes = [] if one in scopes_of(kind) else ["people only"]
            if one in granted[Role.OPERATOR] and one not in limited:
                notes.append("whole")
            lines.append(f"| `{one}` | {' | '.join(marks)} | {', '.join(notes)} |")
    return "\n".join(lines) + "\n"


def test_every_page_has_its_line_in_the_matrix() -> None:
    missing = pages_there_are().keys() - PAGES.keys()
    assert not missing, f"add a line each to PAGES of tests/server/authorisation.py: {sorted(missing)}"


def test_every_route_has_its_line_in_the_matrix_or_says_its_scopes() -> None:
    missing = [name for name, scopes in routes_there_are().items() if name not in ROUTES and not scopes]
    assert not missing, f"add a line each to ROUTES of tests/server/authorisation.py: {missing}"


def test_line_and_description_agree_about_scopes() -> None:
    for name, scopes in routes_there_are().items():
        if name in ROUTES and scopes:
            assert set(scopes) == set(map(str, ROUTES[name].needs)), name


def test_strangers_open_no_route() -> None:
    client = Client()
    for name in routes_there_are():
        method, path = name.split()
        answer = client.generic(method, "/api/v1" + path.replace("{", "").replace("}", ""))
        assert answer.status_code in {401, 422}, name


def test_page_of_roles_is_what_the_permissions_say() -> None:
    assert _PAGE.read_text(encoding="utf-8") == roles_page()


if __name__ == "__main__":
    _PAGE.write_text(roles_page(), encoding="utf-8")
