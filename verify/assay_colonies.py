"""Colonies on 1,000 simulated sets each: surviving fractions cover, tests over donors keep their level.

Donors differ in level and in effect, dishes scatter more than counts do; down to 2 colonies a dish.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from senexo.assays import colonies
from senexo.assays.stats.estimate import Estimate
from verify import Check
from verify._calibration import covers, keeps_level

WORLDS = {
    "3 donors, 40 a dish": (3, 40.0, 0.3, 8.0), "4 donors, 10 a dish": (4, 10.0, 0.3, 4.0),
    "8 donors, 10 a dish": (8, 10.0, 0.3, 4.0), "5 donors, 2 a dish": (5, 2.0, 0.0, np.inf),
}  # fmt: skip


def main() -> list[Check]:
    return [*_coverage(), *_levels()]


def _coverage() -> Iterator[Check]:
    for name, world in WORLDS.items():
        yield covers(f"surviving fraction, {name}", np.log(0.4), lambda rng, w=world: _fraction(rng, 0.4, *w))


def _levels() -> Iterator[Check]:
    for name, world in WORLDS.items():
        yield keeps_level(f"surviving fraction, {name}", lambda rng, w=world: _fraction(rng, 1.0, *w).p_value)


def _fraction(rng: np.random.Generator, effect: float, n: int, mean: float, spread: float, theta: float) -> Estimate:
    """log ratio; three dishes for each donor and arm, the mean of the effect over donors being `effect`."""
    level = np.exp(rng.normal(0.0, 0.4, n))
    own = {"a": effect * np.exp(rng.normal(0.0, spread, n)), "b": np.ones(n)}
    parts = []
    for arm, factor in own.items():
        expected = np.repeat(mean * level * factor, 3)
        if np.isfinite(theta):
            expected = expected * rng.gamma(theta, 1.0 / theta, len(expected))
        columns = {"arm": arm, "donor": np.repeat(np.arange(n), 3), "replicate": np.tile(np.arange(3), n)}
        parts.append(pd.DataFrame({**columns, "colonies": rng.poisson(expected), "cells_plated": 1000}))
    row = colonies(pd.concat(parts, ignore_index=True), compare=("a", "b")).table.iloc[0]
    with np.errstate(divide="ignore"):
        low, high = np.log(row["low"]), np.log(row["high"])
    return Estimate(float(np.log(max(row["ratio"], 1e-12))), float(low), float(high), row["p_value"])
