"""The text of docs/spec/sealed.md says what the code and the vectors say."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from doorstep.identity import ids
from doorstep.messaging import allowance, envelope, keys, opener, proof, static, variant
from doorstep.messaging.errors import RejectReason

REPOSITORY = Path(__file__).parents[2]
SPEC = (REPOSITORY / "docs" / "spec" / "sealed.md").read_text(encoding="utf-8")
VARIANT_VECTORS = json.loads((REPOSITORY / "vectors" / "sealed-variants.json").read_text(encoding="utf-8"))
VECTORS = json.loads((REPOSITORY / "vectors" / "sealed.json").read_text(encoding="utf-8"))


def section(number: int) -> str:
    return SPEC.partition(f"\n## {number}. ")[2].partition("\n## ")[0]


def rows(text: str) -> dict[str, str]:
    """Return the last code word of each row of the tables in ``text``, by its first cell."""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {cell[0]: re.findall(r"`([^`]+)`", cell[-1])[-1] for cell in cells if "`" in cell[-1]}


def test_worked_example_equals_the_vectors() -> None:
    message, schedule = VECTORS["messages"][0], VECTORS["schedule"][1]
    change = VECTORS["owner_change"]
    assert rows(section(10).partition("\nThe same message")[0]) == {
        "root of epoch 300": schedule["root"],
        "kid, device id": ids.device_id_of(bytes.fromhex(message["kid"])),
        "master secret": schedule["master_secret"],
        "root of epoch 301": schedule["next_root"],
        "device's key": schedule["up"]["key"],
        "device's Base IV": schedule["up"]["base_iv"],
        "platform's key": schedule["down"]["key"],
        "platform's Base IV": schedule["down"]["base_iv"],
        "sequence number, channel, plaintext": bytes.fromhex(message["plaintext"]).decode(),
        "nonce": message["nonce"],
        "additional data": message["aad"],
        "compact": message["compact"],
        "compact with kid": message["compact_with_kid"],
        "full": message["full"],
        "CONNECT proof, sequence number 5": VECTORS["proofs"][0]["proof"],
        f"root after an owner change with nonce `{change['nonce']}`": change["new_root"],
    }
    assert (message["epoch"], message["sequence"], message["channel"]) == (300, 1, "up/data")
    assert message["root"] == change["root"] == schedule["root"]


@pytest.mark.parametrize("name", ["ratchet-16", "static-8", "static-16"])
def test_worked_example_of_each_variant_equals_the_vectors(name: str) -> None:
    (message,) = [case for case in VARIANT_VECTORS["messages"] if case["name"] == f"{name}, message 1"]
    assert f"| `{name}` | `{message['key']}` | `{message['compact']}` |" in section(10)
    if message["session"]:
        began = datetime.fromtimestamp(message["epoch"] + static.EPOCH_ZERO_S, UTC)
        assert (
            f"session `{message['session']}` at\n{began:%Y-%m-%dT%H:%M:%S}Z, in epoch {message['epoch']}"
            in SPEC
        )


def test_table_of_variants_is_the_codes() -> None:
    table = re.findall(r"^ +\| `(\S+)` \| \S+ \((\d+)\) \| (\d+) bytes \|", section(9), re.MULTILINE)
    assert table == [
        (one.name, str(one.suite.cose_id), str(one.suite.tag_length)) for one in variant.VARIANTS.values()
    ]


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("ratchet-16", 21, 25), ("static-8", 24, 25), ("static-16", 32, 33)],
)
def test_overhead_of_each_variant_is_what_the_spec_says(name: str, least: int, most: int) -> None:
    row = next(line for line in section(9).splitlines() if f"| `{name}` |" in line)
    assert re.search(rf"\b{least} (?:to|or) {most} bytes \|$", row)
    for case in VARIANT_VECTORS["messages"]:
        if case["variant"] == name:
            assert least <= (len(case["compact"]) - len(case["plaintext"])) // 2 <= most


def test_spec_lists_every_reject_reason() -> None:
    assert re.findall(r"^\| `(\w+)` \|", section(7), re.MULTILINE) == list(RejectReason)


def test_rules_are_numbered_without_gaps() -> None:
    numbers = [int(number) for number in re.findall(r"^\* \*\*S-(\d+)\*\* ", SPEC, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (3, f'"{keys._MASTER_SECRET.decode()}", {keys.MASTER_SECRET_LENGTH})'),
        (3, f'"{keys._RATCHET.decode()}", {keys.ROOT_LENGTH})'),
        (3, f'"{keys._OWNER_CHANGE.decode()}" ‖ nonce, {keys.ROOT_LENGTH})'),
        (3, f"nonce of {keys.OWNER_NONCE_LENGTH} bytes"),
        (3, f"after sequence number {envelope.MAX_SEQUENCE:,}"),
        (2, f"{ids.KID_LENGTH} bytes"),
        (2, f"1 to {envelope.MAX_CHANNEL} bytes"),
        (4, f"0 to {envelope.MAX_PLAINTEXT:,} bytes"),
        (4, f"longer than {envelope.MAX_MESSAGE:,} bytes"),
        (5, f"{opener.PREVIOUS_EPOCH_US // 60_000_000}\n  minutes"),
        (5, f"at most {opener.MAX_AHEAD:,} ahead"),
        (5, f"at most {allowance.STEPS_A_MINUTE:,} steps a minute"),
        (5, f"epochs at most {allowance.NEAR} ahead"),
        (8, f"at most {proof.MAX_PROOF} characters"),
        (9, f'"{static._LABEL.decode()}" ‖ session id, {keys.MASTER_SECRET_LENGTH})'),
        (9, f"{variant.SESSION_LENGTH} bytes from the chip's random generator"),
        (9, f"at most {static.BEHIND_S} seconds before"),
        (9, f"at most {static.AHEAD_S} after it"),
    ],
)
def test_spec_names_the_limits_of_the_code(place: int, words: str) -> None:
    assert words in section(place)


def test_epochs_end_where_the_spec_says() -> None:
    assert "An epoch is 0 to 2^31 - 1." in section(3)
    assert keys.MAX_EPOCH == 2**31 - 1


def test_overhead_is_what_the_spec_says() -> None:
    for form, least, most in (("compact", 13, 17), ("compact_with_kid", 18, 22)):
        overhead = [
            (len(message[form]) - len(message["plaintext"])) // 2
            for message in VECTORS["messages"]
            if message["kid"]
        ]
        assert (min(overhead), max(overhead)) == (least, most)
    assert "adds 13 to 17 bytes to what a device sends (18 to 22 with the kid inside)" in " ".join(
        SPEC.split()
    )
