"""Claim policies: small boolean expressions over kinds of evidence.

```
policy = all *("|" all)
all    = one *("&" one)
one    = kind / "(" policy ")"
```
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from doorstep.errors import MisuseError
from doorstep.ownership.evidence import Evidence, Strength

__all__ = [
    "DEPTH_CAP",
    "POLICY_CAP",
    "BadPolicy",
    "Policy",
    "evaluate",
    "explain",
    "missing",
    "needs",
    "parse",
]

POLICY_CAP: Final = 400
"""Characters of one policy."""

DEPTH_CAP: Final = 16
"""Parentheses inside each other."""

_KEPT: Final = 256
"""Parsed policies that are kept: one a product, in every claim."""

_TOKEN: Final = re.compile(r"\s*(?:([a-z_]+)|([&|()]))")


class BadPolicy(MisuseError):
    """A text is not a claim policy, or one that would protect nobody."""


@dataclass(frozen=True, slots=True)
class _All:
    parts: "tuple[_Node, ...]"


@dataclass(frozen=True, slots=True)
class _Any:
    parts: "tuple[_Node, ...]"


_Node: TypeAlias = Evidence | _All | _Any


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy; ``text`` is what it was parsed from."""

    text: str
    root: _Node


@lru_cache(maxsize=_KEPT)
def parse(text: str) -> Policy:
    """Read a policy; raise BadPolicy that says what is wrong and what can stand there."""
    if len(text) > POLICY_CAP:
        raise BadPolicy(f"a claim policy has at most {POLICY_CAP} characters, this has {len(text)}")
    parser = _Parser(_tokens(text))
    root = parser.any_of(0)
    if parser.next:
        raise _unexpected(parser.next)
    policy = Policy(text, root)
    if evaluate(policy, [kind for kind in Evidence if kind.strength is Strength.WEAK]):
        raise BadPolicy(
            "this policy is met by weak evidence alone: anybody could claim any device",
            next_step="Join it with & to something stronger, such as device_key.",
        )
    return policy


def evaluate(policy: Policy, evidence: Collection[Evidence]) -> bool:
    """Whether the evidence meets the policy."""
    return _holds(policy.root, frozenset(evidence))


def missing(policy: Policy, evidence: Collection[Evidence]) -> tuple[frozenset[Evidence], ...]:
    """Return the smallest sets of further evidence, each of which would do; none when it is met."""
    if evaluate(policy, evidence):
        return ()
    gaps = _gaps(policy.root, frozenset(evidence))
    return tuple(sorted(gaps, key=lambda gap: (len(gap), sorted(gap))))


def explain(gaps: Collection[frozenset[Evidence]]) -> str:
    """Say what would help, as a sentence for the claimant; empty for no gaps."""
    ways = [" and ".join(kind.sentence for kind in Evidence if kind in gap) for gap in gaps]
    return f"It needs that {', or '.join(ways)}." if ways else ""


def needs(policy: Policy) -> str:
    """Say what a claim takes that brings nothing yet."""
    return explain(missing(policy, ()))


def _tokens(text: str) -> list[str]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadPolicy(
                f"{text[at:].strip()[:1]!a} can't stand in a claim policy",
                next_step="Use kinds of evidence, &, | and parentheses.",
            )
        found.append(match[1] or match[2])
        at = match.end()
    return found


class _Parser:
    """Recursive descent over the tokens; each method reads one rule of the grammar."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def any_of(self, depth: int) -> _Node:
        parts = self._joined("|", lambda: self._all_of(depth))
        return parts[0] if len(parts) == 1 else _Any(parts)

    def _all_of(self, depth: int) -> _Node:
        parts = self._joined("&", lambda: self._one(depth))
        return parts[0] if len(parts) == 1 else _All(parts)

    def _joined(self, sign: str, read: Callable[[], _Node]) -> tuple[_Node, ...]:
        parts = [read()]
        while self.next == sign:
            self._at += 1
            parts.append(read())
        return tuple(parts)

    def _one(self, depth: int) -> _Node:
        word = self.next
        self._at += 1
        if word == "(":
            return self._inside(depth + 1)
        try:
            return Evidence(word)
        except ValueError:
            raise _unexpected(word) from None

    def _inside(self, depth: int) -> _Node:
        if depth > DEPTH_CAP:
            raise BadPolicy(f"a claim policy nests at most {DEPTH_CAP} parentheses")
        node = self.any_of(depth)
        if self.next != ")":
            raise BadPolicy(
                "a parenthesis of this claim policy is not closed", next_step="Add the missing )."
            )
        self._at += 1
        return node


def _unexpected(word: str) -> BadPolicy:
    known = f"Kinds of evidence are: {', '.join(Evidence)}."
    if not word:
        return BadPolicy("this claim policy ends where a kind of evidence must stand", next_step=known)
    if word in "&|)":
        return BadPolicy(f"{word} stands in this claim policy where it can't", next_step=known)
    return BadPolicy(f"{word[:40]!a} is not expected in this claim policy", next_step=known)


def _holds(node: _Node, evidence: frozenset[Evidence]) -> bool:
    match node:
        case _All(parts):
            return all(_holds(part, evidence) for part in parts)
        case _Any(parts):
            return any(_holds(part, evidence) for part in parts)
        case _:
            return node in evidence


def _gaps(node: _Node, evidence: frozenset[Evidence]) -> frozenset[frozenset[Evidence]]:
    """Minimal sets that complete the evidence; nine kinds bound their number at 126."""
    match node:
        case _All(parts):
            together = frozenset({frozenset[Evidence]()})
            for part in parts:
                more = _gaps(part, evidence)
                together = _smallest(frozenset(one | other for one in together for other in more))
            return together
        case _Any(parts):
            return _smallest(frozenset().union(*(_gaps(part, evidence) for part in parts)))
        case _:
            return frozenset({frozenset() if node in evidence else frozenset({node})})


def _smallest(sets: frozenset[frozenset[Evidence]]) -> frozenset[frozenset[Evidence]]:
    return frozenset(one for one in sets if not any(other < one for other in sets))
