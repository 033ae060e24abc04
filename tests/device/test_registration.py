import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from doorstep.crypto import p256
from doorstep.crypto.x509 import Certificate, SigningRequest
from doorstep.device.registration import (
    ANSWER_CAP,
    Answer,
    ClockWrong,
    DeviceApi,
    DeviceBlocked,
    NotOwned,
    PlatformMisbehaved,
    PlatformUnreachable,
    Refused,
)
from doorstep.device.store import Broker, Endpoint
from doorstep.errors import DoorstepError, MalformedMessage
from doorstep.identity import statement
from doorstep.identity.provisioning import Provisioning
from doorstep.runtime.authority import Authority, create_authority
from tests.device.peer import Peer, peer

NONCE = (200, b'{"nonce": "' + b"A" * 43 + b'"}')
MQTT = {"tls": {"host": "broker", "port": 8883}, "plain": {"host": "broker", "port": 1883}}
BOUND: dict[str, Any] = {
    "status": "bound",
    "reason": "",
    "certificate": "PEM",
    "mqtt": MQTT,
    "sealed": {"epoch": 7},
    "time": 1.5,
}


def problem(kind: str, status: int = 403, detail: str = "because") -> tuple[int, bytes]:
    body = {
        "type": f"urn:doorstep:problem/{kind}",
        "detail": detail,
        "next_step": "do this",
        "status": status,
    }
    return status, json.dumps(body).encode()


def ask(
    authority: Authority,
    made: Provisioning,
    folder: Path,
    answer: tuple[int, bytes],
    *,
    nonce: tuple[int, bytes] = NONCE,
) -> tuple[Answer, Peer, p256.PrivateKey]:
    async def main() -> tuple[Answer, Peer, p256.PrivateKey]:
        key = p256.generate(os.urandom)
        async with peer(authority, folder, {"nonce": nonce, "register": answer}) as there:
            return await DeviceApi(made, there.url + "/").register("token", key), there, key

    return asyncio.run(main())


def test_device_shows_token_nonce_and_request_under_its_own_signature(
    authority: Authority, made: Provisioning, tmp_path: Path
) -> None:
    answer, there, key = ask(authority, made, tmp_path, (200, json.dumps(BOUND).encode()))
    assert json.loads(there.asked[0][1]) == {"device": made.device_id}
    idevid = Certificate.from_pem(
        made.certificate_chain.encode().partition(b"-----END CERTIFICATE-----\n")[0]
        + b"-----END CERTIFICATE-----\n"
    )
    said = statement.verify(there.asked[1][1], idevid.public_key, purpose=statement.Purpose.REGISTER)
    assert (said.device, said.token, said.nonce) == (made.device_id, "token", bytes(32))
    assert said.csr is not None
    assert SigningRequest.from_der(said.csr).public_key.spki == key.public_key.spki
    assert answer.broker == Broker(Endpoint("broker", 8883), Endpoint("broker", 1883))
    assert (answer.status, answer.first_epoch, answer.time_us) == ("bound", 7, 1_500_000)


@pytest.mark.parametrize("status", ["held", "disputed"])
def test_undecided_answer_has_no_certificate(
    authority: Authority, made: Provisioning, tmp_path: Path, status: str
) -> None:
    body = {"status": status, "reason": "somebody must look\x1b[2J", "time": 1}
    answer, _, _ = ask(authority, made, tmp_path, (200, json.dumps(body).encode()))
    assert (answer.status, answer.certificate, answer.broker) == (status, "", None)
    assert answer.reason == "somebody must look[2J"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (problem("not-accepted"), Refused, "because"),
        (problem("token-expired", 410), Refused, "because"),
        (problem("device-blocked"), DeviceBlocked, "because"),
        (problem("device-not-owned"), NotOwned, "because"),
        (problem("nonce-expired", 428), PlatformUnreachable, "cannot answer now: because"),
        (problem("too-many-failures", 429), PlatformUnreachable, "cannot answer now"),
        (problem("unavailable", 503), PlatformUnreachable, "cannot answer now"),
        (problem("device-blocked", 500), PlatformUnreachable, "cannot answer now"),
        (problem("not-accepted", detail="x" * 1000), Refused, "^x{300}$"),
        ((404, b"<html>"), Refused, "it answered 404"),
        ((302, b""), PlatformUnreachable, "it answered 302"),
        ((200, b"{}"), PlatformMisbehaved, "not what it should be"),
        ((200, b"\xff"), PlatformMisbehaved, "not what it should be"),
        ((200, b'{"\xff": 1}'), PlatformMisbehaved, "not what it should be"),
        ((200, b'{"x":' + b"[" * 5000), PlatformMisbehaved, "not what it should be"),
        ((200, json.dumps({**BOUND, "status": "maybe"}).encode()), PlatformMisbehaved, "status"),
        ((200, json.dumps({**BOUND, "mqtt": None}).encode()), PlatformMisbehaved, "gave no certificate"),
        ((200, json.dumps({**BOUND, "sealed": None}).encode()), PlatformMisbehaved, "gave no certificate"),
        ((200, json.dumps({**BOUND, "certificate": ""}).encode()), PlatformMisbehaved, "gave no"),
        ((200, b" " * (ANSWER_CAP + 1)), PlatformMisbehaved, "longer than"),
    ],
)
def test_every_other_answer_is_a_named_error(  # noqa: PLR0913, PLR0917 - fixtures and a table's row
    authority: Authority,
    made: Provisioning,
    tmp_path: Path,
    answer: tuple[int, bytes],
    error: type[DoorstepError],
    words: str,
) -> None:
    with pytest.raises(error, match=words) as raised:
        ask(authority, made, tmp_path, answer)
    assert "token" not in str(raised.value)


@pytest.mark.parametrize("nonce", [b'{"nonce": "A"}', b'{"nonce": "AAAA"}', b"{}"])
def test_nonce_that_is_none_is_refused(
    authority: Authority, made: Provisioning, tmp_path: Path, nonce: bytes
) -> None:
    with pytest.raises(MalformedMessage):
        ask(authority, made, tmp_path, NONCE, nonce=(200, nonce))


def register_at(url: str, made: Provisioning) -> None:
    asyncio.run(DeviceApi(made, url).register("token", p256.generate(os.urandom)))


def test_stranger_with_another_root_is_not_believed(made: Provisioning, tmp_path: Path) -> None:
    stranger = create_authority(tmp_path / "ca", "Stranger", now=datetime.now(UTC))

    async def main() -> None:
        async with peer(stranger, tmp_path, {"nonce": NONCE}) as there:
            with pytest.raises(PlatformUnreachable, match="is not this maker's platform"):
                await DeviceApi(made, there.url).register("token", p256.generate(os.urandom))
            assert there.asked == []

    asyncio.run(main())


@pytest.mark.parametrize("days", [-400, 400], ids=["device ahead", "device behind"])
def test_wrong_clock_is_named(authority: Authority, made: Provisioning, tmp_path: Path, days: int) -> None:
    async def main() -> None:
        now = datetime.now(UTC) + timedelta(days=days)
        async with peer(authority, tmp_path, {"nonce": NONCE}, now=now) as there:
            with pytest.raises(ClockWrong, match="not valid at the time") as raised:
                await DeviceApi(made, there.url).register("token", p256.generate(os.urandom))
            assert "clock" in raised.value.next_step

    asyncio.run(main())


def test_nobody_there_is_named(made: Provisioning) -> None:
    with pytest.raises(PlatformUnreachable, match="does not answer"):
        register_at("https://localhost:1", made)
