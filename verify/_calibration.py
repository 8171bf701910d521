"""Bench statistics on simulated sets: do 95 % intervals cover, do tests at 5 % keep their level?

The bar is the simulation error: three standard errors of the share of sets. Fresh seeds can be had with the
environment variable SENEXO_SEED; the seed used is printed with each check.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from senexo.assays.stats.estimate import Estimate
from verify import Check

SETS = 1000
SEED = int(os.environ.get("SENEXO_SEED", "20180515"))


def error(sets: int) -> float:
    """Three standard errors of a share of 5 %."""
    return float(3.0 * np.sqrt(0.05 * 0.95 / sets))


def covers(
    name: str, truth: float, draw: Callable[[np.random.Generator], Estimate], sets: int = SETS, nominal: float = 0.95
) -> Check:
    """Share of sets whose interval holds the truth."""
    rng = np.random.default_rng([SEED, *name.encode()])
    inside = sum(estimate.low <= truth <= estimate.high for estimate in (draw(rng) for _ in range(sets)))
    bar = nominal - error(sets)
    return Check(f"covers: {name}", inside / sets, bar, inside / sets >= bar, f"{sets} sets, seed {SEED}", ">=")


def keeps_level(name: str, draw: Callable[[np.random.Generator], float], sets: int = SETS) -> Check:
    """Share of sets without any effect in which the test says p < 0.05."""
    rng = np.random.default_rng([SEED, *name.encode()])
    share = sum(draw(rng) < 0.05 for _ in range(sets)) / sets
    bar = 0.05 + error(sets)
    return Check(f"level: {name}", share, bar, share <= bar, f"{sets} sets, seed {SEED}")
