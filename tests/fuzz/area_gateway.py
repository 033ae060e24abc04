"""What anybody on the local network may send to a gateway: CoAP datagrams and MQTT packets."""

from doorstep.gateway.coap import read_request
from doorstep.wire import coap, mqtt
from tests.fuzz.targets import target
from tests.wire import test_coap, test_mqtt

_WORDS = (b"d", b"aaaaaaaa", b"up", b"data")
_POST = coap.Message(
    coap.Kind.CONFIRMABLE, coap.Code.POST, 7, b"t", tuple((11, word) for word in _WORDS), b"sealed"
)


@target("coap", [coap.encode(_POST), test_coap.GET, test_coap.CONTENT, *test_coap.SPOILT.values()])
def fuzz_coap(data: bytes) -> None:
    message = coap.decode(data)
    assert coap.encode(message) == data
    read_request(message)


@target("mqtt", [data for data, _ in test_mqtt.GOOD.values()])
def fuzz_mqtt(data: bytes) -> None:
    whole = mqtt.Reader().feed(data)
    reader = mqtt.Reader()
    pieces = [packet for byte in data for packet in reader.feed(bytes((byte,)))]
    assert pieces == whole
