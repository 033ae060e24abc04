"""Messages of legacy boards, as anybody on their network may send them."""

import json

from doorstep.errors import DoorstepError
from doorstep.messaging.legacy.article import open_article, seal_article
from doorstep.messaging.legacy.formats import Format
from doorstep.messaging.legacy.iot1 import open_iot1, seal_iot1
from doorstep.messaging.legacy.keys import generate
from doorstep.messaging.legacy.readings import payload_of
from tests.fuzz.targets import target

_KEYS = generate(lambda count: bytes(range(count)))
_NODE, _SESSION = b"11242238", b"f" * 32
_BODY = json.dumps({"chip_id": _NODE.decode(), "event": "t", "parameters": {"t": 1}}).encode()


def _zeros(count: int) -> bytes:
    return bytes(count)


@target("legacy-article", [seal_article(_KEYS, _NODE, b"5", _SESSION, _zeros)])
def fuzz_article(data: bytes) -> None:
    open_article(_KEYS, _NODE, _SESSION, data)


@target("legacy-iot1", [seal_iot1(_KEYS, _NODE, _BODY, _zeros)])
def fuzz_iot1(data: bytes) -> None:
    open_iot1(_KEYS, _NODE, data)


@target("legacy-readings", [_BODY, b"5", b"-21.50"])
def fuzz_readings(data: bytes) -> None:
    try:
        json.loads(payload_of(Format.ARTICLE, data))
        # What is said in iot1 was a JSON object with a chip id before it gets here.
        if isinstance(json.loads(data), dict):
            json.loads(payload_of(Format.IOT1, data))
    except ValueError:
        pass
    except DoorstepError:
        raise
