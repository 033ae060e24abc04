"""Known answers: what the real wpa_supplicant sent, and the keys that it logged, in one recorded exchange."""

import hmac
import json
from typing import Any

from doorstep.onboarding.dpp.configuration import Configuration
from doorstep.onboarding.dpp.configurator import Configurator
from doorstep.onboarding.dpp.exchange import State
from doorstep.onboarding.dpp.keys import first_key, second_key
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.wire.dpp import FrameReader, encode_frame
from tests.onboarding.dpp.record import NETWORK, RECORDED, SEED
from tests.onboarding.helpers import counted_rng

STORED: dict[str, Any] = json.loads(RECORDED.read_text())
LOGGED = {name: bytes.fromhex(text) for name, text in STORED["logged"].items()}
FRAMES = [bytes.fromhex(frame) for frame in STORED["frames"]]


def test_configurator_sends_what_wpa_supplicant_took() -> None:
    core = Configurator(BootstrapUri.decode(STORED["uri"]), Configuration(NETWORK), counted_rng(SEED))
    sent, at = [encode_frame(core.start())], 1
    while core.state is not State.DONE:
        (message,) = FrameReader().feed(FRAMES[at])
        answers = [encode_frame(answer) for answer in core.receive(message).frames]
        assert answers == FRAMES[at + 1 : at + 1 + len(answers)]
        at += 1 + len(answers)
        sent += answers
    assert sent[0] == FRAMES[0]
    assert at == len(FRAMES)
    agreed = core._proven
    assert (agreed.session_key, agreed.responder_tag, agreed.initiator_tag) == (
        LOGGED["ke"],
        LOGGED["R-auth"],
        LOGGED["I-auth"],
    )


def test_keys_are_those_that_wpa_supplicant_derived() -> None:
    assert first_key(LOGGED["M.x"]) == LOGGED["k1"]
    assert second_key(LOGGED["N.x"]) == LOGGED["k2"]
    nonces = LOGGED["I-nonce"] + LOGGED["R-nonce"]
    root = hmac.digest(nonces, LOGGED["M.x"] + LOGGED["N.x"], "sha256")
    assert hmac.digest(root, b"DPP Key\1", "sha256") == LOGGED["ke"]
