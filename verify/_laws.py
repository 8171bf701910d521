"""Tools for exact laws: chi-square of counts, and master equations on a box of states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats
from scipy.sparse.linalg import expm_multiply

from senexo.engine.formula.network import Lowered
from verify._problems import lowered

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Reaction = tuple[tuple[int, ...], Callable[..., NDArray[np.float64]]]


@cache
def network(antimony: str) -> Lowered:
    """The body of one Antimony model, lowered."""
    return lowered(f"model m()\n{antimony}\nend\n")


def groups(expected: Floats, least: float) -> Ints:
    """A number for each place such that places with the same number expect at least `least` / 2 together.

    In order of size, a place goes by how much is expected before it: places that expect `least` stay by themselves.
    """
    order = np.argsort(expected, kind="stable")
    before = np.cumsum(expected[order]) - expected[order]
    found = np.empty(len(expected), dtype=np.int64)
    found[order] = np.unique(np.floor(before / least), return_inverse=True)[1]
    return found


def table(counts: Sequence[Ints], sizes: tuple[int, ...]) -> Floats:
    """How often each state of a box is met, flat; last, what is outside of it."""
    inside = np.all([(c >= 0) & (c < size) for c, size in zip(counts, sizes, strict=True)], axis=0)
    places = np.ravel_multi_index([c[inside] for c in counts], sizes)
    return np.append(np.bincount(places, minlength=int(np.prod(sizes))), np.sum(~inside)).astype(float)


def chi_square(counts: Sequence[Ints], probabilities: Floats) -> tuple[float, int]:
    """Pearson's statistic of counts [draws] of one or more species against their joint law, and degrees of freedom."""
    observed = table(counts, probabilities.shape)
    expected = np.append(probabilities.ravel(), max(0.0, 1.0 - probabilities.sum())) * len(counts[0])
    group = groups(expected, 10.0)
    seen, due = np.bincount(group, observed), np.bincount(group, expected)
    return float(np.sum((seen - due) ** 2 / due)), len(due) - 1


def fits(counts: Sequence[Ints], probabilities: Floats) -> float:
    """p-value of `chi_square`."""
    return float(stats.chi2.sf(*chi_square(counts, probabilities)))


def alike(one: Sequence[Ints], other: Sequence[Ints]) -> float:
    """p-value of the chi-square of two samples with one law."""
    sizes = tuple(int(max(a.max(), b.max())) + 1 for a, b in zip(one, other, strict=True))
    both = np.array([table(one, sizes), table(other, sizes)])
    group = groups(both.sum(axis=0), 20.0)
    seen = np.array([np.bincount(group, row) for row in both])
    return float(stats.chi2_contingency(seen, correction=False).pvalue)


def clones_fit(clone: Ints, counts: Sequence[Ints], clones: int, expected: Floats) -> float:
    """p-value of how many cells of a clone are in each state; cells of one clone may depend on each other.

    clone, counts: of each cell; expected: cells of a clone in each state, on average. Wald's statistic: clones are
    independent, so the mean over them is nearly normal, with their own covariance. Every place expects 500 cells.
    """
    flat = np.append(expected.ravel(), 0.0)
    group = groups(flat * clones, 1000.0)
    sizes = expected.shape
    inside = np.all([c < size for c, size in zip(counts, sizes, strict=True)], axis=0)
    state = np.full(len(clone), len(flat) - 1)
    state[inside] = np.ravel_multi_index([c[inside] for c in counts], sizes)
    law = np.bincount(group, flat)
    found = sparse.csr_matrix((np.ones(len(clone)), (clone, group[state])), shape=(clones, len(law)))
    mean = np.asarray(found.mean(axis=0)).ravel()
    covariance = (found.T @ found).toarray() / clones - np.outer(mean, mean)
    gap = mean - law
    return float(stats.chi2.sf(clones * gap @ np.linalg.solve(covariance, gap), len(law)))


def zero_mean(per_clone: Floats) -> float:
    """p-value of independent values having the mean 0."""
    z = per_clone.mean() / (per_clone.std(ddof=1) / np.sqrt(len(per_clone)))
    return float(2.0 * stats.norm.sf(abs(z)))


def expectation(
    sizes: tuple[int, ...],
    start: tuple[int, ...],
    reactions: Sequence[Reaction],
    time: float,
    gain: Callable[..., NDArray[np.float64]] | None = None,
) -> Floats:
    """exp((A + diag(gain)) t) on `start`, over a box of states; what leaves the box is lost.

    reactions: (change of each count, propensity as a function of the counts, arrays over the box) make the generator
    A. Without `gain` this is finite state projection (Munsky & Khammash 2006, doi 10.1063/1.2145882): probabilities
    that are too small by no more, in all, than what is lost. With it, states also multiply.
    """
    counts = np.indices(sizes)
    places = np.arange(counts[0].size).reshape(sizes)
    rows, columns, entries = [], [], []
    leaving = np.zeros(counts[0].size)
    for change, propensity in reactions:
        rate = np.broadcast_to(propensity(*counts), sizes).astype(float)
        target = counts + np.reshape(change, (-1, *[1] * len(sizes)))
        inside = np.all([(axis >= 0) & (axis < size) for axis, size in zip(target, sizes, strict=True)], axis=0)
        inside &= rate != 0.0
        rows.append(places[tuple(axis[inside] for axis in target)])
        columns.append(places[inside])
        entries.append(rate[inside])
        leaving += rate.ravel()
    if gain is not None:
        leaving -= np.broadcast_to(gain(*counts), sizes).ravel()
    whole = (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns)))
    matrix = sparse.csr_matrix(whole, shape=(len(leaving), len(leaving))) - sparse.diags(leaving)
    begin = np.zeros(len(leaving))
    begin[places[start]] = 1.0
    return np.maximum(expm_multiply(matrix.tocsr() * time, begin), 0.0).reshape(sizes)


def projection(
    sizes: tuple[int, ...], start: tuple[int, ...], reactions: Sequence[Reaction], time: float, lost: float = 1e-9
) -> Floats:
    """Probabilities over a box of states that less than `lost` leaves."""
    found = expectation(sizes, start, reactions, time)
    assert 1.0 - found.sum() < lost, "the box is too small"
    return found


def halving(size: int, axis: int, axes: int, rate: Callable[..., NDArray[np.float64]]) -> list[Reaction]:
    """A division of the state at `rate`: of n copies on one axis, one daughter has Binomial(n, 1/2)."""

    def lose(copies: int) -> Reaction:
        change = tuple(-copies if place == axis else 0 for place in range(axes))
        return change, lambda *n: rate(*n) * stats.binom.pmf(copies, n[axis], 0.5)

    return [lose(copies) for copies in range(1, size)]
