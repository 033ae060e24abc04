"""Codes and releases in transactions of their own: no test around them lends its transaction."""

import os

from doorstep.identity import statement
from doorstep.identity.statement import Purpose, Statement
from doorstep.server.accounts.models import OrganisationKind, Role
from doorstep.server.accounts.permissions import Caller, permissions_of
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.releasing import release_setup
from doorstep.server.custody.attesting import attest, make_challenge
from tests.server.making import authority, batch_of, blank_devices, customer


def test_code_and_release_are_in_the_ledger_when_they_are_given() -> None:
    made = blank_devices(1)
    batch = batch_of(made)
    batch.product.release_setup_code = True
    batch.product.save()
    actions.record_batch(batch, made, actor="operator", now_us=now_us())
    user, organisation = customer()
    caller = Caller(
        organisation, permissions_of(OrganisationKind.CUSTOMER, Role.OWNER), f"user:{user.pk}", user=user
    )
    transcript = os.urandom(32)
    said = Statement(
        Purpose.ATTEST,
        made[0].device_id,
        make_challenge(organisation, now_us()),
        transcript=transcript,
        presence=True,
    )
    found = attest(caller, statement.sign(said, made[0].key.sign), transcript, now_us())
    assert (found.setup_code, found.oob_code) == (made[0].setup_code, made[0].oob_code)
    release_setup(made[0].row, caller.actor, authority(), now_us=now_us())
    kinds = made[0].row.custody.order_by("number").values_list("kind", flat=True)
    assert list(kinds) == ["made", "code_released", "setup_released"]
