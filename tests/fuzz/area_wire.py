"""What every other parser stands on: CBOR, protobuf fields, SenML, and the payloads of local provisioning."""

from collections.abc import Callable
from typing import Any

from doorstep.errors import MalformedMessage
from doorstep.wire import cbor, protobuf, senml
from doorstep.wire.provisioning.config import decode_config, encode_config
from doorstep.wire.provisioning.ctrl import decode_ctrl, encode_ctrl
from doorstep.wire.provisioning.delivery import decode_delivery, encode_delivery
from doorstep.wire.provisioning.scan import decode_scan, encode_scan
from doorstep.wire.provisioning.session import decode_session, encode_session
from tests.fuzz.targets import stored_vectors, target
from tests.wire import test_provisioning as samples

_READINGS = stored_vectors("readings.json", "payload")


@target("cbor", stored_vectors("statement.json", "statement", "payload"))
def fuzz_cbor(data: bytes) -> None:
    assert cbor.encode(cbor.decode(data)) == data


@target("protobuf", stored_vectors("onboarding.json", "command0", "response0", "command1", "message"))
def fuzz_protobuf(data: bytes) -> None:
    fields = protobuf.parse(data, most=4096)
    for number in list(fields.values)[:16]:
        for read in (fields.uint, fields.int32):
            try:
                read(number)
            except MalformedMessage:
                continue


@target("senml", [*_READINGS, b'[{"n":"a","v":1}]', b'{"temperature": 21.5}'])
def fuzz_senml(data: bytes) -> None:
    senml.decode(data)


def _payload(name: str, decode: Callable[[bytes], Any], encode: Callable[[Any], bytes], some: Any) -> None:
    def comes_back(data: bytes) -> None:
        written = encode(decode(data))
        assert encode(decode(written)) == written

    target(name, [encode(message) for message in some])(comes_back)


_payload("provisioning-session", decode_session, encode_session, samples.SESSION)
_payload("provisioning-scan", decode_scan, encode_scan, samples.SCAN)
_payload("provisioning-config", decode_config, encode_config, samples.CONFIG)
_payload("provisioning-ctrl", decode_ctrl, encode_ctrl, samples.CTRL)
_payload("provisioning-delivery", decode_delivery, encode_delivery, samples.DELIVERY)
