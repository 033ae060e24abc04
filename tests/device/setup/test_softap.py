import asyncio
import http.client
import re
import socket
from collections.abc import Sequence
from dataclasses import replace

import pytest

from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.softap import SoftApServer
from doorstep.errors import UnavailableError
from doorstep.onboarding.network import JoinOutcome, NetworkCredentials
from doorstep.onboarding.protocomm.configurator import Configurator, Conversation
from doorstep.onboarding.steps import Step
from doorstep.testing.wifi import SimulatedWifi
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart
from tests.device.serving import NEIGHBOURS, Served, serving
from tests.onboarding.helpers import LABEL, PROFILE, counted_rng


class _Phone:
    """A blocking client with one connection, as official ones are."""

    def __init__(self, served: Served) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
        self.core = Configurator(LABEL, counted_rng(b"phone"))
        self.cookie = ""
        self.send_cookie = True

    def post(self, endpoint: str, body: bytes) -> tuple[int, bytes]:
        headers = {"Cookie": self.cookie} if self.cookie and self.send_cookie else {}
        self.connection.request("POST", f"/{endpoint}", body, headers)
        response = self.connection.getresponse()
        self.cookie = response.getheader("Set-Cookie") or self.cookie
        return response.status, response.read()

    def hold(self, conversation: Conversation[object]) -> object:
        try:
            request = next(conversation)
            while True:
                status, body = self.post(request.endpoint, request.body)
                assert status == 200, (status, body)
                request = conversation.send(body)
        except StopIteration as done:
            return done.value

    def secure(self) -> "_Phone":
        self.hold(self.core.find())
        self.hold(self.core.secure())
        return self

    def hang_up(self) -> None:
        self.connection.close()


def _raw(served: Served, request: bytes) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as stream:
        stream.sendall(request)
        stream.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := stream.recv(4096):
            answer += chunk
    return (int(answer.split(b" ")[1]), answer) if answer else (0, b"")


