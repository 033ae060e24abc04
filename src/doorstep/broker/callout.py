"""The broker's question about a connection, and our answer, as NATS tokens. Pure."""

import hashlib
import ssl
from typing import Any

from doorstep.broker.nkeys import MalformedToken, NatsKey, decode
from doorstep.broker.policy import Admission, ConnectRequest
from doorstep.runtime.brokers import DEVICES_ACCOUNT, Broker

__all__ = ["admitted", "read_request", "refused"]

_MAX_TEXT = 256
_MAX_ADDRESS = 45
_MAX_SUBSCRIPTIONS = 32
_JWT_VERSION = 2


def read_request(broker: Broker, token: bytes) -> ConnectRequest:
    """Return the request in a token; raise MalformedToken or VerificationFailed."""
    try:
        question: dict[str, Any] = decode(token)["nats"]
        client, options = question["client_info"], question["connect_opts"]
        return ConnectRequest(
            broker=broker,
            kind=_text(client.get("type")),
            client_id=_text(client.get("mqtt_id")),
            username=_text(options.get("user")),
            password=_text(options.get("pass")),
            fingerprint=_fingerprint(question.get("client_tls") or {}),
            user_nkey=question["user_nkey"],
            server_id=question["server_id"]["id"],
            connection=int(client["id"]),
            address=_text(client.get("host"))[:_MAX_ADDRESS],
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise MalformedToken("the broker's question can't be read") from error


def admitted(request: ConnectRequest, admission: Admission, key: NatsKey, now_us: int) -> bytes:
    """Return the answer that opens the session with exactly these permissions."""
    user = {
        "sub": request.user_nkey,
        "aud": DEVICES_ACCOUNT,
        "name": admission.device_id,
        "exp": admission.expires_us // 1_000_000,
        "nats": {
            "type": "user",
            "version": _JWT_VERSION,
            "subs": _MAX_SUBSCRIPTIONS + 2 * len(admission.children),
            "data": -1,
            "payload": -1,
            "allowed_connection_types": ["MQTT"],
            "pub": {"allow": admission.publish},
            "sub": {"allow": admission.subscribe},
        },
    }
    return _answer(request, key, now_us, {"jwt": key.encode(user, now_us // 1_000_000).decode()})


def refused(request: ConnectRequest, key: NatsKey, now_us: int, words: str) -> bytes:
    """Return the answer that refuses; the words reach the broker's log, for MQTT 3.1.1 tells clients none."""
    return _answer(request, key, now_us, {"error": words})


def _answer(request: ConnectRequest, key: NatsKey, now_us: int, content: dict[str, str]) -> bytes:
    claims = {
        "sub": request.user_nkey,
        "aud": request.server_id,
        "nats": {"type": "authorization_response", "version": _JWT_VERSION, **content},
    }
    return key.encode(claims, now_us // 1_000_000)


def _fingerprint(client_tls: dict[str, Any]) -> str:
    chains = client_tls.get("verified_chains")
    if not chains:
        return ""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(chains[0][0].strip())).hexdigest()


def _text(value: object) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
