"""A device whose maker changed its root while it slept."""

import asyncio
import base64
import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doorstep.crypto import p256
from doorstep.device.anchoring import Anchoring
from doorstep.device.registration import WrongPlatform
from doorstep.device.store import Store
from doorstep.errors import MisuseError, UnavailableError
from doorstep.identity.anchors import Anchors, stage
from doorstep.identity.provisioning import Provisioning
from doorstep.identity.rotation import Stage
from doorstep.identity.signed_time import SignedTime, StaleTime
from doorstep.runtime import rollover
from doorstep.runtime.authority import create_authority, load_authority
from doorstep.runtime.rollover import change_over, stage_of, stage_root, updates_after
from doorstep.runtime.state import write_private
from tests.device.peer import Answer, Script, peer

NOW = datetime.now(UTC)


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    create_authority(tmp_path / "ca", "Maker", now=NOW)
    return tmp_path / "ca"


def test_root_changes_in_two_steps(ca: Path) -> None:
    old = load_authority(ca, now=NOW).root
    assert stage_root(ca, "Maker", now=NOW) == 1
    assert stage_of(ca) is Stage.STAGED
    assert load_authority(ca, now=NOW).root.der == old.der
    assert change_over(ca, "Maker", now=NOW) == 2
    assert stage_of(ca) is Stage.SETTLED
    after = load_authority(ca, now=NOW)
    assert after.root.der != old.der
    after.operations.certificate.verify(after.root, now=NOW)
    assert len(updates_after(ca, 0)) == 2
    assert len(updates_after(ca, 1)) == 1
    assert stage_root(ca, "Maker", now=NOW) == 3
    assert change_over(ca, "Maker", now=NOW) == 4


def test_nothing_is_changed_over_that_was_not_staged(ca: Path) -> None:
    with pytest.raises(MisuseError):
        change_over(ca, "Maker", now=NOW)
    (ca / "root.key").unlink()
    with pytest.raises(UnavailableError, match="root's key"):
        stage_root(ca, "Maker", now=NOW)


class PowerCut(BaseException):
    pass


def test_authority_loads_after_a_cut_at_every_write(ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KEY-01 for the platform's own anchor."""

    for at in range(1, 11):
        folder = ca.with_name(f"ca{at}")
        shutil.copytree(ca, folder)
        count = 0

        def cutting(path: Path, data: bytes, at: int = at) -> None:
            nonlocal count
            count += 1
            if count == at:
                raise PowerCut
            write_private(path, data)

        monkeypatch.setattr(rollover, "write_private", cutting)
        for act in (stage_root, change_over):
            for _ in range(2):
                try:
                    act(folder, "Maker", now=NOW)
                except PowerCut:
                    load_authority(folder, now=NOW)
                else:
                    break
        made = load_authority(folder, now=NOW)
        assert stage_of(folder) is Stage.SETTLED
        made.factory.certificate.verify(made.root, now=NOW)
        assert made.root.der != load_authority(ca, now=NOW).root.der


HELD = b'{"status": "held", "reason": "a person must look", "time": 1.5}'
NONCE = 200, b'{"nonce": "' + b"A" * 43 + b'"}'


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def updates(ca: Path, after: int) -> Answer:
    found = [text(one) for one in updates_after(ca, after)]
    return 200, json.dumps({"updates": found}).encode()


@pytest.fixture
def sleeper(ca: Path, store: Store, made: Provisioning) -> Provisioning:
    """A device that was made under the root of ``ca``."""
    born = replace(made, trust_anchor=load_authority(ca, now=NOW).root.pem.decode())
    store.adopt(born)
    return born


async def asked(store: Store, made: Provisioning, ca: Path, folder: Path, after: int = 0) -> str:
    answers: Script = {"nonce": NONCE, "renew": (200, HELD), f"anchors?after={after}": updates(ca, after)}
    async with peer(load_authority(ca, now=NOW), folder, answers) as there:
        key = p256.generate(os.urandom)
        return (await Anchoring(store, made).ask(there.url, lambda api: api.renew(key))).status


def test_device_that_slept_through_the_change_finds_its_way(
    ca: Path, store: Store, sleeper: Provisioning, tmp_path: Path
) -> None:
    stage_root(ca, "Maker", now=NOW)
    change_over(ca, "Maker", now=NOW)
    assert asyncio.run(asked(store, sleeper, ca, tmp_path)) == "held"
    root = load_authority(ca, now=NOW).root
    assert store.anchors() == Anchors(2, (root.der,))
    again = store.identity()
    assert again is not None
    assert again.trust_anchor.encode() == root.pem


def test_device_keeps_the_old_root_until_a_server_shows_the_new(
    ca: Path, store: Store, sleeper: Provisioning, tmp_path: Path
) -> None:
    stage_root(ca, "Maker", now=NOW)
    for update in updates_after(ca, 0):
        store.keep_anchors(stage(store.anchors(), update))
    assert asyncio.run(asked(store, sleeper, ca, tmp_path)) == "held"
    assert store.anchors().version == 1  # reached under both: both are trusted from now on
    change_over(ca, "Maker", now=NOW)
    assert asyncio.run(asked(store, sleeper, ca, tmp_path, 1)) == "held"


def test_device_believes_no_strangers_server(
    ca: Path, store: Store, sleeper: Provisioning, tmp_path: Path
) -> None:
    create_authority(tmp_path / "stranger", "Stranger", now=NOW)
    stage_root(tmp_path / "stranger", "Stranger", now=NOW)
    with pytest.raises(WrongPlatform):
        asyncio.run(asked(store, sleeper, tmp_path / "stranger", tmp_path))
    assert store.anchors().stage is Stage.SETTLED


def test_board_without_a_clock_asks_a_server_that_it_cannot_check(
    ca: Path, store: Store, sleeper: Provisioning, tmp_path: Path
) -> None:
    nonce, second = bytes(range(32)), int(NOW.timestamp())
    answers: dict[str, Answer] = {}

    async def time_at(at_least: int) -> int:
        authority = load_authority(ca, now=NOW)
        word = SignedTime(nonce, second).sign(authority.operations)
        answers[f"time?nonce={text(nonce)}"] = 200, json.dumps({"time": 1, "signed": text(word)}).encode()
        async with peer(authority, tmp_path, answers, now=NOW - timedelta(days=400)) as there:
            asking = Anchoring(store, sleeper)
            return await asking.signed_time(there.url, lambda _: nonce, at_least=at_least)

    assert asyncio.run(time_at(0)) == second
    with pytest.raises(StaleTime):
        asyncio.run(time_at(second + 1))
