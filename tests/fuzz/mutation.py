"""A small mutation engine, for where no coverage-guided one is installed, and for the run in every test."""

import random
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from tests.fuzz.targets import Target

__all__ = ["Finding", "fuzz", "inputs"]

MAX_INPUT: Final = 8192
MOST_CHANGES: Final = 6
EDGES: Final = (0, 1, 0x0A, 0x20, 0x7F, 0x80, 0xFE, 0xFF)
WIDTHS: Final = (2, 4, 8)


class Finding(AssertionError):
    """A target let out an error that its parser does not document."""

    def __init__(self, name: str, data: bytes, seed: int) -> None:
        super().__init__(f"{name} broke on {data.hex()} (seed {seed})")
        self.data = data


def fuzz(target: Target, *, seed: int, most: int | None = None, seconds: float = float("inf")) -> int:
    """Run mutants until ``most`` of them ran or the time is over; return how many. Raises `Finding`."""
    end = time.monotonic() + seconds
    done = 0
    for data in inputs(target.seeds, seed):
        if done == most or time.monotonic() >= end:
            break
        try:
            target(data)
        except Exception as error:
            raise Finding(target.name, data, seed) from error
        done += 1
    return done


def inputs(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Yield the seeds, each cut short at every place, then mutants of them for ever."""
    rng = random.Random(seed)
    yield b""
    for whole in seeds:
        yield whole
        places = range(len(whole))
        yield from (whole[:place] for place in sorted(rng.sample(places, min(len(whole), 24))))
    pool = [*seeds, bytes(8)]
    for _ in count():
        yield _mutant(bytearray(rng.choice(pool)), pool, rng)


def _mutant(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, MOST_CHANGES)):
        rng.choice(_CHANGES)(data, pool, rng)
    return bytes(data[:MAX_INPUT])


def _place(data: bytearray, rng: random.Random) -> int:
    return rng.randrange(len(data) + 1)


def _flip_bit(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set_byte(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((*EDGES, rng.randrange(256)))


def _set_number(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> None:
    width = rng.choice(WIDTHS)
    value = rng.choice((0, 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), rng.getrandbits(8 * width)))
    place = _place(data, rng)
    data[place : place + width] = value.to_bytes(width, rng.choice(("big", "little")))


def _insert(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> None:
    place = _place(data, rng)
    data[place:place] = rng.randbytes(rng.randint(1, 8))


def _repeat(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> None:
    start = _place(data, rng)
    piece = data[start : start + rng.randint(1, 32)]
    data[start:start] = piece * rng.choice((1, 2, 8, 64, 4096))


def _delete(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> None:
    start = _place(data, rng)
    del data[start : start + rng.randint(1, 16)]


def _cut(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> None:
    del data[_place(data, rng) :]


def _cross(data: bytearray, pool: Sequence[bytes], rng: random.Random) -> None:
    other = rng.choice(pool)
    start = rng.randrange(len(other) + 1)
    data[_place(data, rng) :] = other[start:]


_CHANGES: Final = (_flip_bit, _set_byte, _set_number, _insert, _repeat, _delete, _cut, _cross)
