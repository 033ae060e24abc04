"""A peer that never finishes a part of its request is refused; long bodies pass."""

import asyncio
import select
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice, repeat

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from doorstep.server.http import UNFINISHED_CAP
from doorstep.server.serving import uvicorn_config

_POST = b"POST / HTTP/1.1\r\nHost: here\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
_PIECE = 1000
_ENDLESS = {
    "line": (b"GET /", b"a" * _PIECE),
    "header name": (_POST, b"a" * _PIECE),
    "header value": (_POST + b"X: ", b"a" * _PIECE),
    "headers": (_POST, b"X: " + b"a" * (_PIECE - 5) + b"\r\n"),
    "empty lines": (b"", b"\r\n" * (_PIECE // 2)),
    "chunk extension": (_CHUNKED + b"1;", b"a" * _PIECE),
    "trailers": (_CHUNKED + b"1\r\na\r\n0\r\n", b"X: " + b"a" * (_PIECE - 5) + b"\r\n"),
}


async def _size(scope: dict[str, object], receive: object, send: object) -> None:
    request = Request(scope, receive)  # type: ignore[arg-type]
    answer: Response = PlainTextResponse(str(len(await request.body())))
    await answer(scope, receive, send)  # type: ignore[arg-type]


def _answer_to(parts: Iterator[bytes]) -> bytes:
    """Serve one connection that sends these parts one by one until it is answered; return the answers."""
    answers: list[bytes] = []

    async def scene() -> None:
        server = uvicorn.Server(uvicorn_config(_size))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            answers.append(await asyncio.to_thread(_talk, listener.getsockname(), parts))
            server.should_exit = True
            await serving

    # Not `run_loop`: once in many runs, uvloop never came back from closing its loop, deaf to any time-out.
    asyncio.run(scene())
    return answers[0]


def _talk(address: tuple[str, int], parts: Iterator[bytes]) -> bytes:
    answer = b""
    with socket.create_connection(address, timeout=5) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A server that hangs up on what it did not read resets the connection behind its answer.
        with suppress(ConnectionError):
            for part in parts:
                client.sendall(part)
                if select.select([client], [], [], 0.0005)[0]:
                    break
        with suppress(ConnectionResetError):
            while piece := client.recv(65536):
                answer += piece
    return answer


@pytest.mark.parametrize("case", _ENDLESS)
def test_server_refuses_what_has_no_end(case: str) -> None:
    begin, more = _ENDLESS[case]
    sent = chain([begin], islice(repeat(more), 40 * UNFINISHED_CAP // _PIECE))
    answer = _answer_to(sent)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert next(sent, None) is not None  # it was cut off long before


def test_server_takes_a_long_body_in_small_pieces() -> None:
    pieces = [b"64\r\n" + b"a" * 100 + b"\r\n"] * 400
    answer = _answer_to(iter([_CHUNKED[:-2] + b"Connection: close\r\n\r\n", *pieces, b"0\r\n\r\n"]))
    assert answer.endswith(b"40000")


def test_server_takes_many_requests_on_one_connection() -> None:
    one = b"GET / HTTP/1.1\r\nHost: here\r\nX: " + b"a" * 2000 + b"\r\n"
    answer = _answer_to(iter([(one + b"\r\n") * 20 + one + b"Connection: close\r\n\r\n"]))
    assert answer.count(b"200 OK") == 21
