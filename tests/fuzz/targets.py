"""The fuzz targets: every parser of bytes that a stranger can send, by name.

A package's targets stand in an ``area_<package>.py`` beside this file, each a function that takes
bytes and lets nothing out but the errors that its parser documents. `load` finds the areas itself.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorstep.errors import PeerError, RefusedError

__all__ = ["TARGETS", "Target", "load", "stored_vectors", "target"]

Fuzzed = Callable[[bytes], object]
TARGETS: dict[str, "Target"] = {}
_VECTORS = Path(__file__).parents[2] / "vectors"
_FOUND = Path(__file__).parent / "found"


@dataclass(frozen=True, slots=True)
class Target:
    """One parser; ``seeds`` are good inputs to start from, ``allowed`` the errors it may end with."""

    name: str
    function: Fuzzed
    seeds: tuple[bytes, ...]
    allowed: tuple[type[Exception], ...]

    def __call__(self, data: bytes) -> bool:
        """Run on ``data``; return whether it was taken. Any other error than the allowed comes out."""
        try:
            self.function(data)
        except self.allowed:
            return False
        return True

    def found(self) -> list[bytes]:
        """Return the inputs that once broke it."""
        return [file.read_bytes() for file in sorted((_FOUND / self.name).glob("*"))]


def target(
    name: str,
    seeds: Iterable[bytes],
    *,
    allowed: tuple[type[Exception], ...] = (PeerError, RefusedError),
) -> Callable[[Fuzzed], Fuzzed]:
    """Register a function as the fuzz target ``name``."""

    def register(function: Fuzzed) -> Fuzzed:
        assert name not in TARGETS, f"two fuzz targets are called {name}"
        TARGETS[name] = Target(name, function, tuple(seeds), allowed)
        return function

    return register


def load() -> dict[str, Target]:
    """Import every area and return the targets."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("area_"):
            importlib.import_module(f"{__package__}.{module.name}")
    return TARGETS


def stored_vectors(file: str, *keys: str) -> list[bytes]:
    """Return what the vectors hold in hexadecimal under these keys, wherever they stand."""
    document = json.loads((_VECTORS / file).read_text(encoding="utf-8"))
    return list(_walk(document, frozenset(keys)))


def _walk(node: Any, keys: frozenset[str]) -> Iterator[bytes]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, keys)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in keys and isinstance(value, str):
                yield bytes.fromhex(value)
            else:
                yield from _walk(value, keys)
