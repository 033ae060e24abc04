"""A gateway as a process of its own, over the session of a device that is registered: what kill -9 meets."""

import asyncio
import contextlib
import ssl
import sys
from pathlib import Path

from doorstep.device.mqtt import Door, Session, open_session
from doorstep.device.outbox import Outbox
from doorstep.device.store import Endpoint
from doorstep.errors import RefusedError, UnavailableError
from doorstep.gateway.gateway import Gateway, Listen


async def ride(gateway: Gateway, session: Session) -> None:
    await session.subscribe()
    await session.run(
        Outbox(),
        lambda _channel, plaintext: plaintext,
        published=lambda _parcel: None,
        received=lambda _channel, _message: None,
        rider=gateway.relay,
    )


async def main(device: str, folder: Path, port: int, listen: Listen, tls: ssl.SSLContext) -> None:
    door = Door("mTLS", Endpoint("localhost", port), tls=tls)
    async with Gateway(folder, listen) as gateway:
        print(gateway.coap_port, gateway.mqtt_port, flush=True)  # noqa: T201 - the test reads it
        while True:
            with contextlib.suppress(RefusedError, UnavailableError):
                async with open_session(device, door, gateway.relay.in_flight) as session:
                    await ride(gateway, session)
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    name, folder, upstream, coap, mqtt, root, certificate, key = sys.argv[1:]
    context = ssl.create_default_context(cafile=root)
    context.load_cert_chain(certificate, key)
    where = Listen("127.0.0.1", int(coap), int(mqtt))
    asyncio.run(main(name, Path(folder), int(upstream), where, context))
