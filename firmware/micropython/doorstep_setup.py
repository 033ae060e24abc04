"""Sets a board up by a page on its own access point: network, password, registration token.

The part of docs/spec/onboarding-captive.md that a small chip can do, method ``micro-ap``: the access point
MUST have WPA2 with the key on the label, and the server listens on that network alone. `Setup` does no I/O.
"""

import os
import time
from binascii import hexlify

__all__ = ["Setup", "serve"]

_VISIT_S = 180  # a phone that was silent so long has gone
_PATIENCE_S = 10
_MAX = 4096  # bytes of a head, and of a body
_CAPS = {"key": 32, "name": 32, "password": 64, "token": 512, "server": 512}
_HEAD = (
    "Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
)
_PAGE = (
    "<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>Set-up</title>"
    "<style>body{font:1.1em sans-serif;margin:1em;max-width:30em}input,button{font:inherit;display:block;"
    "width:100%%;padding:.5em;margin:.2em 0 1em;box-sizing:border-box}</style><h1>Set-up</h1>%s</html>"
)
_FORM = (
    "%s<form method=post action=/join><input type=hidden name=key value=%s>"
    "<input type=hidden name=token value='%s'><input type=hidden name=server value='%s'>"
    "<label>Wi-Fi network<input name=name list=n required maxlength=32 autocomplete=off></label>"
    "<datalist id=n>%s</datalist><label>Password<input name=password type=password maxlength=64></label>"
    "<button>Connect</button></form>"
)
_SAYS = {
    "trying": "<p role=status>The device is connecting. <a href=/status>Look again</a></p>",
    "connected": "<p role=status>The device is connected. You may leave its network.</p>",
}


class _Bad(Exception):
    """A request is refused with this HTTP status."""


class _Elsewhere(Exception):
    """A request is for another host, as a phone's probe is."""


def _escape(text):
    for mark, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(mark, safe)
    return text


def _shown(octets):
    """Return a network's name as text; what is no printable ASCII stands as it would in C."""
    return _escape("".join(chr(byte) if 31 < byte < 127 else f"\\x{byte:02x}" for byte in octets))


def _decoded(text):
    out = bytearray()
    at = 0
    while at < len(text):
        byte = text[at]
        if byte == 37:  # a percent sign
            pair = text[at + 1 : at + 3]
            if len(pair) < 2 or any(digit not in b"0123456789abcdefABCDEF" for digit in pair):
                raise _Bad(400)
            byte = int(pair, 16)
            at += 2
        out.append(32 if byte == 43 and text[at] == 43 else byte)
        at += 1
    return bytes(out)


def _fields(text, allowed):
    """Return a form's fields in octets; a field that is unknown, doubled or too long makes it bad."""
    found = {}
    for pair in text.split(b"&") if text else ():
        name, _, value = pair.partition(b"=")
        name = _decoded(name).decode()
        if name not in allowed or name in found:
            raise _Bad(400)
        found[name] = _decoded(value)
        if len(found[name]) > _CAPS[name]:
            raise _Bad(400)
    return found


