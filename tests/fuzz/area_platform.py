"""What devices, factories and typing people send to the platform."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Final

from doorstep.broker import nkeys
from doorstep.broker.callout import read_request
from doorstep.broker.violations import read_violation
from doorstep.errors import DoorstepError, MalformedMessage, MisuseError, PeerError, RefusedError
from doorstep.factory import orders
from doorstep.identity import claim_code, ids, statement
from doorstep.identity.manifest import TrustedSigners, read_element, read_manifest
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging import envelope
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.opener import Opener
from doorstep.messaging.proof import Standing, open_connect_proof
from doorstep.messaging.registration import REGISTER_CHANNEL, open_reply, open_request
from doorstep.messaging.state import SealedState
from doorstep.ownership import ledger, policy
from doorstep.runtime.brokers import Broker
from doorstep.server.custody import sale_rows
from doorstep.wire import base64url
from tests.broker.test_nkeys import KEY
from tests.fuzz.targets import stored_vectors, target
from tests.identity.manifests import ChipMaker, manifest_of, resigned
from tests.identity.test_provisioning import FILE
from tests.messaging.test_opener import VECTORS

_MESSAGES = stored_vectors("sealed.json", "compact", "compact_with_kid", "full", "message")
CODE = claim_code.generate(bytes)
_PROOFS = [case["proof"].encode() for case in VECTORS["proofs"]]
_ROOT = bytes(range(32))
_KID = bytes.fromhex("0a1b2c3d4e")
_STATE = SealedState.first(_ROOT, 300)
_EXCHANGE = Exchange(_STATE.current.master, 300, 5, _KID, REGISTER_CHANNEL)
_ENTRY = ledger.Entry(
    1,
    2,
    ledger.Event(ledger.Kind.MADE, "binsypko", "operator", {"batch": "b1", "product": "p", "serial": "s"}),
    bytes(32),
).to_body()
_LINE = b'[7] 2026/11/22 01:00:00.000000 [ERR] 127.0.0.1:1 - "u" - Publish Violation - Subject "d.a.up.data"'


@target("envelope", _MESSAGES)
def fuzz_envelope(data: bytes) -> None:
    parsed = envelope.parse(data)
    assert envelope.parse(envelope.build_compact(parsed)) == parsed


@target("sealed-message", _MESSAGES)
def fuzz_sealed_message(data: bytes) -> None:
    Opener(_KID, _STATE).open(data, b"up/data", 0)


@target("connect-proof", _PROOFS)
def fuzz_connect_proof(data: bytes) -> None:
    open_connect_proof(_KID, Standing(_STATE, (0, -1), Allowance()), data.decode("utf-8", "replace"), 0)


@target("sealed-request", stored_vectors("registration.json", "request"))
def fuzz_sealed_request(data: bytes) -> None:
    open_request(_KID, Standing(_STATE, (0, -1), Allowance()), data, 0)


@target("sealed-reply", stored_vectors("registration.json", "plaintext"))
def fuzz_sealed_reply(data: bytes) -> None:
    # Sealed here, so that what is fuzzed is what stands behind the tag.
    open_reply(_EXCHANGE, _EXCHANGE.seal_reply(data))


@target("statement", stored_vectors("statement.json", "statement"))
def fuzz_statement(data: bytes) -> None:
    statement.claimed_device(data)


@target("ledger-entry", [_ENTRY])
def fuzz_ledger_entry(data: bytes) -> None:
    assert ledger.Entry.from_body(data).to_body() == data


_TYPED: Final[Mapping[str, tuple[Callable[[str], object], bytes]]] = {
    "claim-code": (claim_code.parse, CODE.printed.encode()),
    "hardware-id": (ids.parse_hardware_id, b"aa:bb:cc:dd:ee:f0"),
    "ledger-anchor": (ledger.parse_head, b"1:" + b"ab" * 32),
    "claim-policy": (policy.parse, b"device_key & (sale | staff)"),
}
for name, (parse, seed) in _TYPED.items():

    def fuzz_text(data: bytes, parse: Callable[[str], object] = parse) -> None:
        parse(data.decode("utf-8", "replace"))

    target(name, [seed], allowed=(PeerError, RefusedError, MisuseError))(fuzz_text)


@target("provisioning-file", [FILE.to_json()])
def fuzz_provisioning_file(data: bytes) -> None:
    Provisioning.from_json(data)


_CHIP_MAKER = ChipMaker()
_SIGNERS = TrustedSigners.from_pem(_CHIP_MAKER.bundle)
_ENTRY_OF_MANIFEST = _CHIP_MAKER.entry(_CHIP_MAKER.chip())


@target("manifest", [manifest_of([_ENTRY_OF_MANIFEST])])
def fuzz_manifest(data: bytes) -> None:
    read_manifest(data, _SIGNERS)


@target("manifest-entry", [json.dumps(_ENTRY_OF_MANIFEST).encode()])
def fuzz_manifest_entry(data: bytes) -> None:
    read_element(data, _SIGNERS)


@target("manifest-payload", [json.dumps(_CHIP_MAKER.payload(_CHIP_MAKER.chip())).encode()])
def fuzz_manifest_payload(data: bytes) -> None:
    # Signed here, so that what is fuzzed is what stands behind the signature.
    entry = resigned(_ENTRY_OF_MANIFEST | {"payload": base64url.encode(data)}, _CHIP_MAKER.log.key)
    read_element(json.dumps(entry).encode(), _SIGNERS)


@target(
    "order-list", [b"serial\nA1\nA2\n", b"serial,hardware_id\nA1,aabbccddeef0\n"], allowed=(DoorstepError,)
)
def fuzz_order_list(data: bytes) -> None:
    orders.read_rows(data, "P")


def _signed(claims: bytes) -> bytes:
    """Return a token whose signature holds, whatever it claims."""
    head, body = (base64.urlsafe_b64encode(part).rstrip(b"=") for part in (b"{}", claims))
    signature = KEY._key.sign(head + b"." + body)
    return head + b"." + body + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")


_QUESTION = {
    "client_info": {"type": "mqtt", "mqtt_id": "binsypko", "id": 7},
    "connect_opts": {"user": "binsypko", "pass": "x"},
    "client_tls": {},
    "user_nkey": "U",
    "server_id": {"id": "S"},
}


@target("broker-token", [KEY.encode({}, 1)])
def fuzz_broker_token(data: bytes) -> None:
    nkeys.decode(data)


@target("broker-question", [json.dumps({"iss": KEY.public, "nats": _QUESTION}).encode()])
def fuzz_broker_question(data: bytes) -> None:
    read_request(Broker.PLAIN, _signed(data))


@target(
    "sale-list", [b"order,serial,buyer_email,wholesaler\n7,A1,a@example.org,\n"], allowed=(DoorstepError,)
)
def fuzz_sale_list(data: bytes) -> None:
    sale_rows.read_rows(data)


@target("broker-log", [_LINE], allowed=(MalformedMessage, PeerError, RefusedError))
def fuzz_broker_log(data: bytes) -> None:
    read_violation(data, 0)
