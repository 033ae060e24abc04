"""What stands in readings.json: the vectors of docs/spec/readings.md."""

import json
from typing import Any, Final

import cbor2

from doorstep.errors import MalformedMessage
from doorstep.wire import senml

Json = dict[str, Any]

JSON: Final = {
    "one SenML record": '[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]',
    "base name, time and unit": '[{"bn":"d/","bt":1.7e9,"bu":"Cel","n":"a","v":20},{"n":"b","t":-5,"v":-3}]',
    "base name changes": '[{"bn":"a/","n":"x","v":1},{"bn":"b/","n":"x","v":2},{"n":"y","u":"%RH","v":3}]',
    "base value": '[{"bv":100,"n":"x","v":1.5},{"n":"y","v":-2}]',
    "base version": '[{"bver":10,"n":"x","v":1}]',
    "name only in the base": '[{"bn":"x","v":1}]',
    "text and truth": '[{"n":"door","vs":"open"},{"n":"alarm","vb":false}]',
    "time before arrival": '[{"n":"x","t":-60,"v":1}]',
    "plain object": '{"temperature":21.5,"door":false,"state":"ok","count":3}',
    "plain object with spaces": '{ "temperature" : 2.15e1 }\n',
    "most readings": json.dumps({f"r{i}": i for i in range(senml.MAX_READINGS)}),
    "longest name and text": json.dumps({"n" * senml.MAX_NAME: "t" * senml.MAX_STRING}),
    "empty": "",
    "empty object": "{}",
    "empty array": "[]",
    "no JSON": '{"temperature":21.5',
    "space first": ' {"temperature":21.5}',
    "two values after another": '{"x":1}{"x":2}',
    "nested object": '{"x":{"y":1}}',
    "array in an object": '{"x":[1]}',
    "null": '{"x":null}',
    "number beyond a double": '{"x":1e999}',
    "number beyond the cap": '{"x":1.1e300}',
    "NUL in text": '{"x":"\\u0000"}',
    "empty name": '{"":1}',
    "name with a space": '{"room temperature":1}',
    "name with a line break": '{"a\\nb":1}',
    "name starts with a dash": '{"-x":1}',
    "name not ASCII": '{"température":1}',
    "name too long": json.dumps({"n" * (senml.MAX_NAME + 1): 1}),
    "joined name too long": json.dumps([{"bn": "n" * senml.MAX_NAME, "n": "x", "v": 1}]),
    "text too long": json.dumps({"x": "t" * (senml.MAX_STRING + 1)}),
    "unit too long": json.dumps([{"n": "x", "u": "u" * (senml.MAX_UNIT + 1), "v": 1}]),
    "too many readings": json.dumps({f"r{i}": i for i in range(senml.MAX_READINGS + 1)}),
    "too many records": json.dumps([{"n": "x", "v": i} for i in range(senml.MAX_READINGS + 1)]),
    "payload too long": '{"x":1' + " " * senml.MAX_PAYLOAD + "}",
    "record without a value": '[{"n":"x"}]',
    "record with a base value only": '[{"n":"x","bv":1}]',
    "record with two values": '[{"n":"x","v":1,"vb":true}]',
    "record with two other values": '[{"n":"x","vs":"a","vb":true}]',
    "record without a name": '[{"v":1}]',
    "unknown field": '[{"n":"x","v":1,"zz_":2}]',
    "sum, which we do not store": '[{"n":"x","s":1}]',
    "another version": '[{"bver":11,"n":"x","v":1}]',
    "truth as number": '[{"n":"x","v":true}]',
    "time beyond the cap": '[{"n":"x","t":1e11,"v":1}]',
    "time too far back": '[{"n":"x","t":-268435456,"v":1}]',
    "record is no object": "[1]",
}

CBOR: Final[dict[str, object]] = {
    "CBOR: every label": [
        {-1: 10, -2: "dev1/", -3: 1_700_000_000, -4: "Cel", -5: 1, 0: "in", 2: 20.5},
        {0: "out", 1: "%RH", 6: -5, 2: 40},
        {0: "door", 3: "open"},
        {0: "alarm", 4: True},
    ],
    "CBOR: big number": [{0: "x", 2: 2**70}],
    "CBOR: NaN": [{0: "x", 2: float("nan")}],
    "CBOR: infinity": [{0: "x", 2: float("inf")}],
    "CBOR: NUL in text": [{0: "x", 3: "\0"}],
    "CBOR: unknown label": [{0: "x", 2: 1, 99: 1}],
    "CBOR: text label": [{"n": "x", "v": 1}],
    "CBOR: true as label": [{0: "x", True: "Cel", 2: 1}],
    "CBOR: record is no map": [1],
    "CBOR: empty array": [],
    "CBOR: bytes as text": [{0: "x", 3: b"a"}],
    "CBOR: array as value": [{0: "x", 2: [1]}],
}
RAW: Final = {
    "CBOR: decimal fraction": "81a200617802c4822018d7",
    "CBOR: indefinite lengths": "9fbf0061780215ffff",
    "CBOR: a map, not an array": "a1006178",
    "CBOR: label twice": "81a300617802010202",
    "CBOR: bytes left over": "81a2006178020100",
    "CBOR: cut short": "81a200617802",
    "CBOR: too deep": "81a20061780281818101",
    "JSON text that is not UTF-8": b'{"x":"\xff"}'.hex(),
    "neither JSON nor CBOR": "00",
}


def document() -> Json:
    """Return the whole file."""
    payloads = {name: text.encode() for name, text in JSON.items()}
    payloads |= {name: cbor2.dumps(value) for name, value in CBOR.items()}
    payloads |= {name: bytes.fromhex(text) for name, text in RAW.items()}
    return {"payloads": [case(name, payload) for name, payload in payloads.items()]}


def case(name: str, payload: bytes) -> Json:
    """Return a payload with its readings, or null where it is refused."""
    try:
        readings = [[r.name, r.unit, r.value, r.time] for r in senml.decode(payload)]
    except MalformedMessage:
        return {"name": name, "payload": payload.hex(), "readings": None}
    return {"name": name, "payload": payload.hex(), "readings": readings}
