"""What stands in channels.json: the vectors of docs/spec/channels.md."""

from collections.abc import Callable
from typing import Any, Final

from doorstep.errors import MalformedMessage
from doorstep.messaging.channels import Call, Settings
from doorstep.messaging.command import MAX_DETAIL, Acknowledgement, Command, Outcome

Json = dict[str, Any]

ID: Final = bytes.fromhex("0102030405060708")
CALLS: Final = {
    "no arguments": b"\x08identify",
    "arguments": b'\x05relay{"on":true,"for":30}',
    "longest name": b"\x20" + b"a" * 32,
    "empty": b"",
    "no name": b"\x00",
    "name cut short": b"\x05rel",
    "capital": b"\x05Relay",
    "name too long": b"\x21" + b"a" * 33,
    "arguments are an array": b"\x05relay[1]",
    "no argument in the object": b"\x05relay{}",
    "nested argument": b'\x05relay{"on":{"a":1}}',
}
SETTINGS: Final = {
    "version alone": b'{"config.version":1}',
    "all kinds": b'{"config.version":7,"interval":2.5,"led":true,"name":"porch"}',
    "version last": b'{"led":false,"config.version":2}',
    "no version": b'{"led":true}',
    "version 0": b'{"config.version":0}',
    "version no whole number": b'{"config.version":1.5}',
    "version is text": b'{"config.version":"1"}',
    "reserved name": b'{"config.version":1,"config.other":2}',
    "no object": b'[{"n":"config.version","v":1}]',
}
DOWN: Final = {
    "does not expire": Command(ID, 0, CALLS["no arguments"]).encode(),
    "expires": Command(ID, 1_800_000_000, CALLS["arguments"]).encode(),
    "empty body": Command(ID, 1, b"").encode(),
    "cut short": ID + b"\x00\x00\x00",
    "empty": b"",
}
ACKS: Final = {
    "done": Acknowledgement(ID, Outcome.DONE).encode(),
    "failed, with a word": Acknowledgement(ID, Outcome.FAILED, b"the valve is stuck").encode(),
    "refused": Acknowledgement(ID, Outcome.REFUSED, b"this device knows no command fly").encode(),
    "expired": Acknowledgement(ID, Outcome.EXPIRED).encode(),
    "longest detail": Acknowledgement(ID, Outcome.DONE, b"x" * MAX_DETAIL).encode(),
    "detail too long": ID + b"\x00" + b"x" * (MAX_DETAIL + 1),
    "no outcome": ID,
    "unknown outcome": ID + b"\x04",
    "empty": b"",
}


def document() -> Json:
    """Return the vectors."""
    return {
        "down": _cases(DOWN, _down),
        "ack": _cases(ACKS, _ack),
        "cmd": _cases(CALLS, _call),
        "config": _cases(SETTINGS, _settings),
    }


def _cases(cases: dict[str, bytes], read: Callable[[bytes], Json]) -> list[Json]:
    return [
        {"name": name, "bytes": plaintext.hex(), "says": _or_none(read, plaintext)}
        for name, plaintext in cases.items()
    ]


def _or_none(read: Callable[[bytes], Json], plaintext: bytes) -> Json | None:
    try:
        return read(plaintext)
    except MalformedMessage:
        return None


def _down(plaintext: bytes) -> Json:
    command = Command.decode(plaintext)
    return {"id": command.command_id.hex(), "expires": command.expires_s, "body": command.body.hex()}


def _ack(plaintext: bytes) -> Json:
    ack = Acknowledgement.decode(plaintext)
    return {"id": ack.command_id.hex(), "outcome": int(ack.outcome), "detail": ack.detail.hex()}


def _call(body: bytes) -> Json:
    call = Call.decode(body)
    return {"command": call.name, "arguments": dict(call.arguments)}


def _settings(body: bytes) -> Json:
    settings = Settings.decode(body)
    return {"version": settings.version, "settings": dict(settings.values)}
