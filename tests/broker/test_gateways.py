"""What a gateway may do at the real broker: carry its children's messages, and nobody else's."""

import asyncio
import os

import pytest

from doorstep.broker.policy import Admission
from doorstep.identity.ids import new_device_id
from doorstep.testing.devices import TestDevice, add_devices, add_revocation
from doorstep.testing.mqtt import ACCEPTED, SUBSCRIBE_REFUSED, MqttClient
from doorstep.testing.plant import Plant
from tests.broker.test_admission import play, query, secure
from tests.wait import until_soon

pytestmark = pytest.mark.roles


def family(plant: Plant, count: int = 3) -> tuple[TestDevice, list[TestDevice]]:
    """A gateway and its children; all have the same owner."""
    gateway, *children = add_devices(plant, 1 + count)
    for child in children:
        attach(plant, child, gateway)
    return gateway, children


def attach(plant: Plant, child: TestDevice, gateway: TestDevice | None) -> None:
    row = None if gateway is None else gateway.row
    query(plant, "UPDATE device SET gateway_id = ? WHERE id = ?", row, child.row)


async def entered(plant: Plant, gateway: TestDevice) -> MqttClient:
    client = await secure(plant, gateway)
    assert await client.connect(gateway.device_id) == ACCEPTED
    return client


def forbidden(plant: Plant, gateway: TestDevice) -> int:
    found = "SELECT SUM(count) FROM dead_letter WHERE device_id = ? AND reason = 'forbidden_topic'"
    return int(query(plant, found, gateway.device_id)[0][0] or 0)


def test_gateway_gets_its_childrens_topics_and_no_others(running: Plant) -> None:
    """GATE-1: as its children's, a stranger's topics are refused when asked for and dropped when used."""

    async def scene() -> None:
        gateway, (child, sibling, _) = family(running)
        (stranger,) = add_devices(running, 1)
        client = await entered(running, gateway)
        for mine in (child, sibling):
            assert await client.subscribe(f"d/{mine.device_id}/down/+", 0) == 0
            await client.publish(mine.topic("data"), b"sealed")
        assert await client.subscribe(f"d/{stranger.device_id}/down/+", 0) == SUBSCRIBE_REFUSED
        for wish in ("d/+/down/+", "#", f"d/{child.device_id}/up/+"):
            assert await client.subscribe(wish, 0) == SUBSCRIBE_REFUSED
        await client.publish(stranger.topic("data"), b"forged")
        await client.publish(f"d/{child.device_id}/down/cmd", b"forged")
        await until_soon(lambda: forbidden(running, gateway) == 6)

    play(scene())


def test_child_has_no_right_to_its_gateway(running: Plant) -> None:
    async def scene() -> None:
        gateway, (child, sibling, _) = family(running)
        client = await entered(running, child)
        for other in (gateway, sibling):
            assert await client.subscribe(f"d/{other.device_id}/down/+", 0) == SUBSCRIBE_REFUSED

    play(scene())


def _detach(plant: Plant, child: TestDevice) -> None:
    attach(plant, child, None)


def _revoke(plant: Plant, child: TestDevice) -> None:
    connection = plant.connect()
    try:
        add_revocation(connection, child)
    finally:
        connection.close()


def _give_away(plant: Plant, child: TestDevice) -> None:
    new = "INSERT INTO organisation (name, kind, email, created_at) VALUES ('N', 'customer', '', ?)"
    ((owner,),) = query(plant, f"{new} RETURNING id", "2026-11-22 00:00:00")
    query(plant, "UPDATE device SET owner_id = ? WHERE id = ?", owner, child.row)


@pytest.mark.parametrize("end", [_detach, _revoke, _give_away])
def test_gateway_is_cut_off_from_a_child_at_once(running: Plant, end: object) -> None:
    """GATE-5: its session is closed, and the next one knows the child no more."""

    async def scene() -> None:
        gateway, (child, sibling, _) = family(running)
        client = await entered(running, gateway)
        assert await client.subscribe(f"d/{child.device_id}/down/+", 0) == 0
        end(running, child)  # type: ignore[operator]
        await asyncio.wait_for(client.lost, 3)
        client = await entered(running, gateway)
        assert await client.subscribe(f"d/{child.device_id}/down/+", 0) == SUBSCRIBE_REFUSED
        assert await client.subscribe(f"d/{sibling.device_id}/down/+", 0) == 0
        await asyncio.sleep(1.2)
        assert not client.lost.done()

    play(scene())


def test_gateway_learns_of_its_first_child_by_coming_back(running: Plant) -> None:
    async def scene() -> None:
        gateway, child = add_devices(running, 2)
        client = await entered(running, gateway)
        assert await client.subscribe(f"d/{child.device_id}/down/+", 0) == SUBSCRIBE_REFUSED
        attach(running, child, gateway)
        await asyncio.wait_for(client.lost, 3)
        client = await entered(running, gateway)
        assert await client.subscribe(f"d/{child.device_id}/down/+", 0) == 0

    play(scene())


def test_revoked_gateway_carries_nothing(running: Plant) -> None:
    async def scene() -> None:
        gateway, _ = family(running)
        client = await entered(running, gateway)
        _revoke(running, gateway)
        await asyncio.wait_for(client.lost, 3)
        client = await secure(running, gateway)
        assert await client.connect(gateway.device_id) != ACCEPTED

    play(scene())


def test_as_many_children_as_are_allowed_fit_the_answer_to_the_broker(running: Plant) -> None:
    async def scene() -> None:
        gateway, children = family(running, 128)
        client = await entered(running, gateway)
        for child in (children[0], children[-1]):
            assert await client.subscribe(f"d/{child.device_id}/down/+", 0) == 0

    play(scene())


def test_admission_names_each_child_once() -> None:
    child = new_device_id(os.urandom)
    admission = Admission("aaaaaaaa", 1, children=(child,))
    assert admission.publish[-1].endswith(f".{child}.*")
    assert admission.subscribe[-1] == f"d.{child}.down.*"
