"""Sealed credentials: what a device takes, and each attack that it refuses."""

import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.errors import DoorstepError, MalformedMessage, MisuseError, ReplayRefused, VerificationFailed
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.sealed.blob import BLOB_CAP, TEXT_CAP, SealedBlob, read_blob, seal
from doorstep.onboarding.sealed.content import CONTENT_CAP, MAX_NETWORKS, RELEASE_CAP, SealedContent
from doorstep.onboarding.sealed.failures import BlobExpired, BlobUsed, ForAnotherDevice, MalformedBlob
from doorstep.onboarding.sealed.opening import LIFETIME_CAP, MEMORY_CAP, BlobMemory, KnownTime, Recipient

NOW = 1_790_000_000
KEY, DEVICE = p256.generate(os.urandom), "binsypko"
HERE = Recipient(DEVICE, KEY.public_key, KEY.agree)
CONTENT = SealedContent(
    (NetworkCredentials(b"home", b"correct horse"),), RegistrationOrder(b"token", "https://maker.example")
)
TWO_BLOCKS = SealedContent(CONTENT.networks, release=bytes(80))
"""235 bytes: its last character of text carries two bits."""
NOTHING = BlobMemory()

passphrases = st.one_of(
    st.just(b""),
    st.binary(min_size=8, max_size=63),
    st.text("0123456789abcdefABCDEF", min_size=64, max_size=64).map(str.encode),
)
networks = st.builds(NetworkCredentials, st.binary(max_size=32), passphrases)
orders = st.builds(
    RegistrationOrder,
    st.binary(min_size=1, max_size=512),
    st.just("https://maker.example"),
    st.text(st.characters(categories=["L", "N"]), max_size=30),
)
contents = st.builds(
    SealedContent,
    st.lists(networks, min_size=1, max_size=MAX_NETWORKS).map(tuple),
    st.none() | orders,
    st.binary(max_size=RELEASE_CAP),
)


def sealed(expires: int = NOW + 600, content: SealedContent = CONTENT) -> SealedBlob:
    return seal(DEVICE, KEY.public_key, content, expires=expires, rng=os.urandom)


def opened(data: bytes, memory: BlobMemory = NOTHING, at: int = NOW, *, sure: bool = True) -> BlobMemory:
    return HERE.open(data, memory, KnownTime(at, sure=sure)).memory


@settings(max_examples=40, deadline=None)
@given(content=contents)
def test_device_reads_what_was_sealed_to_it(content: SealedContent) -> None:
    blob = seal(DEVICE, KEY.public_key, content, expires=NOW + 1, rng=os.urandom)
    for data in (blob.encode(), blob.to_text().encode()):
        assert HERE.open(data, BlobMemory(), KnownTime(NOW)).content == content
    assert len(blob.encode()) <= BLOB_CAP


def test_text_survives_the_line_breaks_of_a_letter() -> None:
    blob = sealed()
    text = blob.to_text()
    lines = "\r\n ".join(text[at : at + 60] for at in range(0, len(text), 60))
    assert read_blob(lines.encode() + b"\n") == blob


def test_length_hardly_tells_the_password() -> None:
    lengths = {
        len(sealed(content=SealedContent((NetworkCredentials(b"home", b"x" * size),))).encode())
        for size in range(8, 53)
    }
    assert len(lengths) == 1


def test_device_refuses_a_replayed_blob() -> None:
    data = sealed().encode()
    memory = opened(data)
    with pytest.raises(BlobUsed):
        opened(data, memory)
    with pytest.raises(BlobUsed):
        opened(read_blob(data).to_text().encode(), memory)


@pytest.mark.parametrize("expires", [NOW, NOW - 1, 0])
def test_device_refuses_an_expired_blob(expires: int) -> None:
    for sure in (True, False):
        with pytest.raises(BlobExpired):
            opened(sealed(expires).encode(), sure=sure)


def test_device_without_a_clock_takes_what_its_bound_does_not_refute() -> None:
    data = sealed(NOW - 5).encode()
    memory = opened(data, at=NOW - 3600 * 24 * 300, sure=False)
    with pytest.raises(BlobUsed):
        opened(data, memory, at=NOW - 3600 * 24 * 300, sure=False)


def test_device_with_a_clock_refuses_a_blob_that_is_good_for_ever() -> None:
    data = sealed(NOW + LIFETIME_CAP + 1).encode()
    with pytest.raises(BlobExpired):
        opened(data)
    opened(data, sure=False)
    opened(sealed(NOW + LIFETIME_CAP).encode())


