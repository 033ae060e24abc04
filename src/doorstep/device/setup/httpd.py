"""The little of HTTP/1.1 that a set-up server needs: one strict parser, small caps, bounded waits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from doorstep.errors import (
    DoorstepError,
    MalformedMessage,
    ProtocolViolation,
    RefusedError,
    ReplayRefused,
    UnavailableError,
    VerificationFailed,
)
from doorstep.onboarding.failures import TooManyGuesses, UnknownEndpoint
from doorstep.wire.provisioning.common import MAX_MESSAGE

__all__ = ["MAX_HEAD", "HttpRefusal", "Request", "Response", "read_request", "write_response"]

MAX_HEAD: Final = 4096
MAX_HEADERS: Final = 40
MAX_TARGET: Final = 2048
METHODS: Final = ("GET", "HEAD", "POST")
IDLE_TIMEOUT: Final = 300.0
"""Seconds between two requests: a person types a password meanwhile."""
READ_TIMEOUT: Final = 10.0
"""Seconds for a head once begun, and again for its body."""
REASONS: Final = {
    200: "OK",
    302: "Found",
    303: "See Other",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    414: "URI Too Long",
    421: "Misdirected Request",
    422: "Unprocessable Content",
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
    (ReplayRefused, 409),
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
    """One request; names of headers are lower case, the query is as it was sent."""

    method: str
    path: str
    query: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    last: bool = False
    """The client wants the connection closed after the answer."""

    def header(self, name: str) -> str:
        """Return a header's value, empty where it was not sent."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; ``headers`` are those beside length, type and the ban on storing it."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/octet-stream"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def refusing(cls, refusal: HttpRefusal) -> Self:
        """Return a refusal as a plain sentence."""
        wait = (("Retry-After", str(refusal.wait)),) if refusal.wait else ()
        return cls(refusal.status, str(refusal).encode(), "text/plain; charset=utf-8", wait)


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request, `None` at the end of the connection; raises `HttpRefusal`."""
    head = await _read_head(reader)
    if head is None:
        return None
    line, *rest = head.decode("latin-1").split("\r\n")
    method, path, query, version = _request_line(line)
    headers = _headers(rest)
    size = _body_size(headers) if method == "POST" or "content-length" in headers else 0
    if "transfer-encoding" in headers:
        raise HttpRefusal(411, "The request needs a Content-Length.")
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            body = await reader.readexactly(size)
    except (TimeoutError, asyncio.IncompleteReadError):
        raise HttpRefusal(408, "The request's body did not arrive.") from None
    return Request(method, path, query, headers, body, last=_is_last(version, headers))


async def write_response(
    writer: asyncio.StreamWriter, response: Response, *, bodiless: bool = False, close: bool = False
) -> None:
    """Send an answer; ``bodiless`` is the one to HEAD."""
    head = [
        f"HTTP/1.1 {response.status} {REASONS[response.status]}",
        f"Content-Length: {len(response.body)}",
        f"Content-Type: {response.content_type}",
        "Cache-Control: no-store",
    ]
    head += [f"{name}: {value}" for name, value in response.headers]
    if close:
        head.append("Connection: close")
    body = b"" if bodiless else response.body
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


def _request_line(line: str) -> tuple[str, str, str, str]:
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
        raise HttpRefusal(400, "The request line is not one of HTTP/1.1.")
    if len(target) > MAX_TARGET:
        raise HttpRefusal(414, f"The address asked for has more than {MAX_TARGET} characters.")
    if method not in METHODS:
        raise HttpRefusal(405, "Set up this device with an app, or with 'doorstep provision'.")
    path, _, query = target.partition("?")
    return method, path, query, version


def _is_last(version: str, headers: Mapping[str, str]) -> bool:
    wish = headers.get("connection", "").lower()
    return wish == "close" or (version == "HTTP/1.0" and wish != "keep-alive")


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
    if not text:
        raise HttpRefusal(411, "The request needs a Content-Length.")
    if not (text.isascii() and text.isdecimal()):
        raise HttpRefusal(400, "The Content-Length is not a number.")
    if len(text) > len(str(MAX_MESSAGE)) or int(text) > MAX_MESSAGE:
        raise HttpRefusal(413, f"The request's body has more than {MAX_MESSAGE} bytes.")
    return int(text)
