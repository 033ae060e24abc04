"""An HTTPS peer whose answers are written beforehand: for what a real platform never says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from doorstep.runtime.authority import Authority

__all__ = ["LOOPBACK", "Answer", "Peer", "Script", "peer"]

Answer = tuple[int, bytes]
LOOPBACK = ("127.0.0.1", "localhost")
Script = Mapping[str, "Answer | Callable[[bytes], Answer]"]


@dataclass
class Peer:
    """Answers each path with what is written for it; keeps what was asked."""

    answers: Script
    url: str = ""
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ")[1].decode().rpartition("/")[2]
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                asked = await reader.readexactly(length)
                self.asked.append((path, asked))
                written = self.answers[path]
                status, body = written(asked) if callable(written) else written
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def peer(
    authority: Authority,
    folder: Path,
    answers: Script,
    *,
    now: datetime | None = None,
    place: tuple[str, str] = LOOPBACK,
) -> AsyncIterator[Peer]:
    """Serve on a free port with a certificate of ``authority``, made as if it were ``now``.

    ``place`` is the address to listen on and the name that it has.
    """
    address, name = place
    identity = authority.issue_server([name], now=now or datetime.now(UTC))
    chain = folder / "peer.pem"
    chain.write_bytes(identity.key.to_pem() + identity.chain_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    made = Peer(answers)
    server = await asyncio.start_server(made.serve, address, 0, ssl=context)
    made.url = f"https://{name}:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made
