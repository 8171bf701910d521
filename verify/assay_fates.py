"""Fates on 1,000 simulated sets each: intervals of incidences cover, tests over donors keep their level.

Exponential hazards of two fates; donors differ in level and in effect, and a third of the cells is lost from sight.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from senexo.assays import fates
from senexo.assays.stats.estimate import Estimate
from verify import Check
from verify._calibration import covers, keeps_level

TIME, HAZARDS = 24.0, (0.03, 0.015)


def main() -> list[Check]:
    return [*_coverage(), *_levels()]


def _coverage() -> Iterator[Check]:
    for n in (3, 4, 8):
        truth = _mean_incidence(1.0)
        yield covers(f"incidence, {n} donors", truth, lambda rng, n=n: _fraction(rng, n))
        change = _mean_incidence(0.5) - truth
        yield covers(f"difference of incidences, {n} donors", change, lambda rng, n=n: _difference(rng, n, 0.5)[0])


def _levels() -> Iterator[Check]:
    for n in (3, 4, 8):
        yield keeps_level(f"incidence, {n} donors", lambda rng, n=n: _difference(rng, n, 1.0)[0].p_value)
        yield keeps_level(f"log-rank over donors, {n} donors", lambda rng, n=n: _difference(rng, n, 1.0)[1])


def _mean_incidence(effect: float) -> float:
    """Over donors, by quadrature: F(t) = h1 / h (1 - exp(-h t)), the level of a donor lognormal with sd 0.3."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    first, second = HAZARDS[0] * effect * np.exp(0.3 * nodes), HAZARDS[1] * np.exp(0.3 * nodes)
    share = first / (first + second) * -np.expm1(-(first + second) * TIME)
    return float(weights @ share / weights.sum())


def _tracks(rng: np.random.Generator, n: int, arms: dict[str, float]) -> pd.DataFrame:
    parts = []
    for donor in range(n):
        level = np.exp(rng.normal(0.0, 0.3))
        for arm, effect in arms.items():
            rates = np.array([HAZARDS[0] * effect, HAZARDS[1]]) * level
            times, lost = rng.exponential(1.0 / rates[:, None], (2, 60)), np.minimum(rng.exponential(60.0, 60), 48.0)
            time, which = times.min(axis=0), times.argmin(axis=0)
            fate = np.where(time <= lost, np.array(["division", "death"])[which], "censored")
            time = np.maximum(np.minimum(time, lost), 1e-9)
            parts.append(pd.DataFrame({"arm": arm, "donor": donor, "cell": range(60), "time_h": time, "fate": fate}))
    return pd.concat(parts, ignore_index=True)


def _fraction(rng: np.random.Generator, n: int) -> Estimate:
    found = fates(_tracks(rng, n, {"a": 1.0}), time_h=TIME, cause="division").tables["fractions"].iloc[0]
    return Estimate(found["incidence"], found["low"], found["high"])


def _difference(rng: np.random.Generator, n: int, effect: float) -> tuple[Estimate, float]:
    table = _tracks(rng, n, {"a": effect, "b": 1.0})
    row = fates(table, time_h=TIME, cause="division", compare=("a", "b")).table.iloc[0]
    return Estimate(row["difference"], row["low"], row["high"], row["p_value"]), row["p_log_rank"]