def test_device_refuses_a_blob_for_another_serial() -> None:
    other = p256.generate(os.urandom)
    theirs = seal("aaaaaaaa", other.public_key, CONTENT, expires=NOW + 600, rng=os.urandom)
    with pytest.raises(ForAnotherDevice, match="aaaaaaaa"):
        opened(theirs.encode())
    renamed = SealedBlob(DEVICE, theirs.nonce, theirs.expires, theirs.enc, theirs.ciphertext)
    with pytest.raises(VerificationFailed):
        opened(renamed.encode())


def test_device_refuses_a_blob_changed_at_any_byte() -> None:
    data = sealed().encode()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x01
        with pytest.raises((MalformedMessage, VerificationFailed, ReplayRefused)):
            opened(bytes(changed), sure=False)


def test_device_refuses_a_blob_cut_at_any_byte() -> None:
    data = sealed().encode()
    for size in range(len(data)):
        with pytest.raises((MalformedMessage, VerificationFailed)):
            opened(data[:size])


def test_device_remembers_nothing_of_what_it_refused() -> None:
    blob = sealed()
    forged = SealedBlob(DEVICE, blob.nonce, blob.expires, blob.enc, blob.ciphertext[:-1] + b"\0")
    with pytest.raises(VerificationFailed):
        opened(forged.encode())
    opened(blob.encode())


def test_memory_forgets_what_expired_first_and_never_outgrows_its_cap() -> None:
    memory = BlobMemory()
    for number in range(MEMORY_CAP + 5):
        blob = SealedBlob(DEVICE, number.to_bytes(16), NOW + 600 + number, bytes(65), bytes(80))
        memory = memory.after(blob, KnownTime(NOW))
    assert len(memory.used) == MEMORY_CAP
    memory.check((4).to_bytes(16))
    with pytest.raises(BlobUsed):
        memory.check((5).to_bytes(16))
    late = SealedBlob(DEVICE, bytes(16), NOW + 9000, bytes(65), bytes(80))
    assert memory.after(late, KnownTime(NOW + 8000)).used == ((bytes(16), NOW + 9000),)


BAD_TEXTS = {
    "sentence": b"Hello, this is no blob.",
    "padding": sealed().to_text().encode() + b"==",
    "standard base64": b"AQ+/" * 60,
    "length that base64 cannot have": sealed().to_text().encode() + b"A",
    "bits beyond the end": sealed(content=TWO_BLOCKS).to_text().encode()[:-1] + b"B",
    "version 2": b"Ag" + sealed().to_text().encode()[2:],
    "too long": b"A" * (TEXT_CAP + 1),
    "empty": b"",
    "blanks": b" \n ",
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_device_refuses_text(name: str) -> None:
    with pytest.raises(MalformedBlob):
        read_blob(BAD_TEXTS[name])


@given(data=st.binary(max_size=400))
def test_reading_raises_nothing_but_what_it_says(data: bytes) -> None:
    for sent in (data, b"\x01" + data):
        with suppress(MalformedBlob):
            read_blob(sent)


@given(data=st.binary(max_size=256))
def test_content_raises_nothing_but_what_it_says(data: bytes) -> None:
    for sent in (data, data + b"\x80" + bytes(-(len(data) + 1) % 64)):
        with suppress(MalformedBlob):
            SealedContent.decode(sent)


def test_largest_content_fits_its_cap() -> None:
    full = SealedContent(
        (NetworkCredentials(b"s" * 32, b"0" * 64),) * MAX_NETWORKS,
        RegistrationOrder(b"t" * 512, "https://maker.example/" + "x" * 490, "a" * 128),
        b"r" * RELEASE_CAP,
    )
    assert len(full.encode()) <= CONTENT_CAP
    assert SealedContent.decode(full.encode()) == full


@pytest.mark.parametrize("count", [0, MAX_NETWORKS + 1])
def test_content_takes_one_to_four_networks(count: int) -> None:
    with pytest.raises(MisuseError):
        SealedContent((NetworkCredentials(b"home"),) * count)


def test_content_refuses_an_overlong_release() -> None:
    with pytest.raises(MisuseError):
        SealedContent(CONTENT.networks, release=bytes(RELEASE_CAP + 1))


@pytest.mark.parametrize("expires", [-1, 1 << 32])
def test_sealing_refuses_a_time_that_has_no_place(expires: int) -> None:
    with pytest.raises(MisuseError):
        sealed(expires)


def test_nothing_shown_holds_a_secret() -> None:
    texts = [repr(CONTENT), repr(sealed()), repr(HERE)]
    try:
        SealedContent.decode(b"correct horse")
    except DoorstepError as error:
        texts.append(str(error))
    assert not any("correct horse" in text or "token=b" in text for text in texts)
