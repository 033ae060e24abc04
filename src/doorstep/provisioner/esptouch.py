"""Announces a network by ESP-Touch: datagrams whose lengths say it, until devices answer.

Everybody in reach of the radio learns the password with version 1, and with version 2 without a key.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Final

from doorstep.errors import MalformedMessage, UnavailableError
from doorstep.onboarding.esptouch.ack import Ack, expected_token
from doorstep.onboarding.esptouch.announcement import ACK_PORTS, DEVICE_PORT
from doorstep.onboarding.esptouch.v1 import PACE as PACE_V1
from doorstep.onboarding.esptouch.v1 import encode_v1, rounds_v1
from doorstep.onboarding.esptouch.v2 import PACE as PACE_V2
from doorstep.onboarding.esptouch.v2 import encode_v2
from doorstep.onboarding.network import NetworkCredentials

__all__ = ["Plan", "announce", "plan_v1", "plan_v2"]

EVERYBODY: Final = "255.255.255.255"
MAX_ANSWER: Final = 64
FILL: Final = b"1"
"""What the datagrams hold: nothing that anybody reads."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Lengths to send for ever, ``pace`` seconds apart; ``token`` is what a device answers with."""

    lengths: Iterator[int]
    pace: float
    token: int
    ports: tuple[int, ...]
    """UDP ports to wait for answers on, the first that is free."""


def plan_v1(network: NetworkCredentials, phone: bytes) -> Plan:
    """Plan version 1; ``phone`` is this computer's IPv4 address on the network, four octets."""
    lengths = rounds_v1(encode_v1(network, phone))
    return Plan(lengths, PACE_V1, expected_token(network), ACK_PORTS[:1])


def plan_v2(
    network: NetworkCredentials,
    rng: Callable[[int], bytes],
    *,
    token: bytes = b"",
    key: bytes = b"",
    port: int = ACK_PORTS[0],
) -> Plan:
    """Plan version 2, a registration token with it; ``key`` is the product's, 16 bytes."""
    lengths = cycle(encode_v2(network, rng, reserved=token, key=key, port=port))
    return Plan(lengths, PACE_V2, expected_token(network), (port,))


async def announce(
    plan: Plan,
    seconds: float,
    *,
    devices: int = 1,
    to: tuple[str, int] = (EVERYBODY, DEVICE_PORT),
    listen: str = "0.0.0.0",  # noqa: S104 — the devices that answer are on the network
) -> Sequence[Ack]:
    """Send until so many devices have answered or the time is over; return who did, each once.

    Silence proves nothing: a device may be online all the same. Raises `UnavailableError` without a network.
    """
    with _open(listen, plan.ports) as answers:
        sending = asyncio.get_running_loop().create_task(_send(plan, answers, to))
        heard: dict[bytes, Ack] = {}
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while len(heard) < devices:
                        ack = await _answer(answers, sending)
                        if ack is not None and ack.token == plan.token:
                            heard[ack.mac] = ack
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return tuple(heard.values())


async def _send(plan: Plan, through: socket.socket, to: tuple[str, int]) -> None:
    """Keep the pace on average, but never catch up in bursts, which radios lose."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for length in plan.lengths:
        try:
            await loop.sock_sendto(through, FILL * length, to)
        except OSError as error:
            raise UnavailableError(
                f"This computer cannot send on the network: {error.strerror}.",
                next_step="Join the Wi-Fi network that the device is to join, then try again.",
            ) from None
        due = max(due + plan.pace, loop.time())
        await asyncio.sleep(due - loop.time())


async def _answer(answers: socket.socket, sending: "asyncio.Task[None]") -> Ack | None:
    """Wait for a datagram, or for the sender to fail; return what it says, `None` where that is nothing."""
    loop = asyncio.get_running_loop()
    receiving = loop.create_task(loop.sock_recv(answers, MAX_ANSWER))
    try:
        await asyncio.wait((receiving, sending), return_when=asyncio.FIRST_COMPLETED)
        if not receiving.done():
            sending.result()
        return Ack.decode(receiving.result())
    except MalformedMessage:
        return None
    finally:
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)


def _open(host: str, ports: Sequence[int]) -> socket.socket:
    for port in ports:
        answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        answers.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        answers.setblocking(False)
        try:
            answers.bind((host, port))
        except OSError:
            answers.close()
            continue
        return answers
    raise UnavailableError(
        f"UDP port {ports[0]}, where devices answer, is taken.",
        next_step="Stop the other app that announces a network.",
    )
