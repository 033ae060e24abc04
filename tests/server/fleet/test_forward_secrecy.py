"""With today's state stolen from device and platform, yesterday's captured messages stay closed."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from doorstep.crypto.ccm import AesCcm
from doorstep.errors import VerificationFailed
from doorstep.identity.ids import kid_of
from doorstep.messaging.envelope import aad, parse
from doorstep.messaging.keys import derive_sender_keys, master_secret, run_ahead
from doorstep.messaging.state import StoredState
from doorstep.runtime.sealed_rows import SEALED_COLUMNS
from doorstep.server.fleet.models import KeyRotation, SealedState
from doorstep.server.fleet.rotation import rotate_root
from tests.server.fleet.line import Line


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line.of_owned_device(tmp_path / "device")
    yield made
    made.close()


def stolen_secrets(line: Line) -> set[bytes]:
    """All secrets that the real file and the real rows hold, unwrapped by the stolen key file."""
    key_file, device = settings.KEY_FILE, line.made.device_id
    sealed = json.loads((line.folder / "sealed.json").read_bytes())

    found = {base64.b64decode(sealed["root"])}
    row = StoredState(*SealedState.objects.filter(device=line.row).values_list(*SEALED_COLUMNS).get())
    for column, name in (
        ("root", "root"),
        ("master", "master"),
        ("previous_master", "previous"),
        ("staged_root", "staged"),
    ):
        if (wrapped := getattr(row, column)) is not None:
            found.add(key_file.unwrap(bytes(wrapped), f"sealed/{device}/{name}"))
    for rotation in KeyRotation.objects.filter(device=line.row).exclude(secret=b""):
        found.add(key_file.unwrap(bytes(rotation.secret), f"rotation/{device}/{rotation.number}"))
    return found


def opens(secret: bytes, kid: bytes, channel: str, message: bytes) -> bool:
    """Try a stolen secret as root of any epoch up to a few later ones, and as master secret."""
    epoch, sequence, _, ciphertext = parse(message)
    roots = [run_ahead(secret, steps) for steps in range(20)] if len(secret) == 32 else []
    masters = [*map(master_secret, roots), secret[:16]]
    for master in masters:
        keys = derive_sender_keys(master, epoch, kid)
        try:
            AesCcm(keys.key, 8).open(keys.nonce(sequence), ciphertext, aad(f"up/{channel}".encode()))
        except VerificationFailed:
            continue
        return True
    return False


def opened(line: Line, captured: list[tuple[str, bytes]]) -> list[bool]:
    kid = kid_of(line.made.device_id)
    secrets = stolen_secrets(line)
    return [any(opens(secret, kid, *message) for secret in secrets) for message in captured]


def test_stolen_state_opens_nothing_of_the_epochs_that_are_over(line: Line) -> None:
    for _ in range(3):
        assert line.say()
        line.boot()
    yesterday = list(line.captured)
    assert line.say()
    line.boot()
    assert line.say()
    line.now_us += 700_000_000  # the previous epoch is over, too
    assert line.say()
    assert opened(line, yesterday) == [False] * len(yesterday)
    assert opened(line, line.captured[-1:]) == [True]  # the thief has today's: the test can tell


def test_stolen_state_opens_nothing_from_before_a_rotation(line: Line) -> None:
    assert line.say()
    rotation = rotate_root(line.row, "user:1", now_us=line.now_us)
    while not rotation.outcome:
        line.turn()
        rotation.refresh_from_db()
    line.boot()
    yesterday = [one for one in line.captured if one[0] in {"data", "ack"}][:-1]
    assert line.say()
    line.boot()
    assert line.say()
    line.now_us += 700_000_000
    assert line.say()
    assert len(yesterday) > 3
    assert opened(line, yesterday) == [False] * len(yesterday)
