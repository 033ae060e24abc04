import json
from typing import Any

import pytest

from doorstep.errors import MalformedMessage
from doorstep.onboarding.capabilities import (
    AppCapabilities,
    Capabilities,
    check_against_label,
    parse_capabilities,
)
from doorstep.onboarding.device import CAPABILITIES
from doorstep.onboarding.failures import DowngradeRefused
from doorstep.onboarding.label import SetupLabel

SEC2 = SetupLabel("PROV_1", "doorstep", "abc")
SEC1 = SetupLabel("PROV_1", "", "abc", security=1)


def _doc(**prov: Any) -> bytes:
    return json.dumps({"prov": {"ver": "v1.1", "cap": ["wifi_prov"]} | prov}).encode()


def test_our_document_comes_back_and_is_accepted() -> None:
    parsed = parse_capabilities(CAPABILITIES.encode())
    assert parsed == CAPABILITIES
    check_against_label(SEC2, parsed)


def test_reader_takes_plain_version_of_very_old_firmware() -> None:
    assert parse_capabilities(b"V0.1") == Capabilities("V0.1", None)


def test_reader_ignores_what_strangers_add() -> None:
    doc = {"prov": {"ver": 1, "cap": "x", "more": 1}, "rmaker": {"ver": "1.0", "cap": ["claim", 7]}, "odd": 5}
    parsed = parse_capabilities(json.dumps(doc).encode())
    assert parsed == Capabilities("", None, apps={"rmaker": AppCapabilities("1.0", ("claim",))})


BAD = {
    "too long": b"{" + b" " * 4096,
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


DOWNGRADES = {
    "scheme 1": (SEC2, _doc(sec_ver=1, sec_patch_ver=1)),
    "scheme 0": (SEC2, _doc(sec_ver=0)),
    "scheme 1 without code": (SEC2, _doc(sec_ver=1, cap=["no_pop"])),
    "no_sec beside scheme 2": (SEC2, _doc(sec_ver=2, sec_patch_ver=1, cap=["no_sec"])),
    "patch 0, spelt out": (SEC2, _doc(sec_ver=2, sec_patch_ver=0)),
    "patch 0, by silence": (SEC2, _doc(sec_ver=2)),
    "old label on old firmware": (SEC1, _doc(sec_ver=1)),
    "old label, silent firmware": (SEC1, _doc(sec_patch_ver=1)),
}


@pytest.mark.parametrize(("label", "data"), DOWNGRADES.values(), ids=DOWNGRADES)
def test_configurator_refuses_downgrade_by_proto_ver(label: SetupLabel, data: bytes) -> None:
    with pytest.raises(DowngradeRefused):
        check_against_label(label, parse_capabilities(data))


def test_proto_ver_may_raise_security() -> None:
    check_against_label(SEC1, parse_capabilities(_doc(sec_ver=2, sec_patch_ver=1)))


def test_silent_proto_ver_changes_nothing() -> None:
    check_against_label(SEC2, parse_capabilities(_doc(sec_patch_ver=1)))
