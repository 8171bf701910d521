"""Numbers of cells of a branching process, drawn: exact while they are few, in leaps where they are many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, SimulationError
from senexo.base.streams import derive
from senexo.engine.branching.kernel import MOST_CELLS, courses
from senexo.engine.branching.process import Counts, Process

FEW = 200  # cells of a type up to which they are followed one by one
SHARE = 0.05  # of the mean time to an event of the fastest type: the length of a leap


def simulate(
    process: Process,
    start: Counts,
    times: Sequence[float],
    *,
    runs: int,
    seed: int,
    first: int = 0,
    few: int = FEW,
    share: float = SHARE,
) -> Counts:
    """Numbers of cells at some times in independent runs.

    A type with at most `few` cells is followed event by event; while all are, the process is exact. In a leap each cell
    of a type with more has one event or none (binomial), and its offspring have one or none in half a leap,
    the mean time left to them. So no count becomes negative, every cell is accounted for, and the error of the means
    falls with the square of the leap.

    Parameters
    ----------
    process, start
        The process, and [types] cells at its first edge.
    times
        Rising times between the first and the last edge.
    runs, first
        How many runs, and the number of the first: run n draws from the stream (seed, "branching", n), whichever others
        are computed beside it.
    seed
        0 <= seed < 2^128.
    few, share
        See `FEW` and `SHARE`.

    Returns
    -------
    ndarray of int, shape (runs, times, types)

    Raises
    ------
    InvalidInput
        Times outside the edges or not rising, negative counts, `few` or `share` out of range.
    SimulationError
        A type passed 10^15 cells.

    Examples
    --------
    >>> from senexo.engine.branching.process import Event, Process
    >>> deaths = Process.of(["cell"], [Event("cell", {}, 1.0)], [0.0, 50.0])
    >>> simulate(deaths, deaths.start({"cell": 5}), [0.0, 50.0], runs=2, seed=1)[:, :, 0].tolist()
    [[5, 0], [5, 0]]
    """
    for time in times:
        process.within(time, "times")
    faults = faults_of_steps(few, share)
    if (np.diff(times) <= 0).any():
        faults.append(Fault("times", str(list(times)), "rising times"))
    if np.shape(start) != (len(process.types),) or (np.asarray(start) < 0).any():
        faults.append(Fault("start", str(np.asarray(start).tolist()), f"{len(process.types)} counts of at least 0"))
    if faults:
        raise InvalidInput(faults)
    out = np.empty((runs, len(times), len(process.types)), np.int64)
    done = courses(
        keys_of(seed, range(first, first + runs), "branching"), np.asarray(start, np.int64), np.asarray(times, float),
        process.edges, process.hazards, process.parent, process.offspring, few, share, out,
    )  # fmt: skip
    if not done:
        raise SimulationError(too_many(process))
    return out


def faults_of_steps(few: int, share: float) -> list[Fault]:
    """The faults of the two numbers that govern leaps."""
    faults = [] if few >= 0 else [Fault("few", str(few), "a whole number of at least 0")]
    return faults if 0.0 < share <= 0.5 else [*faults, Fault("share", f"{share:g}", "above 0, at most 0.5")]


def keys_of(seed: int, numbers: range, *words: int | str) -> NDArray[np.uint64]:
    """[numbers, 2] the key of each stream."""
    return np.array([derive(seed, *words, number) for number in numbers], np.uint64).reshape(-1, 2)


def too_many(process: Process) -> str:
    """The message for a run past the largest count."""
    return (
        f"a type of {', '.join(process.types)} passed {MOST_CELLS:.0e} cells: end sooner, or lower its division hazard"
    )
