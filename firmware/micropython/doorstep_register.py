"""Registers a device whose only key is its root (docs/spec/registration.md): a sealed request, one reply."""

import json
import socket

from doorstep_down import Refused
from doorstep_sealed import Misused, expand, xor

__all__ = ["ask", "open_reply", "register", "seal_request", "skip_to"]

_CHANNEL = "register"
_MAX_REPLY = 1032  # bytes, with the tag
_MAX_SKIP = 1 << 20  # epochs


def seal_request(device, token=""):
    """Return the request's sequence number and bytes; without a token it asks how the device stands."""
    text = token.encode()
    if len(text) > 128 or any(not 32 < byte < 127 for byte in text):
        raise Misused("token")
    return device.next_sequence, device.seal(_CHANNEL, b"v1" + text)


def open_reply(device, sequence, sealed):
    """Return the platform's answer to request `sequence` as a dict; raises Refused for anybody else's."""
    if len(sealed) > _MAX_REPLY:
        raise Refused("oversize")
    # The platform's key under the request's nonce.
    own, device.down.iv = device.down.iv, device.up.iv
    try:
        text, tag = device.down.crypt(sequence, _CHANNEL.encode(), sealed[:-8], False)
    finally:
        device.down.iv = own
    if len(sealed) < 8 or any(xor(tag, sealed[-8:])):
        raise Refused("wrong_tag")
    try:
        reply = json.loads(text)
        good = reply["status"] in ("bound", "held", "disputed", "refused")
        bound = reply["status"] == "bound"
        if bound:
            good = 0 <= reply["epoch"] < 1 << 31 and isinstance(reply["mqtt"]["host"], str)
            good = good and 0 < reply["mqtt"]["port"] < 65536
        good = good and bound == ("epoch" in reply) == ("mqtt" in reply)
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise Refused("bad_payload")
    return reply


def skip_to(load, store, epoch):
    """Run the stored root forward to `epoch`, if it is earlier (R-10); the next boot begins there."""
    state = load()
    stored, root = int.from_bytes(state[:4], "big"), state[4:]
    if epoch - stored > _MAX_SKIP:
        raise Misused("epoch too far")
    if epoch > stored:
        for _ in range(epoch - stored):
            root = expand(root, b"ratchet")
        store(epoch.to_bytes(4, "big") + root)


def ask(host, port, device_id, request):
    """Carry a request over HTTP and return the reply, sealed; raises OSError for every other answer.

    What comes back unsealed was perhaps written by a stranger: it decides nothing (R-12).
    """
    head = f"POST /device/v1/sealed/{device_id} HTTP/1.0\r\nHost: {host}\r\n"
    head += f"Content-Type: application/octet-stream\r\nContent-Length: {len(request)}\r\n\r\n"
    wire = socket.socket()
    try:
        wire.settimeout(10)
        wire.connect(socket.getaddrinfo(host, port)[0][-1])
        wire.sendall(head.encode() + request)
        answer = b""
        while len(answer) < 4096:
            more = wire.recv(1024)
            if not more:
                break
            answer += more
    finally:
        wire.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if head[9:12] != b"200":
        raise OSError("no sealed reply: " + head[9:12].decode())
    return body


def register(device, state, place, device_id, token=""):
    """Ask once, follow the platform to the epoch that it names, and return its answer.

    `place` is host and port of the platform. After ``bound`` begin anew: a `doorstep_device.Link` on the same
    state does. Ask again later, with longer and longer pauses, after an OSError or Refused.
    """
    sequence, request = seal_request(device, token)
    answer = open_reply(device, sequence, ask(*place, device_id, request))
    if answer["status"] == "bound" and device.epoch < answer["epoch"]:
        skip_to(state.load, state.store, answer["epoch"])
    return answer
