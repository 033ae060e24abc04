"""Webhooks reach public addresses by HTTPS and nothing else, whatever a name or an answer says."""

import socket
from http.client import HTTPException
from typing import Any

import pytest

from doorstep.server.webhooks import target
from doorstep.server.webhooks.target import BadAddress, Target, TargetRefused
from tests.server.webhooks.receiver import Receiver

NOT_PUBLIC = {
    "loopback": "127.0.0.1",
    "this network": "0.0.0.0",
    "private": "10.1.2.3",
    "private 172": "172.16.0.1",
    "private 192": "192.168.1.1",
    "shared": "100.64.0.1",
    "link-local, where clouds keep their keys": "169.254.169.254",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "documentation": "192.0.2.1",
    "loopback, version 6": "::1",
    "unique local": "fd00::1",
    "link-local, version 6": "fe80::1%lo",
    "multicast, version 6": "ff02::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "translated private": "64:ff9b::a00:1",
    "6to4 of a private one": "2002:a00:1::",
    "Teredo": "2001:0:a00:1::1",
    "unspecified": "::",
}
BAD = {
    "plain HTTP": "http://example.org/",
    "another scheme": "file:///etc/passwd",
    "no scheme": "example.org/hook",
    "no host": "https:///hook",
    "user": "https://user:password@example.org/",
    "fragment": "https://example.org/#x",
    "port 0": "https://example.org:0/",
    "port of six digits": "https://example.org:123456/",
    "space": "https://example.org/a b",
    "line break": "https://example.org/\r\nHost: x",
    "not ASCII": "https://exämple.org/",
    "half an address": "https://[::1/",
    "too long": "https://example.org/" + "x" * 500,
}


@pytest.mark.parametrize("url", BAD.values(), ids=BAD.keys())
def test_address_that_can_not_be_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        Target.parse(url, private=False)


def test_setting_allows_plain_http_and_nothing_else() -> None:
    found = Target.parse("http://example.org:8080/a?b=c", private=True)
    assert (found.tls, found.host, found.port, found.path) == (False, "example.org", 8080, "/a?b=c")
    assert Target.parse("https://example.org", private=True) == Target(True, "example.org", 443, "/")
    with pytest.raises(BadAddress):
        Target.parse("ftp://example.org/", private=True)


def _resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def known(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(target, "socket", _Sockets(known, None))


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC.keys())
def test_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    _resolves_to(monkeypatch, "93.184.215.14", address)
    with pytest.raises(TargetRefused):
        Target.parse("https://example.org/", private=False).post(b"", {}, private=False)


def test_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """A name that changes its mind between the check and the connection gains nothing."""
    asked: list[str] = []
    port = int(receiver.url.split(":")[2].split("/")[0])

    def once(host: str, _port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    real = socket.create_connection
    reached: list[Any] = []

    def connect(address: Any, timeout: float) -> socket.socket:
        reached.append(address)
        return real(address, timeout)

    monkeypatch.setattr(target, "socket", _Sockets(once, connect))
    url = f"http://rebinding.example:{port}/"
    assert Target.parse(url, private=True).post(b"{}", {}, private=True) == 204
    assert (asked, reached) == (["rebinding.example"], [("127.0.0.1", port)])
    assert receiver.got[0][0]["host"] == f"rebinding.example:{port}"


class _Sockets:
    SOCK_STREAM = socket.SOCK_STREAM
    SHUT_RDWR = socket.SHUT_RDWR

    def __init__(self, resolve: Any, connect: Any) -> None:
        self.getaddrinfo = resolve
        self.create_connection = connect


def test_redirect_is_an_answer_like_any_other(receiver: Receiver) -> None:
    receiver.status = 307
    assert Target.parse(receiver.url, private=True).post(b"{}", {}, private=True) == 307
    assert len(receiver.got) == 1


def test_receiver_that_answers_a_byte_at_a_time_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "_WHOLE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises((OSError, HTTPException)):
            Target.parse(url, private=True).post(b"{}", {}, private=True)
