"""The board's page without a socket: what a browser is answered, and what the board then does."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html import unescape
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.onboarding.captive.api import CAPTIVE_OPTION, captive_api_url
from doorstep.onboarding.captive.exchange import Air, PageAnswer, PageFacts, PageRequest
from doorstep.onboarding.captive.page import FORMS, FRESH_S, CaptivePage
from doorstep.onboarding.captive.probes import PROBES, Probe
from doorstep.onboarding.captive.texts import LANGUAGES, Texts
from doorstep.onboarding.captive.visit import IDLE_S
from doorstep.onboarding.failures import TooManyGuesses, WrongCode
from doorstep.onboarding.joining import Joining, JoinState, Onboarded
from doorstep.onboarding.lock import LockState
from doorstep.onboarding.network import Joined, JoinFailure
from doorstep.onboarding.protocomm.device import JoinWanted, ScanWanted
from doorstep.onboarding.steps import Step
from doorstep.wire.provisioning.delivery import DeviceStage
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry
from tests.onboarding.helpers import counted_rng

HERE = "192.168.4.1"
EN = LANGUAGES["en"]
FORM = "application/x-www-form-urlencoded"
HEARD = (
    ScanEntry(b"", 1, -30),
    ScanEntry(b"far", 1, -80, auth=AuthMode.WPA2),
    ScanEntry(b"home", 6, -70, auth=AuthMode.WPA2),
    ScanEntry(b"home", 11, -40, auth=AuthMode.WPA2),
    ScanEntry(b"cafe", 1, -61, auth=AuthMode.OPEN),
    ScanEntry(b"office", 1, -50, auth=AuthMode.WPA2_ENTERPRISE),
)
GET = PageRequest("GET", "/", "", HERE, HERE, "192.168.4.2")


@dataclass
class Board:
    """A page, its joining, and a browser on a phone."""

    air: Air = Air.KEY
    check_code: Callable[[bytes, float], None] | None = None
    server: str = "https://portal.example"
    joining: Joining = field(default_factory=Joining)
    now: float = 100.0
    page: CaptivePage = field(init=False)

    def __post_init__(self) -> None:
        facts = PageFacts("PROV_1", self.air, self.server, check_code=self.check_code)
        self.page = CaptivePage(facts, self.joining, counted_rng(b"page"))

    def get(self, path: str = "/", query: str = "", request: PageRequest = GET) -> PageAnswer:
        return self.page.receive(replace(request, path=path, query=query), self.now)

    def post(self, path: str, values: dict[str, bytes], request: PageRequest = GET) -> PageAnswer:
        body = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in values.items()).encode()
        content_type = request.content_type or FORM
        asked = replace(request, method="POST", path=path, body=body, content_type=content_type)
        return self.page.receive(asked, self.now)

    def heard(self) -> "Board":
        self.page.scanned(HEARD, self.now)
        return self

    @property
    def key(self) -> bytes:
        shown = self.get("/network", "ssid=686f6d65")
        found = re.search(rb'name="key" value="([^"]+)"', shown.body)
        assert found is not None
        return found.group(1)

    def join(self, password: bytes = b"correct horse", **more: bytes) -> PageAnswer:
        return self.post("/join", {"key": self.key, "ssid": b"686f6d65", "password": password, **more})


def header(answer: PageAnswer, name: str) -> str:
    return dict(answer.headers).get(name, "")


def text(answer: PageAnswer) -> str:
    return unescape(answer.body.decode())


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.system)
def test_probe_of_each_system_is_shown_the_page(probe: Probe) -> None:
    asked = replace(GET, host=probe.host, path=probe.path)
    for host in (probe.host, HERE):
        answer = Board().page.receive(replace(asked, host=host), 0.0)
        if probe.path != "/" or host != HERE:
            assert (answer.status, header(answer, "Location")) == (302, f"http://{HERE}/")
            assert answer.status != probe.status
            assert answer.body == b""


def test_probes_are_no_visit() -> None:
    board = Board()
    board.get("/generate_204", request=replace(GET, peer="192.168.4.9"))
    board.get("/", request=replace(GET, peer="192.168.4.9", host="captive.apple.com"))
    assert board.get().status == 200


def test_page_of_another_name_leads_here_and_a_form_is_refused() -> None:
    board = Board().heard()
    for host in ("", "evil.example", "192.168.4.1.evil.example", "192.168.4.1:8080", "localhost"):
        stranger = replace(GET, host=host)
        assert board.get(request=stranger).status == 302
        answer = board.post("/join", {"key": board.key, "ssid": b"686f6d65", "password": b"x" * 8}, stranger)
        assert answer.status == 421
    assert board.joining.state is JoinState.IDLE
    assert board.get(request=replace(GET, host="192.168.4.1", here="192.168.4.1")).status == 200


def test_form_of_another_site_is_refused() -> None:
    board = Board().heard()
    key = board.key
    for origin in ("http://evil.example", "null", "https://192.168.4.1", "http://192.168.4.1:8080"):
        values = {"key": key, "ssid": b"686f6d65", "password": b"x" * 8}
        assert board.post("/join", values, replace(GET, origin=origin)).status == 403
    own = replace(GET, origin="http://192.168.4.1")
    assert board.post("/join", {"key": key, "ssid": b"686f6d65"}, own).status == 303


def test_captive_portal_api_says_captive_and_where() -> None:
    secure = replace(GET, secure=True, path="/captive-portal/api")
    answer = Board().page.receive(secure, 0.0)
    assert answer.content_type == "application/captive+json"
    assert json.loads(answer.body) == {"captive": True, "user-portal-url": "https://192.168.4.1/"}
    assert captive_api_url(HERE) == "https://192.168.4.1/captive-portal/api"
    assert CAPTIVE_OPTION == 114


def test_first_visit_listens_and_shows_what_is_heard() -> None:
    board = Board()
    searching = board.get()
    assert isinstance(searching.wishes[0], ScanWanted)
    assert header(searching, "Refresh") == "4; url=/"
    board.page.scan_begun()
    assert board.get().wishes == ()
    shown = text(board.heard().get())
    assert shown.index("office") < shown.index("cafe")
    assert shown.count(">home<") == 1
    assert "signal strong, with password" in shown
    assert "signal medium, no password" in shown
    assert "signal weak" in shown
    assert re.search(r'value="6f6666696365" disabled', shown)


def test_old_list_is_shown_and_renewed() -> None:
    board = Board().heard()
    board.now += FRESH_S + 1
    answer = board.get()
    assert b"home" in answer.body
    assert isinstance(answer.wishes[0], ScanWanted)


@pytest.mark.parametrize("networks", [None, ()], ids=["failed", "silence"])
def test_board_that_hears_nothing_still_takes_a_name(networks: tuple[ScanEntry, ...] | None) -> None:
    board = Board()
    board.page.scanned(networks, board.now)
    shown = text(board.get())
    assert EN.none_heard in shown
    assert 'name="name"' in shown
    assert b"Password of " in board.get("/network", "ssid=&name=attic").body


def test_typed_name_wins_over_the_list_and_no_choice_is_told() -> None:
    board = Board().heard()
    assert b"Password of attic" in board.get("/network", "ssid=686f6d65&name=attic").body
    answer = board.get("/network", "ssid=&name=")
    assert (answer.status, EN.no_choice in text(answer)) == (422, True)
    assert board.get("/network", "").status == 422


def test_search_again_listens_once() -> None:
    board = Board().heard()
    answer = board.post("/scan", {"key": board.key})
    assert (answer.status, type(answer.wishes[0])) == (303, ScanWanted)
    board.page.scan_begun()
    assert board.post("/scan", {"key": board.key}).wishes == ()


def test_person_joins_with_a_token() -> None:
    board = Board().heard()
    answer = board.join(token=b" tok ", server=b"https://own.example")
    assert (answer.status, header(answer, "Location")) == (303, "/status")
    (wish,) = answer.wishes
    assert isinstance(wish, JoinWanted)
    assert (wish.network.ssid, wish.network.passphrase) == (b"home", b"correct horse")
    trying = board.get("/status")
    assert header(trying, "Refresh") == "4; url=/status"
    assert board.get("/").status == 303
    assert not header(board.get("/status", "stay=1"), "Refresh")
    onboarded = board.joining.finish(Joined("10.0.0.2"))
    assert onboarded is not None
    assert onboarded.order is not None
    assert (onboarded.order.token, onboarded.order.server) == (b"tok", "https://own.example")
    assert header(board.get("/status"), "Refresh"), "the registration is still to come"
    board.joining.report(DeviceStage.REGISTERED)
    done = board.get("/status")
    assert EN.back_home in text(done)
    assert not header(done, "Refresh")


def test_join_without_a_token_is_over_once_connected() -> None:
    board = Board().heard()
    board.join()
    board.joining.finish(Joined("10.0.0.2"))
    assert not header(board.get("/status"), "Refresh")


@pytest.mark.parametrize("failure", JoinFailure)
def test_failed_attempt_shows_the_form_again_with_what_is_known(failure: JoinFailure) -> None:
    board = Board().heard()
    board.join()
    board.joining.finish(failure)
    shown = text(board.get("/status"))
    assert 'role="alert"' in shown
    assert 'value="686f6d65"' in shown
    assert "correct horse" not in shown
    assert board.get("/").status == 303
    assert "home" in text(board.get("/", "stay=1"))
    assert board.join(b"another one").wishes
    assert board.joining.state is JoinState.TRYING


def test_impossible_password_is_told_and_changes_nothing() -> None:
    board = Board().heard()
    answer = board.join(b"short")
    assert (answer.status, EN.bad_password in text(answer)) == (422, True)
    assert 'aria-invalid="true"' in text(answer)
    assert board.joining.state is JoinState.IDLE


def test_password_is_shown_and_hidden_again_by_a_button() -> None:
    board = Board().heard()
    shown = board.join(b'p"&w\xc3\xb6rd', view=b"show").body.decode()
    assert 'type="text" value="p&quot;&amp;wörd"' in shown
    assert board.joining.state is JoinState.IDLE
    assert b'type="password" value="p&quot;' in board.join(b'p"&w', view=b"hide").body


def test_second_attempt_waits_for_the_first() -> None:
    board = Board().heard()
    key = board.key
    board.join()
    answer = board.post("/join", {"key": key, "ssid": b"63616665"})
    assert (answer.status, answer.wishes) == (303, ())
    assert board.joining.network is not None
    assert board.joining.network.ssid == b"home"


@pytest.mark.parametrize("order", [{"token": b"t", "server": b"ftp://x"}, {"token": b"t", "server": b"\xff"}])
def test_order_that_is_none_is_told(order: dict[str, bytes]) -> None:
    board = Board().heard()
    answer = board.join(**order)
    assert (answer.status, EN.bad_token in text(answer)) == (422, True)
    assert board.joining.state is JoinState.IDLE
    assert board.get("/", "token=&server=x").status == 422


def test_link_fills_in_the_order_and_hides_it() -> None:
    board = Board().heard()
    answer = board.get("/", "token=tok&server=https%3A%2F%2Fown.example")
    assert (answer.status, header(answer, "Location")) == (303, "/")
    shown = text(board.get("/network", "ssid=686f6d65"))
    assert EN.token_ready in shown
    assert "tok" not in shown.replace("token", "").replace(EN.token_ready, "")
    board.join()
    assert board.joining.order is not None


def test_refused_registration_takes_another_token() -> None:
    board = Board().heard()
    board.join()
    board.joining.finish(Joined("10.0.0.2"))
    board.joining.report(DeviceStage.REFUSED)
    key = re.search(rb'name="key" value="([^"]+)"', board.get("/status").body)
    assert key is not None
    assert board.post("/order", {"key": key.group(1), "token": b""}).status == 422
    answer = board.post("/order", {"key": key.group(1), "token": b"new"})
    assert isinstance(answer.wishes[0], Onboarded)
    assert answer.status == 303


def test_order_before_the_network_waits_for_it() -> None:
    board = Board().heard()
    assert board.post("/order", {"key": board.key, "token": b"new"}).wishes == ()
    assert board.joining.order is not None


def test_another_network_may_be_chosen_once_it_is_settled() -> None:
    board = Board().heard()
    assert header(board.post("/again", {"key": board.key}), "Location") == "/"
    key = board.key
    board.join()
    assert header(board.post("/again", {"key": key}), "Location") == "/status"
    board.joining.finish(Joined("10.0.0.2"))
    assert header(board.post("/again", {"key": key}), "Location") == "/"
    assert board.joining.state is JoinState.IDLE
    assert board.get("/status").status == 303


def test_one_person_at_a_time() -> None:
    board = Board().heard()
    key = board.key
    other = replace(GET, peer="192.168.4.3", languages="de")
    answer = board.get(request=other)
    assert (answer.status, LANGUAGES["de"].busy_title in text(answer)) == (409, True)
    assert board.post("/join", {"key": key, "ssid": b"686f6d65"}, other).status == 409
    board.now += IDLE_S
    assert board.get(request=other).status == 200
    assert board.get().status == 409


def test_form_with_another_visits_key_is_stale() -> None:
    board = Board().heard()
    key = board.key
    board.now += IDLE_S
    for stale in (key, b"", b"\xff" * 8):
        answer = board.post("/join", {"key": stale, "ssid": b"686f6d65"})
        assert (answer.status, EN.stale in text(answer)) == (403, True)
    assert board.joining.state is JoinState.IDLE


BAD_REQUESTS = {
    "unknown page": (lambda board: board.get("/nothing"), 404),
    "unknown form": (lambda board: board.post("/nothing", {"key": board.key}), 404),
    "another encoding": (
        lambda board: board.post("/join", {"key": board.key}, replace(GET, content_type="text/plain")),
        400,
    ),
    "unknown field": (lambda board: board.get("/", "x=1"), 400),
    "broken name": (lambda board: board.get("/network", "ssid=zz"), 400),
    "name of 33 bytes": (lambda board: board.get("/network", "name=" + "x" * 33), 400),
}


@pytest.mark.parametrize(("ask", "status"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_bad_request_is_refused(ask: Callable[[Board], PageAnswer], status: int) -> None:
    assert ask(Board().heard()).status == status


def test_language_is_the_browsers_until_somebody_chooses() -> None:
    board = Board().heard()
    german = replace(GET, languages="de-DE,en;q=0.5")
    assert "WLAN wählen" in text(board.get(request=german))
    shown = text(board.get("/", "lang=fr", german))
    assert '<html lang="fr">' in shown
    assert 'aria-current="true">Français' in shown
    assert "Choisissez" in text(board.get(request=german))
    assert '<html lang="fr">' in text(board.get("/", "lang=xx", german))
    assert 'href="/network?ssid=686f6d65&lang=de"' in text(board.get("/network", "ssid=686f6d65"))


def test_open_air_gives_no_form_and_takes_none() -> None:
    board = Board(Air.CODE).heard()
    answer = board.get()
    assert "script-src 'self'" in header(answer, "Content-Security-Policy")
    assert "doorstep provision" in text(answer)
    assert 'method="post"' not in text(answer)
    for path in FORMS:
        assert board.post(path, {"ssid": b"686f6d65", "password": b"correct horse"}).status == 403
    assert board.joining.state is JoinState.IDLE


def test_air_without_anything_is_told_on_each_form() -> None:
    board = Board(Air.NOTHING).heard()
    assert EN.unsafe in text(board.get())
    assert EN.unsafe in text(board.get("/network", "ssid=686f6d65"))
    assert EN.unsafe not in text(Board().heard().get())


def test_page_under_tls_asks_for_the_code() -> None:
    outcomes: list[Exception | None] = [WrongCode(), TooManyGuesses(7), None]
    typed: list[bytes] = []

    def check(code: bytes, now: float) -> None:
        assert now == 100.0
        typed.append(code)
        if outcome := outcomes.pop(0):
            raise outcome

    board = Board(Air.TLS, check_code=check).heard()
    assert EN.code_hint in text(board.get("/network", "ssid=686f6d65"))
    assert EN.wrong_code in text(board.join(code=b"wrong"))
    assert "Wait 7 seconds" in text(board.join(code=b"right"))
    assert board.joining.state is JoinState.IDLE
    assert board.join(code=b"right").status == 303
    assert typed == [b"wrong", b"right", b"right"]


def test_no_page_is_larger_than_twenty_kilobytes_or_loads_anything() -> None:
    many = [ScanEntry(bytes([n]) * 32, n % 13, -50 - n, auth=AuthMode.WPA2) for n in range(60)]
    for air in Air:
        board = Board(air)
        board.page.scanned(many, board.now)
        for path, query in (("/", "lang=de"), ("/network", "ssid=" + "ff" * 32), ("/nothing", "")):
            answer = board.get(path, query)
            assert len(answer.body) < 20_000
            assert not re.search(rb'(src|href)="(?!/|data:,)', answer.body)
            assert "default-src 'none'" in header(answer, "Content-Security-Policy")


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(["GET", "POST", "HEAD"]),
    st.binary(max_size=80),
)
def test_any_request_is_answered(path: str, query: str, method: str, body: bytes) -> None:
    board = Board().heard()
    asked = replace(GET, method=method, path="/" + path, content_type=FORM, body=body)
    safe = query.encode("latin-1", "replace").decode("latin-1")
    answer = board.page.receive(replace(asked, query=safe), 0.0)
    assert answer.status in (200, 302, 303, 400, 403, 404, 422)


@given(st.binary(min_size=1, max_size=32), st.binary(max_size=64))
def test_name_and_password_stay_octets(ssid: bytes, password: bytes) -> None:
    board = Board().heard()
    key = board.key
    answer = board.post("/join", {"key": key, "ssid": ssid.hex().encode(), "password": password})
    valid = not password or 8 <= len(password) <= 63 or re.fullmatch(rb"[0-9a-fA-F]{64}", password)
    assert bool(answer.wishes) == bool(valid)
    if answer.wishes:
        assert isinstance(answer.wishes[0], JoinWanted)
        assert answer.wishes[0].network.ssid == ssid
        assert answer.wishes[0].network.passphrase == password


@pytest.mark.parametrize("air", Air)
@pytest.mark.parametrize("texts", LANGUAGES.values(), ids=LANGUAGES)
def test_what_the_portal_sealed_is_taken_over_in_every_air_and_language(air: Air, texts: Texts) -> None:
    answer = Board(air).get("/sealed", f"lang={texts.code}")
    shown = unescape(answer.body.decode())
    assert answer.status == 200
    assert "script-src 'self'" in header(answer, "Content-Security-Policy")
    assert '<script type=module src="/web/bring.js">' in shown
    assert texts.bring_scripts in re.sub(r"<script.*?</script>", "", shown)
    for key, sentence in (("bring-stale", texts.bring_stale), ("trying", texts.steps[Step.TRYING][0])):
        assert f'data-key="{key}">{sentence}' in shown


@pytest.mark.parametrize("lock", [LockState.CLAIMED, LockState.RESET, LockState.RELEASED])
def test_claimed_device_shows_no_form_and_takes_none(lock: LockState) -> None:
    board = Board().heard()
    key = board.key
    board.joining.lock = lock
    said = EN.waits_for_hand if lock is LockState.RELEASED else EN.locked_text
    for answer in (board.get(), board.get("/network", "ssid=686f6d65"), board.get("/", "token=t")):
        assert (answer.status, said in text(answer)) == (403, True)
    for path in FORMS:
        values = {"key": key, "ssid": b"686f6d65", "password": b"correct horse", "token": b"t"}
        assert board.post(path, values).status == 403
    assert board.post("/status", {"key": key}).status == 403
    assert board.get("/sealed").status == 200, "a release comes sealed"
    assert (board.joining.state, board.joining.order) == (JoinState.IDLE, None)


def test_person_who_has_just_set_it_up_reads_that_it_is_theirs() -> None:
    board = Board().heard()
    board.join(token=b"t")
    board.joining.finish(Joined("10.0.0.2"))
    board.joining.report(DeviceStage.REGISTERED)
    board.joining.lock = LockState.CLAIMED
    assert "The device belongs to you now." in text(board.get("/status"))
