"""The board's page behind real sockets: what shares its port, and what an attacker near it tries."""

import asyncio
import http.client
import re
import socket
import threading
import time
from urllib.parse import urlencode

import pytest

from doorstep.device.setup.captive import CaptiveServer
from doorstep.device.setup.joiner import Joiner
from doorstep.onboarding.captive.exchange import Air, PageFacts
from doorstep.onboarding.guesses import SHORT_CODE, GuessBook, GuessLimit
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.pin.secret import make_pin, pin_label
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.onboarding.steps import Step
from doorstep.provisioner.http import HttpLink
from doorstep.provisioner.provisioner import Provisioner
from doorstep.testing.wifi import SimulatedWifi
from tests.device.page_serving import STREET, serving_page
from tests.device.serving import Served
from tests.onboarding.helpers import LABEL, PROFILE, counted_rng

FORM = "application/x-www-form-urlencoded"


def ask(
    served: Served, method: str, path: str, form: dict[str, bytes] | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    body = None if form is None else urlencode(form)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if form is not None:
        sent.setdefault("Content-Type", FORM)
    connection.request(method, path, body, sent)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, dict(response.getheaders()), text


def raw(served: Served, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as stream:
        stream.sendall(request)
        stream.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := stream.recv(4096):
            answer += chunk
    return answer


def key_of(served: Served) -> bytes:
    _, _, text = ask(served, "GET", "/network?ssid=686f6d65")
    found = re.search('name="key" value="([^"]+)"', text)
    assert found is not None
    return found.group(1).encode()


def joined(served: Served) -> None:
    deadline = time.monotonic() + 10
    while not served.outcomes and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served.outcomes


def test_page_and_endpoints_share_one_port() -> None:
    with serving_page() as served:
        ask(served, "GET", "/")

        async def app() -> Step:
            async with Provisioner(HttpLink(served.url), LABEL, pause=0.05) as provisioner:
                await provisioner.secure()
                assert {entry.ssid for entry in await provisioner.networks()} >= {b"home", b"guests"}
                return await provisioner.join(NetworkCredentials(b"home", b"wrong horse"))

        assert asyncio.run(app()) is Step.WRONG_PASSWORD
        assert "refused the password" in ask(served, "GET", "/status")[2]
        form = {"key": key_of(served), "ssid": b"686f6d65", "password": b"correct horse", "token": b"t"}
        assert ask(served, "POST", "/join", form)[0] == 303
        joined(served)
        assert "on the network" in ask(served, "GET", "/status")[2]
        assert ask(served, "POST", "/order", {"key": key_of(served), "token": b"u"})[0] == 303
        while len(served.outcomes) < 2:
            time.sleep(0.01)


def test_head_gets_the_head() -> None:
    with serving_page() as served:
        status, headers, text = ask(served, "HEAD", "/")
        assert (status, text) == (200, "")
        assert int(headers["Content-Length"]) > 1000


def test_scripts_of_the_page_are_served_to_our_own_name_alone() -> None:
    with serving_page(Air.CODE) as served:
        status, headers, text = ask(served, "GET", "/web/board.js")
        assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
        assert "import" in text
        for path in (
            "/web/",
            "/web/nothing.js",
            "/web/../page.py",
            "/web/%2e%2e/page.py",
            "/web/package.json",
        ):
            assert ask(served, "GET", path)[0] == 404
        assert ask(served, "GET", "/web/board.js", Host="evil.example")[0] == 302


def test_stranger_name_rebound_to_the_board_reaches_nothing() -> None:
    """DNS rebinding: the name evil.example now leads to the board, and its page talks to its own origin."""
    with serving_page() as served:
        key = key_of(served)
        form = {"key": key, "ssid": b"686f6d65", "password": b"correct horse"}
        host, origin = "evil.example", "http://evil.example"
        assert ask(served, "GET", "/", Host=host, Origin=origin)[0] == 302
        assert ask(served, "POST", "/join", form, Host=host, Origin=origin)[0] == 421
        assert ask(served, "POST", "/prov-session", form, Host=host, Origin=origin)[0] == 403
        assert ask(served, "POST", "/join", form, Origin="http://evil.example")[0] == 403
        assert not served.outcomes


BAD = {
    "form of 4097 bytes": (
        b"POST /join HTTP/1.1\r\nHost: H\r\nContent-Length: 4097\r\n\r\n" + b"x" * 4097,
        b"413",
    ),
    "form without a length": (b"POST /join HTTP/1.1\r\nHost: H\r\n\r\n", b"411"),
    "form cut off": (b"POST /join HTTP/1.1\r\nHost: H\r\nContent-Length: 9\r\n\r\nabc", b"408"),
    "no encoding": (b"POST /join HTTP/1.1\r\nHost: H\r\nContent-Length: 3\r\n\r\nabc", b"400"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: H\r\nHost: evil\r\n\r\n", b"400"),
    "endless address": (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nHost: H\r\n\r\n", b"414"),
    "octets in the address": (b"GET /\xff?\xff=\xff HTTP/1.1\r\nHost: H\r\n\r\n", b"404"),
    "odd octets in the query": (b"GET /?\xff=\xff HTTP/1.1\r\nHost: H\r\n\r\n", b"400"),
    "whole address": (b"GET http://evil.example/ HTTP/1.1\r\nHost: H\r\n\r\n", b"400"),
    "tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: H\r\n\r\n", b"400"),
}


@pytest.mark.parametrize(("request_bytes", "status"), BAD.values(), ids=BAD)
def test_bad_request_is_refused_and_the_page_goes_on(request_bytes: bytes, status: bytes) -> None:
    with serving_page() as served:
        here = f"127.0.0.1:{served.port}".encode()
        answer = raw(served, request_bytes.replace(b"Host: H", b"Host: " + here))
        assert answer.split(b" ")[1] == status
        assert ask(served, "GET", "/")[0] == 200


def test_slow_clients_keep_nobody_out() -> None:
    with serving_page() as served:
        slow = [socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(24)]
        for stream in slow:
            stream.sendall(b"GET / HT")
        assert ask(served, "GET", "/")[0] == 200
        for stream in slow:
            stream.close()


def test_two_people_at_once_make_one_attempt() -> None:
    with serving_page(station=SimulatedWifi(STREET, delay=0.3)) as served:
        form = {"key": key_of(served), "ssid": b"686f6d65", "password": b"correct horse"}
        answers: list[int] = []
        people = [
            threading.Thread(target=lambda: answers.append(ask(served, "POST", "/join", form)[0]))
            for _ in range(4)
        ]
        for person in people:
            person.start()
        for person in people:
            person.join()
        joined(served)
        assert answers == [303] * 4
        assert len(served.outcomes) == 1


PIN = make_pin(counted_rng(b"the pin"))
PIN_PROFILE = DeviceProfile("dev1", PIN.for_device())


async def _prove(served: Served, pin: str) -> None:
    async with Provisioner(HttpLink(served.url), pin_label(pin)) as provisioner:
        await provisioner.secure()


def test_pin_over_the_open_air_sets_up_and_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    whole = HttpLink._ask

    async def tapped(self: HttpLink, endpoint: str, body: bytes) -> bytes:
        reply = await whole(self, endpoint, body)
        sent.extend((body, reply))
        return reply

    monkeypatch.setattr(HttpLink, "_ask", tapped)
    with serving_page(Air.CODE, profile=PIN_PROFILE) as served:

        async def app() -> Step:
            async with Provisioner(HttpLink(served.url), pin_label(PIN.pop), pause=0.05) as provisioner:
                await provisioner.secure()
                return await provisioner.join(NetworkCredentials(b"home", b"correct horse"))

        assert asyncio.run(app()) is Step.CONNECTED
    assert sent
    for secret in (PIN.pop.encode(), b"correct horse"):
        assert secret not in b"".join(sent)


def test_pin_guesses_are_limited_across_a_power_cut() -> None:
    kept: list[int] = []
    wrong = f"{(int(PIN.pop) + 1) % 10**8:08}"
    book = GuessBook(GuessLimit(policy=SHORT_CODE), kept.append)
    with serving_page(Air.CODE, profile=PIN_PROFILE, guesses=book) as served:
        for _ in range(5):
            with pytest.raises(Exception, match="does not belong"):
                asyncio.run(_prove(served, wrong))
        with pytest.raises(Exception, match="Too many wrong codes"):
            asyncio.run(_prove(served, PIN.pop))
    assert kept == [1, 2, 3, 4, 5]
    again = GuessBook(GuessLimit.resumed(kept[-1], time.monotonic(), SHORT_CODE), kept.append)
    with serving_page(Air.CODE, profile=PIN_PROFILE, guesses=again) as served:
        with pytest.raises(Exception, match="Too many wrong codes"):
            asyncio.run(_prove(served, PIN.pop))
        again.clear()  # what the button of a reset does
        asyncio.run(_prove(served, PIN.pop))
    assert kept[-1] == 0


def test_guess_that_cannot_be_recorded_is_not_answered() -> None:
    def full(_wrong: int) -> None:
        raise OSError("no space")

    with (
        serving_page(Air.CODE, profile=PIN_PROFILE, guesses=GuessBook(keep=full)) as served,
        pytest.raises(Exception, match="500"),
    ):
        asyncio.run(_prove(served, "00000000"))


def test_server_that_listens_to_the_radio_closes_in_time() -> None:
    async def main() -> None:
        joiner = Joiner(SimulatedWifi(STREET, delay=60.0))
        facts = PageFacts("PROV_1", Air.KEY)
        async with CaptiveServer(PROFILE, joiner, facts, host="127.0.0.1", port=0) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()

    asyncio.run(asyncio.wait_for(main(), 5))
