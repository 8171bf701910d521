"""The master equation on a box of states, and moments from it: written for the oracles alone, without senexo.

dp/dt = Q p is carried from one output time to the next by scipy's action of the matrix exponential. What leaves the box
is counted, and has to be less than `LOST` of all probability.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import expm_multiply

Floats = NDArray[np.float64]
Rate = Callable[..., Floats | float]
LOST = 1e-10


@dataclass(frozen=True)
class Master:
    """states: number of states of each species, 0 counted; start: counts; reactions: (change, rate of the counts).

    jumps: (time, counts -> counts) at fixed times; caught: (condition, counts -> counts) at the moment in which a
    reaction makes the condition true; later: (time, reactions) that hold from then on.
    """

    states: tuple[int, ...]
    start: tuple[int, ...]
    reactions: Sequence[tuple[tuple[int, ...], Rate]]
    jumps: Sequence[tuple[float, Callable[..., tuple[NDArray[np.int64], ...]]]] = ()
    caught: tuple[Callable[..., NDArray[np.bool_]], Callable[..., tuple[NDArray[np.int64], ...]]] | None = None
    later: Sequence[tuple[float, Sequence[tuple[tuple[int, ...], Rate]]]] = ()

    def moments(self, times: Floats) -> tuple[Floats, Floats]:
        """[species, n_times] means and standard deviations."""
        counts = np.indices(self.states).reshape(len(self.states), -1)
        p = np.zeros(counts.shape[1])
        p[np.ravel_multi_index(self.start, self.states)] = 1.0
        moments, now, reactions = [], 0.0, self.reactions
        generator = self._generator(counts, reactions)
        changes = [(t, "jump", what) for t, what in self.jumps] + [(t, "rates", what) for t, what in self.later]
        for until, kind, what in sorted([*changes, *((t, "look", None) for t in times)], key=lambda c: (c[0], c[1])):
            if until > now:
                p, now = expm_multiply(generator * (until - now), p), until
            if kind == "jump":
                p = self._moved(p, counts, what)
            elif kind == "rates":
                generator = self._generator(counts, what)
            else:
                mean = counts @ p
                moments.append((mean, np.sqrt(np.maximum(counts**2 @ p - mean**2, 0.0))))
        if abs(p.sum() - 1.0) > LOST:
            raise ValueError(f"{1.0 - p.sum():.3g} of the probability left the box {self.states}")
        mean, deviation = (np.array(column).T for column in zip(*moments, strict=True))
        return mean, deviation

    def _generator(self, counts: NDArray[np.int64], reactions: Sequence[tuple[tuple[int, ...], Rate]]) -> coo_matrix:
        n = counts.shape[1]
        rows, columns, values, out = [], [], [], np.zeros(n)
        for change, rate in reactions:
            speed = np.broadcast_to(np.asarray(rate(*counts), dtype=float), (n,))
            target = counts + np.array(change)[:, None]
            if self.caught is not None:
                condition, to = self.caught
                target = np.where(condition(*target), np.array(np.broadcast_arrays(*to(*target))), target)
            inside = np.all((target >= 0) & (target < np.array(self.states)[:, None]), axis=0) & (speed > 0)
            out += speed
            rows.append(np.ravel_multi_index(tuple(target[:, inside]), self.states))
            columns.append(np.flatnonzero(inside))
            values.append(speed[inside])
        everything = np.arange(n)
        return coo_matrix(
            (
                np.concatenate([*values, -out]),
                (np.concatenate([*rows, everything]), np.concatenate([*columns, everything])),
            ),
            shape=(n, n),
        ).tocsc()

    def _moved(self, p: Floats, counts: NDArray[np.int64], to: Callable[..., tuple[NDArray[np.int64], ...]]) -> Floats:
        moved = np.zeros_like(p)
        target = tuple(np.broadcast_arrays(*to(*counts)))
        inside = np.all([(t >= 0) & (t < n) for t, n in zip(target, self.states, strict=True)], axis=0)
        np.add.at(moved, np.ravel_multi_index(tuple(t[inside] for t in target), self.states), p[inside])
        return moved
