"""Two things at the same moment: the outcome is as if one had come first."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from django.db import connections

from doorstep.ownership.claims import Outcome
from doorstep.server.accounts.api_keys import find_caller, make_api_key
from doorstep.server.accounts.models import Organisation, User
from doorstep.server.api.idempotency import fingerprint, once
from doorstep.server.clock import now_us
from doorstep.server.custody import actions, ledger
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.jobs.models import Job
from tests.server.making import MadeDevice, authority, customer, devices, statement_of, wholesaler

_T = TypeVar("_T")


@pytest.fixture(autouse=True)
def _no_mail_left() -> Iterator[None]:
    """What is written here stays; mail that waits would surprise the tests of the queue."""
    yield
    Job.objects.all().delete()


def _at_once(acts: Sequence[Callable[[], _T]]) -> list[_T]:
    """Run the acts in threads that start together, each with a database connection of its own."""
    barrier = threading.Barrier(len(acts))

    def one(act: Callable[[], _T]) -> _T:
        barrier.wait(10)
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def _registering(device: MadeDevice, user: User, organisation: Organisation) -> Callable[[], Outcome]:
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    said, _ = statement_of(device, token)

    def act() -> Outcome:
        registration = actions.register_device(said, authority=authority(), now_us=now_us())
        assert registration.decision is not None
        return registration.decision.outcome

    return act


def test_bind_05_two_claims_at_once_have_exactly_one_winner() -> None:
    """BIND-05: one owner, one dispute, one ownership period, whoever comes first."""
    claimants = [customer(), customer()]
    for device in devices(10, policy="device_key & setup_session"):
        acts = [_registering(device, user, organisation) for user, organisation in claimants]
        outcomes = _at_once(acts)
        assert sorted(outcomes) == [Outcome.BOUND, Outcome.DISPUTED]
        row = device.row
        winner = claimants[outcomes.index(Outcome.BOUND)][1]
        assert (row.owner, row.ownership_period, row.disputed) == (winner, 1, True)
        assert row.disputes.filter(closed_at_us=None).count() == 1
    ledger.verify_all()


def test_token_used_at_once_by_two_devices_binds_one() -> None:
    user, organisation = customer()
    for _ in range(5):
        pair = devices(2, policy="device_key & setup_session")
        token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
        said = [statement_of(device, token)[0] for device in pair]

        def acting(one: Any) -> Callable[[], actions.Registration]:
            return lambda: actions.register_device(one, authority=authority(), now_us=now_us())

        registrations = _at_once([acting(one) for one in said])
        outcomes = sorted(one.decision.outcome for one in registrations if one.decision)
        assert outcomes == [Outcome.BOUND, Outcome.REFUSED]


def test_ledger_stays_one_chain_when_many_write() -> None:
    before = ledger.head().number

    def sell(device: MadeDevice) -> Callable[[], object]:
        order = f"race-{os.urandom(4).hex()}"
        return lambda: actions.record_sale(
            order, [device.serial], "a@example.org", actor="operator", source="api", now_us=now_us()
        )

    made = devices(12)
    _at_once([sell(device) for device in made])
    assert ledger.verify_all().number == before + 12 + 12


def test_serial_sold_at_once_in_two_orders_is_sold_once() -> None:
    for device in devices(5):

        def sell(number: int, device: MadeDevice = device) -> str:
            order = f"{device.serial}-{number}"
            try:
                actions.record_sale(
                    order, [device.serial], "a@example.org", actor="operator", source="api", now_us=now_us()
                )
            except actions.SaleRefused as error:
                return error.rows[0].reason
            return "sold"

        assert sorted(_at_once([lambda: sell(1), lambda: sell(2)])) == ["already_sold", "sold"]


def _ways_out(device: MadeDevice, first: Organisation, second: Organisation) -> list[Callable[[], int]]:
    """A device on its way to a wholesaler: passed on, given back and taken back."""
    serials, here = [device.serial], f"{device.serial}-1"
    actions.record_sale(here, serials, first, actor="operator", source="api", now_us=now_us())

    def pass_on() -> int:
        order = f"{device.serial}-2"
        done = actions.record_sale(
            order,
            serials,
            second,
            actor="operator",
            source="api",
            now_us=now_us(),
            seller=first,
            keep_good=True,
        )
        return len(done.sold)

    def give_back() -> int:
        done = actions.return_to_maker(first, serials, "unsold", actor="operator", now_us=now_us())
        return len(done.done)

    def take_back() -> int:
        done = actions.withdraw(None, here, serials, "wrong", actor="operator", now_us=now_us())
        return len(done.done)

    return [pass_on, give_back, take_back]


def test_device_moved_at_once_by_its_wholesaler_and_its_sender_goes_one_way() -> None:
    first, second = wholesaler(), wholesaler()
    for device in devices(5):
        assert sum(_at_once(_ways_out(device, first, second))) == 1
        assert device.row.life in {"dispatched", "returned", "stocked"}
    ledger.verify_all()


def test_revocation_at_once_with_registration_leaves_no_usable_certificate() -> None:
    user, organisation = customer()
    for device in devices(5, policy="device_key & setup_session"):
        register = _registering(device, user, organisation)

        def revoke(device: MadeDevice = device) -> Outcome:
            revoke_device(device.row, "operator", "lost", now_us=now_us())
            return Outcome.REFUSED

        _at_once([register, revoke])
        row = device.row
        assert row.blocked
        assert not row.credentials.filter(state="active").exists()


def test_request_repeated_at_once_acts_once() -> None:
    key, _ = make_api_key(customer()[1], "ERP", ["customer:devices:read"])
    caller = find_caller(key)
    for number in range(5):
        acted: list[int] = []

        def act(acted: list[int] = acted) -> tuple[int, dict[str, Any]]:
            acted.append(1)
            return 201, {"made": len(acted)}

        def ask(name: str = f"key-{number}", act: Any = act) -> tuple[int, dict[str, Any]]:
            return once(caller, name, fingerprint("/", {"order": name}), act)

        assert _at_once([ask, ask, ask]) == [(201, {"made": 1})] * 3
        assert acted == [1]


def test_digest_column_is_the_digest_of_the_body() -> None:
    devices(1)
    for entry in ledger.entries():
        assert entry.digest == hashlib.sha256(entry.body).digest()
