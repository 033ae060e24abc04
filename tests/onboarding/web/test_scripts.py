"""The browser's side of onboarding under Node: known answers, then against this package's device core."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.identity.ids import device_id_of
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.network import Joined, JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.capabilities import Capabilities
from doorstep.onboarding.protocomm.credentials import generate
from doorstep.onboarding.protocomm.device import JoinWanted
from doorstep.onboarding.protocomm.schemes import open_device_session
from doorstep.onboarding.sealed.opening import BlobMemory, KnownTime, Recipient
from doorstep.onboarding.steps import STEP_OF_STAGE
from doorstep.runtime.webfiles import web_folder
from doorstep.wire.provisioning.delivery import DeviceStage
from doorstep.wire.provisioning.scan import ScanEntry
from tests.onboarding.helpers import CREDENTIALS, LABEL, Link, counted_rng
from tests.onboarding.web.node import HERE, Browser, Json, node

VECTORS = Path(__file__).parents[3] / "vectors"
Ask = Callable[[str, bytes], bytes]
BOTH = pytest.mark.parametrize("crypto", ["plain", "webcrypto"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        yield running


def job(*steps: tuple[Any, ...], crypto: str = "webcrypto", label: str = LABEL.encode()) -> Json:
    return {"label": label, "crypto": crypto, "steps": steps}


def opened(*steps: tuple[str, ...], crypto: str = "webcrypto", label: str = LABEL.encode()) -> Json:
    return job(("find",), ("secure",), *steps, crypto=crypto, label=label)


def test_scripts_give_the_known_answers() -> None:
    stages = [STEP_OF_STAGE[stage].key for stage in DeviceStage]
    environment = os.environ | {
        "DOORSTEP_TEST_SCRIPTS": str(web_folder()),
        "DOORSTEP_TEST_VECTORS": str(VECTORS),
        "DOORSTEP_TEST_STAGES": json.dumps(stages),
    }
    done = subprocess.run(
        [node(), "--test", HERE / "known_answers.mjs"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


@BOTH
def test_browser_onboards_a_device(browser: Browser, crypto: str) -> None:
    link = Link()
    network = (b"Heim \xf0\x9f\x8f\xa0".hex(), b"geheim genug".hex())
    results = browser.run(
        opened(
            ("networks",),
            ("deliver", b"token".hex(), "https://doorstep.example", "Küche"),
            ("putForward", *network),
            ("progress",),
            crypto=crypto,
        ),
        link.ask,
    )
    assert [result.get("failure") for result in results] == [None] * 6
    heard = [(entry["ssid"], entry["rssi"]) for entry in results[2]["learnt"]]
    assert heard == [(entry.ssid.hex(), entry.rssi) for entry in link.networks or ()]
    assert (results[0]["learnt"], results[3]["learnt"], results[5]["learnt"]) == (True, "dev1", "trying")
    wanted = link.wishes[-1]
    assert isinstance(wanted, JoinWanted)
    assert (wanted.network.ssid.hex(), wanted.network.passphrase.hex()) == network
    onboarded = link.joining.finish(Joined("10.0.0.2"))
    assert onboarded is not None
    assert onboarded.order is not None
    assert (onboarded.order.token, onboarded.order.alias) == (b"token", "Küche")


def test_browser_retries_a_wrong_password_in_the_same_session(browser: Browser) -> None:
    link = Link()
    outcomes: Iterator[JoinOutcome] = iter([JoinFailure.WRONG_PASSWORD, Joined("10.0.0.2")])

    def ask(endpoint: str, body: bytes) -> bytes:
        reply = link.ask(endpoint, body)
        if link.wishes and isinstance(link.wishes.pop(), JoinWanted):
            link.joining.finish(next(outcomes))
        return reply

    tried = ("putForward", b"net".hex(), b"12345678".hex())
    results = browser.run(opened(tried, ("progress",), ("reset",), tried, ("progress",)), ask)
    assert [result.get("learnt") for result in results[3:]] == ["wrong-password", None, None, "connected"]
    assert all(result["secured"] for result in results[1:])
    assert sum(endpoint == "prov-session" for endpoint, _ in link.sent) == 2


@BOTH
def test_browser_and_device_refuse_each_other_with_a_wrong_code(browser: Browser, crypto: str) -> None:
    link = Link()
    results = browser.run(opened(("networks",), crypto=crypto, label="aaaa bbbb cccc d"), link.ask)
    assert [result.get("failure") for result in results] == [None, "wrong-code", "no-session"]
    assert {endpoint for endpoint, _ in link.sent} == {"proto-ver", "prov-session"}


def test_browser_refuses_a_device_that_gives_no_proof(browser: Browser) -> None:
    """A stranger without the verifier may say "success", but cannot make the proof."""
    strange = generate(counted_rng(b"other"), CREDENTIALS.username)
    mine, other = Link(), Link(session=open_device_session(strange.for_device(), counted_rng(b"b")))
    replies = []

    def ask(endpoint: str, body: bytes) -> bytes:
        replies.append(mine.ask(endpoint, body))
        reply = replies[-1]
        if endpoint == "prov-session" and len(replies) == 3:
            return reply[:40] + bytes([reply[40] ^ 1]) + reply[41:]
        return reply

    assert browser.run(opened(("networks",)), ask)[1]["failure"] == "wrong-code"
    assert browser.run(opened(), other.ask)[1]["failure"] == "wrong-code"


PATCH1 = Capabilities("v1.1", 2, 1)
DOWNGRADES = {
    "security 1": (Capabilities("v1.1", 1), "downgrade"),
    "security 0": (Capabilities("v1.1", 0), "downgrade"),
    "security 3": (Capabilities("v1.1", 3), "downgrade"),
    "no code": (Capabilities("v1.1", 2, 1, ("no_pop",)), "downgrade"),
    "no security": (Capabilities("v1.1", 2, 1, ("no_sec",)), "downgrade"),
    "patch 0": (Capabilities("v1.1", 2, 0), "old-security"),
}


@pytest.mark.parametrize("name", DOWNGRADES)
def test_browser_refuses_less_than_the_label_promises(browser: Browser, name: str) -> None:
    document, key = DOWNGRADES[name]
    asked = []

    def ask(endpoint: str, body: bytes) -> bytes:
        asked.append(endpoint)
        return document.encode()

    results = browser.run(opened(), ask)
    assert [result.get("failure") for result in results] == [key, "no-session"]
    assert asked == ["proto-ver"]


def test_browser_refuses_a_handshake_answered_in_another_scheme(browser: Browser) -> None:
    def ask(endpoint: str, body: bytes) -> bytes:
        return PATCH1.encode() if endpoint == "proto-ver" else bytes.fromhex("5203a20100")

    assert browser.run(opened(), ask)[1]["failure"] == "downgrade"


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda reply: reply[:-1],
    "empty": lambda reply: reply[:0],
    "changed": lambda reply: bytes([reply[0] ^ 1]) + reply[1:],
    "longer": lambda reply: reply + b"\x00",
}


@pytest.mark.parametrize("name", SPOILT)
def test_browser_ends_the_session_on_a_reply_that_does_not_hold(browser: Browser, name: str) -> None:
    link = Link()

    def ask(endpoint: str, body: bytes) -> bytes:
        reply = link.ask(endpoint, body)
        return SPOILT[name](reply) if endpoint == "prov-scan" else reply

    results = browser.run(opened(("networks",), ("progress",)), ask)
    assert [result.get("failure") for result in results[2:]] == ["forged", "no-session"]
    assert not results[2]["secured"]


def test_browser_ends_the_session_on_a_replayed_reply(browser: Browser) -> None:
    link, kept = Link(), []

    def ask(endpoint: str, body: bytes) -> bytes:
        reply = link.ask(endpoint, body)
        if endpoint == "doorstep":
            kept.append(reply)
            return kept[0]
        return reply

    results = browser.run(opened(("progress",), ("progress",), ("progress",)), ask)
    assert [result.get("failure") for result in results[2:]] == [None, "forged", "no-session"]


def test_browser_opens_a_new_session_after_one_was_lost(browser: Browser) -> None:
    link = Link()
    silent = iter([False, False, False, True])

    def ask(endpoint: str, body: bytes) -> bytes:
        if next(silent, False):
            raise TimeoutError
        return link.ask(endpoint, body)

    results = browser.run(opened(("progress",), ("secure",), ("progress",)), ask)
    assert [result.get("failure") for result in results[2:]] == ["lost", None, None]


@given(seed=st.binary(min_size=1, max_size=8))
@hypothesis_settings(max_examples=8)
def test_browser_and_device_agree_whatever_is_drawn(browser: Browser, seed: bytes) -> None:
    credentials = generate(counted_rng(seed + b"factory"))
    session = open_device_session(credentials.for_device(), counted_rng(seed + b"device"))
    results = browser.run(opened(("progress",), label=credentials.pop.upper()), Link(session=session).ask)
    assert results[-1] == {"learnt": "waiting", "secured": True}


octets = st.binary(max_size=32)
entries = st.builds(
    ScanEntry,
    octets,
    st.integers(0, 233),
    st.integers(-128, 0),
    st.sampled_from([b"", b"\x02\x00\x00\x00\x00\x01"]),
)
passphrases = st.just(b"") | st.binary(min_size=8, max_size=63) | st.just(b"0123456789abcdef" * 4)


@given(heard=st.lists(entries, max_size=40), ssid=octets, passphrase=passphrases)
@hypothesis_settings(max_examples=8)
def test_octets_travel_unchanged(
    browser: Browser, heard: list[ScanEntry], ssid: bytes, passphrase: bytes
) -> None:
    link = Link(joining=Joining(), networks=tuple(heard))
    results = browser.run(opened(("networks",), ("putForward", ssid.hex(), passphrase.hex())), link.ask)
    listed = [(bytes.fromhex(one["ssid"]), one["channel"], one["rssi"]) for one in results[2]["learnt"]]
    strongest = sorted(heard, key=lambda entry: entry.rssi, reverse=True)
    assert listed == [(entry.ssid, entry.channel, entry.rssi) for entry in strongest]
    wanted = link.wishes[-1]
    assert isinstance(wanted, JoinWanted)
    assert (wanted.network.ssid, wanted.network.passphrase) == (ssid, passphrase)


aliases = st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs")), max_size=20).filter(
    str.isprintable
)


@given(seed=st.binary(max_size=8), network=st.tuples(octets, passphrases), alias=aliases)
@hypothesis_settings(max_examples=12)
def test_device_opens_what_the_browser_sealed(
    browser: Browser, seed: bytes, network: tuple[bytes, bytes], alias: str
) -> None:
    key, device_id = p256.generate(counted_rng(seed)), device_id_of(hashlib.sha256(seed).digest()[:5])
    order = ("a-token", "https://doorstep.example:8443", alias)
    pair = [part.hex() for part in network]
    sealing = ("seal", device_id, key.public_key.point.hex(), [pair], order, 1_800_000_000)
    (sealed,) = browser.run(job(sealing), lambda *_: b"")
    recipient = Recipient(device_id, key.public_key, key.agree)
    content = recipient.open(sealed["learnt"].encode(), BlobMemory(), KnownTime(1_799_999_999)).content
    assert content.networks == (NetworkCredentials(*network),)
    assert content.order == RegistrationOrder(order[0].encode(), *order[1:])
