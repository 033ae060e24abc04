"""What stands in sealed-variants.json: the vectors of docs/spec/sealed.md section 9."""

from typing import Any, Final

from sealed_cases import EPOCH, KID, OTHER_KID, ROOT, TEXT, UP, Step, bare, flip
from sealed_cases import up as usual

from doorstep.messaging import envelope, keys
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.envelope import Envelope
from doorstep.messaging.errors import Rejected
from doorstep.messaging.proof import NO_PROOF_YET, Counter, Standing, open_connect_proof, seal_connect_proof
from doorstep.messaging.sealer import DeviceSealer, DeviceState, seal_downlink
from doorstep.messaging.state import SealedState
from doorstep.messaging.static import (
    AHEAD_S,
    BEHIND_S,
    StaticSealer,
    epoch_at,
    opener_for,
    session_secret,
)
from doorstep.messaging.variant import RATCHET_8, RATCHET_16, STATIC_8, STATIC_16, VARIANTS, Variant

Json = dict[str, Any]

NOW_S: Final = 1_763_765_000
SESSION: Final = bytes.fromhex("a0a1a2a3a4a5a6a7")
OTHER_SESSION: Final = bytes.fromhex("b0b1b2b3b4b5b6b7")
LATE_S: Final = 600


def document() -> Json:
    """Return the whole file."""
    return {
        "variants": [
            {
                "name": variant.name,
                "algorithm": variant.suite.cose_id,
                "tag_length": variant.suite.tag_length,
                "session_length": variant.session_length,
            }
            for variant in VARIANTS.values()
        ],
        "messages": [message(variant, 1) for variant in VARIANTS.values()]
        + [message(STATIC_16, envelope.MAX_SEQUENCE)],
        "uplink": [case for variant in VARIANTS.values() for case in uplink_cases(variant)],
        "downlink": [downlink_case(variant) for variant in VARIANTS.values()],
        "proofs": [case for variant in VARIANTS.values() for case in proof_cases(variant)],
    }


def sealer(
    variant: Variant, *, later_s: int = 0, session: bytes = SESSION, kid: bytes = KID, sequence: int = 0
) -> DeviceSealer:
    """Return a device at NOW_S and some seconds, or in EPOCH and as many epochs later."""
    made: DeviceSealer
    if variant.is_static:
        made = StaticSealer(kid, ROOT, variant, NOW_S + later_s, lambda _: session)
    else:
        made = DeviceSealer(kid, DeviceState(keys.run_ahead(ROOT, later_s), EPOCH + later_s), variant)
    made.next_sequence = sequence
    return made


def up(variant: Variant, sequence: int = 0, **more: Any) -> bytes:
    """Return a compact message on ``up/data``."""
    return sealer(variant, sequence=sequence, **more).seal(UP, TEXT)


def full(variant: Variant, sequence: int) -> bytes:
    """Return the full encoding of ``up``."""
    taken, session = envelope.parse_session(up(variant, sequence), variant)
    return envelope.build_full(taken, KID, variant.suite, session)


def with_kid(variant: Variant, sequence: int, kid: bytes = KID) -> bytes:
    """Return the compact encoding of ``up`` with a kid inside."""
    taken, session = envelope.parse_session(up(variant, sequence), variant)
    return envelope.build_compact(taken._replace(kid=kid), session)


def state(variant: Variant) -> SealedState:
    """Return a platform's that has opened nothing yet."""
    return SealedState.first(ROOT, 0 if variant.is_static else EPOCH, variant)


def secret(variant: Variant, session: bytes = SESSION) -> bytes:
    """Return the master secret of the first epoch."""
    return session_secret(ROOT, session) if variant.is_static else keys.master_secret(ROOT)


def message(variant: Variant, sequence: int) -> Json:
    """Return a message with all that went into it."""
    epoch = epoch_at(NOW_S) if variant.is_static else EPOCH
    made = keys.derive_sender_keys(secret(variant), epoch, KID, variant.suite)
    return {
        "name": f"{variant.name}, message {sequence}",
        "variant": variant.name,
        "root": ROOT.hex(),
        "epoch": epoch,
        "session": SESSION.hex() if variant.is_static else "",
        "master_secret": secret(variant).hex(),
        "sequence": sequence,
        "kid": KID.hex(),
        "channel": UP.decode(),
        "plaintext": TEXT.hex(),
        "key": made.key.hex(),
        "base_iv": made.nonce(0).hex(),
        "nonce": made.nonce(sequence).hex(),
        "aad": envelope.aad(UP, variant.suite).hex(),
        "compact": up(variant, sequence).hex(),
        "compact_with_kid": with_kid(variant, sequence).hex(),
        "full": full(variant, sequence).hex(),
    }


def uplink_cases(variant: Variant) -> list[Json]:
    """Return runs of messages to a platform, with its answers."""
    first, second = up(variant), up(variant, 1)
    runs: dict[str, list[Step]] = {
        "every encoding": at_once(first, full(variant, 1), with_kid(variant, 2)),
        "duplicate": at_once(first, first, full(variant, 0)),
        "out of order": at_once(second, first, second),
        "behind the window": at_once(up(variant, 64), first),
        "next epoch, then late packets": [
            (second, UP, 0),
            (up(variant, later_s=5), UP, 5),
            (first, UP, LATE_S + 4),
            (up(variant, 2), UP, LATE_S + 5),
        ],
        "flipped tag": at_once(flip(first, -1)),
        "tag cut to eight bytes": at_once(first[: len(first) - variant.suite.tag_length + 8]),
        "moved to another channel": [(first, b"up/state", 0)],
        "another device's": at_once(up(variant, kid=OTHER_KID), with_kid(variant, 0, OTHER_KID)),
        "reflected downlink": at_once(down(variant, UP)),
    }
    others = [other for other in VARIANTS.values() if other is not variant]
    runs["every other variant"] = at_once(
        *(up(other) for other in others), *(full(other, 0) for other in others)
    )
    if variant.is_static:
        runs |= session_runs(variant)
    return [uplink(variant, name, steps) for name, steps in runs.items()]


