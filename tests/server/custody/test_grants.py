"""A device asks, a person types the code that it shows, and the device registers with what it gets."""

import pytest

from doorstep.ownership.actors import user_for
from doorstep.ownership.claims import Outcome, Reason
from doorstep.ownership.device_grant import Heard
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.grants import (
    INTERVAL_S,
    LIFETIME_S,
    UserCodeRefused,
    answer_grant,
    begin_grant,
    find_grant,
    poll_grant,
)
from doorstep.server.custody.models import RegistrationToken
from tests.server.making import MadeDevice, authority, customer, devices, statement_of

pytestmark = pytest.mark.usefixtures("rolled_back")

_SECOND_US = 1_000_000


def _claimant(alias: str = "") -> Claimant:
    user, organisation = customer()
    return Claimant(organisation, user, user_for(user.pk, organisation.pk), alias=alias)


def _outcome(device: MadeDevice, token: str) -> tuple[Outcome, Reason]:
    said, _ = statement_of(device, token)
    decision = actions.register_device(said, authority=authority(), now_us=now_us()).decision
    assert decision is not None
    return decision.outcome, decision.reason


def test_person_types_the_code_and_the_device_registers() -> None:
    [device] = devices(policy="device_key & setup_session")
    claimant, at_us = _claimant("Hall"), now_us()
    code, shown = begin_grant(device.row, at_us)
    assert poll_grant(device.device_id, code, at_us) == (Heard.PENDING, "")
    answer_grant(claimant, shown.shown.lower(), at_us, yes=True)
    heard, token = poll_grant(device.device_id, code, at_us + INTERVAL_S * _SECOND_US)
    assert heard is Heard.GRANTED
    assert _outcome(device, token) == (Outcome.BOUND, Reason.POLICY_MET)
    assert (device.row.owner, device.row.alias) == (claimant.organisation, "Hall")


def test_bind_06_token_of_a_grant_is_no_use_to_another_device() -> None:
    """BIND-06: one that was stolen on its way is refused in another device's name."""
    [device, thief] = devices(2, policy="device_key & setup_session")
    code, shown = begin_grant(device.row, now_us())
    answer_grant(_claimant(), shown.shown, now_us(), yes=True)
    _, token = poll_grant(device.device_id, code, now_us())
    assert _outcome(thief, token) == (Outcome.REFUSED, Reason.TOKEN_USED)
    assert poll_grant(thief.device_id, code, now_us())[0] is Heard.EXPIRED


def test_device_whose_answer_was_lost_gets_a_fresh_token_and_the_lost_one_is_void() -> None:
    [device] = devices()
    at_us = now_us()
    code, shown = begin_grant(device.row, at_us)
    claimant = _claimant()
    answer_grant(claimant, shown.shown, at_us, yes=True)
    first = poll_grant(device.device_id, code, at_us)[1]
    again = poll_grant(device.device_id, code, at_us + INTERVAL_S * _SECOND_US)[1]
    assert again not in {"", first}
    assert RegistrationToken.objects.filter(organisation=claimant.organisation).count() == 1


def test_person_says_no() -> None:
    [device] = devices()
    code, shown = begin_grant(device.row, now_us())
    answer_grant(_claimant(), shown.shown, now_us(), yes=False)
    assert poll_grant(device.device_id, code, now_us())[0] is Heard.DENIED
    with pytest.raises(UserCodeRefused):
        find_grant(_claimant(), shown.shown, now_us())


def test_code_runs_out() -> None:
    [device] = devices()
    code, shown = begin_grant(device.row, now_us())
    late_us = now_us() + LIFETIME_S * _SECOND_US
    with pytest.raises(UserCodeRefused):
        find_grant(_claimant(), shown.shown, late_us)
    assert poll_grant(device.device_id, code, late_us)[0] is Heard.EXPIRED


def test_impatient_device_is_slowed_down() -> None:
    [device] = devices()
    code, _ = begin_grant(device.row, now_us())
    at_us = now_us()
    heard = [poll_grant(device.device_id, code, at_us + _SECOND_US * s)[0] for s in (0, 1, 7, 30)]
    assert heard == [Heard.PENDING, Heard.SLOW_DOWN, Heard.SLOW_DOWN, Heard.PENDING]


def test_device_that_restarts_again_and_again_leaves_few_rows() -> None:
    [device] = devices()
    for _ in range(9):
        begin_grant(device.row, now_us())
    assert device.row.grants.count() == 5
