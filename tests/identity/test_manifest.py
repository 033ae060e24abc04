"""Manifests of secure elements: what proves a key, and every way in which an entry does not."""

import base64
import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.x509 import Certificate, MalformedCertificate
from doorstep.errors import MalformedMessage, MisuseError, PeerError, VerificationFailed
from doorstep.identity import manifest
from doorstep.identity.manifest import Element, TrustedSigners, read_element, read_manifest
from doorstep.wire import base64url
from tests.identity.manifests import PROVISIONED, ChipMaker, manifest_of, resigned

MAKER, STRANGER = ChipMaker(), ChipMaker(0x61)
SIGNERS = TrustedSigners.from_pem(MAKER.bundle)
CHIP, OTHER = MAKER.chip(1), MAKER.chip(2)
GOOD = MAKER.entry(CHIP)

entry = partial(MAKER.entry, CHIP)


def key_of(payload: dict[str, Any]) -> dict[str, Any]:
    key: dict[str, Any] = payload["publicKeySet"]["keys"][0]
    return key


def test_entry_proves_the_elements_key() -> None:
    proved = read_element(json.dumps(GOOD).encode(), SIGNERS)
    assert proved == Element("0123000000000001EE", proved.public_key)
    assert proved.public_key.spki == CHIP.key.public_key.spki


@pytest.mark.parametrize("version", [1, 2, 3])
def test_reader_knows_the_versions_there_are(version: int) -> None:
    def later(payload: dict[str, Any]) -> None:
        payload.update(version=version, groupId="GRP1", distributor={"organizationName": "D"})

    assert not read_manifest(manifest_of([entry(payload=later)]), SIGNERS).refused


@pytest.mark.parametrize("tail", [(), (MAKER.root.certificate,)], ids=["issued by", "ends in"])
def test_certificates_end_at_a_trusted_ca(tail: tuple[Certificate, ...]) -> None:
    def longer(payload: dict[str, Any]) -> None:
        key_of(payload)["x5c"] += [base64.b64encode(one.der).decode() for one in tail]

    assert read_manifest(manifest_of([entry(payload=longer)]), SIGNERS).elements


def test_authority_is_found_among_several() -> None:
    signers = TrustedSigners.from_pem(STRANGER.bundle + MAKER.bundle)
    assert read_manifest(manifest_of([GOOD, STRANGER.entry(STRANGER.chip(3))]), signers).refused == {}


def altered(part: str) -> dict[str, Any]:
    """Turn one bit of what is signed."""
    text = GOOD[part]
    return GOOD | {part: text[:20] + ("A" if text[20] != "A" else "B") + text[21:]}


def with_payload(**fields: Any) -> dict[str, Any]:
    return entry(payload=lambda payload: payload.update(fields))


def with_key(**fields: Any) -> dict[str, Any]:
    return entry(payload=lambda payload: key_of(payload).update(fields))


def with_header(**fields: Any) -> dict[str, Any]:
    return entry(header=lambda header: header.update(fields))


def other_certificate(payload: dict[str, Any]) -> None:
    key_of(payload)["x5c"][0] = base64.b64encode(OTHER.certificate.der).decode()


def foreign_certificates(payload: dict[str, Any]) -> None:
    """The very key, certified by a stranger."""
    chip = STRANGER.chip(1)
    assert chip.key.public_key.spki == CHIP.key.public_key.spki
    key_of(payload)["x5c"] = key_of(STRANGER.payload(chip))["x5c"]


def broken_certificate(payload: dict[str, Any]) -> None:
    """Another signature under the same certificate."""
    der = bytearray(CHIP.certificate.der)
    der[-1] ^= 1
    key_of(payload)["x5c"][0] = base64.b64encode(der).decode()


def raw(payload: bytes) -> dict[str, Any]:
    """Sign bytes that are no payload."""
    return resigned(GOOD | {"payload": base64url.encode(payload)}, MAKER.log.key)


X5C = key_of(MAKER.payload(CHIP))["x5c"]
AFTER = PROVISIONED + dt.timedelta(days=366)
BEFORE = PROVISIONED - dt.timedelta(days=366)

