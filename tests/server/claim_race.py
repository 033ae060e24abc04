"""BIND-05 with processes: two claims on one device, sent at the same moment to two device API processes.

``python -m tests.server.claim_race RACES`` prints one JSON object. It needs DOORSTEP_STATE, an empty folder,
and DOORSTEP_DATABASE_URL, an empty PostgreSQL database.
"""

import base64
import json
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

import httpx

from doorstep.server.setup import migrate

migrate()

from doorstep.server.clock import now_us  # noqa: E402 - Django is set up only now
from doorstep.server.custody import actions, ledger  # noqa: E402
from tests.server.making import MadeDevice, authority, customer, devices, statement_of  # noqa: E402
from tests.server.roles import free_port, running_role  # noqa: E402

_AT_ONCE: Final = 50
"""Devices that are made and raced for together: a nonce is good for five minutes."""

_SAME_US: Final = 1000
Answer = tuple[int, str]
"""When the claim was sent, and what it was told."""


def race(count: int) -> dict[str, float | int]:
    """Race ``count`` times; return what came of it."""
    authority()
    claimants = [customer(), customer()]
    outcomes, same, took_s, raced = Counter[str](), 0, 0.0, list[MadeDevice]()
    with ExitStack() as stack:
        rivals = [stack.enter_context(_api()) for _ in claimants]
        pool = stack.enter_context(ThreadPoolExecutor(len(rivals)))
        while len(raced) < count:
            made = devices(min(_AT_ONCE, count - len(raced)), policy="device_key & setup_session")
            bodies = [_claims(rivals[0], device, claimants) for device in made]
            began = time.monotonic()
            for pair in bodies:
                answers = _both(pool, rivals, pair)
                outcomes[" and ".join(sorted(word for _, word in answers))] += 1
                same += abs(answers[0][0] - answers[1][0]) <= _SAME_US
            took_s += time.monotonic() - began
            raced += made
    rows = [device.row for device in raced]
    return {
        "races": count,
        "one_bound_one_disputed": outcomes["bound and disputed"],
        "one_owner": sum(row.owner is not None and row.ownership_period == 1 for row in rows),
        "one_dispute": sum(row.disputed and row.disputes.count() == 1 for row in rows),
        "sent_within_1_ms": same,
        "ledger_entries": ledger.verify_all().number,
        "claims_per_s": round(2 * count / took_s, 1),
    }


def _api() -> "_Api":
    return _Api(free_port())


class _Api(ExitStack):
    """One device API process, and a client that keeps its connection to it."""

    def __init__(self, port: int) -> None:
        super().__init__()
        entry = "doorstep.server.device_api.app:run"
        self.enter_context(running_role("device-api", entry, DOORSTEP_DEVICE_API_PORT=str(port)))
        trust = ssl.create_default_context(cadata=authority().root.pem.decode())
        url = f"https://localhost:{port}"
        self.client = self.enter_context(httpx.Client(base_url=url, verify=trust, timeout=60))


def _claims(api: _Api, device: MadeDevice, claimants: Sequence[tuple[object, object]]) -> list[bytes]:
    """Return each claimant's signed claim on the device."""
    bodies = []
    for user, organisation in claimants:
        token, _ = actions.make_registration_token(organisation, user, now_us=now_us())  # type: ignore[arg-type]
        text = api.client.post("/device/v1/nonce", json={"device": device.device_id}).json()["nonce"]
        bodies.append(statement_of(device, token, nonce=base64.urlsafe_b64decode(text + "="))[1])
    return bodies


def _both(pool: ThreadPoolExecutor, rivals: Sequence[_Api], bodies: Sequence[bytes]) -> list[Answer]:
    barrier = threading.Barrier(len(rivals))

    def claim(rival: _Api, body: bytes) -> Answer:
        request = rival.client.build_request(
            "POST", "/device/v1/register", content=body, headers={"content-type": "application/cose"}
        )
        barrier.wait(30)
        sent_us = now_us()
        answer = rival.client.send(request).json()
        return sent_us, str(answer.get("status", answer))

    return list(pool.map(claim, rivals, bodies))


if __name__ == "__main__":
    print(json.dumps(race(int(sys.argv[1]))))  # noqa: T201 - its output
