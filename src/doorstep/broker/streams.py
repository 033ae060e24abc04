"""The durable stream and its consumers: made before any device can connect, and checked at every start.

The broker keeps a message only while somebody durable wants it. So the consumers come first, and are never
deleted while it runs.
"""

import json
from typing import Any, Final

from nats.aio.client import Client as NatsClient
from nats.errors import Error as NatsError

from doorstep.errors import UnavailableError
from doorstep.runtime.brokers import PARTITIONS, STREAM, consumer_name

__all__ = ["make_ready", "request"]

_SUBJECTS: Final = "$MQTT.msgs.>"
_NOT_FOUND: Final = 404
_TIMEOUT_S: Final = 10.0
_ACK_WAIT_NS: Final = 60_000_000_000
_ON_THEIR_WAY: Final = 50_000
"""Messages of one partition that may be fetched and not yet acknowledged."""


async def make_ready(client: NatsClient, max_bytes: int) -> None:
    """Make or mend stream and consumers. A full stream refuses, and the device keeps what it has."""
    await _make_stream(client, max_bytes)
    for partition in range(PARTITIONS):
        await request(client, f"CONSUMER.CREATE.{STREAM}.{consumer_name(partition)}", _consumer(partition))


async def request(
    client: NatsClient, call: str, body: dict[str, Any] | None = None, *, missing_ok: bool = False
) -> dict[str, Any]:
    """Call the broker's stream interface; raise UnavailableError with its own words when it refuses.

    With ``missing_ok`` a stream, consumer or message that is not there is an empty answer.
    """
    answer = await _ask(client, call, body)
    if missing_ok and answer.get("error", {}).get("code") == _NOT_FOUND:
        return {}
    if "error" in answer:
        raise UnavailableError(
            f"the broker refuses {_shown(call)}: {answer['error'].get('description', 'no reason')}",
            next_step="Check the disk of its state folder and DOORSTEP_STREAM_MAX_BYTES.",
        )
    return answer


async def _make_stream(client: NatsClient, max_bytes: int) -> None:
    found = await _ask(client, f"STREAM.INFO.{STREAM}", None)
    if found.get("error", {}).get("code") == _NOT_FOUND:
        await request(client, f"STREAM.CREATE.{STREAM}", _stream(max_bytes))
    elif "config" in found and not _is_capped(found["config"], max_bytes):
        capped = found["config"] | {"max_bytes": max_bytes, "discard": "new"}
        await request(client, f"STREAM.UPDATE.{STREAM}", capped)


async def _ask(client: NatsClient, call: str, body: dict[str, Any] | None) -> dict[str, Any]:
    payload = b"" if body is None else json.dumps(body).encode()
    try:
        message = await client.request(f"$JS.API.{call}", payload, timeout=_TIMEOUT_S)
    except (NatsError, TimeoutError) as error:
        raise UnavailableError(
            f"the broker does not answer {_shown(call)}: {type(error).__name__}",
            next_step="See its log in the state folder.",
        ) from error
    answer: dict[str, Any] = json.loads(message.data)
    return answer


def _shown(call: str) -> str:
    """Return a call without the names it is about."""
    return call.partition(".$")[0]


def _is_capped(config: dict[str, Any], max_bytes: int) -> bool:
    return config.get("max_bytes") == max_bytes and config.get("discard") == "new"


def _stream(max_bytes: int) -> dict[str, Any]:
    """As the broker would make it at the first MQTT connection, and capped."""
    return {
        "name": STREAM,
        "subjects": [_SUBJECTS],
        "storage": "file",
        "retention": "interest",
        "num_replicas": 1,
        "max_bytes": max_bytes,
        "discard": "new",
    }


def _consumer(partition: int) -> dict[str, Any]:
    return {
        "stream_name": STREAM,
        "config": {
            "durable_name": consumer_name(partition),
            "name": consumer_name(partition),
            "filter_subject": f"$MQTT.msgs.u.{partition}.*.*",
            "ack_policy": "all",
            "ack_wait": _ACK_WAIT_NS,
            "max_ack_pending": _ON_THEIR_WAY,
            "deliver_policy": "all",
            "replay_policy": "instant",
        },
    }
