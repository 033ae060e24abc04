"""The load of ``bench registration``: devices that register over TLS, and the signature work alone."""

import asyncio
import base64
import json
import os
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import build_request
from doorstep.errors import ProtocolViolation
from doorstep.identity import statement
from doorstep.identity.statement import Purpose, Statement
from doorstep.runtime.authority import Authority, load_authority

__all__ = ["Load", "Registrant", "signatures_per_s"]

_CONNECTIONS: Final = 64
_SIGNATURE_ROUNDS: Final = 400


@dataclass(frozen=True, slots=True)
class Registrant:
    """A device with everything ready: only the nonce and its signature are missing."""

    device_id: str
    key: PrivateKey = field(repr=False)
    token: str = field(repr=False)
    csr: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Load:
    """Registers devices at one device API, over connections that stay open."""

    host: str
    port: int
    trust: ssl.SSLContext

    def run(self, registrants: Sequence[Registrant]) -> tuple[float, list[float]]:
        """Register all; return the seconds it took and each registration's own, nonce and signature included.

        Raises ProtocolViolation when one is not bound.
        """
        return asyncio.run(self._run(registrants))

    async def _run(self, registrants: Sequence[Registrant]) -> tuple[float, list[float]]:
        waiting = list(registrants)
        latencies: list[float] = []

        async def line() -> None:
            reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self.trust)
            while waiting:
                began = time.perf_counter()
                await self._register(reader, writer, waiting.pop())
                latencies.append(time.perf_counter() - began)
            writer.close()
            await writer.wait_closed()

        began = time.perf_counter()
        await asyncio.gather(*(line() for _ in range(_CONNECTIONS)))
        return time.perf_counter() - began, latencies

    async def _register(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, one: Registrant
    ) -> None:
        asked = json.dumps({"device": one.device_id}).encode()
        nonce = (await self._post(reader, writer, "nonce", "application/json", asked))["nonce"]
        said = Statement(
            Purpose.REGISTER, one.device_id, base64.urlsafe_b64decode(f"{nonce}="), one.token, one.csr
        )
        signed = statement.sign(said, one.key.sign)
        answer = await self._post(reader, writer, "register", "application/cose", signed)
        if answer.get("status") != "bound":
            raise ProtocolViolation(f"device {one.device_id} was not bound: {answer}")

    async def _post(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, kind: str, body: bytes
    ) -> dict[str, str]:
        head = (
            f"POST /device/v1/{path} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answered = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answered.partition(b"content-length:")[2].partition(b"\r\n")[0])
        document: dict[str, str] = json.loads(await reader.readexactly(length))
        return document


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
