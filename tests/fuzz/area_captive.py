"""What a phone, or a stranger, sends to the board's own page and name server."""

from dataclasses import replace
from ipaddress import IPv4Address

from doorstep.errors import PeerError, SettingsError
from doorstep.onboarding.captive.dns import answer
from doorstep.onboarding.captive.exchange import Air, PageFacts, PageRequest
from doorstep.onboarding.captive.forms import FORM_TYPE, decode_form, decode_ssid, shown
from doorstep.onboarding.captive.page import CaptivePage
from doorstep.onboarding.captive.texts import choose_language
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.pin.secret import read_pin
from tests.fuzz.targets import target
from tests.onboarding.helpers import NETWORKS, counted_rng

_QUERY = b"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07captive\x05apple\x03com\0\0\1\0\1"
_KEY = b"-JbVfbR1H5JOSK_p3Wnn5Q"
_JOIN = b"key=" + _KEY + b"&ssid=686f6d65&password=correct+horse&token=t&server=https%3A%2F%2Fown.example"
_BOARD = IPv4Address("192.168.4.1")
_ASKED = PageRequest("POST", "/join", "", str(_BOARD), str(_BOARD), "192.168.4.2", content_type=FORM_TYPE)


@target("captive-dns", [_QUERY])
def fuzz_captive_dns(data: bytes) -> None:
    answer(data, _BOARD)


@target("captive-form", [_JOIN, b"name=%ff%00&lang=de"])
def fuzz_captive_form(data: bytes) -> None:
    values = decode_form(data)
    assert shown(values.get("name", b"")).isprintable()
    decode_ssid(values.get("ssid", b""))


@target("captive-page", [b"/join\n" + _JOIN, b"/network\nssid=686f6d65", b"/order\ntoken=t", b"/\nlang=fr"])
def fuzz_captive_page(data: bytes) -> None:
    path, _, rest = data.decode("latin-1").partition("\n")
    page = CaptivePage(PageFacts("PROV_1", Air.KEY), Joining(), counted_rng(b"page"))
    page.scanned(NETWORKS, 0.0)
    page.receive(replace(_ASKED, path=path, body=rest.encode("latin-1")), 0.0)
    page.receive(replace(_ASKED, method="GET", path=path, query=rest), 0.0)


@target("accept-language", [b"de-AT,de;q=0.9,en;q=0.8"])
def fuzz_accept_language(data: bytes) -> None:
    assert choose_language(data.decode("latin-1")) in {"en", "de", "fr"}


@target("pin", [b"1234 5678"], allowed=(PeerError, SettingsError))
def fuzz_pin(data: bytes) -> None:
    assert len(read_pin(data.decode("latin-1"))) == 8
