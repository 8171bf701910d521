"""What half the window changes: the error of a window, estimated from the runs themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.hybrid import longest_step, run_hybrid
from senexo.engine.population.model import Cells, Population
from senexo.engine.population.partition import HybridPartition
from senexo.engine.population.splitting import run_split
from senexo.engine.population.weights import weighted_mean


@dataclass(frozen=True)
class Halving:
    """What half the window changes, per quantity: mean over replicates at `window`, the difference to window / 2.

    `error` estimates what is wrong at window / 2: the difference, as for first order (for second, a third is right);
    `standard_error` says how finely the replicates tell the difference. Smaller than two of these, it is not seen.
    """

    window: float
    quantities: tuple[str, ...]
    mean: NDArray[np.float64]
    difference: NDArray[np.float64]
    standard_error: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        return np.abs(self.difference)


def halving(
    population: Population,
    beginnings: Sequence[Cells],
    until: float,
    *,
    window: float,
    method: Literal["split", "hybrid"] = "split",
    step: float | None = None,
    partition: HybridPartition | None = None,
    threads: int | None = None,
) -> Halving:
    """The error of a window, from the same replicates with the whole window and with half of it.

    beginnings: states of at least two replicates. Quantities: cells of each type, mean of each species per cell of a
    type ("type.species"; 0 where there is no cell), copies in each pool. By `hybrid` the step (at first `step`, or what
    `run_hybrid` takes for the whole window) is halved too, so that the error covers both; streams of events are
    the same in both runs, noise of continuous species is not.
    """
    longest = longest_step(window, step)
    rows = []
    for cells in beginnings:
        row = []
        for part in (1.0, 0.5):
            if method == "split":
                after, _ = run_split(population, cells, until, window=window * part, threads=threads)
            else:
                after, _ = run_hybrid(
                    population, cells, until, window=window * part, step=longest * part, partition=partition,
                    threads=threads,
                )  # fmt: skip
            row.append(_summary(population, after))
        rows.append(row)
    found = np.array(rows)
    difference = found[:, 1] - found[:, 0]
    spread = difference.std(axis=0, ddof=1) / np.sqrt(len(rows))
    return Halving(window, _quantities(population), found[:, 0].mean(axis=0), difference.mean(axis=0), spread)


def _quantities(population: Population) -> tuple[str, ...]:
    countable = population.countable
    species = [
        f"{type.name}.{type.network.slots[slot].id}"
        for type, slots in zip(population.types, countable, strict=True)
        for slot in slots
    ]
    return (*(type.name for type in population.types), *species, *population.pooled)


def _summary(population: Population, cells: Cells) -> list[float]:
    numbers = np.bincount(cells.type, cells.weight, minlength=len(population.types))
    means = [
        weighted_mean(cells.values[cells.type == place, slot], cells.weight[cells.type == place])
        if numbers[place]
        else 0.0
        for place, slots in enumerate(population.countable)
        for slot in slots
    ]
    return [*numbers, *means, *cells.pools]
