"""The load of ``bench registration``: devices that register over TLS, and the signature work alone."""

import asyncio
import os
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self, cast

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import build_request
from doorstep.errors import ProtocolViolation
from doorstep.identity import statement
from doorstep.identity.statement import Purpose, Statement
from doorstep.runtime.authority import Authority, load_authority
from doorstep.runtime.loop import run_loop

__all__ = ["Load", "Registrant", "signatures_per_s"]

_CONNECTIONS: Final = 64
_SIGNATURE_ROUNDS: Final = 400


@dataclass(frozen=True, slots=True)
class Registrant:
    """A device whose statement is signed already: in life it signs on a processor of its own."""

    device_id: str
    signed: bytes = field(repr=False)

    @classmethod
    def ready(cls, device_id: str, key: PrivateKey, token: str, nonce: bytes) -> Self:
        """Sign what the device says, with a nonce that the device API made or would make."""
        csr = build_request(p256.generate(os.urandom), device_id)
        said = Statement(Purpose.REGISTER, device_id, nonce, token, csr)
        return cls(device_id, statement.sign(said, key.sign))


@dataclass(frozen=True, slots=True)
class Load:
    """Registers devices at one device API, over connections that stay open."""

    host: str
    port: int
    trust: ssl.SSLContext

    def run(self, registrants: Sequence[Registrant]) -> tuple[float, list[float]]:
        """Register all; return the seconds it took and each registration's own, the nonce's request included.

        Raises ProtocolViolation when one is not bound.
        """
        took: list[float] = []
        latencies: list[float] = []
        run_loop(self._run(list(registrants), took, latencies))
        return took[0], latencies

    async def _run(self, waiting: list[Registrant], took: list[float], latencies: list[float]) -> None:
        async def line() -> None:
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_connection(_Wire, self.host, self.port, ssl=self.trust)
            while waiting:
                began = time.perf_counter()
                await self._register(wire, waiting.pop())
                latencies.append(time.perf_counter() - began)
            wire.transport.close()

        began = time.perf_counter()
        await asyncio.gather(*(line() for _ in range(_CONNECTIONS)))
        took.append(time.perf_counter() - began)

    async def _register(self, wire: "_Wire", one: Registrant) -> None:
        # The nonce costs the platform what it costs in life; the statement was signed over another one.
        nonce = await self._post(
            wire, "nonce", "application/json", b'{"device":"%s"}' % one.device_id.encode()
        )
        if not nonce.startswith(b'{"nonce":'):
            raise ProtocolViolation(f"device {one.device_id} got no nonce: {nonce!r}")
        answer = await self._post(wire, "register", "application/cose", one.signed)
        if not answer.startswith(b'{"status":"bound"'):
            raise ProtocolViolation(f"device {one.device_id} was not bound: {answer!r}")

    def _post(self, wire: "_Wire", path: str, kind: str, body: bytes) -> asyncio.Future[bytes]:
        head = (
            f"POST /device/v1/{path} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return wire.ask(head.encode() + body)


class _Wire(asyncio.Protocol):
    """One connection: a request at a time, answered with a Content-Length."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._arrived = b""
        self._answer: asyncio.Future[bytes] | None = None

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request; the future holds the answer's body."""
        answer = self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what requests are written to."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        """Collect the answer."""
        self._arrived += data
        head, end, body = self._arrived.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if self._answer is not None and len(body) >= length:
            self._arrived = b""
            self._answer.set_result(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whoever waits for an answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ProtocolViolation("the device API hung up"))


def signatures_per_s(ca: Path, cores: int) -> float:
    """Return how many registrations a second the signatures alone would allow on these cores.

    For each: verify the statement, verify the signing request, sign the certificate; nothing else.
    """
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_sign_in_a_loop, [(ca, 10)] * cores))
        return sum(pool.map(_sign_in_a_loop, [(ca, _SIGNATURE_ROUNDS)] * cores))


def _sign_in_a_loop(job: tuple[Path, int]) -> float:
    ca, rounds = job
    authority: Authority = load_authority(ca, now=datetime.now(UTC))
    key = p256.generate(os.urandom)
    csr = build_request(p256.generate(os.urandom), "aaaaaaaa")
    said = Statement(Purpose.REGISTER, "aaaaaaaa", os.urandom(32), "t" * 43, csr)
    signed = statement.sign(said, key.sign)
    began = time.perf_counter()
    for _ in range(rounds):
        statement.verify(signed, key.public_key, purpose=Purpose.REGISTER)
        authority.issue_operational(
            csr, device_id="aaaaaaaa", now=datetime.now(UTC), lifetime=timedelta(days=7)
        )
    return rounds / (time.perf_counter() - began)
