"""What stands in registration.json: the vectors of docs/spec/registration.md."""

from typing import Any, Final

from sealed_cases import CMD, EPOCH, KID, OTHER_KID, ROOT, bare, flip, up

from doorstep.messaging import envelope, keys
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.errors import Rejected
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.proof import CONNECT_CHANNEL, NO_PROOF_YET, Counter, Standing
from doorstep.messaging.registration import (
    MAX_REQUEST,
    REGISTER_CHANNEL,
    Place,
    Reply,
    Request,
    open_reply,
    open_request,
    seal_reply,
    seal_request,
)
from doorstep.messaging.sealer import DeviceSealer, DeviceState, seal_downlink
from doorstep.messaging.state import SealedState

Json = dict[str, Any]

TOKEN: Final = "q7hYc0Q2mJ5vB1nX9sK4tR8wZ3pL6dFgAeUiOyTrWqE"  # noqa: S105 - nobody gave it out
SEQUENCE: Final = 5
NOW: Final = 1_763_765_000
BOUND: Final = Reply("bound", NOW, "", epoch=EPOCH, mqtt=Place("broker.example", 1883))


def document() -> Json:
    """Return the whole file."""
    return {"requests": request_cases(), "replies": reply_cases()}


def asked(token: str | None = TOKEN, *, epoch: int = EPOCH) -> tuple[bytes, Exchange]:
    """Return a request with SEQUENCE, in an epoch whose root is ROOT."""
    sealer = DeviceSealer(KID, DeviceState(ROOT, epoch))
    sealer.next_sequence = SEQUENCE
    return seal_request(sealer, Request(token))


def said(plaintext: bytes, kid: bytes = KID) -> bytes:
    """Return a genuine message on the channel with any content."""
    return bare(up(SEQUENCE, channel=REGISTER_CHANNEL, plaintext=plaintext, kid=kid))


def request_cases() -> list[Json]:
    """Return requests with the platform's answers."""
    good = asked()[0]
    inside = envelope.build_compact(envelope.parse(good)._replace(kid=KID))
    ahead = DeviceSealer(KID, DeviceState(keys.next_root(ROOT), EPOCH + 1))
    rows: list[tuple[str, bytes, Counter]] = [
        ("with a token", good, NO_PROOF_YET),
        ("without a token", asked(None)[0], NO_PROOF_YET),
        ("longest token", asked("~" * 128)[0], NO_PROOF_YET),
        ("kid inside", inside, NO_PROOF_YET),
        ("above the last proof", good, (EPOCH, SEQUENCE - 1)),
        ("next epoch", seal_request(ahead, Request(TOKEN))[0], (EPOCH, SEQUENCE)),
        ("used before", good, (EPOCH, SEQUENCE)),
        ("a later proof was used", good, (EPOCH + 1, 0)),
        ("earlier epoch", asked(epoch=EPOCH - 1)[0], NO_PROOF_YET),
        ("one epoch too far", asked(epoch=EPOCH + 1_001)[0], NO_PROOF_YET),
        ("flipped tag", flip(good, -1), NO_PROOF_YET),
        ("flipped token", flip(good, 9), NO_PROOF_YET),
        ("another device's", said(b"v1" + TOKEN.encode(), OTHER_KID), NO_PROOF_YET),
        ("another device's kid inside", flip(inside, 10), NO_PROOF_YET),
        ("a CONNECT proof", bare(up(SEQUENCE, channel=CONNECT_CHANNEL, plaintext=b"v1")), NO_PROOF_YET),
        ("a data message", bare(up(SEQUENCE, plaintext=b"v1")), NO_PROOF_YET),
        (
            "the platform's own message",
            seal_downlink(SealedState.first(ROOT, EPOCH), SEQUENCE, REGISTER_CHANNEL, b"v1"),
            NO_PROOF_YET,
        ),
        ("unknown version", said(b"v2" + TOKEN.encode()), NO_PROOF_YET),
        ("no version", said(b""), NO_PROOF_YET),
        ("blank in the token", said(b"v1a b"), NO_PROOF_YET),
        ("token of 129 characters", said(b"v1" + b"~" * 129), NO_PROOF_YET),
        ("token that is no ASCII", said(b"v1\xe9"), NO_PROOF_YET),
        ("empty", b"", NO_PROOF_YET),
        ("longer than any request", bytes(MAX_REQUEST + 1), NO_PROOF_YET),
    ]
    return [request_case(*row) for row in rows]


def request_case(name: str, message: bytes, last: Counter) -> Json:
    """Return one request and the platform's answer."""
    given = start(name) | {"last": list(last), "request": message.hex()}
    stands = Standing(SealedState.first(ROOT, EPOCH), last, Allowance())
    try:
        counter, request, _ = open_request(KID, stands, message, 0)
    except Rejected as rejected:
        return given | {"reason": rejected.reason.value}
    return given | {"counter": list(counter), "token": request.token}


def reply_cases() -> list[Json]:
    """Return replies to one request with the device's answers."""
    request, exchange = asked()
    good = seal_reply(exchange, BOUND)
    other = Exchange(exchange.secret, EPOCH, SEQUENCE + 1, KID, REGISTER_CHANNEL)
    rows = {
        "bound": good,
        "held": seal_reply(exchange, Reply("held", NOW, "The claim waits for a sale.")),
        "disputed": seal_reply(exchange, Reply("disputed", NOW, "The device has another owner.")),
        "refused": seal_reply(exchange, Reply("refused", NOW, "This token has expired.", "token-expired")),
        "unknown member": exchange.seal_reply(b'{"status":"held","time":1,"reason":"","new":{"a":[1]}}'),
        "reply to another request": seal_reply(other, BOUND),
        "reflected request": envelope.parse(request).ciphertext,
        "the platform's own message": seal_downlink(
            SealedState.first(ROOT, EPOCH), SEQUENCE, REGISTER_CHANNEL, b"{}"
        ),
        "a command": envelope.parse(
            seal_downlink(SealedState.first(ROOT, EPOCH), SEQUENCE, CMD, b"{}")
        ).ciphertext,
        "flipped": flip(good, 12),
        "tag cut short": good[:7],
        "empty": b"",
        "no JSON": exchange.seal_reply(b"bound"),
        "unknown status": exchange.seal_reply(b'{"status":"yours","time":1,"reason":""}'),
        "bound without an epoch": exchange.seal_reply(b'{"status":"bound","time":1,"reason":""}'),
        "held with an epoch": exchange.seal_reply(
            b'{"status":"held","time":1,"reason":"","epoch":1,"mqtt":{"host":"h","port":1}}'
        ),
        "longer than any reply": bytes(1_033),
    }
    return [start(name) | reply_case(exchange, sealed) for name, sealed in rows.items()]


def reply_case(exchange: Exchange, sealed: bytes) -> Json:
    """Return one reply and what the device makes of it."""
    given = {"sequence": exchange.sequence, "reply": sealed.hex()}
    try:
        reply = open_reply(exchange, sealed)
    except Rejected as rejected:
        return given | {"reason": rejected.reason.value}
    return given | {"plaintext": exchange.open_reply(sealed).hex(), "status": reply.status}


def start(name: str) -> Json:
    """Return what a case starts from."""
    return {"name": name, "kid": KID.hex(), "root": ROOT.hex(), "epoch": EPOCH}
