"""The probability of a rare extinction by multilevel splitting, on the simulated process itself.

Fixed effort (Garvels 2000; L'Ecuyer, Demers, Tuffin 2007, doi 10.1145/1243991.1243995): the counted cells have to fall
through levels. At each level equally many runs start from states drawn with replacement from those in which earlier
runs reached it, and the shares that reach the next level are multiplied. The product is unbiased for any levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from senexo.base.errors import Fault, InvalidInput, SimulationError
from senexo.base.streams import generator
from senexo.engine.branching.counts import FEW, SHARE, faults_of_steps, keys_of, too_many
from senexo.engine.branching.kernel import descend
from senexo.engine.branching.process import Counts, Process


@dataclass(frozen=True, slots=True)
class RareProbability:
    """A probability from independent repeats of splitting.

    Attributes
    ----------
    probability
        Mean of the repeats.
    low, high
        Interval at the level `confidence`: Student's t over the repeats, at least 0 and at most 1. Where no repeat
        reached the last level it is 0 to 1: nothing is known.
    repeats
        [repeats] the unbiased estimate of each.
    """

    probability: float
    low: float
    high: float
    repeats: NDArray[np.float64]


def rare_extinction(
    process: Process,
    start: Counts,
    until: float,
    *,
    seed: int,
    counted: Sequence[str] | None = None,
    effort: int = 200,
    repeats: int = 40,
    confidence: float = 0.95,
    few: int = FEW,
    share: float = SHARE,
) -> RareProbability:
    """The probability that no counted cell is left at a time, by fixed-effort multilevel splitting.

    Parameters
    ----------
    process, start
        The process, and [types] cells at its first edge.
    until
        Time at which no counted cell is left.
    seed
        0 <= seed < 2^128; each run has a stream of its own.
    counted
        Types that have to be gone; by default all. Types that become them have to be among them.
    effort
        Runs at each level of a repeat.
    repeats
        Independent repeats, at least 10; their scatter gives the interval.
    confidence
        Level of the interval.
    few, share
        As for `senexo.engine.branching.counts.simulate`.

    Raises
    ------
    InvalidInput
        A time outside the edges, types that are not closed, too few runs or repeats.
    SimulationError
        A type passed 10^15 cells.

    Notes
    -----
    The estimate is unbiased; repeats are skewed, so that the interval covers less than its level: at 1e-6, by 20
    repeats of effort 100, in 137 of 148 seeds at a level of 95 %, and all others lay below the true value.

    Examples
    --------
    >>> from senexo.engine.branching.process import Event, Process
    >>> growth = Process.of(["cell"], [Event("cell", {"cell": 2}, 0.3), Event("cell", {}, 0.1)], [0.0, 30.0])
    >>> found = rare_extinction(growth, growth.start({"cell": 8}), 30.0, seed=1, effort=50, repeats=20)
    >>> found.low < 3.0**-8 < found.high
    True
    """
    mask = process.counted(counted)
    process.within(until, "until")
    faults = faults_of_steps(few, share)
    for name, value, least in (("effort", effort, 2), ("repeats", repeats, 10)):
        if value < least:
            faults.append(Fault(name, str(value), f"a whole number of at least {least}"))
    if not 0.0 < confidence < 1.0:
        faults.append(Fault("confidence", f"{confidence:g}", "between 0 and 1"))
    if faults:
        raise InvalidInput(faults)
    levels = levels_of(int(mask @ start))
    found = np.array(
        [_repeat(process, start, until, mask, levels, effort, seed, number, few, share) for number in range(repeats)]
    )
    middle = float(found.mean())
    if middle == 0.0:
        return RareProbability(0.0, 0.0, 1.0, found)
    half = float(student.ppf(0.5 + confidence / 2, repeats - 1) * found.std(ddof=1) / np.sqrt(repeats))
    return RareProbability(middle, max(0.0, middle - half), min(1.0, middle + half), found)


def levels_of(cells: int) -> list[int]:
    """Numbers of counted cells to fall to, each four fifths of the one before or one less, down to none."""
    levels: list[int] = []
    while cells > 0:
        cells = min(cells - 1, cells * 4 // 5)
        levels.append(cells)
    return levels


def _repeat(
    process: Process, start: Counts, until: float, mask: Counts, levels: list[int], effort: int,
    seed: int, number: int, few: int, share: float,
) -> float:  # fmt: skip
    states, now = np.tile(np.asarray(start, np.int64), (effort, 1)), np.full(effort, process.edges[0])
    probability = 1.0
    for level in levels:
        keys = keys_of(seed, range(effort), "splitting", number, level)
        failed = descend(keys, states, now, until, process.law, few, share, mask, level)
        if failed:
            raise SimulationError(too_many(process))
        reached = np.flatnonzero(states @ mask <= level)
        if not len(reached):
            return 0.0
        probability *= len(reached) / effort
        chosen = reached[generator(seed, "splitting", number, level, "states").integers(len(reached), size=effort)]
        states, now = states[chosen], now[chosen]
    return probability
