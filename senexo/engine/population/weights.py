"""Statistics of cells that represent several: means and quantiles over all that are represented."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from senexo.engine.population.model import Floats, Ints


def weighted_mean(values: Floats, weight: Ints | Floats) -> Floats:
    """The mean along the first axis, row i counted weight[i] times; with weights of 1 it is `values.mean(axis=0)`."""
    if (weight == 1).all():
        return np.asarray(values.mean(axis=0))
    return np.asarray(np.average(values, axis=0, weights=weight))


def weighted_quantiles(values: Floats, weight: Ints, at: Sequence[float]) -> Floats:
    """What `numpy.quantile` gives for the columns of values [n, q] with row i repeated weight[i] times: [at, q]."""
    if (weight == 1).all():
        return np.asarray(np.quantile(values, at, axis=0))
    total = int(weight.sum())
    place = np.asarray(at) * (total - 1)
    below = np.floor(place).astype(np.int64)
    share = place - below
    found = np.empty((len(place), values.shape[1]))
    for column in range(values.shape[1]):
        order = np.argsort(values[:, column], kind="stable")
        ranks = np.cumsum(weight[order])
        low, high = (
            values[order[np.searchsorted(ranks, np.minimum(rank, total - 1), side="right")], column]
            for rank in (below, below + 1)
        )
        found[:, column] = low + (high - low) * share
    return found