class Setup:
    """One set-up. `here` is the board's address on its access point; `networks()` gives names in octets.

    When `wanted` is (name, password), try it, then call `ended`. `order` is (token, server) or None.
    """

    def __init__(self, here, networks):
        self._here = here
        self._networks = networks
        self._phone = None
        self._until = 0
        self._key = ""
        self._kept = ("", "")
        self.state = "open"
        self._reason = ""
        self.wanted = None
        self.order = None

    def ended(self, reason):
        """Tell what came of joining: nothing when the board is connected, else why not, in words."""
        self.wanted = None
        self.state, self._reason = ("failed", reason) if reason else ("connected", "")

    def answer(self, request, phone, now):
        """Return status, further header lines and the page; see `_read` for a request."""
        try:
            self._check(request)
            self._visit(phone, now)
            return self._answer(*request)
        except _Elsewhere:
            return 302, f"Location: http://{self._here}/\r\n", ""
        except _Bad as bad:
            return bad.args[0], "", f"<p>This can't be done: {bad.args[0]}</p>"
        except (ValueError, UnicodeError):
            return 400, "", "<p>This can't be read.</p>"

    def _check(self, request):
        method, _, headers, _ = request
        if method not in ("GET", "POST"):
            raise _Bad(405)
        if headers.get("host") != self._here:
            # A stranger's page may lead its own name here.
            raise _Bad(421) if method == "POST" else _Elsewhere
        here = "http://" + self._here
        if method == "POST" and headers.get("origin", here) != here:
            raise _Bad(403)

    def _visit(self, phone, now):
        if self._phone != phone:
            if now < self._until:
                raise _Bad(409)
            self._phone, self._key = phone, hexlify(os.urandom(16)).decode()
            self._kept = ("", "")
        self._until = now + _VISIT_S

    def _answer(self, method, target, _, body):
        path, _, query = target.partition("?")
        if method == "POST":
            return self._join(path, body)
        if path == "/" and query:
            given = _fields(query.encode(), ("token", "server"))
            self._kept = given.get("token", b"").decode(), given.get("server", b"").decode()
            return 303, "Location: /\r\n", ""
        if path == "/" and self.state in ("open", "failed"):
            return 200, "", self._form("")
        if path == "/status" and self.state != "open":
            failed = "<p role=alert>" + _escape(self._reason) + "</p>"
            return 200, "", _SAYS.get(self.state) or self._form(failed)
        return 303, "Location: /\r\n" if self.state == "open" else "Location: /status\r\n", ""

    def _join(self, path, body):
        form = _fields(body, _CAPS)
        if path != "/join" or form.get("key", b"").decode() != self._key:
            raise _Bad(403)
        name, password = form.get("name", b""), form.get("password", b"")
        if not name or 0 < len(password) < 8:
            return 422, "", self._form("<p role=alert>A password has 8 characters or more.</p>")
        if self.state in ("open", "failed"):
            token, server = form.get("token", b"").decode(), form.get("server", b"").decode()
            self.order = (token, server) if token else None
            self.wanted, self.state = (name, password), "trying"
        return 303, "Location: /status\r\n", ""

    def _form(self, said):
        names = "".join([f"<option value='{_shown(name)}'>" for name in self._networks()[:16]])
        token, server = map(_escape, self._kept)
        return _FORM % (said, self._key, token, server, names)


def _read(wire):
    """Return method, target, headers and body of one request; raises _Bad or OSError."""
    text = b""
    while b"\r\n\r\n" not in text:
        more = wire.recv(512)
        if not more or len(text) > _MAX:
            raise _Bad(431)
        text += more
    head, _, body = text.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    size = int(headers.get("content-length", "0"))
    if not 0 <= size <= _MAX:
        raise _Bad(413)
    while len(body) < size:
        more = wire.recv(512)
        if not more:
            raise OSError("cut short")
        body += more
    return method, target, headers, body[:size]


def _respond(setup, wire, phone):
    wire.settimeout(_PATIENCE_S)
    try:
        status, lines, page = setup.answer(_read(wire), phone, time.time())
    except _Bad as bad:
        status, lines, page = bad.args[0], "", ""
    except (ValueError, UnicodeError):
        status, lines, page = 400, "", ""
    page = (_PAGE % page).encode()
    head = f"HTTP/1.1 {status} -\r\n{_HEAD}{lines}Content-Length: {len(page)}\r\n\r\n"
    wire.sendall(head.encode() + page)


def serve(setup, listener, join, seconds=600):
    """Answer until the board is connected and a phone has seen it, or time is up; return the order.

    `join(name, password)` joins a network and returns "" or why not.
    """
    until = time.time() + seconds
    listener.settimeout(1)
    seen = False
    while time.time() < until and not seen:
        try:
            wire, address = listener.accept()
        except OSError:
            continue
        try:
            seen = setup.state == "connected"
            _respond(setup, wire, address[0] if isinstance(address, tuple) else bytes(address)[4:8])
        except OSError:
            pass
        finally:
            wire.close()
        if setup.wanted:
            setup.ended(join(*setup.wanted))
    return setup.order if setup.state == "connected" else None
