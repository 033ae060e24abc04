"""Keys for programs: made once, shown once, kept as a hash."""

import base64
import hashlib
import hmac
import os
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from doorstep.errors import MisuseError, RefusedError, VerificationFailed
from doorstep.ownership.actors import program_for
from doorstep.server.accounts import permissions
from doorstep.server.accounts.models import ApiKey, DeviceGroup, Organisation, OrganisationKind, User
from doorstep.server.accounts.permissions import Caller, Permission, scopes_of
from doorstep.server.audit.notes import keep
from doorstep.wire import base64url

__all__ = [
    "KEY_CAP",
    "NoSuchKey",
    "end_api_key",
    "find_caller",
    "key_of",
    "keys_of",
    "make_api_key",
    "parse_scopes",
]

KEY_CAP: Final = 100
"""Characters of a presented key that are looked at."""

_PREFIX_BYTES: Final = 5
_NAME_CAP: Final = 80
_NO_SUCH_KEY: Final = bytes(32)
_USED_TO: Final = timedelta(hours=1)
"""How exactly the last use is kept."""


def parse_scopes(names: Collection[str], organisation: Organisation) -> frozenset[Permission]:
    """Read scopes by name; raise MisuseError for one that is unknown or means nothing to the organisation."""
    possible = scopes_of(OrganisationKind(organisation.kind))
    unknown = sorted(set(names) - set(possible))
    if unknown or not names:
        raise MisuseError(
            f"{', '.join(unknown) or 'no scope'} can't be given to a {organisation.kind}'s key",
            next_step=f"Use some of: {', '.join(possible)}.",
        )
    return frozenset(Permission(name) for name in names)


def make_api_key(  # noqa: PLR0913 - what a key is, and whose
    organisation: Organisation,
    name: str,
    scopes: Collection[str],
    *,
    by: User | None = None,
    group: DeviceGroup | None = None,
    expires_at: datetime | None = None,
    within: Collection[Permission] | None = None,
) -> tuple[str, ApiKey]:
    """Return a key, shown this once, and its row; raise MisuseError for a bad name or scope.

    ``group`` limits it to the devices of one group. ``within``: what its maker may do; nobody gives a key
    more than they have. None: the operator makes it.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= _NAME_CAP:
        raise MisuseError(
            f"an API key has a name of 1 to {_NAME_CAP} characters", next_step="Say what it is for."
        )
    granted = parse_scopes(scopes, organisation)
    if within is not None and (more := sorted(granted - set(within))):
        raise MisuseError(f"you may not do yourself what {', '.join(more)} allows", next_step="Leave it out.")
    prefix = "dk" + base64.b32encode(os.urandom(_PREFIX_BYTES)).decode().lower()
    key = f"{prefix}.{base64url.encode(os.urandom(32))}"
    with transaction.atomic():
        row = ApiKey.objects.create(
            organisation=organisation,
            name=name,
            prefix=prefix,
            key_hash=hashlib.sha256(key.encode()).digest(),
            scopes=sorted(granted),
            created_by=by,
            group=group,
            expires_at=expires_at,
        )
    return key, row


class NoSuchKey(RefusedError):
    """The organisation has no such key."""


def keys_of(organisation: Organisation) -> QuerySet[ApiKey]:
    """Return an organisation's keys, newest first, ended ones included."""
    rows = ApiKey.objects.filter(organisation=organisation).select_related("group", "created_by")
    return rows.order_by("-pk")


def key_of(organisation: Organisation, number: int) -> ApiKey:
    """Return one of them; raise NoSuchKey."""
    row = keys_of(organisation).filter(pk=number).first()
    if row is None:
        raise NoSuchKey(f"there is no API key {number} here", next_step="List the keys first.")
    return row


def end_api_key(row: ApiKey) -> None:
    """End a key at once. Asked again, nothing changes."""
    keep(row)
    ApiKey.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=datetime.now(UTC))


def find_caller(key: str) -> Caller:
    """Return who a presented key belongs to; raise VerificationFailed, always the same, for any other."""
    if len(key) > KEY_CAP or not key.isascii() or not key.isprintable():
        key = ""
    row = ApiKey.objects.select_related("organisation").filter(prefix=key.partition(".")[0]).first()
    now = datetime.now(UTC)
    expected = bytes(row.key_hash) if row else _NO_SUCH_KEY
    matches = hmac.compare_digest(expected, hashlib.sha256(key.encode()).digest())
    if row is None or not matches or row.revoked_at is not None or _is_over(row, now):
        raise VerificationFailed(
            "this API key is not known", next_step="Check it, or make one: doorstep account api-key"
        )
    if row.last_used_at is None or now - row.last_used_at > _USED_TO:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)
    granted = frozenset(Permission(scope) for scope in row.scopes)
    scopes = permissions.within(granted, limited=row.group_id is not None)
    groups = None if row.group_id is None else frozenset({row.group_id})
    return Caller(
        row.organisation, scopes, program_for(row.prefix, row.organisation_id), key=row.pk, groups=groups
    )


def _is_over(row: ApiKey, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= now
