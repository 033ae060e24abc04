"""channels.json against a reading of its own: struct and json, as a firmware author would write it."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "channels.json").read_text(encoding="utf-8"))


def down(data: bytes) -> dict[str, Any]:
    name, expires = struct.unpack_from(">8sI", data)
    return {"id": name.hex(), "expires": expires, "body": data[12:].hex()}


def ack(data: bytes) -> dict[str, Any]:
    name, outcome = struct.unpack_from(">8sB", data)
    assert outcome <= 3
    assert len(data) <= 9 + 1024
    return {"id": name.hex(), "outcome": outcome, "detail": data[9:].hex()}


def cmd(data: bytes) -> dict[str, Any]:
    end = 1 + data[0]
    name, arguments = data[1:end].decode("ascii"), data[end:]
    assert 0 < len(name) == data[0] <= 32
    assert name == name.lower()
    values = json.loads(arguments) if arguments else {}
    assert isinstance(values, dict)
    assert values or not arguments
    assert all(isinstance(value, bool | int | float | str) for value in values.values())
    return {"command": name, "arguments": values}


def config(data: bytes) -> dict[str, Any]:
    values = json.loads(data)
    assert isinstance(values, dict)
    version = values.pop("config.version")
    assert type(version) is int
    assert version >= 1
    assert not any(name.startswith("config.") for name in values)
    return {"version": version, "settings": values}


READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "down": down,
    "ack": ack,
    "cmd": cmd,
    "config": config,
}
CASES = [(part, case) for part, cases in VECTORS.items() for case in cases]


@pytest.mark.parametrize(("part", "case"), CASES, ids=[f"{part}-{case['name']}" for part, case in CASES])
def test_stranger_reads_what_the_vectors_say(part: str, case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    if case["says"] is not None:
        assert READERS[part](data) == case["says"]
        return
    with pytest.raises((AssertionError, struct.error, ValueError, IndexError, KeyError)):
        READERS[part](data)


def test_every_part_has_both_kinds() -> None:
    for cases in VECTORS.values():
        assert {case["says"] is None for case in cases} == {True, False}
