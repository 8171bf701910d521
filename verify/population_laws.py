"""Populations against laws that are known exactly: growth, extinction, partition, dilution, genes, shared pools.

Each law is met by `RUNS` founders or dishes, of every engine that has it: `exact`; `split`, which is exact where there
is no pool, and with one only as its window goes to 0; `hybrid` with everything event by event. The p-values of all are
joined by Holm's correction: right engines fail one with probability `ALPHA` or less per fresh seed.
Then what is no law: that windows come closer to it by at least half with half the window, and moments with an abundant
species continuous, to be within `CLOSE`.
"""

from __future__ import annotations

import numpy as np

from senexo.assays.stats.multiple_testing import holm
from verify import Check
from verify._growing import LAWS, diluted, dividing, partitions
from verify._population import ENGINES, grow
from verify._shared_pool import by_hybrid, laws
from verify._shared_pool import dividing as dividing_with_pool

RUNS, SEED, ALPHA, CLOSE = 100_000, 20_261, 0.01, 0.005


def dilution_of_amounts() -> list[Check]:
    """800 copies per cell, a continuous amount: made at 400 per time, halved by divisions at rate 0.5."""
    k, b, time = 400.0, 0.5, 3.0
    population = dividing(f"substanceOnly species X in cell = {k / b}; => X; {k}; b = {b};")
    grown = grow("hybrid", population, RUNS, time, seed=SEED, step=0.25, continuous=["X"])
    x, clone = grown.values[:, population.types[0].network.slot("X")], grown.of("founder") - 1
    mean, variance = diluted(k, b, time, k / b)
    checks = []
    for name, values, expected in (("mean", x, mean), ("deviation", (x - mean) ** 2, variance)):
        power = 1.0 if name == "mean" else 0.5
        off = abs((values.mean() / expected) ** power - 1.0)
        spread = np.bincount(clone, values - expected, RUNS).std() / np.sqrt(RUNS) / (len(x) / RUNS)
        detail = f"standard error {power * spread / expected:.4f}"
        checks.append(Check(f"hybrid: dilution, continuous: {name}", off, CLOSE, bool(off <= CLOSE), detail))
    return checks


def main() -> list[Check]:
    found, checks = laws(RUNS, SEED)
    found += [(name, "exact", p, detail) for name, p, detail in dividing_with_pool(RUNS, SEED + 20)]
    found += [(name, "hybrid", p, detail) for name, p, detail in by_hybrid(RUNS, SEED + 30)]
    for place, engine in enumerate(ENGINES):
        for number, law in enumerate(LAWS):
            seed = SEED + 100 * (place + 1) + 10 * number
            found += [(name, engine, p, detail) for name, p, detail in law(engine, RUNS, seed)]
    found += [(name, "hybrid", p, detail) for name, p, detail in partitions("hybrid", RUNS, SEED + 40, ["X"])]
    adjusted = holm([p for _, _, p, _ in found]).tolist()
    least = min(adjusted)
    summary = f"{len(found)} p-values, {RUNS} founders or dishes each; false alarm {ALPHA:g}"
    each = [
        Check(f"{engine}: {name}", after, ALPHA, after > ALPHA, f"p {p:.3g}{'; ' if detail else ''}{detail}", ">")
        for (name, engine, p, detail), after in zip(found, adjusted, strict=True)
    ]
    return [
        Check("smallest p after Holm", least, ALPHA, least > ALPHA, summary, ">"),
        *each,
        *checks,
        *dilution_of_amounts(),
    ]
