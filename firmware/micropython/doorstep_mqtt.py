"""A small MQTT 3.1.1 client: QoS 1 up, QoS 0 down, one connection, no thread. For MicroPython and CPython.

Every failure of the network or the broker is an OSError; after one, connect again.
"""

import socket
import time

__all__ = ["Client", "NotAccepted"]

_ANSWER_S = 10  # how long a broker may take for an answer
_MAX_PACKET = 4400  # bytes: the longest sealed message with its topic


class NotAccepted(OSError):
    """The broker refused the session or the subscription; the argument is its return code."""


def _string(text):
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


class Client:
    """One connection to a broker; `on_message(topic, payload)` gets what comes down."""

    def __init__(self, host, port, on_message=None):
        self._on_message = on_message
        self._last_id = 0
        self._socket = socket.socket()
        try:
            self._socket.settimeout(_ANSWER_S)
            self._socket.connect(socket.getaddrinfo(host, port)[0][-1])
        except OSError:
            self._socket.close()
            raise

    def connect(self, client_id, username, password, keep_alive=60):
        """Open a clean session; raises NotAccepted."""
        body = b"\0\4MQTT\4\xc2" + keep_alive.to_bytes(2, "big")
        self._send(0x10, body + _string(client_id) + _string(username) + _string(password))
        _, answer = self._await(0x20)
        if answer[1]:
            raise NotAccepted(answer[1])

    def subscribe(self, pattern):
        """Have messages delivered, QoS 0; raises NotAccepted."""
        self._send(0x82, self._next_id() + _string(pattern) + b"\0")
        _, answer = self._await(0x90)
        if answer[2] & 0x80:
            raise NotAccepted(answer[2])

    def publish(self, topic, payload):
        """Publish with QoS 1; returns when the broker has acknowledged."""
        number = self._next_id()
        self._send(0x32, _string(topic) + number + payload)
        while self._await(0x40)[1] != number:
            pass

    def wait(self, seconds):
        """Take one packet if one comes in time; return whether one came."""
        self._socket.settimeout(seconds)
        try:
            first = self._socket.recv(1)
        except OSError as error:
            # ETIMEDOUT, EAGAIN on the chips; CPython's has no number.
            if error.errno in (None, 11, 110, 116):
                return False
            raise
        finally:
            self._socket.settimeout(_ANSWER_S)
        self._take(first)
        return True

    def ping(self):
        """Ask for an answer: keeps the session, and finds a connection that is dead."""
        self._send(0xC0, b"")
        self._await(0xD0)

    def close(self):
        """Say goodbye, if the connection still takes it, and close."""
        try:
            self._send(0xE0, b"")
        except OSError:
            pass
        self._socket.close()

    def _next_id(self):
        self._last_id = self._last_id % 65535 + 1
        return self._last_id.to_bytes(2, "big")

    def _send(self, first, body):
        length, head = len(body), bytes([first])
        while True:
            head += bytes([length & 0x7F | (0x80 if length > 0x7F else 0)])
            length >>= 7
            if not length:
                break
        self._socket.sendall(head + body)

    def _receive(self, size):
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                raise OSError("the broker closed the connection")
            data += more
        return data

    def _await(self, wanted):
        """Take packets until one of this type comes, at most so long as an answer may take."""
        begun = time.time()
        while time.time() - begun <= _ANSWER_S:
            first, body = self._take(self._receive(1))
            if first & 0xF0 == wanted:
                return first, body
        raise OSError("no answer")

    def _take(self, first):
        if not first:
            raise OSError("the broker closed the connection")
        length = shift = 0
        while shift < 28:
            byte = self._receive(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if length > _MAX_PACKET:
            raise OSError("packet too long")
        first, body = first[0], self._receive(length)
        if first & 0xF0 == 0x30:
            self._deliver(first, body)
        return first, body

    def _deliver(self, first, body):
        start = 2 + int.from_bytes(body[:2], "big")
        topic = body[2:start].decode()
        if first & 6:  # we ask for QoS 0, a broker may still send QoS 1
            self._send(0x40, body[start : start + 2])
            start += 2
        if self._on_message:
            self._on_message(topic, body[start:])
