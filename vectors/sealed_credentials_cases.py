"""What stands in sealed-credentials.json: the vectors of docs/spec/onboarding-sealed.md."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from doorstep.crypto import hpke, p256
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.sealed.blob import INFO, SealedBlob, seal
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.wire import cbor

SCALAR: Final = bytes(range(1, 33))
KEY: Final = p256.generate(lambda _: SCALAR)
OTHER: Final = p256.generate(lambda _: bytes(range(2, 34)))
DEVICE: Final = "binsypko"
EXPIRES: Final = 1_800_000_000
NOW: Final = EXPIRES - 600
NETWORK: Final = NetworkCredentials("Zuhause 🏡".encode(), "grüne Wiese, 7 Kühe".encode())
ORDER: Final = RegistrationOrder(
    b"Kq3bM9fTzWv0sYxHcRj2uLnAe7gPd5iQoN4tB8kVm1E", "https://doorstep.example:8443", "greenhouse"
)

Json = dict[str, Any]

CONTENTS: Final = {
    "one network and an order": SealedContent((NETWORK,), ORDER),
    "open network without an order": SealedContent((NetworkCredentials(b"cafe"),)),
    "key of 64 hex digits and octets that are no text": SealedContent(
        (NetworkCredentials(bytes(range(0xE0, 0x100)), b"0123456789abcdef" * 4),), ORDER
    ),
    "four networks, tried in this order": SealedContent(
        tuple(NetworkCredentials(f"net {n}".encode(), b"password %d" % n) for n in range(1, 5)), ORDER
    ),
    "with a release": SealedContent((NETWORK,), ORDER, release=bytes(range(256))),
}


def document() -> Json:
    """Return the whole file."""
    return {
        "info": INFO.decode("ascii"),
        "private_key": SCALAR.hex(),
        "public_key": KEY.public_key.point.hex(),
        "device": DEVICE,
        "now": NOW,
        "blobs": [case(name, content) for name, content in CONTENTS.items()],
        "refused": refused(),
    }


def rng_of(name: str) -> Callable[[int], bytes]:
    """Return a source that gives the same bytes for the same name, first the nonce, then the scalar."""
    count = 0

    def rng(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{name} {count}".encode()).digest(size)

    return rng


def case(name: str, content: SealedContent) -> Json:
    """Return one blob with everything that goes into it."""
    rng = rng_of(name)
    drawn = [rng(16), rng(32)]
    blob = seal(DEVICE, KEY.public_key, content, expires=EXPIRES, rng=rng_of(name))
    order = content.order
    return {
        "name": name,
        "networks": [
            {"ssid": network.ssid.hex(), "passphrase": network.passphrase.hex()}
            for network in content.networks
        ],
        "order": order
        and {"token": order.token.decode("ascii"), "server": order.server, "alias": order.alias},
        "release": content.release.hex() or None,
        "expires": EXPIRES,
        "nonce": drawn[0].hex(),
        "ephemeral_private_key": drawn[1].hex(),
        "content": content.encode().hex(),
        "aad": blob.header.hex(),
        "blob": blob.encode().hex(),
        "text": blob.to_text(),
    }


def refused() -> list[Json]:
    """Return what a device refuses at ``now``, having opened the first blob, and why."""
    first = seal(DEVICE, KEY.public_key, SealedContent((NETWORK,), ORDER), expires=EXPIRES, rng=rng_of("x"))
    sent = first.encode()
    late = seal(DEVICE, KEY.public_key, SealedContent((NETWORK,)), expires=NOW, rng=rng_of("late"))
    other = seal("aaaaaaaa", OTHER.public_key, SealedContent((NETWORK,)), expires=EXPIRES, rng=rng_of("o"))
    wrong = seal(DEVICE, OTHER.public_key, SealedContent((NETWORK,)), expires=EXPIRES, rng=rng_of("w"))
    table = {
        "opened before": (bytes.fromhex(_first_blob()), "replayed"),
        "expired this second": (late.encode(), "expired"),
        "for another device": (other.encode(), "other device"),
        "for this device, to another key": (wrong.encode(), "refused"),
        "lifetime made longer": (_with_expiry(first, EXPIRES + 1), "refused"),
        "another nonce": (sent[:6] + bytes(16) + sent[22:], "refused"),
        "last bit flipped": (sent[:-1] + bytes((sent[-1] ^ 1,)), "refused"),
        "point beside the curve": (sent[:90] + bytes((sent[90] ^ 1,)) + sent[91:], "malformed"),
        "version 2": (b"\x02" + sent[1:], "malformed"),
        "cut by a byte": (sent[:-1], "malformed"),
        "followed by a byte": (sent + b"\0", "malformed"),
        "nothing": (b"", "malformed"),
        "content without padding mark": (_raw(bytes(64)), "malformed"),
        "content with a whole block of padding": (
            _raw(_padded({1: [[b"AB", b""]]}) + bytes(64)),
            "malformed",
        ),
        "content without a network": (_raw(_padded({1: []})), "malformed"),
        "content with five networks": (_raw(_padded({1: [[b"AB", b""]] * 5})), "malformed"),
        "content with an unknown key": (_raw(_padded({1: [[b"AB", b""]], 4: True})), "malformed"),
        "content with a password of 7 bytes": (_raw(_padded({1: [[b"AB", b"1234567"]]})), "malformed"),
        "content with an order of two": (
            _raw(_padded({1: [[b"AB", b""]], 2: [b"t", "https://a"]})),
            "malformed",
        ),
        "content with a token as text": (
            _raw(_padded({1: [[b"AB", b""]], 2: ["t", "https://a", ""]})),
            "malformed",
        ),
        "content with a server of another kind": (
            _raw(_padded({1: [[b"AB", b""]], 2: [b"t", "ftp://a", ""]})),
            "malformed",
        ),
        "content with a release as text": (_raw(_padded({1: [[b"AB", b""]], 3: "r"})), "malformed"),
        "content without its networks": (_raw(_padded({2: [b"t", "https://a", ""]})), "malformed"),
        "content that is a list": (_raw(_padded([])), "malformed"),
        "content with an empty release": (_raw(_padded({1: [[b"AB", b""]], 3: b""})), "malformed"),
        "content with a network name as text": (_raw(_padded({1: [["AB", b""]]})), "malformed"),
    }
    return [{"name": name, "blob": blob.hex(), "outcome": outcome} for name, (blob, outcome) in table.items()]


def _first_blob() -> str:
    """Return the first blob of the file."""
    name, content = next(iter(CONTENTS.items()))
    blob: str = case(name, content)["blob"]
    return blob


def _with_expiry(blob: SealedBlob, expires: int) -> bytes:
    return SealedBlob(blob.device_id, blob.nonce, expires, blob.enc, blob.ciphertext).encode()


def _padded(content: cbor.Value) -> bytes:
    marked = cbor.encode(content) + b"\x80"
    return marked + bytes(-len(marked) % 64)


def _raw(content: bytes) -> bytes:
    """Seal any content, also one that no portal would."""
    empty = SealedBlob(DEVICE, bytes(16), EXPIRES, b"", b"")
    enc, ciphertext = hpke.seal(KEY.public_key, INFO, empty.header, content, rng=rng_of("raw"))
    return SealedBlob(DEVICE, bytes(16), EXPIRES, enc, ciphertext).encode()
