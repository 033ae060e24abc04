"""A stranger's OSCORE, for the overhead bench: ``serve`` prints its port, ``ask`` posts the payload.

A program of its own, because aiocoap is no dependency: the bench runs it where it is installed.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

import aiocoap
import aiocoap.resource
from aiocoap.credentials import CredentialsMap
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper

_SETTINGS: Final[dict[str, Any]] = {"secret_hex": "0102030405060708090a0b0c0d0e0f10", "window": 64}


class _Readings(aiocoap.resource.Resource):  # type: ignore[misc]  # aiocoap brings no types
    async def render_post(self, request: Any) -> Any:
        del request
        return aiocoap.Message(code=aiocoap.CHANGED)


def _context(folder: Path, sender: str, recipient: str) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    names = {"sender-id_hex": sender, "recipient-id_hex": recipient}
    (folder / "settings.json").write_text(json.dumps(_SETTINGS | names), encoding="utf-8")
    return {"oscore": {"basedir": f"{folder}/"}}


async def _serve(folder: Path, path: str) -> None:
    site: Any = aiocoap.resource.Site()
    site.add_resource(path.split("/"), _Readings())
    credentials = CredentialsMap()
    credentials.load_from_dict({":device": _context(folder / "server", "", "01")})
    wrapped = OscoreSiteWrapper(site, credentials)
    port = int(sys.argv[4])
    await aiocoap.Context.create_server_context(
        wrapped,
        bind=("127.0.0.1", port),
        server_credentials=credentials,
        transports=["oscore", "simplesocketserver"],
    )
    print(port, flush=True)  # noqa: T201 - the bench reads it
    await asyncio.Event().wait()


async def _ask(folder: Path, path: str) -> None:
    port, kind, count, payload = int(sys.argv[4]), sys.argv[5], int(sys.argv[6]), bytes.fromhex(sys.argv[7])
    context = await aiocoap.Context.create_client_context(transports=["oscore", "simple6"])
    if kind == "oscore":
        context.client_credentials.load_from_dict(
            {f"coap://127.0.0.1:{port}/*": _context(folder / "client", "01", "")}
        )
    for _ in range(count):
        uri = f"coap://127.0.0.1:{port}/{path}"
        answer = await context.request(aiocoap.Message(code=aiocoap.POST, uri=uri, payload=payload)).response
        print(answer.code, flush=True)  # noqa: T201 - the bench reads it
    await context.shutdown()


if __name__ == "__main__":
    what = {"serve": _serve, "ask": _ask}[sys.argv[1]]
    asyncio.run(what(Path(sys.argv[2]), sys.argv[3]))
