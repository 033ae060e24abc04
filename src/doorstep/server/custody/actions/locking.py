"""Rows that registrations work on, locked until their transaction ends: one query a table.

The instances know the columns that registrations need; another one is loaded when somebody asks for it.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from doorstep.server import bulk
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.custody.models import RegistrationToken
from doorstep.server.fleet.models import Batch, Device, Product, SealedState

__all__ = ["locked_devices", "locked_tokens"]

_Row = TypeVar("_Row", bound=Model)


class _Columns(Generic[_Row]):
    """Some columns of a model, in its own order."""

    def __init__(self, model: type[_Row], wanted: str) -> None:
        self._model = model
        self.names = [one.attname for one in model._meta.concrete_fields if one.attname in wanted.split()]  # noqa: SLF001 - Django's documented door to a model's fields
        self.sql = f"SELECT {', '.join(self.names)} FROM {model._meta.db_table}"  # noqa: S608, SLF001 - our own names

    def read(self, condition: str, values: Collection[Any]) -> list[_Row]:
        """Return the rows whose column is among the values, as the condition says after ``= ANY(%s)``."""
        return [self.row(one) for one in bulk.select(f"{self.sql} WHERE {condition}", values)]

    def row(self, values: Sequence[Any]) -> _Row:
        """Return an instance with these columns."""
        return self._model.from_db(DEFAULT_DB_ALIAS, self.names, values)


_DEVICE: Final = _Columns(
    Device,
    "id device_id serial hardware_id product_id batch_id public_key public_key_hash claim_code_used_at "
    "label_state claims_waiting life blocked standing disputed owner_id alias ownership_period generation",
)
_TOKEN: Final = _Columns(
    RegistrationToken,
    "id token_hash organisation_id created_by_id alias code_device_id only_device_id expires_at_us "
    "used_at_us used_by_id",
)
_PRODUCT: Final = _Columns(Product, "id claim_policy claim_policy_version")
_BATCH: Final = _Columns(Batch, "id number")
_SEALED: Final = _Columns(SealedState, "device_id epoch master connect_epoch connect_seq")
_ORGANISATION: Final = _Columns(Organisation, "id")
_USER: Final = _Columns(User, "id")


def locked_devices(device_ids: Collection[str]) -> list[Device]:
    """Lock the devices with these ids; each comes with its product, its batch and its sealed state."""
    # In the order of their keys, so that two transactions never wait for one another.
    devices = _DEVICE.read("device_id = ANY(%s) ORDER BY id FOR UPDATE", device_ids)
    products = _by_key(_PRODUCT.read("id = ANY(%s)", {one.product_id for one in devices}))
    batches = _by_key(_BATCH.read("id = ANY(%s)", {one.batch_id for one in devices}))
    states = _by_key(_SEALED.read("device_id = ANY(%s)", [one.pk for one in devices]))
    for one in devices:
        one.product, one.batch = products[one.product_id], batches[one.batch_id]
        if one.pk in states:
            one.sealed = states[one.pk]
        one.claim_code_used_at = _moment(one.claim_code_used_at)
    return devices


def locked_tokens(digests: Collection[bytes]) -> list[RegistrationToken]:
    """Lock the tokens with these digests; each comes with its organisation and its user."""
    tokens = _TOKEN.read("token_hash = ANY(%s) ORDER BY id FOR UPDATE", digests)
    organisations = {one: _ORGANISATION.row([one]) for one in {token.organisation_id for token in tokens}}
    users = {one: _USER.row([one]) for one in {token.created_by_id for token in tokens} - {None}}
    for token in tokens:
        token.organisation = organisations[token.organisation_id]
        token.created_by = users.get(token.created_by_id)
    return tokens


def _by_key(rows: Sequence[_Row]) -> dict[Any, _Row]:
    return {row.pk: row for row in rows}


def _moment(stored: datetime | None) -> datetime | None:
    # SQLite keeps times in UTC without saying so.
    return stored.replace(tzinfo=UTC) if stored is not None and stored.tzinfo is None else stored
