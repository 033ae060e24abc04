"""Rows of ``bench registration``, stored by the actions that store them in life."""

from collections.abc import Sequence
from typing import Final

from allauth.account.models import EmailAddress
from django.db import connections

from doorstep.ownership.actors import OPERATOR
from doorstep.server.accounts.actions import open_customer_organisation
from doorstep.server.accounts.models import User
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import NewDevice, make_registration_token, record_batch, record_sale
from doorstep.server.fleet.products import add_product, open_batch_row

__all__ = ["store"]

_BUYER: Final = "buyer@example.org"


def store(made: Sequence[NewDevice]) -> list[str]:
    """Record the devices, sell them to one customer, and return a registration token for each."""
    batch = open_batch_row(add_product("bench", "Bench"), "bench", len(made))
    record_batch(batch, made, actor=OPERATOR, now_us=now_us())
    user = User.objects.create_user(_BUYER)
    EmailAddress.objects.create(user=user, email=_BUYER, verified=True, primary=True)
    organisation = open_customer_organisation(user)
    serials = [one.serial for one in made]
    record_sale("bench", serials, _BUYER, actor=OPERATOR, source="csv", now_us=now_us())
    tokens = [make_registration_token(organisation, user, now_us=now_us())[0] for _ in made]
    connections.close_all()
    return tokens
