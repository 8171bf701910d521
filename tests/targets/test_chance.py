"""The chance level against enumeration, the formula for independent bases, and shuffled sequences."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from senexo.targets.chance import chance, composition, shuffled, uniform, words
from senexo.targets.rna import MIR34

MIR34C = MIR34[2]


@pytest.mark.parametrize(("sites", "at_least"), [(("ACA",), 1), (("ACA",), 2), (("AC", "CA"), 2), (("AA",), 3)])
def test_equals_enumeration_of_all_sequences(sites: tuple[str, ...], at_least: int) -> None:
    """All 4^7 sequences with their probabilities under a chain that prefers some neighbours."""
    base = composition("ACACACGUUUGACA" * 5)
    total = 0.0
    for letters in product(range(4), repeat=7):
        text = "".join("ACGU"[k] for k in letters)
        ends = sum(any(text[:k].endswith(word) for word in sites) for k in range(1, 8))
        if ends >= at_least:
            p = base.start[letters[0]]
            for first, second in pairwise(letters):
                p *= base.step[first, second]
            total += p
    assert chance(sites, 7, base, at_least=at_least) == pytest.approx(total, rel=1e-12)


def test_a_7mer_in_the_length_of_RAB27B() -> None:
    """6.4 kb: 0.50 with even bases, 0.30 at 38 % GC (independent bases, two 7mers that overlap in the 8mer)."""
    sites = words(MIR34C, "7mer-A1")
    for gc, expected in ((0.5, 0.50), (0.38, 0.30)):
        p = {"A": (1 - gc) / 2, "U": (1 - gc) / 2, "C": gc / 2, "G": gc / 2}
        each = [np.prod([p[base] for base in word]) for word in (*sites, sites[0] + "A")]
        poisson = 1 - np.exp(-6394 * (each[0] + each[1] - each[2]))
        assert chance(sites, 6400, uniform(gc)) == pytest.approx(poisson, rel=2e-3)
        assert chance(sites, 6400, uniform(gc)) == pytest.approx(expected, abs=0.01)


def test_agrees_with_shuffles_that_keep_the_dinucleotides() -> None:
    """400 shuffles of one skewed sequence; two-sided binomial test, false alarm 1e-4 (seed fixed)."""
    rng = np.random.default_rng(7)
    base = composition("CACUGCAGUGCCAUUUACACUGAAAU" * 3)
    state, letters = 0, []
    for _ in range(1500):
        state = rng.choice(4, p=base.step[state])
        letters.append("ACGU"[state])
    sequence = "".join(letters)
    sites = words(MIR34C, "6mer")
    hits = sum(any(word in text for word in sites) for text in (shuffled(sequence, rng) for _ in range(400)))
    p = chance(sites, len(sequence), composition(sequence))
    assert 0.05 < p < 0.95
    assert stats.binomtest(hits, 400, p).pvalue > 1e-4


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ACGU", min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_a_shuffle_keeps_every_dinucleotide_and_the_ends(sequence: str, seed: int) -> None:
    other = shuffled(sequence, np.random.default_rng(seed))
    assert Counter(pairwise(other)) == Counter(pairwise(sequence))
    assert (other[0], other[-1], len(other)) == (sequence[0], sequence[-1], len(sequence))


def test_shuffles_are_uniform_over_all_orders() -> None:
    """ACAGACUA has a handful of orders with its dinucleotides; 6,000 draws, chi-square, false alarm 1e-3."""
    rng, sequence = np.random.default_rng(11), "AACAGACUA"
    counts = Counter(shuffled(sequence, rng) for _ in range(6000))
    same = {
        text
        for middle in set(map("".join, product("ACGU", repeat=7)))
        if Counter(pairwise(text := f"A{middle}A")) == Counter(pairwise(sequence))
    }
    assert set(counts) == same
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_better_types_are_rarer() -> None:
    base = composition("ACGUUGCAAUUCG" * 40)
    p = [
        chance(words(MIR34C, kind), 1000, base) for kind in ("8mer", "7mer-m8", "7mer-A1", "6mer", "6mer-m8", "6mer-A1")
    ]
    assert p == sorted(p)
    assert chance(words(MIR34C, "6mer"), 0, base) == 0.0
