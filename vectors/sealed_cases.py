"""What stands in sealed.json: the vectors of docs/spec/sealed.md."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from doorstep.messaging import envelope, keys
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.envelope import Envelope
from doorstep.messaging.errors import Rejected
from doorstep.messaging.opener import MAX_AHEAD, PREVIOUS_EPOCH_US, Opener
from doorstep.messaging.proof import CONNECT_CHANNEL, NO_PROOF_YET, Counter, Standing, open_connect_proof
from doorstep.messaging.sealer import DeviceSealer, DeviceState, seal_downlink
from doorstep.messaging.state import SealedState

ROOT: Final = bytes(range(32))  # of the epoch that a case starts in
KID: Final = bytes.fromhex("0a1b2c3d4e")
OTHER_KID: Final = bytes.fromhex("0a1b2c3d4f")
EPOCH: Final = 300
UP: Final = b"up/data"
CMD: Final = b"down/cmd"
TEXT: Final = b"21.5"
LATE: Final = PREVIOUS_EPOCH_US

Json = dict[str, Any]
Step = tuple[bytes, bytes, int]  # message, channel, arrival in microseconds


def document() -> Json:
    """Return the whole file."""
    return {
        "schedule": [
            epoch_keys(ROOT, 0),
            epoch_keys(ROOT, EPOCH),
            epoch_keys(keys.next_root(ROOT), EPOCH + 1),
            epoch_keys(bytes(32), keys.MAX_EPOCH),
        ],
        "owner_change": {
            "root": ROOT.hex(),
            "nonce": bytes(range(16)).hex(),
            "new_root": keys.owner_change(ROOT, bytes(range(16))).hex(),
        },
        "messages": [
            message("worked example", up(1)),
            message("first of a device", up(0, epoch=0, plaintext=b'{"temperature":21.5}')),
            message("empty plaintext", up(2, epoch=1, channel=b"up/event", plaintext=b""), b"up/event"),
            message("last sequence number", up(envelope.MAX_SEQUENCE)),
            message("last epoch", up(256, epoch=keys.MAX_EPOCH, channel=b"up/state"), b"up/state"),
            message("longest plaintext", up(3, plaintext=bytes(envelope.MAX_PLAINTEXT))),
            message("down", down(0), CMD),
        ],
        "uplink": uplink_cases(),
        "downlink": downlink_cases(),
        "proofs": proof_cases(),
    }


def epoch_keys(root: bytes, epoch: int) -> Json:
    """Return the key schedule of ``epoch``, whose root is ``root``."""
    secret = keys.master_secret(root)
    return {
        "root": root.hex(),
        "epoch": epoch,
        "kid": KID.hex(),
        "master_secret": secret.hex(),
        "next_root": keys.next_root(root).hex(),
        "up": sender_keys(secret, epoch, KID),
        "down": sender_keys(secret, epoch, keys.SERVER_ID),
    }


def sender_keys(secret: bytes, epoch: int, sender_id: bytes) -> Json:
    """Return the key and Base IV of one sender."""
    made = keys.derive_sender_keys(secret, epoch, sender_id)
    return {"key": made.key.hex(), "base_iv": made.nonce(0).hex()}


def up(
    sequence: int, *, epoch: int = EPOCH, channel: bytes = UP, plaintext: bytes = TEXT, kid: bytes = KID
) -> Envelope:
    """Return a device's message in an epoch whose root is ROOT."""
    return sealed_by(DeviceState(ROOT, epoch), sequence, channel, plaintext, kid)


def sealed_by(state: DeviceState, sequence: int, channel: bytes, plaintext: bytes, kid: bytes) -> Envelope:
    """Return message ``sequence`` of a device that booted with ``state``."""
    sealer = DeviceSealer(kid, state)
    sealer.next_sequence = sequence
    return sealer.seal_envelope(channel, plaintext)._replace(kid=kid)


