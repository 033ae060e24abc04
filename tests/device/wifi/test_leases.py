"""Who gets which address on the board's access point."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface

from hypothesis import given
from hypothesis import strategies as st

from doorstep.device.wifi.leases import LEASE_S, MAX_LEASES, Leases
from doorstep.wire.dhcp import DhcpKind, DhcpMessage, DhcpOption

OWN = IPv4Interface("192.168.4.1/24")
PORTAL = "https://192.168.4.1/captive"
NOBODY = IPv4Address(0)


def mac(number: int) -> bytes:
    return b"\x02\x00\x00\x00" + number.to_bytes(2)


def ask(  # noqa: PLR0913, PLR0917 - what a phone may say
    leases: Leases,
    kind: DhcpKind,
    phone: int = 1,
    now: float = 0,
    client: IPv4Address = NOBODY,
    options: Mapping[int, bytes] = {},
) -> DhcpMessage | None:
    return leases.answer(DhcpMessage(kind, 77, mac(phone), client=client, options=options), now)


def lease(leases: Leases, phone: int, now: float = 0) -> IPv4Address:
    offer = ask(leases, DhcpKind.DISCOVER, phone, now)
    assert offer is not None
    assert offer.kind is DhcpKind.OFFER
    wanted: dict[int, bytes] = {
        DhcpOption.REQUESTED_ADDRESS: offer.your.packed,
        DhcpOption.SERVER: OWN.ip.packed,
    }
    ack = ask(leases, DhcpKind.REQUEST, phone, now, options=wanted)
    assert ack is not None
    assert (ack.kind, ack.your) == (DhcpKind.ACK, offer.your)
    return ack.your


def test_phone_is_told_all_that_it_needs() -> None:
    leases = Leases(OWN, PORTAL)
    offer = ask(leases, DhcpKind.DISCOVER)
    assert offer is not None
    assert (offer.transaction, offer.hardware, offer.is_reply) == (77, mac(1), True)
    assert offer.options == {
        DhcpOption.SERVER: OWN.ip.packed,
        DhcpOption.LEASE_SECONDS: LEASE_S.to_bytes(4),
        DhcpOption.SUBNET_MASK: b"\xff\xff\xff\x00",
        DhcpOption.ROUTER: OWN.ip.packed,
        DhcpOption.NAME_SERVER: OWN.ip.packed,
        DhcpOption.CAPTIVE_PORTAL: PORTAL.encode(),
    }


def test_phone_keeps_its_address_over_visits() -> None:
    leases = Leases(OWN)
    first = lease(leases, 1)
    assert lease(leases, 2) != first
    assert lease(leases, 1, now=LEASE_S * 3) == first
    again = ask(leases, DhcpKind.REQUEST, 1, client=first)
    assert again is not None
    assert again.kind is DhcpKind.ACK


def test_phone_gets_the_address_that_it_had_elsewhere_where_it_is_free() -> None:
    leases = Leases(OWN)
    wanted = IPv4Address("192.168.4.33")
    offer = ask(leases, DhcpKind.DISCOVER, options={DhcpOption.REQUESTED_ADDRESS: wanted.packed})
    assert offer is not None
    assert offer.your == wanted


def test_server_refuses_address_of_another_or_of_elsewhere() -> None:
    leases = Leases(OWN)
    taken = lease(leases, 1)
    for wanted in (taken, IPv4Address("10.0.0.7"), OWN.ip):
        answer = ask(leases, DhcpKind.REQUEST, 2, options={DhcpOption.REQUESTED_ADDRESS: wanted.packed})
        assert answer is not None
        assert (answer.kind, answer.your) == (DhcpKind.NAK, NOBODY)


def test_server_is_silent_where_it_is_not_asked() -> None:
    leases = Leases(OWN)
    other: dict[int, bytes] = {
        DhcpOption.SERVER: b"\x0a\x00\x00\x01",
        DhcpOption.REQUESTED_ADDRESS: b"\x0a\x00\x00\x02",
    }
    assert ask(leases, DhcpKind.REQUEST, options=other) is None
    for kind in (DhcpKind.OFFER, DhcpKind.ACK, DhcpKind.NAK):
        assert ask(leases, kind) is None
    assert leases.answer(DhcpMessage(DhcpKind.DISCOVER, 1, mac(1), is_reply=True), 0) is None


def test_server_informs_phone_with_an_address_of_its_own() -> None:
    answer = ask(Leases(OWN), DhcpKind.INFORM, client=IPv4Address("192.168.4.200"))
    assert answer is not None
    assert (answer.kind, answer.your) == (DhcpKind.ACK, NOBODY)
    assert DhcpOption.LEASE_SECONDS not in answer.options


def test_released_address_is_free_and_declined_one_is_not() -> None:
    leases = Leases(OWN)
    first = lease(leases, 1)
    assert ask(leases, DhcpKind.RELEASE, 2, client=first) is None  # not its own
    assert lease(leases, 2) != first
    assert ask(leases, DhcpKind.RELEASE, 1, client=first) is None
    assert lease(leases, 3) == first
    assert ask(leases, DhcpKind.DECLINE, 3, options={DhcpOption.REQUESTED_ADDRESS: first.packed}) is None
    assert ask(leases, DhcpKind.DECLINE, 3) is None
    assert lease(leases, 3) != first


def test_full_network_gives_nobody_else_an_address() -> None:
    leases = Leases(OWN)
    taken = {lease(leases, phone) for phone in range(MAX_LEASES)}
    assert len(taken) == MAX_LEASES
    assert ask(leases, DhcpKind.DISCOVER, 999) is None
    assert lease(leases, 999, now=LEASE_S + 1) in taken


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5000)), max_size=80))
def test_no_two_phones_have_one_address_at_once(visits: list[tuple[int, int]]) -> None:
    leases, holders, now = Leases(OWN), dict[IPv4Address, tuple[int, float]](), 0.0
    for phone, pause in visits:
        now += pause
        offer = ask(leases, DhcpKind.DISCOVER, phone, now)
        if offer is None:
            continue
        wanted: dict[int, bytes] = {DhcpOption.REQUESTED_ADDRESS: offer.your.packed}
        ack = ask(leases, DhcpKind.REQUEST, phone, now, options=wanted)
        assert ack is not None
        assert ack.kind is DhcpKind.ACK
        holder, until = holders.get(ack.your, (phone, 0.0))
        assert holder == phone or until <= now
        holders[ack.your] = phone, now + LEASE_S
