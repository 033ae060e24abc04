import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.crypto.x509 import Issuer
from doorstep.errors import IllegalTransition, MalformedMessage, PeerError
from doorstep.identity import cose_sign1
from doorstep.identity.anchors import (
    ANCHORS_CAP,
    ANCHORS_CONTEXT,
    Anchors,
    AnchorUpdate,
    OldUpdate,
    UnknownSigner,
    kid_of,
    stage,
)
from doorstep.identity.certificates import issue_setup_server, make_root
from doorstep.identity.rotation import Stage
from doorstep.wire import cbor

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def root(name: str) -> Issuer:
    key = p256.generate(os.urandom)
    return Issuer(make_root(name, key, now=MADE, serial=1), key)


OLD, NEW, STRANGER = root("Old"), root("New"), root("Stranger")
BORN = Anchors(0, (OLD.certificate.der,))
BOTH = AnchorUpdate(1, (OLD.certificate.der, NEW.certificate.der))
ONLY_NEW = AnchorUpdate(2, (NEW.certificate.der,))


def packed(payload: cbor.Value, header: dict[int, cbor.Value] | None = None) -> bytes:
    signer: dict[int, cbor.Value] = {4: kid_of(OLD.certificate)}
    return cose_sign1.sign(
        cbor.encode(payload), ANCHORS_CONTEXT, OLD.key.sign, signer if header is None else header
    )


def test_device_stages_what_a_trusted_root_signed() -> None:
    staged = stage(BORN, BOTH.sign(OLD))
    assert staged == Anchors(0, BORN.trusted, BOTH)
    assert staged.stage is Stage.STAGED
    assert staged.attempts == (BOTH.anchors, BORN.trusted)
    assert [kid_of(each) for each in staged.all()] == [kid_of(OLD.certificate), kid_of(NEW.certificate)]


def test_device_forgets_the_old_root_once_a_server_was_reached_under_the_new_one() -> None:
    anchors = stage(BORN, BOTH.sign(OLD)).proven()
    assert anchors == Anchors(1, BOTH.anchors)
    last = stage(anchors, ONLY_NEW.sign(OLD)).proven()
    assert last == Anchors(2, ONLY_NEW.anchors)
    assert last.attempts == (ONLY_NEW.anchors,)
    with pytest.raises(UnknownSigner):
        stage(last, AnchorUpdate(3, BORN.trusted).sign(OLD))


def test_staged_root_signs_the_next_update() -> None:
    """A device that slept through two updates takes one after the other, without a server between."""
    assert stage(stage(BORN, BOTH.sign(OLD)), ONLY_NEW.sign(NEW)).staged == ONLY_NEW


def test_unproven_update_keeps_the_old_root() -> None:
    staged = stage(stage(BORN, BOTH.sign(OLD)), ONLY_NEW.sign(NEW))
    assert staged.attempts[-1] == BORN.trusted


def test_nothing_is_proven_without_a_staged_update() -> None:
    with pytest.raises(IllegalTransition):
        BORN.proven()


@pytest.mark.parametrize("version", [1, 2])
def test_device_refuses_a_rollback(version: int) -> None:
    anchors = Anchors(2, (OLD.certificate.der,))
    with pytest.raises(OldUpdate):
        stage(anchors, replace(BOTH, version=version).sign(OLD))
    with pytest.raises(OldUpdate):
        stage(
            replace(anchors, version=0, staged=replace(BOTH, version=2)),
            replace(BOTH, version=version).sign(OLD),
        )


def test_device_refuses_a_strangers_update() -> None:
    with pytest.raises(UnknownSigner):
        stage(BORN, BOTH.sign(STRANGER))


def test_device_refuses_a_changed_update() -> None:
    update = BOTH.sign(OLD)
    for at in range(0, len(update), 7):
        with pytest.raises(PeerError):
            stage(BORN, update[:at] + bytes([update[at] ^ 1]) + update[at + 1 :])


BAD: dict[str, tuple[cbor.Value, dict[int, cbor.Value] | None]] = {
    "no version": ({"anchors": [NEW.certificate.der]}, None),
    "version 0": ({"version": 0, "anchors": [NEW.certificate.der]}, None),
    "version too high": ({"version": 1 << 31, "anchors": [NEW.certificate.der]}, None),
    "no roots": ({"version": 1, "anchors": []}, None),
    "five roots": ({"version": 1, "anchors": [NEW.certificate.der] * 5}, None),
    "text as a root": ({"version": 1, "anchors": ["root"]}, None),
    "no certificate": ({"version": 1, "anchors": [b"root"]}, None),
    "no map": ([1], None),
    "something more": ({"version": 1, "anchors": [NEW.certificate.der], "more": 1}, None),
    "no signer": ({"version": 1, "anchors": [NEW.certificate.der]}, {}),
    "another header": (
        {"version": 1, "anchors": [NEW.certificate.der]},
        {4: kid_of(OLD.certificate), 5: b"1"},
    ),
}


@pytest.mark.parametrize(("payload", "header"), BAD.values(), ids=BAD)
def test_device_refuses_what_is_no_update(payload: cbor.Value, header: dict[int, cbor.Value] | None) -> None:
    with pytest.raises(MalformedMessage):
        stage(BORN, packed(payload, header))


def test_update_brings_certificates_of_authorities() -> None:
    key = p256.generate(os.urandom)

    leaf = issue_setup_server(key, "binsypko", serial=3)
    with pytest.raises(MalformedMessage):
        AnchorUpdate(1, (leaf.der,))


@given(st.binary(max_size=ANCHORS_CAP))
def test_device_refuses_noise_with_the_documented_errors(noise: bytes) -> None:
    with pytest.raises(PeerError):
        stage(BORN, noise)
