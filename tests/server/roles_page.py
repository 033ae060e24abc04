"""The page of roles and permissions: ``python -m tests.server.roles_page`` writes it anew."""

from pathlib import Path

__all__ = ["PAGE", "roles_page"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "roles.md"
_HEAD = """# Roles and permissions

What a member may do follows from the role and the kind of organisation. This page is made from the code:
`python -m tests.server.roles_page`. An API key has those of its organisation's permissions that were
chosen as its scopes, and never one that is marked *people only*. Operators and viewers of a customer can be
limited to groups of devices: they then see those devices and no others, and lose what is marked *whole*.
"""
_TABLE = "| permission | owner, admin | operator | viewer | |\n|---|---|---|---|---|"


def roles_page() -> str:
    """The page as the enum of permissions says it."""
    # They need Django, which this module starts only when it is run.
    from doorstep.server.accounts.models import OrganisationKind, Role  # noqa: PLC0415
    from doorstep.server.accounts.permissions import Permission, permissions_of, scopes_of  # noqa: PLC0415

    lines = [_HEAD]
    for kind in OrganisationKind:
        lines += [f"\n## {kind.label}\n", _TABLE]
        granted = {role: permissions_of(kind, role) for role in Role}
        assert granted[Role.OWNER] == granted[Role.ADMIN]
        limited = permissions_of(kind, Role.OPERATOR, limited=True)
        for one in (each for each in Permission if each.scope is kind):
            columns = (Role.OWNER, Role.OPERATOR, Role.VIEWER)
            marks = ["yes" if one in granted[role] else "" for role in columns]
            notes = [] if one in scopes_of(kind) else ["people only"]
            if one in granted[Role.OPERATOR] and one not in limited:
                notes.append("whole")
            lines.append(f"| `{one}` | {' | '.join(marks)} | {', '.join(notes)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from doorstep.server.setup import start

    start()
    PAGE.write_text(roles_page(), encoding="utf-8")