BAD: dict[str, tuple[Any, type[PeerError], str]] = {
    "wrong signer": (entry(signer=STRANGER.log), VerificationFailed, "not among the trusted"),
    "unknown x5t": (with_header(**{"x5t#S256": base64url.encode(bytes(32))}), VerificationFailed, "trusted"),
    "a CA signs": (entry(signer=MAKER.root), VerificationFailed, "not among the trusted"),
    "signer's name, stranger's key": (
        resigned(GOOD, STRANGER.log.key),
        VerificationFailed,
        "does not belong",
    ),
    "altered payload": (altered("payload"), VerificationFailed, "does not belong"),
    "altered signature": (altered("signature"), VerificationFailed, "does not belong"),
    "altered protected header": (
        GOOD | {"protected": base64url.encode(base64url.decode(GOOD["protected"]) + b" ")},
        VerificationFailed,
        "does not belong",
    ),
    "short signature": (GOOD | {"signature": "AAAA"}, VerificationFailed, "64 bytes"),
    "no signature": (GOOD | {"signature": ""}, VerificationFailed, "64 bytes"),
    "alg none": (with_header(alg="none") | {"signature": ""}, VerificationFailed, "ES256"),
    "alg HS256": (with_header(alg="HS256"), VerificationFailed, "ES256"),
    "alg RS256": (with_header(alg="RS256"), VerificationFailed, "ES256"),
    "other type": (with_header(typ="JOSE"), VerificationFailed, "JWT"),
    "header brings its own key": (with_header(jwk={}), MalformedMessage, "protected header"),
    "critical header": (with_header(crit=["b64"], b64=False), MalformedMessage, "protected header"),
    "protected header is no JSON": (GOOD | {"protected": "AAAA"}, MalformedMessage, "protected header"),
    "bad base64 in the header": (GOOD | {"protected": "=" * 8}, MalformedMessage, "base64url"),
    "bad base64 in the signature": (GOOD | {"signature": "*" * 86}, MalformedMessage, "base64url"),
    "bad base64 in the payload": (
        resigned(GOOD | {"payload": "a+/b"}, MAKER.log.key),
        MalformedMessage,
        "base64url",
    ),
    "entry is a number": (1, MalformedMessage, "the entry"),
    "entry is empty": ({}, MalformedMessage, "the entry"),
    "entry with more": (GOOD | {"more": 1}, MalformedMessage, "the entry"),
    "header beside with more": (
        GOOD | {"header": {"uniqueId": CHIP.unique_id, "alg": "none"}},
        MalformedMessage,
        "the entry",
    ),
    "several signatures": (
        {"payload": GOOD["payload"], "signatures": [GOOD]},
        MalformedMessage,
        "the entry",
    ),
    "payload over the cap": (GOOD | {"payload": "A" * (manifest.PAYLOAD_CAP + 1)}, MalformedMessage, "entry"),
    "header over the cap": (GOOD | {"protected": "A" * (manifest.HEADER_CAP + 1)}, MalformedMessage, "entry"),
    "long signature": (GOOD | {"signature": "A" * 87}, MalformedMessage, "the entry"),
    "payload is no JSON": (raw(b"\xff"), MalformedMessage, "the payload"),
    "payload is a list": (raw(b"[]"), MalformedMessage, "the payload"),
    "other version": (with_payload(version=4), MalformedMessage, "none of the versions"),
    "endless version": (with_payload(version=10**4000), MalformedMessage, "none of the versions"),
    "uniqueId mismatch": (
        GOOD | {"header": {"uniqueId": OTHER.unique_id}},
        VerificationFailed,
        "not the signed one",
    ),
    "expired signer at the timestamp": (
        with_payload(provisioningTimestamp=AFTER.isoformat()),
        VerificationFailed,
        "expired",
    ),
    "signer of later": (
        with_payload(provisioningTimestamp=BEFORE.isoformat()),
        VerificationFailed,
        "not valid before",
    ),
    "no time zone": (with_payload(provisioningTimestamp="2026-03-01T12:30:00"), MalformedMessage, "payload"),
    "no timestamp": (with_payload(provisioningTimestamp=None), MalformedMessage, "the payload"),
    "no keys": (with_payload(publicKeySet={"keys": []}), MalformedMessage, "slot 0, this has 0"),
    "slot 0 twice": (
        entry(payload=lambda p: p["publicKeySet"]["keys"].append(key_of(p))),
        MalformedMessage,
        "this has 2",
    ),
    "too many keys": (
        with_payload(publicKeySet={"keys": [{"kid": "1"}] * (manifest.KEYS_CAP + 1)}),
        MalformedMessage,
        "the payload",
    ),
    "key of RSA": (with_key(kty="RSA"), MalformedMessage, "P-256"),
    "another curve": (with_key(crv="P-384"), MalformedMessage, "P-256"),
    "short coordinate": (with_key(x="AAAA"), MalformedMessage, "32 bytes"),
    "no coordinates": (with_key(x="", y=""), MalformedMessage, "32 bytes"),
    "coordinate is no base64": (with_key(y="+" * 43), MalformedMessage, "base64url"),
    "point beside the curve": (
        with_key(x=base64url.encode(bytes(31) + b"\5")),
        MalformedMessage,
        "public key",
    ),
    "JWK is not the leaf's": (entry(payload=other_certificate), VerificationFailed, "of another key"),
    "altered x5c": (entry(payload=broken_certificate), VerificationFailed, "did not sign"),
    "x5c of a stranger": (entry(payload=foreign_certificates), VerificationFailed, "no trusted CA"),
    "x5c in the wrong order": (with_key(x5c=X5C[::-1]), VerificationFailed, "of another key"),
    "leaf below itself": (with_key(x5c=[X5C[0], X5C[0]]), VerificationFailed, "does not name"),
    "no x5c": (with_key(x5c=[]), MalformedMessage, "with its certificate"),
    "x5c without the signer": (with_key(x5c=X5C[:1]), MalformedMessage, "with its certificate"),
    "x5c too long": (with_key(x5c=X5C * 3), MalformedMessage, "the payload"),
    "x5c is no base64": (with_key(x5c=["*", X5C[1]]), MalformedMessage, "not base64"),
    "x5c is no certificate": (with_key(x5c=["AAAA", X5C[1]]), MalformedCertificate, "not a certificate"),
    "certificate over the cap": (with_key(x5c=["A" * 12_000, X5C[1]]), MalformedMessage, "the payload"),
}
BAD |= {
    f"uniqueId {name}": (
        with_payload(uniqueId=text) | {"header": {"uniqueId": text}},
        MalformedMessage,
        why,
    )
    for name, text, why in (
        ("too short", "0123", "18 hex digits"),
        ("no hex", "0123456789abcdefgh", "18 hex digits"),
        ("of blank memory", "ff" * 9, "all ones"),
        ("over the cap", "0" * 129, "the entry"),
    )
}


