"""Mutated files: a documented error, or exactly what was there; never a crash."""

import gzip
import hashlib
import random
from collections.abc import Iterator

import numpy as np
import pytest
from mirrors import NAMES, idx
from small_runs import make

from fmnist_utils.audit.records import Record
from fmnist_utils.data import DataError, IdxFile, read_idx
from fmnist_utils.text import UserError
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

COUNTS = pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.nightly)])


def mutants(content: bytes, count: int, words: list[bytes]) -> Iterator[bytes]:
    """Yield altered copies: bits, bytes and runs of bytes removed, doubled, moved or replaced."""
    rng = random.Random(0)
    for _ in range(count):
        mutant = bytearray(content)
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            place, length = rng.randrange(len(mutant) or 1), rng.choice([1, 1, 2, 4, 30])
            kind = rng.randrange(7)
            if kind == 0 and mutant:
                mutant[place] ^= 1 << rng.randrange(8)
            elif kind == 1 and mutant:
                mutant[place] = rng.randrange(256)
            elif kind == 2:
                del mutant[place : place + length]
            elif kind == 3:
                mutant[place:place] = mutant[place : place + length]
            elif kind == 4:
                mutant[place : place + length] = rng.randbytes(length)
            elif kind == 5:
                mutant[place : place + rng.choice([0, length])] = rng.choice(words)
            else:
                del mutant[place:]
        yield bytes(mutant)


@COUNTS
@pytest.mark.parametrize("packed", [True, False])
def test_no_changed_pixel_is_taken_and_nothing_crashes(tmp_path, count, packed):
    array = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    path, unpacked = tmp_path / NAMES[0], gzip.decompress(idx(array))
    expected = IdxFile(array.shape, hashlib.sha256(unpacked).hexdigest())
    words, refused = [b"\x1f\x8b", b"\0\0\x08\x03", b"\0" * 9], 0
    for mutant in mutants(idx(array) if packed else unpacked, count, words):
        path.write_bytes(mutant)
        try:
            assert np.array_equal(read_idx(path, expected), array)
        except DataError:
            refused += 1
    assert refused > count / 2


@COUNTS
def test_no_changed_record_is_taken_and_nothing_crashes(tmp_path, count):
    run = train(make(), store=RunStore(tmp_path))
    words = [
        b"NaN",
        b"Infinity",
        b"1e999",
        b"null",
        b"true",
        b"[",
        b"{",
        b'"',
        b"-",
        b"\xff",
        b"\\ud800",
        b"0.5",
        b" ",
        b"\n",
    ]
    refused = 0
    for mutant in mutants(run.path.read_bytes(), count, words):
        run.path.write_bytes(mutant)
        try:
            assert Record.read(run.path) == run.record
        except UserError:
            refused += 1
    assert refused > count / 2
