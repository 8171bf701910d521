"""Boxes of parameters in which a claim is true: the patient rule induction method, refined, and checked by resampling.

Peeling (Friedman and Fisher 1999, Stat Comput 9:123, doi 10.1023/A:1008894516817) takes from the box, again and again,
the twentieth of its draws whose loss raises its share of true ones most. Of the boxes on the way the one with the
largest F1 is kept, the harmonic mean of coverage (share of all true draws that are in it) and density (share of its
draws that are true). Its bounds are then moved one at a time to where F1 is largest, and bounds that a binomial test
does not need (Bryant and Lempert 2010, Technol Forecast Soc Change 77:34, doi 10.1016/j.techfore.2009.08.002) are
dropped.

Any labels have a best box. So the draws are halved: a box is sought in either half and tested in the other, where
nothing was chosen (Fisher's exact test). A box is reported when both tests show it; of labels without any box this has
a chance of about `ALPHA` squared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
PEELED = 0.05  # share of a box's draws that one step takes away
SMALLEST = 10  # draws of a box
NEEDED = 0.01  # p-value above which a bound is dropped
ALPHA = 0.05  # of the test in either half
FEWEST = 20  # true draws, and false ones, below which no box is sought
ROUNDS = 10


@dataclass(frozen=True)
class Box:
    """Bounds of some parameters: column -> (low, high), -inf or inf where one side is open."""

    bounds: dict[int, tuple[float, float]]

    def holds(self, x: Floats) -> Bools:
        """Which draws [n, parameters] are in the box."""
        inside = np.ones(len(x), dtype=bool)
        for column, (low, high) in self.bounds.items():
            inside &= (x[:, column] >= low) & (x[:, column] <= high)
        return inside

    def without(self, column: int) -> Box:
        """The box without the bounds of one parameter."""
        return Box({name: ends for name, ends in self.bounds.items() if name != column})


@dataclass(frozen=True)
class Found:
    """A box and what is known of it.

    Attributes
    ----------
    box
        Its bounds.
    mass
        Share of all draws that are in it.
    coverage, density, outside
        Share of the true draws that are in it; share of its draws that are true, and of the others.
    density_unseen
        The density of the boxes of the halves, in the half in which they were not sought.
    p
        Fisher's p in either half.
    """

    box: Box
    mass: float
    coverage: float
    density: float
    outside: float
    density_unseen: float
    p: tuple[float, float]


def seek(x: Floats, true: Bools, seed: int = 0) -> Found | None:
    """The box in which a claim is true, or None where resampling does not confirm one.

    Parameters
    ----------
    x
        Parameters [draws, parameters].
    true
        Whether the claim is true in each draw [draws].
    seed
        Of the halves.
    """
    if min(true.sum(), (~true).sum()) < FEWEST:
        return None
    order = generator(seed, "halves of the draws").permutation(len(x))
    halves = np.sort(order[::2]), np.sort(order[1::2])
    p, hits, inside_of = [], 0, 0
    for sought, kept in (halves, halves[::-1]):
        box = fit(x[sought], true[sought])
        inside, own = box.holds(x[kept]), true[kept]
        p.append(_fisher(inside, own) if box.bounds else 1.0)
        hits, inside_of = hits + int(own[inside].sum()), inside_of + int(inside.sum())
    if max(p) >= ALPHA:
        return None
    box = fit(x, true)
    inside = box.holds(x)
    if not box.bounds or inside.all():
        return None
    return Found(
        box, float(inside.mean()), float(true[inside].sum() / true.sum()), float(true[inside].mean()),
        float(true[~inside].mean()), hits / inside_of if inside_of else float("nan"), (p[0], p[1]),
    )  # fmt: skip


def fit(x: Floats, true: Bools) -> Box:
    """The box of the largest F1, without bounds that it does not need; without any where none is better than all."""
    if not true.any():
        return Box({})
    box = _refined(_peeled(x, true), x, true)
    while box.bounds:
        needless = {column: _needless(box, column, x, true) for column in box.bounds}
        worst = max(needless, key=lambda column: needless[column])
        if needless[worst] < NEEDED:
            return box
        box = _refined(box.without(worst), x, true)
    return box


def _f1(k: Any, n: Any, total: int) -> Floats:
    """2 k / (n + total): the harmonic mean of k/n and k/total."""
    return np.asarray(2.0 * np.asarray(k) / (np.asarray(n) + total))


def _peeled(x: Floats, true: Bools) -> Box:
    """The best box on the way of peeling."""
    ranks = np.argsort(np.argsort(x, axis=0), axis=0)
    total, inside = int(true.sum()), np.ones(len(x), dtype=bool)
    low, high = np.full(x.shape[1], -np.inf), np.full(x.shape[1], np.inf)
    best, best_f1 = (low.copy(), high.copy()), float(_f1(total, len(x), total))
    while (n := int(inside.sum())) > SMALLEST:
        cut = max(1, round(PEELED * n))
        own, labels = ranks[inside], true[inside]
        floor, roof = np.partition(own, [cut - 1, n - cut], axis=0)[[cut - 1, n - cut]]
        kept_of = [(own > floor), (own < roof)]
        means = np.array([_means(kept, labels) for kept in kept_of])
        side, column = np.unravel_index(int(means.argmax()), means.shape)
        places = np.flatnonzero(inside)
        inside[places[~kept_of[side][:, column]]] = False
        if not inside.any():
            break
        ends = x[inside, column]
        if side == 0:
            low[column] = ends.min()
        else:
            high[column] = ends.max()
        f1 = float(_f1(int(true[inside].sum()), int(inside.sum()), total))
        if f1 > best_f1:
            best, best_f1 = (low.copy(), high.copy()), f1
    return Box({
        column: (float(best[0][column]), float(best[1][column]))
        for column in range(x.shape[1])
        if np.isfinite(best[0][column]) or np.isfinite(best[1][column])
    })  # fmt: skip


def _means(kept: Bools, labels: Bools) -> Floats:
    """The share of true ones among what each parameter [draws, parameters] would keep; -1 where nothing is kept."""
    n = kept.sum(axis=0)
    return np.where(n > 0, (kept & labels[:, None]).sum(axis=0) / np.maximum(n, 1), -1.0)


def _refined(box: Box, x: Floats, true: Bools) -> Box:
    """Every bound moved to where F1 is largest, until none moves."""
    for _ in range(ROUNDS):
        before = box
        for column in list(box.bounds):
            box = _best_interval(box, column, x, true)
        if box == before:
            break
    return box


def _best_interval(box: Box, column: int, x: Floats, true: Bools) -> Box:
    """The box with both bounds of one parameter where F1 is largest, one after the other."""
    inside, total = box.without(column).holds(x), int(true.sum())
    order = np.argsort(x[inside, column], kind="stable")
    values, labels = x[inside, column][order], true[inside][order]
    low, high = box.bounds[column]
    if not len(values):
        return box
    seen = np.concatenate(([0], np.cumsum(labels)))
    for side in ("low", "high"):
        if side == "low":
            end = int(np.searchsorted(values, high, side="right"))
            starts = np.arange(end)
            if end:
                at = int(_f1(seen[end] - seen[starts], end - starts, total).argmax())
                low = -np.inf if at == 0 else float((values[at - 1] + values[at]) / 2)
        else:
            start = int(np.searchsorted(values, low, side="left"))
            ends = np.arange(start + 1, len(values) + 1)
            if len(ends):
                at = int(ends[int(_f1(seen[ends] - seen[start], ends - start, total).argmax())])
                high = np.inf if at == len(values) else float((values[at - 1] + values[at]) / 2)
    if np.isinf(low) and np.isinf(high):
        return box.without(column)
    return replace(box, bounds={**box.bounds, column: (low, high)})


def _needless(box: Box, column: int, x: Floats, true: Bools) -> float:
    """p of the box's density, if the bounds of this parameter did nothing: binomial, with the density without them."""
    from scipy.stats import binom

    inside, wider = box.holds(x), box.without(column).holds(x)
    n, k = int(inside.sum()), int(true[inside].sum())
    return float(binom.sf(k - 1, n, true[wider].mean())) if n else 1.0


def _fisher(inside: Bools, true: Bools) -> float:
    """One-sided: more of the draws inside are true."""
    from scipy.stats import fisher_exact

    table = [
        [int((inside == a).sum() and (true[inside == a] == b).sum()) for b in (True, False)] for a in (True, False)
    ]
    return float(fisher_exact(table, alternative="greater").pvalue)


def overlap(x: Floats, one: Box, other: Box) -> float:
    """Draws in both boxes over draws in any: the overlap by prior volume where x are draws of the prior."""
    first, second = one.holds(x), other.holds(x)
    return float((first & second).sum() / max(int((first | second).sum()), 1))


def words(box: Box, names: Sequence[str]) -> list[str]:
    """The bounds in words, one for each parameter.

    >>> words(Box({0: (40.0, float("inf")), 1: (0.1, 0.25)}), ["E", "fR"])
    ['E above 40', 'fR from 0.1 to 0.25']
    """
    said = []
    for column, (low, high) in sorted(box.bounds.items()):
        if np.isinf(high):
            said.append(f"{names[column]} above {low:.3g}")
        elif np.isinf(low):
            said.append(f"{names[column]} below {high:.3g}")
        else:
            said.append(f"{names[column]} from {low:.3g} to {high:.3g}")
    return said
