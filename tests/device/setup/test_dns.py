import asyncio
import socket
from ipaddress import IPv4Address

import pytest

from doorstep.device.setup.dns import CaptiveDns
from doorstep.errors import UnavailableError

BOARD = IPv4Address("192.168.4.1")
QUERY = b"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\0\0\1\0\1"


def test_name_server_answers_over_udp_and_ignores_noise() -> None:
    async def main() -> bytes:
        async with CaptiveDns(BOARD, host="127.0.0.1", port=0) as server:
            loop = asyncio.get_running_loop()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
                phone.setblocking(False)
                await loop.sock_connect(phone, ("127.0.0.1", server.port))
                await loop.sock_sendall(phone, b"noise")
                await loop.sock_sendall(phone, QUERY)
                return await asyncio.wait_for(loop.sock_recv(phone, 512), 5)

    reply = asyncio.run(main())
    assert reply[:2] == QUERY[:2]
    assert reply[-4:] == BOARD.packed


def test_taken_port_is_named_and_a_closed_server_has_none() -> None:
    async def main() -> None:
        server = CaptiveDns(IPv4Address("127.0.0.1"), port=0)
        with pytest.raises(UnavailableError):
            _ = server.port
        await server.__aexit__(None, None, None)
        async with server:
            with pytest.raises(UnavailableError, match=f"port {server.port}"):
                await CaptiveDns(IPv4Address("127.0.0.1"), port=server.port).__aenter__()

    asyncio.run(main())
