"""Populations by `hybrid` against exact ones: moments of every species, low counts, fates, and half the step.

The bar was written down beforehand: means and deviations within 1 % of the exact ones, beyond 4 standard errors of the
comparison; for a right method a false alarm has a chance below 0.01 in all. Low counts: half the sum of differences of
two histograms, at most 0.03 (two exact samples of this size differ by about 0.013).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.population.hybrid import run_hybrid
from senexo.engine.population.initial import start
from senexo.engine.population.model import Cells, CellType, Population
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from senexo.engine.population.tables import compile_population
from senexo.engine.ssa.sampler import sample
from senexo.model.loading import load
from verify import Check
from verify._population import sharing

CELLS, TIME, TOLERANCE, ERRORS = 30_000, 24.0, 0.01, 4.0
DISHES, IN_DISH = 100, 300
Floats = NDArray[np.float64]


def beyond(ratio: float, error: float) -> float:
    """By how much a ratio is off, after what its standard error explains."""
    return max(0.0, abs(ratio - 1.0) - ERRORS * error)


def against(name: str, exact: Floats, found: Floats) -> list[Check]:
    """Mean and deviation of one species, of as many cells each."""
    spread, n = float(exact.std()), len(exact)
    kurtosis = float(((exact - exact.mean()) ** 4).mean() / spread**4)
    pairs = (
        ("mean", found.mean() / exact.mean(), spread / exact.mean() * np.sqrt(2.0 / n)),
        ("deviation", found.std() / spread, np.sqrt((kurtosis - 1.0) / (2.0 * n))),
    )
    return [
        Check(f"{what} of {name}", beyond(ratio, se), TOLERANCE, beyond(ratio, se) <= TOLERANCE, f"ratio {ratio:.4f}")
        for what, ratio, se in pairs
    ]


def alone(network: Lowered) -> list[Check]:
    """The reference network: no division, an ensemble of exact trajectories."""
    population = Population((CellType("A", network),))
    times = np.array([TIME])
    exact = sample(network, initial_values(network), times, runs=CELLS, seed=11)[:, 0]
    checks, means = [], []
    for step in (1.0, 0.5, 0.25):
        begin = start(population, {"A": CELLS}, seed=12)
        cells, _ = run_hybrid(population, begin, TIME, window=1.0, step=step, execution=Execution("lanes"))
        means.append(cells.values.mean(axis=0))
    for slot in population.countable[0]:
        name = network.slots[slot].id
        checks += against(name, exact[:, slot], cells.values[:, slot])
        if exact[:, slot].mean() < 60.0:
            bins = np.arange(-0.5, exact[:, slot].max() + 20.0)
            one, two = (np.histogram(v[:, slot], bins)[0] / CELLS for v in (exact, cells.values))
            gap = 0.5 * float(np.abs(one - two).sum())
            checks.append(Check(f"histogram of {name}", gap, 0.03, gap <= 0.03))
    counted = list(population.countable[0])
    true = exact.mean(axis=0)[counted]
    errors = [float(np.sqrt(np.mean((mean[counted] / true - 1.0) ** 2))) for mean in means]
    detail = f"steps 1, 0.5, 0.25: {', '.join(f'{error:.4f}' for error in errors)}"
    return [*checks, Check("error of means falls", errors[2] / errors[0], 1.0, errors[2] < errors[0], detail, "<")]


def coupled() -> list[Check]:
    """The same cells dividing, dying and sharing a medium, beside exact windows from the same beginnings."""
    population = sharing()
    network = population.types[0].network
    names = [network.slots[slot].id for slot in population.countable[0]]
    rows = []
    for dish in range(DISHES):
        begin = start(population, {"A": IN_DISH}, seed=13, replicate=dish)
        exact = run_split(population, begin, 6.0, window=0.25)[0]
        hybrid = run_hybrid(population, begin, 6.0, window=0.25)[0]
        rows.append([summary(population, cells) for cells in (exact, hybrid)])
    both = np.array(rows)
    mean = both.mean(axis=0)
    error = (both[:, 1] - both[:, 0]).std(axis=0, ddof=1) / np.sqrt(DISHES) / mean[0]
    told = [
        "divisions",
        "deaths",
        "in the pool",
        *(f"mean of {n}" for n in names),
        *(f"deviation of {n}" for n in names),
    ]
    found = [(name, mean[1, k] / mean[0, k], error[k]) for k, name in enumerate(told)]
    return [
        Check(f"coupled: {name}", beyond(r, se), TOLERANCE, beyond(r, se) <= TOLERANCE, f"ratio {r:.4f} +- {se:.4f}")
        for name, r, se in found
    ]


def summary(population: Population, cells: Cells) -> list[float]:
    channels = compile_population(population).channels
    fates = [int(cells.fired[at]) for at, channel in enumerate(channels) if channel.fate]
    values = cells.values[:, list(population.countable[0])]
    return [*fates, int(cells.pools[0]), *values.mean(axis=0), *values.std(axis=0)]


def main() -> list[Check]:
    reference = lower(load(Path(__file__).parents[1] / "bench" / "reference.ant").network)
    return alone(reference) + coupled()
