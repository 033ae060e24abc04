"""C, MicroPython, CPython and Lua answer to the stored vectors, and byte for byte like Doorstep's Python."""

import json
import random
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from doorstep.messaging.sealer import seal_downlink
from doorstep.messaging.state import SealedState
from tests.firmware.boards import BOARDS, Board, device_id, reference

pytestmark = pytest.mark.peer

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "sealed.json").read_text(encoding="utf-8")
)
ROOT = bytes(range(32))
DEVICE = "binsypko"
EPOCHS = (0, 1, 127, 255, 256, 65_535, 65_536, (1 << 24) - 1, 1 << 24, (1 << 31) - 3)
SEED = 20_261_121
MUTANTS = 300

OPENING = [name for name in BOARDS if name != "nodemcu"]

_made: dict[str, Board] = {}


@pytest.fixture
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Board:
    name: str = request.param
    if name not in _made:
        _made[name] = BOARDS[name](tmp_path_factory.mktemp(name))
    return _made[name]


every_board = pytest.mark.parametrize("board", list(BOARDS), indirect=True)
opening_board = pytest.mark.parametrize("board", OPENING, indirect=True)


def flash(root: str, epoch: int) -> str:
    return f"flash {epoch:08x}{root}"


def at_epoch(epoch: int) -> list[str]:
    return [flash(ROOT.hex(), epoch), f"boot {DEVICE}"]


def begun(case: dict[str, Any]) -> list[str]:
    return [flash(case["root"], case["epoch"]), f"boot {device_id(case['kid'] or '0a1b2c3d4e')}"]


@every_board
def test_board_seals_the_vectors(board: Board) -> None:
    cases = [case for case in VECTORS["messages"] if case["kid"]]
    lines = chain.from_iterable(
        [*begun(case), f"sequence {case['sequence']}", f"seal {case['channel']} {case['plaintext']}"]
        for case in cases
    )
    assert board.answers(list(lines))[3::4] == [f"ok {case['compact']}" for case in cases]


@every_board
def test_board_steps_the_ratchet_of_the_vectors(board: Board) -> None:
    cases = VECTORS["schedule"]
    lines = chain.from_iterable([*begun(case), "state"] for case in cases)
    wanted = [f"ok {case['epoch'] + 1:08x}{case['next_root']}" for case in cases]
    assert board.answers(list(lines))[2::3] == wanted


@every_board
def test_board_changes_owner_like_the_vectors(board: Board) -> None:
    change = VECTORS["owner_change"]
    lines = [flash(change["root"], 300), f"owner {change['nonce']}", "state"]
    assert board.answers(lines) == ["ok", "ok", f"ok 0000012c{change['new_root']}"]


@every_board
def test_board_makes_the_proof_of_the_vectors(board: Board) -> None:
    (case,) = [case for case in VECTORS["proofs"] if case["name"] == "first proof"]
    assert board.answers([*begun(case), "sequence 5", "proof"])[-1] == f"ok {case['proof']}"


@opening_board
def test_board_opens_the_downlink_vectors(board: Board) -> None:
    lines, wanted = [], []
    for case in VECTORS["downlink"]:
        lines += begun(case)
        wanted += ["ok", "ok"]
        for step in case["steps"]:
            lines.append(f"open {step['channel']} {step['message']}")
            wanted.append(step.get("reason") or f"ok {step['plaintext']}")
    assert board.answers(lines) == wanted


@opening_board
def test_board_refuses_what_the_platform_refuses_as_malformed(board: Board) -> None:
    steps = [step for case in VECTORS["uplink"] for step in case["steps"]]
    lines = [
        f"open up/data {step['message']}" for step in steps if step.get("reason") in {"malformed", "oversize"}
    ]
    assert len(lines) > 20
    assert board.answers([*at_epoch(300), *lines]) == reference([*at_epoch(300), *lines])


@every_board
def test_board_equals_python_across_epochs_and_sizes(board: Board) -> None:
    rng = random.Random(SEED)
    lines: list[str] = []
    for epoch in EPOCHS:
        lines += [flash(rng.randbytes(32).hex(), epoch), f"boot {DEVICE}", "state"]
        for sequence in (0, 255, 256, 65_535):
            channel = "up/" + "c" * rng.choice((1, 4, 20, 21, 61))
            plaintext = rng.randbytes(rng.choice((0, 1, 15, 16, 17, 50)))
            lines += [f"sequence {sequence}", f"seal {channel} {plaintext.hex()}"]
        lines += [f"owner {rng.randbytes(16).hex()}", f"boot {DEVICE}", "proof", "seal up/data 00"]
    assert board.answers(lines) == reference(lines)


@opening_board
def test_board_answers_to_mutated_messages_like_python(board: Board) -> None:
    rng = random.Random(SEED)
    state = SealedState.first(ROOT, 300)
    sealed = [seal_downlink(state, number, b"down/cmd", rng.randbytes(number % 40)) for number in range(100)]
    lines = at_epoch(300)
    for _ in range(MUTANTS):
        message = bytearray(rng.choice(sealed))
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            message[rng.randrange(min(10, len(message)))] = rng.choice(
                (0, 1, 2, 0x10, 0x18, 0xD0, 0x40, rng.randrange(256))
            )
        lines.append(f"open down/cmd {bytes(message[: rng.choice((99, 99, 99, rng.randrange(20)))]).hex()}")
    answers = board.answers(lines)
    assert answers == reference(lines)
    assert {"malformed", "replayed", "too_old", "wrong_tag"} <= set(answers)


@every_board
def test_board_that_cannot_store_sends_nothing(board: Board) -> None:
    lines = [flash(ROOT.hex(), 7), "break", f"boot {DEVICE}", "state"]
    assert board.answers(lines)[2:] == ["storage", f"ok 00000007{ROOT.hex()}"]


@every_board
def test_board_uses_the_last_epoch_and_none_after_it(board: Board) -> None:
    lines = [*at_epoch((1 << 31) - 1), "seal up/data 00", f"boot {DEVICE}"]
    answers = board.answers(lines)
    assert answers[1] == "ok"
    assert answers[2].startswith("ok 071100047fffffff")
    assert answers[3] == "last_epoch"


@every_board
def test_board_seals_nothing_behind_the_last_sequence_number(board: Board) -> None:
    lines = [*at_epoch(0), "sequence 65536", "seal up/data 00", "proof"]
    assert board.answers(lines)[3:] == ["epoch_used_up", "epoch_used_up"]


@every_board
def test_board_refuses_sizes_that_no_receiver_takes(board: Board) -> None:
    lines = [*at_epoch(0), f"seal up/data {'00' * 4097}", f"seal {'c' * 65} 00", "seal up/data 00"]
    assert board.answers(lines)[2:4] == ["misuse", "misuse"]
    assert board.answers(lines)[4] == reference([*at_epoch(0), "seal up/data 00"])[-1]