def down(sequence: int, *, epoch: int = EPOCH, channel: bytes = CMD) -> Envelope:
    """Return the platform's message in an epoch whose root is ROOT."""
    compact = seal_downlink(SealedState.first(ROOT, epoch), sequence, channel, b"restart")
    return envelope.parse(compact)._replace(kid=keys.SERVER_ID)


def message(name: str, sealed: Envelope, channel: bytes = UP) -> Json:
    """Return ``sealed``, of an epoch whose root is ROOT, with all that went into it."""
    sender_id = sealed.kid or keys.SERVER_ID
    made = keys.derive_sender_keys(keys.master_secret(ROOT), sealed.epoch, sender_id)
    if sender_id:
        plaintext = Opener(KID, SealedState.first(ROOT, sealed.epoch)).open(bare(sealed), channel, 0)[2]
    else:
        plaintext = DeviceSealer(KID, DeviceState(ROOT, sealed.epoch)).open(bare(sealed), channel)
    return {
        "name": name,
        "root": ROOT.hex(),
        "epoch": sealed.epoch,
        "sequence": sealed.sequence,
        "kid": sender_id.hex(),
        "channel": channel.decode(),
        "plaintext": plaintext.hex(),
        "key": made.key.hex(),
        "base_iv": made.nonce(0).hex(),
        "nonce": made.nonce(sealed.sequence).hex(),
        "aad": envelope.aad(channel).hex(),
        "compact": bare(sealed).hex(),
        "compact_with_kid": envelope.build_compact(sealed).hex(),
        "full": envelope.build_full(sealed, sender_id).hex(),
    }


def bare(sealed: Envelope) -> bytes:
    """Return the compact encoding without kid."""
    return envelope.build_compact(sealed._replace(kid=None))


def later(steps: int, sequence: int = 0) -> bytes:
    """Return a device's compact message ``steps`` epochs after EPOCH."""
    state = DeviceState(keys.run_ahead(ROOT, steps), EPOCH + steps)
    return bare(sealed_by(state, sequence, UP, TEXT, KID))


def flip(data: bytes, position: int) -> bytes:
    """Return ``data`` with one bit changed."""
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


def uplink_cases() -> list[Json]:
    """Return what the platform answers to runs of messages: accepted ones and every reject reason."""
    first, second, full = bare(up(0)), bare(up(1)), envelope.build_full(up(0), KID)
    other = up(0, kid=OTHER_KID)
    runs: dict[str, list[Step]] = {
        "every encoding": at_once(first, envelope.build_full(up(1), KID), envelope.build_compact(up(2))),
        "duplicate": at_once(first, first),
        "duplicate in the other encoding": at_once(first, full),
        "out of order": at_once(second, first, second, first),
        "oldest place of the window": at_once(bare(up(63)), first, first),
        "behind the window": at_once(bare(up(64)), first),
        "forgery moves nothing": at_once(flip(bare(up(200)), -1), first),
        "next epoch, then late packets": [
            (second, UP, 0),
            (later(1), UP, 0),
            (first, UP, LATE - 1),
            (second, UP, LATE - 1),
        ],
        "previous epoch at its deadline": [(second, UP, 0), (later(1), UP, 0), (first, UP, LATE)],
        "epoch before the previous one": at_once(first, later(1), later(2), second),
        "furthest epoch": at_once(later(MAX_AHEAD)),
        "one epoch too far": at_once(later(MAX_AHEAD + 1)),
        "forged next epoch moves nothing": at_once(flip(later(1), -1), first),
        "flipped ciphertext": at_once(flip(first, -9)),
        "flipped sequence number": at_once(flip(first, 2)),
        "moved to another channel": [(first, b"up/state", 0)],
        "reflected downlink": [(bare(down(0, channel=UP)), UP, 0)],
        "another device's message": at_once(envelope.build_compact(other)),
        "another device's message without kid": at_once(bare(other)),
        "the platform's kid": at_once(envelope.build_full(up(0), keys.SERVER_ID)),
        "longer than any message": at_once(bytes(envelope.MAX_MESSAGE + 1)),
    }
    runs |= {name: at_once(data) for name, data in malformed(first, full).items()}
    return [uplink(name, steps) for name, steps in runs.items()]


