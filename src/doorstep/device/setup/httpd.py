"""The little of HTTP/1.1 that a set-up server needs: one strict parser, small caps, bounded waits."""

import asyncio
from dataclasses import dataclass
from typing import Final, Self

from doorstep.errors import (
    DoorstepError,
    MalformedMessage,
    ProtocolViolation,
    RefusedError,
    UnavailableError,
    VerificationFailed,
)
from doorstep.onboarding.failures import TooManyGuesses, UnknownEndpoint
from doorstep.wire.provisioning.common import MAX_MESSAGE

__all__ = ["MAX_HEAD", "HttpRefusal", "Request", "read_request", "write_answer"]

OK: Final = 200
MAX_HEAD: Final = 4096
MAX_HEADERS: Final = 40
MAX_ENDPOINT: Final = 64
IDLE_TIMEOUT: Final = 300.0
"""Seconds between two requests: a person types a password meanwhile."""
READ_TIMEOUT: Final = 10.0
"""Seconds for a head once begun, and again for its body."""
REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
STATUS_OF: Final[tuple[tuple[type[DoorstepError], int], ...]] = (
    (UnknownEndpoint, 404),
    (TooManyGuesses, 429),
    (MalformedMessage, 400),
    (VerificationFailed, 403),
    (ProtocolViolation, 409),
    (RefusedError, 403),
    (UnavailableError, 503),
    (DoorstepError, 500),
)


class HttpRefusal(Exception):
    """A request that gets a status of its own instead of an answer."""

    def __init__(self, status: int, sentence: str, wait: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.wait = wait

    @classmethod
    def of(cls, error: DoorstepError) -> Self:
        """Return the refusal that stands for an error of the core."""
        status = next(status for kind, status in STATUS_OF if isinstance(error, kind))
        wait = error.wait if isinstance(error, TooManyGuesses) else 0
        return cls(status, f"{error.message} {error.next_step}".strip(), wait)


@dataclass(frozen=True, slots=True)
class Request:
    """One ``POST``: the endpoint without its slash, the whole ``Cookie`` header, the body."""

    endpoint: str
    cookie: str
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request, `None` at the end of the connection; raises `HttpRefusal`."""
    head = await _read_head(reader)
    if head is None:
        return None
    line, *rest = head.decode("latin-1").split("\r\n")
    endpoint, headers = _endpoint(line), _headers(rest)
    size = _body_size(headers)
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            body = await reader.readexactly(size)
    except (TimeoutError, asyncio.IncompleteReadError):
        raise HttpRefusal(408, "The request's body did not arrive.") from None
    return Request(endpoint, headers.get("cookie", ""), body)


async def write_answer(  # noqa: PLR0913 — each is one header
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    *,
    cookie: str = "",
    wait: int = 0,
    close: bool = False,
) -> None:
    """Send an answer; ``cookie`` is set bare, because clients echo the whole header."""
    head = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(body)}", "Cache-Control: no-store"]
    head.append(
        f"Content-Type: {'application/octet-stream' if status == OK else 'text/plain; charset=utf-8'}"
    )
    if cookie:
        head.append(f"Set-Cookie: {cookie}")
    if wait:
        head.append(f"Retry-After: {wait}")
    if close:
        head.append("Connection: close")
    writer.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
    async with asyncio.timeout(READ_TIMEOUT):
        await writer.drain()


async def _read_head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        async with asyncio.timeout(IDLE_TIMEOUT):
            first = await reader.read(1)
        if not first:
            return None
        async with asyncio.timeout(READ_TIMEOUT):
            return first + (await reader.readuntil(b"\r\n\r\n"))[:-4]
    except TimeoutError:
        raise HttpRefusal(408, "The request did not arrive.") from None
    except asyncio.LimitOverrunError:
        raise HttpRefusal(431, f"The request's head has more than {MAX_HEAD} bytes.") from None
    except asyncio.IncompleteReadError:
        return None


def _endpoint(line: str) -> str:
    method, _, rest = line.partition(" ")
    path, _, version = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not path.startswith("/") or len(path) > MAX_ENDPOINT:
        raise HttpRefusal(400, "The request line is not one of HTTP/1.1.")
    if method != "POST":
        raise HttpRefusal(405, "Set up this device with an app, or with 'doorstep provision'.")
    return path[1:]


def _headers(lines: list[str]) -> dict[str, str]:
    if len(lines) > MAX_HEADERS:
        raise HttpRefusal(431, f"The request has more than {MAX_HEADERS} header lines.")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip() or name.lower() in headers:
            raise HttpRefusal(400, "A header line of the request is malformed or repeated.")
        headers[name.lower()] = value.strip()
    return headers


def _body_size(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "")
    if not text or "transfer-encoding" in headers:
        raise HttpRefusal(411, "The request needs a Content-Length.")
    if not (text.isascii() and text.isdecimal()):
        raise HttpRefusal(400, "The Content-Length is not a number.")
    if len(text) > len(str(MAX_MESSAGE)) or int(text) > MAX_MESSAGE:
        raise HttpRefusal(413, f"The request's body has more than {MAX_MESSAGE} bytes.")
    return int(text)