def session_runs(variant: Variant) -> dict[str, list[Step]]:
    """Return what only sessions have."""
    first = up(variant)
    return {
        "session of the same second": at_once(first, up(variant, 1, session=OTHER_SESSION)),
        "session exchanged in the header": at_once(first.replace(SESSION, OTHER_SESSION)),
        "session exchanged in a later message": at_once(
            first, up(variant, 1).replace(SESSION, OTHER_SESSION), up(variant, 1)
        ),
        "session exchanged in the previous session": [
            (first, UP, 0),
            (up(variant, later_s=1), UP, 1),
            (up(variant, 1).replace(SESSION, OTHER_SESSION), UP, 1),
            (up(variant, 1), UP, 1),
        ],
        "oldest session": [(first, UP, BEHIND_S)],
        "session that is too old": [(first, UP, BEHIND_S + 1)],
        "session furthest ahead": [(up(variant, later_s=AHEAD_S), UP, 0)],
        "session too far ahead": [(up(variant, later_s=AHEAD_S + 1), UP, 0)],
        "earlier session, replayed": at_once(first, up(variant, later_s=1), up(variant, later_s=2), first),
        "no session": at_once(bare(Envelope(*envelope.parse_session(first, variant)[0]))),
        "session of seven bytes": at_once(first.replace(b"\x0c", b"\x0b").replace(SESSION, SESSION[1:])),
        "the epoch of a device that ratchets": at_once(bare(usual(0))),
    }


def at_once(*messages: bytes) -> list[Step]:
    """Return the steps of messages that arrive together, in the first second."""
    return [(data, UP, 0) for data in messages]


def uplink(variant: Variant, name: str, steps: list[Step]) -> Json:
    """Return a run with the platform's answers; ``at_us`` of a step is in seconds here."""
    opener = opener_for(KID, state(variant))
    answers = []
    for data, channel, at_s in steps:
        at_us = (NOW_S + at_s) * 1_000_000
        given = {"message": data.hex(), "channel": channel.decode(), "at_us": at_us}
        try:
            epoch, sequence, plaintext = opener.open(data, channel, at_us)
        except Rejected as rejected:
            answers.append(given | {"reason": rejected.reason.value})
        else:
            answers.append(given | {"epoch": epoch, "sequence": sequence, "plaintext": plaintext.hex()})
    return case(variant, name) | {"steps": answers}


def case(variant: Variant, name: str) -> Json:
    """Return what a case starts from."""
    return {
        "name": f"{variant.name}: {name}",
        "variant": variant.name,
        "kid": KID.hex(),
        "root": ROOT.hex(),
        "epoch": 0 if variant.is_static else EPOCH,
    }


def down(variant: Variant, channel: bytes) -> bytes:
    """Return the platform's message in the first epoch; it needs no session."""
    opener = opener_for(KID, state(variant))
    opener.open(up(variant), UP, NOW_S * 1_000_000)
    return seal_downlink(opener.snapshot(), 0, channel, b"restart")


def downlink_case(variant: Variant) -> Json:
    """Return a command that the device of ``messages`` opens once."""
    channel, device = b"down/cmd", sealer(variant)
    data = down(variant, channel)
    return case(variant, "command") | {
        "epoch": epoch_at(NOW_S) if variant.is_static else EPOCH,
        "session": SESSION.hex() if variant.is_static else "",
        "message": data.hex(),
        "channel": channel.decode(),
        "plaintext": device.open(data, channel).hex(),
    }


def proof_cases(variant: Variant) -> list[Json]:
    """Return CONNECT proofs with the verifier's answers, at NOW_S."""
    good = seal_connect_proof(sealer(variant, sequence=5))
    epoch = epoch_at(NOW_S) if variant.is_static else EPOCH
    other = RATCHET_16 if variant is RATCHET_8 else STATIC_8 if variant is STATIC_16 else RATCHET_8
    rows: list[tuple[str, str, Counter]] = [
        ("first proof", good, NO_PROOF_YET),
        ("used before", good, (epoch, 5)),
        ("another variant's", seal_connect_proof(sealer(other, sequence=5)), NO_PROOF_YET),
        ("next epoch", seal_connect_proof(sealer(variant, later_s=1)), (epoch, 5)),
    ]
    return [case(variant, name) | proof(variant, text, last) for name, text, last in rows]


def proof(variant: Variant, text: str, last: Counter) -> Json:
    """Return one proof and the answer."""
    given = {"at_us": NOW_S * 1_000_000, "last": list(last), "proof": text}
    try:
        counter = open_connect_proof(
            KID, Standing(state(variant), last, Allowance()), text, NOW_S * 1_000_000
        )
    except Rejected as rejected:
        return given | {"reason": rejected.reason.value}
    return given | {"counter": list(counter)}
