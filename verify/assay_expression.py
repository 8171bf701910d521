"""Expression on simulated tables: intervals cover, tests keep their level, and so do Holm and Benjamini-Hochberg.

Intensities: 1,000 sets of 40 RNAs. Counts: a set takes a fifth of a second, so 1,000 sets of 24 RNAs for one design and
300 for the others. The first RNA of a set is the one that is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from senexo.assays import expression
from senexo.assays.stats.estimate import Estimate
from verify import Check
from verify._calibration import SEED, SETS, covers, error, keeps_level

FEW = 300
CHANGE = 1.0  # log2 fold of the first RNA where there is one


def main() -> list[Check]:
    return [*_intensities(), *_counts(), _any_target(), _any_discovery("intensities"), _any_discovery("counts")]


def _intensities() -> Iterator[Check]:
    for n in (3, 8):
        for design in ("unpaired", "paired"):

            def judged(rng: np.random.Generator, change: float, n: int = n, design: str = design) -> Estimate:
                return _first(_microarray(rng, n, design, change), design)

            yield covers(f"moderated t, intensities, {n} {design}", CHANGE, lambda rng, f=judged: f(rng, CHANGE))
            yield keeps_level(f"moderated t, intensities, {n} {design}", lambda rng, f=judged: f(rng, 0.0).p_value)


def _counts() -> Iterator[Check]:
    for n, design, sets in ((4, "paired", SETS), (3, "unpaired", FEW), (3, "paired", FEW), (10, "unpaired", FEW)):

        def judged(rng: np.random.Generator, change: float, n: int = n, design: str = design) -> Estimate:
            return _first(_library(rng, n, design, change), design, "counts")

        yield covers(f"negative binomial, counts, {n} {design}", CHANGE, lambda rng, f=judged: f(rng, CHANGE), sets)
        yield keeps_level(f"negative binomial, counts, {n} {design}", lambda rng, f=judged: f(rng, 0.0).p_value, sets)
    yield keeps_level("negative binomial, one RNA and its depth, 4 unpaired", _alone, FEW)


def _any_target() -> Check:
    """Six RNAs named in advance, none of which differs: one verdict other than "nothing" at most in 5 % of sets."""
    rng, wrong = np.random.default_rng([SEED, 5]), 0
    for _ in range(SETS):
        found = expression(_microarray(rng, 5, "paired", 0.0), target=[f"r{i}" for i in range(6)], **_options("paired"))
        told = [finding.verdict for finding in found.findings if finding.id.startswith("fold:")]
        wrong += any(verdict not in ("absent", "not shown") for verdict in told)
    bar = 0.05 + error(SETS)
    return Check("level: Holm over six RNAs", wrong / SETS, bar, wrong / SETS <= bar, f"{SETS} sets, seed {SEED}")


def _any_discovery(kind: str) -> Check:
    """No RNA differs: any discovery at a false discovery rate of 5 % is a false one, in at most 5 % of sets."""
    rng, wrong, sets = np.random.default_rng([SEED, 6]), 0, SETS if kind == "intensities" else FEW
    for _ in range(sets):
        table = _microarray(rng, 4, "unpaired", 0.0) if kind == "intensities" else _library(rng, 4, "unpaired", 0.0)
        found = expression(table, **_options("unpaired", kind))
        wrong += bool((found.table["p_bh"] < 0.05).any())
    bar = 0.05 + error(sets)
    return Check(f"level: any discovery, {kind}", wrong / sets, bar, wrong / sets <= bar, f"{sets} sets, seed {SEED}")


def _options(design: str, kind: str = "intensities") -> dict[str, Any]:
    donor = "donor" if design == "paired" else None
    return {"group": "group", "control": "a", "kind": kind, "design": design, "donor": donor, "features": "r*"}


def _first(table: pd.DataFrame, design: str, kind: str = "intensities") -> Estimate:
    """The log2 fold of the first RNA; where its p is withheld, neither a miss nor a rejection."""
    found = expression(table, target="r0", **_options(design, kind)).table
    row = found[found["feature"] == "r0"].iloc[0]
    if np.isnan(row["p_value"]):
        return Estimate(np.nan, -np.inf, np.inf, 1.0)
    return Estimate(row["log2_fold"], row["log2_low"], row["log2_high"], row["p_value"])


def _frame(values: np.ndarray, n: int, design: str) -> pd.DataFrame:
    table = pd.DataFrame(values, columns=[f"r{i}" for i in range(values.shape[1])])
    table["group"] = ["a"] * n + ["b"] * n
    return table.assign(donor=[f"d{i}" for i in [*range(n), *range(n)]]) if design == "paired" else table


def _microarray(rng: np.random.Generator, n: int, design: str, change: float) -> pd.DataFrame:
    """Variances of RNAs scattered as an inverse chi-squared (5); paired donors have a level of their own."""
    sd = np.sqrt(0.25 * 5.0 / rng.chisquare(5.0, 40))
    values = rng.normal(8.0, 1.0, 40) + rng.normal(0.0, 1.0, (2 * n, 40)) * sd
    if design == "paired":
        values += np.tile(rng.normal(0.0, 1.0, (n, 40)), (2, 1))
    values[n:, 0] += change
    return _frame(values, n, design)


def _library(rng: np.random.Generator, n: int, design: str, change: float) -> pd.DataFrame:
    """Negative binomial reads of 24 RNAs, depths that differ, dispersions scattered around a trend."""
    level = np.exp(rng.uniform(3.0, 8.0, 24))
    size = 1.0 / ((0.1 + 2.0 / level) * rng.lognormal(0.0, 0.4, 24))
    mean = level * rng.lognormal(0.0, 0.3, (2 * n, 1))
    if design == "paired":
        mean = mean * np.tile(rng.lognormal(0.0, 0.6, (n, 24)), (2, 1))
    mean[n:, 0] *= 2.0**change
    return _frame(rng.negative_binomial(size, size / (size + mean)), n, design)


def _alone(rng: np.random.Generator) -> float:
    depth = rng.lognormal(0.0, 0.3, 8)
    table = _frame(rng.negative_binomial(6.0, 6.0 / (6.0 + 200.0 * depth))[:, None], 4, "unpaired")
    found = expression(table.assign(total=1e6 * depth), depth="total", **_options("unpaired", "counts")).table
    return float(found["p_value"].fillna(1.0).iloc[0])