def _post(path: bytes, body: bytes = b"---", headers: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\nHost: device\r\n" + length + headers + b"\r\n" + body


REFUSED_REQUESTS = {
    "GET": (b"GET / HTTP/1.1\r\n\r\n", 405),
    "no HTTP": (b"hello\r\n\r\n", 400),
    "path without slash": (b"POST proto-ver HTTP/1.1\r\n\r\n", 400),
    "long path": (_post(b"/" + b"a" * 100), 400),
    "endless path": (b"POST /" + b"a" * 2100 + b" HTTP/1.1\r\n\r\n", 414),
    "endpoint with a question": (_post(b"/proto-ver?x=1"), 400),
    "other method": (b"DELETE / HTTP/1.1\r\n\r\n", 405),
    "GET with a cut off body": (b"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", 408),
    "chunked GET": (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
    "page of another site": (_post(b"/prov-session", headers=b"Origin: http://evil.example\r\n"), 403),
    "page of no site": (_post(b"/prov-session", headers=b"Origin: null\r\n"), 403),
    "no length": (b"POST /proto-ver HTTP/1.1\r\n\r\n", 411),
    "chunked": (_post(b"/proto-ver", headers=b"Transfer-Encoding: chunked\r\n"), 411),
    "length as text": (b"POST /proto-ver HTTP/1.1\r\nContent-Length: +3\r\n\r\n---", 400),
    "two lengths": (_post(b"/proto-ver", headers=b"Content-Length: 3\r\n"), 400),
    "header without colon": (_post(b"/proto-ver", headers=b"nonsense\r\n"), 400),
    "folded header": (_post(b"/proto-ver", headers=b" folded: x\r\n"), 400),
    "body of 4097 bytes": (_post(b"/proto-ver", b"x" * 4097), 413),
    "body of a googol": (b"POST /proto-ver HTTP/1.1\r\nContent-Length: " + b"9" * 100 + b"\r\n\r\n", 413),
    "body cut off": (b"POST /proto-ver HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", 408),
    "41 headers": (_post(b"/proto-ver", headers=b"".join(b"X-%d: y\r\n" % n for n in range(41))), 431),
    "endless head": (b"POST /proto-ver HTTP/1.1\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 431),
    "head cut off": (b"POST /proto-ver HT", 0),
    "unknown endpoint": (_post(b"/custom-data"), 404),
    "endpoint before session": (_post(b"/prov-config"), 409),
    "handshake of nonsense": (_post(b"/prov-session"), 400),
}


@pytest.mark.parametrize(("request_bytes", "status"), REFUSED_REQUESTS.values(), ids=REFUSED_REQUESTS)
def test_device_answers_bad_requests_itself(request_bytes: bytes, status: int) -> None:
    with serving() as served:
        assert _raw(served, request_bytes)[0] == status
        assert _raw(served, _post(b"/proto-ver"))[0] == 200


def test_device_takes_body_of_4096_bytes() -> None:
    with serving() as served:
        assert _raw(served, _post(b"/proto-ver", b"x" * 4096))[0] == 200


def test_session_cookie_is_bare() -> None:
    with serving() as served:
        _, answer = _raw(served, _post(b"/proto-ver"))
        (line,) = [line for line in answer.split(b"\r\n") if line.lower().startswith(b"set-cookie")]
        assert re.fullmatch(rb"Set-Cookie: session=\d{1,10}", line)


@pytest.mark.parametrize("with_cookie", [True, False], ids=["cookie", "same connection"])
def test_session_follows_cookie_or_connection(with_cookie: bool) -> None:  # noqa: FBT001 — a parameter
    with serving() as served:
        phone = _Phone(served)
        phone.send_cookie = with_cookie
        phone.secure()
        if with_cookie:
            phone.hang_up()
        assert phone.hold(phone.core.progress()) is Step.WAITING
        phone.hang_up()


def test_passer_by_disturbs_no_session() -> None:
    with serving() as served:
        phone, passer_by = _Phone(served).secure(), _Phone(served)
        assert passer_by.post("proto-ver", b"---")[0] == 200
        assert passer_by.post("prov-config", b"x")[0] == 409
        assert passer_by.post("nonsense", b"x")[0] == 409
        assert passer_by.cookie == ""
        assert phone.hold(phone.core.progress()) is Step.WAITING
        phone.hang_up()
        passer_by.hang_up()


def test_second_phone_takes_over_with_a_handshake() -> None:
    with serving() as served:
        first, second = _Phone(served).secure(), _Phone(served).secure()
        assert second.hold(second.core.progress()) is Step.WAITING
        request = next(first.core.progress())
        assert first.post(request.endpoint, request.body)[0] == 409
        assert second.hold(second.core.progress()) is Step.WAITING
        first.hang_up()
        second.hang_up()


def test_replayed_request_is_forbidden_and_ends_the_session() -> None:
    with serving() as served:
        phone = _Phone(served).secure()
        request = next(phone.core.progress())
        assert phone.post(request.endpoint, request.body)[0] == 200
        assert phone.post(request.endpoint, request.body)[0] == 403
        assert phone.post(request.endpoint, request.body)[0] == 409
        phone.hang_up()


def test_guesser_is_told_to_wait() -> None:
    with serving() as served:
        guesser = _Phone(served)
        guesser.core = Configurator(replace(LABEL, pop="wrong"), counted_rng(b"x"))
        guesser.hold(guesser.core.find())
        for _ in range(5):
            wrong = guesser.core.secure()
            guesser.post("prov-session", wrong.send(guesser.post("prov-session", next(wrong).body)[1]).body)
        guesser.connection.request("POST", "/prov-session", b"x")
        response = guesser.connection.getresponse()
        assert response.status == 429
        assert 1 <= int(response.getheader("Retry-After", "")) <= 5
        response.read()
        guesser.hang_up()


class _DeadRadio:
    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:  # noqa: ARG002 — the port's
        raise OSError("no such device")

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:  # noqa: ARG002 — the port's
        raise OSError("no such device")


def test_dead_radio_is_told_and_not_taken_for_a_wrong_password(caplog: pytest.LogCaptureFixture) -> None:
    with serving(_DeadRadio()) as served:
        phone = _Phone(served).secure()
        with pytest.raises(Exception, match="refused to scan"):
            phone.hold(phone.core.networks())
        phone.hold(phone.core.put_forward(NetworkCredentials(b"home", b"correct horse")))
        while (step := phone.hold(phone.core.progress())) is Step.TRYING:
            pass
        assert step is Step.RADIO_FAILED
        phone.hang_up()
    assert "correct horse" not in caplog.text


def test_failure_of_the_device_itself_is_500_and_ends_the_session() -> None:
    class Unsortable(SimulatedWifi):
        async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:  # noqa: ARG002 — the port's
            return [None]  # type: ignore[list-item]

    with serving(Unsortable([])) as served:
        phone = _Phone(served).secure()
        started = phone.core._ask("prov-scan", b"\x52\x02\x08\x01", bytes, bytes)
        assert phone.post("prov-scan", next(started).body)[0] == 500
        phone.hang_up()


def test_background_scan_is_answered_at_once() -> None:
    with serving() as served:
        phone = _Phone(served).secure()
        phone.hold(phone.core._ask("prov-scan", b"\x52\x02\x10\x01", bytes, bytes))
        assert phone.hold(phone.core._ask("prov-scan", b"\x08\x02", bytes, bytes))
        phone.hang_up()


def test_newcomer_displaces_the_connection_that_idles_longest() -> None:
    with serving() as served:
        phones = [_Phone(served) for _ in range(17)]
        for phone in phones:
            assert phone.post("proto-ver", b"---")[0] == 200
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            phones[0].post("proto-ver", b"---")
        assert phones[1].post("proto-ver", b"---")[0] == 200
        for phone in phones:
            phone.hang_up()


@pytest.mark.parametrize("head", [b"HTTP/1.1\r\nConnection: close", b"HTTP/1.0"], ids=["close", "1.0"])
def test_device_hangs_up_where_the_client_wants_it(head: bytes) -> None:
    with (
        serving() as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=10) as stream,
    ):
        stream.sendall(b"POST /proto-ver " + head + b"\r\nContent-Length: 3\r\n\r\n---")
        answer = b""
        while chunk := stream.recv(4096):
            answer += chunk
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"Connection: close" in answer


def test_port_that_is_taken_is_named() -> None:
    async def twice() -> None:
        station = SimulatedWifi(NEIGHBOURS)
        async with SoftApServer(PROFILE, Joiner(station), host="127.0.0.1", port=0) as first:
            with pytest.raises(UnavailableError, match=f"port {first.port}"):
                await SoftApServer(PROFILE, Joiner(station), host="127.0.0.1", port=first.port).__aenter__()

    asyncio.run(twice())


def test_port_is_unknown_before_it_listens() -> None:
    with pytest.raises(UnavailableError):
        _ = SoftApServer(PROFILE, Joiner(SimulatedWifi([]))).port
