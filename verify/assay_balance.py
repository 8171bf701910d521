"""The balance on 1,000 simulated sets each: Fieller's interval covers, and a verdict is seldom wrong.

Donors differ in level and in what is lost; wells are measured with an error of 6 %.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from senexo.assays import balance
from senexo.assays.stats.estimate import Estimate
from verify import Check
from verify._calibration import SEED, SETS, covers, error, keeps_level


def main() -> list[Check]:
    return [*_coverage(), *_levels(), *_verdicts()]


def _coverage() -> Iterator[Check]:
    for n in (3, 5, 8):
        for arrives in (0.65, 0.1):
            name = f"transfer index {arrives:g}, {n} donors"
            yield covers(name, arrives, lambda rng, n=n, a=arrives: _index(_answer(rng, n, 0.4, a)))


def _levels() -> Iterator[Check]:
    for n in (3, 5, 8):
        yield keeps_level(f"gain, {n} donors", lambda rng, n=n: float(_answer(rng, n, 0.4, 0.0)["p_gain"]))
        yield keeps_level(f"loss, {n} donors", lambda rng, n=n: float(_answer(rng, n, 0.0, 0.0)["p_loss"]))


def _verdicts() -> Iterator[Check]:
    """Share of sets in which transfer is claimed though nothing arrives, or denied though two thirds do."""
    for name, arrives, wrong in (
        ("transfer where nothing arrives", 0.0, "transfer"),
        ("no transfer where two thirds arrive", 0.65, "loss without transfer"),
    ):
        rng = np.random.default_rng([SEED, *name.encode()])
        share = sum(_answer(rng, 5, 0.4, arrives)["verdict"] == wrong for _ in range(SETS)) / SETS
        bar = 0.05 + error(SETS)
        yield Check(f"wrong verdict: {name}", share, bar, share <= bar, f"{SETS} sets, seed {SEED}")


def _answer(rng: np.random.Generator, n: int, lost: float, arrives: float) -> pd.Series:
    """Loss and gain are normal over donors, as Fieller supposes; their means are `lost` and `lost` x `arrives`."""
    loss = rng.normal(lost, 0.04, n)
    gain = lost * arrives + 0.8 * arrives * (loss - lost) + rng.normal(0.0, 0.02, n)
    level = np.ones(n)
    parts = []
    for arm, moved in (("together", True), ("apart", False)):
        donors, recipients = (level - loss, 0.1 + gain) if moved else (level, np.full(n, 0.1))
        measured = (donors + rng.normal(0.0, 0.03, n), np.maximum(recipients + rng.normal(0.0, 0.01, n), 0.0))
        columns = {"donor_cells": measured[0], "recipient_cells": measured[1]}
        parts.append(pd.DataFrame({"arm": arm, "donor": np.arange(n), **columns}))
    return balance(pd.concat(parts, ignore_index=True), compare=("together", "apart")).table.iloc[0]


def _index(row: pd.Series) -> Estimate:
    return Estimate(row["index"], row["index_low"], row["index_high"])