def at_once(*messages: bytes) -> list[Step]:
    """Return the steps of messages that arrive together on channel ``up/data``."""
    return [(data, UP, 0) for data in messages]


def malformed(short: bytes, full: bytes) -> Mapping[str, bytes]:
    """Return byte strings that are no sealed message; ``short`` and ``full`` are the same message."""
    tag = short[-8:]
    epoch = bytes.fromhex("02012c")
    return {
        "empty": b"",
        "only a length": short[:1],
        "tag cut short": short[: short[0] + 8],
        "header longer than the message": b"\x0f" + short[1:],
        "header shorter than its fields": b"\x04" + short[1:],
        "header with spare bytes": b"\x06" + short[1:6] + b"\0" + short[6:],
        "reserved flag": short[:1] + b"\x31" + short[2:],
        "no epoch": b"\x04\x01\0\0\0" + tag,
        "no sequence number": b"\x04\x10\x01\0\0" + tag,
        "sequence number with a leading zero": b"\x06\x12\0\0" + epoch + tag,
        "sequence number of three bytes": b"\x07\x13\x01\0\0" + epoch + tag,
        "sequence number beyond the header": b"\x05\x17\0" + epoch + tag,
        "epoch with a leading zero": b"\x06\x11\0\x03\0\x01\x2c" + tag,
        "epoch above 2^31-1": b"\x07\x11\0\x04\x80\0\0\0" + tag,
        "epoch of no bytes": b"\x04\x19\0\0\0" + tag,
        "kid of four bytes": b"\x09\x19\0" + epoch + KID[:4] + tag,
        "full: cut short": full[:-1],
        "full: bytes left over": full + b"\0",
        "full: untagged": full[1:],
        "full: another tag": b"\xd1" + full[1:],
        "full: another algorithm": full.replace(b"\xa1\x01\x0a", b"\xa1\x01\x0b"),
        "full: another header": full.replace(b"\xa3\x04", b"\xa4\x03\0\x04"),
        "full: kid left out": full.replace(b"\xa3\x04\x45" + KID, b"\xa2"),
        "full: kid of four bytes": full.replace(b"\x45" + KID, b"\x44" + KID[:4]),
        "full: length in a longer form": full.replace(b"\x06\x41", b"\x06\x58\x01"),
        "full: headers out of order": full.replace(
            b"\x06\x41\0\x0a\x42\x01\x2c", b"\x0a\x42\x01\x2c\x06\x41\0"
        ),
        "full: epoch of no bytes": full.replace(b"\x0a\x42\x01\x2c", b"\x0a\x40"),
        "full: tag cut short": full[:21] + b"\x47" + tag[1:],
    }


def uplink(name: str, steps: Sequence[Step]) -> Json:
    """Return a run of messages to a platform that stands at EPOCH, with its answers."""
    opener = Opener(KID, SealedState.first(ROOT, EPOCH))
    return case(name) | {"steps": [uplink_step(opener, *step) for step in steps]}


def uplink_step(opener: Opener, data: bytes, channel: bytes, at_us: int) -> Json:
    """Return one message and the answer to it."""
    given = {"message": data.hex(), "channel": channel.decode(), "at_us": at_us}
    try:
        epoch, sequence, plaintext = opener.open(data, channel, at_us)
    except Rejected as rejected:
        return given | {"reason": rejected.reason.value}
    return given | {"epoch": epoch, "sequence": sequence, "plaintext": plaintext.hex()}


def case(name: str) -> Json:
    """Return what a case starts from."""
    return {"name": name, "kid": KID.hex(), "root": ROOT.hex(), "epoch": EPOCH}