@pytest.mark.parametrize("name", BAD)
def test_reader_refuses_bad_row_and_keeps_the_good_ones(name: str) -> None:
    bad, error, reason = BAD[name]
    with pytest.raises(error, match=reason) as caught:
        read_element(json.dumps(bad).encode(), SIGNERS)
    found = read_manifest(manifest_of([MAKER.entry(OTHER), bad, GOOD]), SIGNERS)
    assert found.refused == {2: caught.value.message}
    assert [element.hardware_id for element in found.elements.values()] == [
        "0123000000000002EE",
        "0123000000000001EE",
    ]


def test_element_counts_once_and_a_forgery_before_it_takes_nothing() -> None:
    upper = MAKER.entry(CHIP, payload=lambda payload: payload.update(uniqueId=CHIP.unique_id.upper())) | {
        "header": {"uniqueId": CHIP.unique_id.upper()}
    }
    found = read_manifest(manifest_of([altered("payload"), GOOD, GOOD, upper]), SIGNERS)
    assert list(found.elements) == [2]
    assert [*found.refused] == [1, 3, 4]
    assert found.refused[3] == found.refused[4] == "element 0123000000000001EE is entry 2 already"


def test_reason_never_repeats_a_strangers_text() -> None:
    found = read_manifest(manifest_of([GOOD | {"\x1b[31m": 1}, {"header": "\x1b"}]), SIGNERS)
    assert all(reason.isprintable() for reason in found.refused.values())


WHOLE: dict[str, Callable[[], bytes]] = {
    "nothing": bytes,
    "not an array": lambda: json.dumps(GOOD).encode(),
    "not JSON": lambda: b"[",
    "not text": lambda: b"\xff",
    "too deep": lambda: b"[" * 100_000,
    "too many entries": lambda: manifest_of([1] * (manifest.ENTRIES_CAP + 1)),
    "over the cap": lambda: b"[" + b" " * manifest.MANIFEST_CAP + b"]",
}


@pytest.mark.parametrize("name", WHOLE)
def test_reader_refuses_what_is_no_manifest(name: str) -> None:
    with pytest.raises(MalformedMessage):
        read_manifest(WHOLE[name](), SIGNERS)


@given(st.binary(max_size=200))
def test_reader_refuses_or_reads_any_bytes(data: bytes) -> None:
    try:
        found = read_manifest(data, SIGNERS)
    except MalformedMessage:
        return
    assert not found.elements


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(sorted(MAKER.payload(CHIP))), _JSON)
def test_reader_refuses_or_reads_any_payload(name: str, value: Any) -> None:
    bad = with_payload(**{name: value})
    found = read_manifest(manifest_of([bad]), SIGNERS)
    assert len(found.elements) + len(found.refused) == 1


@pytest.mark.parametrize(
    ("pem", "missing"),
    [
        (MAKER.root.certificate.pem, "certificate of a manifest signer"),
        (MAKER.log.certificate.pem, "CA of elements' certificates"),
    ],
)
def test_operator_hears_which_certificates_are_missing(pem: bytes, missing: str) -> None:
    with pytest.raises(MisuseError, match=missing):
        TrustedSigners.from_pem(pem)


def test_file_of_signers_must_hold_certificates() -> None:
    with pytest.raises(MalformedMessage):
        TrustedSigners.from_pem(b"nothing")
