"""Streams: published vectors, ranges, independence. Seeds are fixed; stated false-alarm rates are for a fresh seed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from senexo.base.streams import MASK, derive, generator, threefry, uniforms

PI = ((0xA4093822299F31D0, 0x082EFA98EC4E6C89), (0x243F6A8885A308D3, 0x13198A2E03707344))
# Random123's kat_vectors: rounds, key, counter, result
KNOWN = [
    (13, (0, 0), (0, 0), (0xF167B032C3B480BD, 0xE91F9FEE4B7A6FB5)),
    (13, (MASK, MASK), (MASK, MASK), (0xCCDEC5C917A874B1, 0x4DF53ABCA26CEB01)),
    (13, *PI, (0xC3AAC71561042993, 0x3FE7AE8801AFF316)),
    (20, (0, 0), (0, 0), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
    (20, (MASK, MASK), (MASK, MASK), (0xE02CB7C4D95D277A, 0xD06633D0893B8B68)),
    (20, *PI, (0x263C7D30BB0F0AF1, 0x56BE8361D3311526)),
]


@pytest.mark.parametrize(("rounds", "key", "counter", "result"), KNOWN)
def test_published_vectors(rounds: int, key: tuple, counter: tuple, result: tuple) -> None:
    assert threefry(key, counter, rounds) == result


def test_arrays_and_ints_agree() -> None:
    key = derive(3, "x")
    a, b = uniforms(key, 5, first=10)
    x, y = threefry(key, (12, 0))
    assert a[2] == ((x >> 11) + 1) / 2**53
    assert b[2] == (y >> 11) / 2**53


def test_words_are_told_apart() -> None:
    words = [(), (0,), (1,), ("",), ("0",), ("1",), (0, 0), (0, 1), (1, 0), ("a", "b"), ("ab",), ("b", "a"), ("a", 1)]
    keys = {derive(seed, *w) for seed in (0, 1, 2**64, 2**127) for w in words}
    assert len(keys) == 4 * len(words)


def test_a_stream_is_not_a_derived_key() -> None:
    """The n-th block of a stream must not be the key of the word n."""
    key = derive(1, "a")
    assert threefry(key, (5, 0)) != derive(1, "a", 5)


@pytest.mark.parametrize("bad", [(-1,), (1 << 128,), (0, -1), (0, 1 << 64)])
def test_out_of_range(bad: tuple) -> None:
    with pytest.raises(ValueError, match="whole number"):
        derive(*bad)


def test_generator_repeats() -> None:
    assert generator(1, "donor", 2).integers(1 << 62) == generator(1, "donor", 2).integers(1 << 62)
    assert generator(1, "donor", 2).integers(1 << 62) != generator(1, "donor", 3).integers(1 << 62)


def test_ends_of_the_range() -> None:
    a, b = uniforms(derive(2, "range"), 200_000)
    assert 0.0 < a.min() < 1e-4
    assert 1.0 - 1e-4 < a.max() <= 1.0
    assert 0.0 <= b.min() < 1e-4
    assert 1.0 - 1e-4 < b.max() < 1.0


def test_uniform_within_streams() -> None:
    """Kolmogorov-Smirnov on both words and on the low bits: false-alarm rate 3e-6."""
    a, b = uniforms(derive(4, "ks"), 200_000)
    for sample in (a, b, (b * 2**20) % 1.0):
        assert stats.kstest(sample, "uniform").pvalue > 1e-6


def test_uniform_and_uncorrelated_across_streams() -> None:
    """First draws of 10,000 neighbouring runs: uniform, serially and mutually uncorrelated (false alarm 5e-6)."""
    first = np.array([[*np.ravel(uniforms(derive(5, "run", run), 2))] for run in range(10_000)])
    for column in first.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-6
    n = len(first)
    z = stats.norm.isf(0.5e-6 / 10)
    assert np.all(np.abs(np.corrcoef(first.T)[np.triu_indices(4, 1)]) < z / np.sqrt(n))
    for column in first.T:
        assert abs(np.corrcoef(column[:-1], column[1:])[0, 1]) < z / np.sqrt(n)


def test_numba_is_not_needed() -> None:
    code = "import sys, senexo.base.streams; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