def downlink_cases() -> list[Json]:
    """Return what a device in EPOCH answers to runs of messages from the platform."""
    first = bare(down(0))
    runs = {
        "every encoding": [
            first,
            envelope.build_compact(down(1)),
            envelope.build_full(down(2), keys.SERVER_ID),
        ],
        "duplicate": [first, first],
        "behind the window": [bare(down(64)), first],
        "earlier boot": [bare(down(0, epoch=EPOCH - 1))],
        "epoch not begun": [bare(down(0, epoch=EPOCH + 1))],
        "flipped tag": [flip(first, -1)],
        "moved to another channel": [bare(down(0, channel=b"down/config"))],
        "reflected uplink": [bare(up(0, channel=CMD))],
        "a device's kid": [envelope.build_full(down(0), KID)],
        "empty": [b""],
    }
    return [case(name) | {"steps": downlink_steps(messages)} for name, messages in runs.items()]


def downlink_steps(messages: Sequence[bytes]) -> list[Json]:
    """Return messages on channel ``down/cmd`` with a device's answers."""
    sealer = DeviceSealer(KID, DeviceState(ROOT, EPOCH))
    steps = []
    for data in messages:
        given = {"message": data.hex(), "channel": CMD.decode()}
        try:
            steps.append(given | {"plaintext": sealer.open(data, CMD).hex()})
        except Rejected as rejected:
            steps.append(given | {"reason": rejected.reason.value})
    return steps


def proof_cases() -> list[Json]:
    """Return CONNECT proofs with the verifier's answers."""
    good = proof(up(5, channel=CONNECT_CHANNEL, plaintext=b"v1"))
    ahead = DeviceState(keys.next_root(ROOT), EPOCH + 1)
    rows: list[tuple[str, str, Counter]] = [
        ("first proof", good, NO_PROOF_YET),
        ("above the last", good, (EPOCH, 4)),
        ("next epoch", proof(sealed_by(ahead, 0, CONNECT_CHANNEL, b"v1", KID)), (EPOCH, 5)),
        (
            "kid inside",
            text(envelope.build_compact(up(5, channel=CONNECT_CHANNEL, plaintext=b"v1"))),
            (EPOCH, 4),
        ),
        ("used before", good, (EPOCH, 5)),
        ("later one used before", good, (EPOCH + 1, 0)),
        (
            "earlier epoch",
            proof(up(5, epoch=EPOCH - 1, channel=CONNECT_CHANNEL, plaintext=b"v1")),
            NO_PROOF_YET,
        ),
        ("sniffed data message", proof(up(5, plaintext=b"v1")), NO_PROOF_YET),
        ("unknown version", proof(up(5, channel=CONNECT_CHANNEL, plaintext=b"v0")), NO_PROOF_YET),
        ("another device", text(envelope.build_compact(up(5, kid=OTHER_KID))), NO_PROOF_YET),
        (
            "flipped tag",
            text(flip(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)), -1)),
            NO_PROOF_YET,
        ),
        ("not base64url", "*" + good[1:], NO_PROOF_YET),
        ("not ASCII", "é" + good[1:], NO_PROOF_YET),
        ("padded", good + "=" * (-len(good) % 4 or 4), NO_PROOF_YET),
        ("one character left over", good[: len(good) // 4 * 4] + "A", NO_PROOF_YET),
        ("empty", "", NO_PROOF_YET),
        ("longer than any proof", "A" * 65, NO_PROOF_YET),
    ]
    return [proof_case(*row) for row in rows]


def proof(sealed: Envelope) -> str:
    """Return the proof that is ``sealed``."""
    return text(bare(sealed))


def text(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def proof_case(name: str, proof_text: str, last: Counter) -> Json:
    """Return one proof and the verifier's answer."""
    given = case(name) | {"last": list(last), "proof": proof_text}
    try:
        counter = open_connect_proof(
            KID, Standing(SealedState.first(ROOT, EPOCH), last, Allowance()), proof_text, 0
        )
    except Rejected as rejected:
        return given | {"reason": rejected.reason.value}
    return given | {"counter": list(counter)}
