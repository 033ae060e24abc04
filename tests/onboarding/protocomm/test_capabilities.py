import json
from typing import Any

import pytest

from doorstep.errors import MalformedMessage
from doorstep.onboarding.protocomm.capabilities import (
    AppCapabilities,
    Capabilities,
    parse_capabilities,
)
from doorstep.onboarding.protocomm.device import CAPABILITIES


def _doc(**prov: Any) -> bytes:
    return json.dumps({"prov": {"ver": "v1.1", "cap": ["wifi_prov"]} | prov}).encode()


def test_our_document_comes_back() -> None:
    assert parse_capabilities(CAPABILITIES.encode()) == CAPABILITIES


def test_reader_takes_plain_version_of_very_old_firmware() -> None:
    assert parse_capabilities(b"V0.1") == Capabilities("V0.1", None)


def test_reader_ignores_what_strangers_add() -> None:
    doc = {"prov": {"ver": 1, "cap": "x", "more": 1}, "rmaker": {"ver": "1.0", "cap": ["claim", 7]}, "odd": 5}
    parsed = parse_capabilities(json.dumps(doc).encode())
    assert parsed == Capabilities("", None, apps={"rmaker": AppCapabilities("1.0", ("claim",))})


BAD = {
    "too long": b"{" + b" " * 4096,
    "too deep": b"[" * 2048,
    "no prov": b"{}",
    "list": b"[]",
    "prov is text": b'{"prov":"x"}',
    "security is text": _doc(sec_ver="2"),
    "patch is truth": _doc(sec_ver=2, sec_patch_ver=True),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_reader_refuses_malformed_document(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_capabilities(data)
