"""Every board's registration answers to the stored vectors, and byte for byte like Doorstep's Python."""

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from doorstep.messaging.keys import run_ahead
from tests.firmware.boards import Board, device_id, reference
from tests.firmware.test_boards import ROOT, at_epoch, begun, board, every_board, flash

pytestmark = pytest.mark.peer

__all__ = ["board"]

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "registration.json").read_text(encoding="utf-8")
)


@every_board
def test_board_seals_the_requests_of_the_vectors(board: Board) -> None:
    names = {"with a token", "without a token", "longest token"}
    cases = [case for case in VECTORS["requests"] if case["name"] in names]
    assert len(cases) == len(names)
    lines = chain.from_iterable([*begun(case), "sequence 5", f"ask {case['token'] or ''}"] for case in cases)
    assert board.answers(list(lines))[3::4] == [f"ok {case['request']}" for case in cases]


@every_board
def test_board_takes_and_refuses_the_replies_of_the_vectors(board: Board) -> None:
    cases = VECTORS["replies"]
    lines = [*begun(cases[0]), *(f"reply {case['sequence']} {case['reply']}" for case in cases)]
    answers = board.answers(lines)
    assert answers == reference(lines)
    assert answers[2] == "ok bound 300 broker.example:1883"
    assert answers[2:] == [
        case.get("reason") or answer for case, answer in zip(cases, answers[2:], strict=True)
    ]


@every_board
def test_board_refuses_tokens_that_no_platform_makes(board: Board) -> None:
    lines = [*at_epoch(300), f"ask {'~' * 129}", "ask é", "ask"]
    answers = board.answers(lines)
    assert answers[2:4] == ["misuse", "misuse"]
    assert answers[4] == reference([*at_epoch(300), "ask"])[-1]


@every_board
def test_board_skips_to_a_later_epoch_and_never_back(board: Board) -> None:
    lines = [
        *at_epoch(300),
        "skip 400",
        "state",
        "skip 10",
        "state",
        f"boot {device_id('0a1b2c3d4e')}",
        "seal up/data 00",
    ]
    answers = board.answers(lines)
    assert answers == reference(lines)
    assert answers[3] == answers[5] == f"ok {400:08x}{run_ahead(ROOT, 100).hex()}"


@every_board
def test_board_skips_no_further_than_it_may(board: Board) -> None:
    lines = [flash(ROOT.hex(), 7), f"skip {8 + (1 << 20)}", "state"]
    assert board.answers(lines) == ["ok", "misuse", f"ok 00000007{ROOT.hex()}"]


@every_board
def test_board_that_cannot_store_skips_nothing(board: Board) -> None:
    lines = [flash(ROOT.hex(), 7), "break", "skip 9", "state"]
    assert board.answers(lines)[2:] == ["storage", f"ok 00000007{ROOT.hex()}"]
