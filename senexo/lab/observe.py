"""Virtual measurements with their noise: stained cells that are counted, and threshold cycles.

Everything here is a measurement made on a well, so each reading has its own random numbers, keyed by what was
done to the well (never by what the arm is called), by donor, replicate and quantity.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from senexo.study.schema import Replicates

MOST_COPIES = 1e18  # what numpy's Poisson numbers reach


def stained(
    senescent: NDArray[np.bool_],
    alive: NDArray[np.bool_],
    noise: Replicates,
    rng: np.random.Generator,
    weight: NDArray[np.int64] | None = None,
) -> tuple[int, int]:
    """(positive, counted) cells of one SA-beta-gal reading; `noise` holds the numbers of the measurement.

    `cells_counted` cells are picked, with replacement, from the simulated cells that are alive: those stand for
    the far more cells of a real well. `weight`: of each cell, how many it represents (1 by default). A senescent
    cell stains with probability 1 - false negatives, any other with the false-positive probability. No cell alive:
    (0, 0).
    """
    living = senescent[alive]
    if not living.size:
        return 0, 0
    if weight is None:
        seen = living[rng.integers(0, living.size, noise.cells_counted)]
    else:
        ranks = np.cumsum(weight[alive])
        seen = living[np.searchsorted(ranks, rng.integers(0, ranks[-1], noise.cells_counted), side="right")]
    chance = np.where(seen, 1.0 - noise.false_negative, noise.false_positive)
    return int(np.count_nonzero(rng.random(seen.size) < chance)), int(seen.size)


def threshold_cycle(copies: float, noise: Replicates, rng: np.random.Generator) -> float:
    """The Ct of one reaction that starts from `copies` expected template molecules; nan when undetected.

    `copies` may be nan (a well without living cells: nothing to detect) or below 0 by a solver's rounding (0).
    N ~ Poisson(copies); Ct = Ct(one copy) - log N / log(1 + efficiency) + Normal(0, ct_sd). No template, or a
    Ct beyond the cut-off, is not detected (a censored value, not a zero).
    """
    template = int(rng.poisson(min(copies, MOST_COPIES))) if copies > 0 else 0
    error = rng.normal(0.0, noise.ct_sd)
    if template == 0:
        return math.nan
    ct = noise.ct_one_copy - math.log(template) / math.log1p(noise.efficiency) + error
    return ct if ct <= noise.ct_cutoff else math.nan
