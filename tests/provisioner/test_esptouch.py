import asyncio
import os
import socket
from dataclasses import replace
from itertools import islice

import pytest

from doorstep.errors import UnavailableError
from doorstep.onboarding.esptouch.ack import Ack
from doorstep.onboarding.esptouch.v1 import V1Decoder
from doorstep.onboarding.esptouch.v2 import V2Decoder
from doorstep.provisioner.esptouch import Plan, announce, plan_v1, plan_v2
from tests.onboarding.esptouch.test_v1 import HOME, IP

MAC = b"\x02board"


def loopback() -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.setblocking(False)
    return listening


def free_port() -> int:
    with loopback() as taken:
        return int(taken.getsockname()[1])


def on_loopback(plan: Plan, pace: float = 0.0002) -> Plan:
    return replace(plan, pace=pace, ports=(free_port(),))


@pytest.mark.parametrize("version", [1, 2])
def test_device_answers_what_was_announced(version: int) -> None:
    async def run() -> None:
        plan = plan_v1(HOME, IP) if version == 1 else plan_v2(HOME, os.urandom, token=b"token")
        decoder = V1Decoder(0) if version == 1 else V2Decoder(0)
        plan = on_loopback(plan)
        with loopback() as device:
            answering = asyncio.create_task(answer(device, decoder, plan))
            to = device.getsockname()
            acks = await announce(plan, 20, to=to, listen="127.0.0.1")
            heard = await answering
        assert [ack.mac for ack in acks] == [MAC]
        assert heard == HOME.passphrase

    asyncio.run(run())


async def answer(device: socket.socket, decoder: V1Decoder | V2Decoder, plan: Plan) -> bytes:
    loop = asyncio.get_running_loop()
    while True:
        whole = decoder.take(len(await loop.sock_recv(device, 4096)))
        if whole is not None:
            for octets in (b"rubbish", Ack(1, MAC, IP).octets(), Ack(plan.token, MAC, IP).octets()):
                device.sendto(octets, ("127.0.0.1", plan.ports[0]))
            return whole.network.passphrase


def test_sender_tells_nothing_of_silence() -> None:
    async def run() -> None:
        with loopback() as device:
            plan = on_loopback(plan_v1(HOME, IP))
            assert await announce(plan, 0.1, to=device.getsockname(), listen="127.0.0.1") == ()

    asyncio.run(run())


def test_sender_keeps_its_pace() -> None:
    async def run() -> int:
        with loopback() as device:
            plan = on_loopback(plan_v1(HOME, IP), pace=0.02)
            await announce(plan, 0.2, to=device.getsockname(), listen="127.0.0.1")
            count = 0
            while True:
                try:
                    device.recv(4096)
                except BlockingIOError:
                    return count
                count += 1

    assert 5 <= asyncio.run(run()) <= 12


def test_sender_says_that_there_is_no_network() -> None:
    async def run() -> None:
        await announce(on_loopback(plan_v1(HOME, IP)), 5, to=("255.255.255.255", 0), listen="127.0.0.1")

    with pytest.raises(UnavailableError, match="cannot send"):
        asyncio.run(run())


def test_sender_says_that_the_port_is_taken() -> None:
    with loopback() as other:
        plan = replace(plan_v1(HOME, IP), ports=(other.getsockname()[1],))
        with pytest.raises(UnavailableError, match="is taken"):
            asyncio.run(announce(plan, 1, listen="127.0.0.1"))


def test_version_two_repeats_its_round() -> None:
    plan = plan_v2(HOME, bytes, port=28266)
    lengths = list(islice(plan.lengths, 2000))
    assert lengths.count(1048) >= 4
    assert plan.ports == (28266,)
