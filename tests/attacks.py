"""The attacks by their ids: what an attacker tries, what must hold, and which tests hold it against the code.

A test names its attack in its own name (``test_bind_04_…``), in its docstring, or in a text of its table; the
page of attacks is made of that. Each test that carries an id in its name prints what it tried.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

__all__ = ["ATTACKS", "by_attack", "told_by"]

ATTACKS: Final[Mapping[str, tuple[str, str]]] = {
    "BIND-01": (
        "claims by guessed serials and codes",
        "one answer after one time; guesses slow the guesser alone",
    ),
    "BIND-02": ("sends a wrong code while the owner sets the device up", "the owner's window stays open"),
    "BIND-03": ("claims unsold stock from a photograph of its label", "held until it is sold"),
    "BIND-04": (
        "claims a device of somebody else with its printed code",
        "a case; the owner hears, nothing changes",
    ),
    "BIND-05": ("claims in the same millisecond on another process", "exactly one owner, one case"),
    "BIND-06": (
        "repeats a token, a nonce or a signed statement",
        "refused: single use, short life, one organisation",
    ),
    "BIND-07": ("answers first in the set-up window", "nothing without the token of that session"),
    "BIND-08": ("sets the device up again on a visit", "a case; nothing of the owner is deleted"),
    "BIND-09": ("unbinds by id, by a token or a key of another account", "refused"),
    "BIND-10": ("the owner sets it up again", "nothing changes, nothing is lost"),
    "PHAN-01": ("speaks as a device that is bound", "refused without its key"),
    "PHAN-02": ("resets the device of a host and takes it over", "the owner stays"),
    "PHAN-03": ("logs in under its name to push it out", "refused; the device stays connected"),
    "PHAN-04": ("occupies a device before it is sold", "held"),
    "PHAN-05": ("fetches what is meant for the device", "nothing without its key"),
    "PROV-01": (
        "fetches another device's credentials with extracted secrets",
        "refused; never a certificate twice",
    ),
    "PROV-02": ("asks for a certificate in another name", "the platform writes the name"),
    "PROV-03": (
        "records a batch again, or forges, alters or replays a manifest of secure elements",
        "a batch is refused whole, a manifest entry by entry",
    ),
    "PROV-04": ("registers a device that was scrapped", "refused for ever"),
    "MQTT-01": ("releases a QoS 2 message after the revocation, for an open session", "nobody gets it"),
    "MQTT-02": ("queues QoS 1 messages for a reader that is away", "purged with the revocation"),
    "MQTT-03": ("sends PUBREL after the revocation", "nobody gets it"),
    "MQTT-04": ("goes on by a topic alias of MQTT 5", "MQTT 5 is refused"),
    "MQTT-05": ("has another connection fire its will", "nobody gets it"),
    "MQTT-06": ("leaves a will on a foreign topic", "refused, or never published"),
    "MQTT-07": ("parks messages behind a full window", "nobody gets them after the revocation"),
    "MQTT-08": ("has the revocation itself fire its will", "nobody gets it"),
    "MQTT-09": ("leaves a retained message", "purged with the revocation"),
    "MQTT-10": ("goes on listening on an open session", "the session is closed"),
    "MQTT-11": ("comes back to a persistent session", "the session is gone"),
    "MQTT-12": ("connects with another device's client id", "refused; no session changes hands"),
    "MQTT-13": ("subscribes to or publishes on topics of others", "refused for each filter"),
    "MQTT-14": ("floods while it is revoked", "nothing is accepted a second after the click"),
    "LITE-01": ("repeats, moves, forges messages without TLS", "refused"),
    "LITE-02": ("steals the database", "no secret of a device is in it"),
    "KEY-01": (
        "the power fails at any step of a rotation",
        "the device always gets in by the old key or the new",
    ),
    "KEY-02": ("connects with an expired or early certificate", "refused, with a way back"),
    "KEY-03": ("uses a revoked certificate, or a recalled batch", "refused, and its session closed"),
    "CLONE-01": ("two boards use one identity", "noticed; exactly one goes on"),
    "XFER-01": (
        "the former owner reads on, the next one reads back",
        "each their own time; every handle ends",
    ),
    "XFER-02": (
        "a sale is cancelled after the claim, or told twice",
        "the owner stays; the second buyer gets a case",
    ),
    "ORG-01": ("asks every route for what is another's", "as if it were not there"),
    "STAFF-01": (
        "an insider decides alone, looks, and edits the record",
        "a second person, an entry, a broken chain",
    ),
    "CODE-01": ("guesses codes, and photographs one", "60 bits and a check; a used code opens nothing"),
}
"""By id: what is tried, and what must hold."""

_ROOT: Final = Path(__file__).parent
_ID: Final = re.compile(rf"\b({'|'.join(sorted({one.partition('-')[0] for one in ATTACKS}))})-(\d\d)\b")
_NAME: Final = re.compile(r"test_([a-z]+)_(\d\d)_(\w+)")


def told_by(name: str, sentence: str = "") -> str:
    """Return the line that a test prints about its attack; empty for a test whose name has no id."""
    found = _NAME.match(name)
    attack = f"{found[1].upper()}-{found[2]}" if found else ""
    if found is None or attack not in ATTACKS:
        return ""
    return f"{attack}: {sentence.partition(': ')[2] or found[3].replace('_', ' ')}"


def by_attack() -> dict[str, list[str]]:
    """Return the tests of each attack, as ``file: test``, sorted; of a table the file alone."""
    tests: dict[str, set[str]] = {one: set() for one in ATTACKS}
    for path in sorted(set(_ROOT.rglob("test_*.py")) - {_ROOT / "docs" / "test_attacks_page.py"}):
        for attack, where in _of(path):
            tests.setdefault(attack, set()).add(f"{path.relative_to(_ROOT.parent)}{where}")
    return {attack: sorted(names) for attack, names in tests.items()}


def _of(path: Path) -> Iterator[tuple[str, str]]:
    text = path.read_text(encoding="utf-8")
    if not _ID.search(text) and not _NAME.search(text):
        return
    for node in ast.parse(text).body:
        name = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ""
        where = f": {name}" if name.startswith("test_") else ""
        named = _NAME.match(where.removeprefix(": "))
        if named and (attack := f"{named[1].upper()}-{named[2]}") in ATTACKS:
            yield attack, where
        for one in _texts(node):
            for found in _ID.finditer(one):
                yield found[0], where


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Expr):  # the module's own docstring only speaks about tests
        return
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
