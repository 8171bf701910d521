"""Numbers of cells of a branching process, drawn: exact while they are few, in leaps where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, SimulationError
from senexo.base.streams import derive
from senexo.engine.branching.kernel import MOST_CELLS, courses
from senexo.engine.branching.process import Counts, Floats, Process

FEW = 200  # cells of a type up to which they are followed one by one
SHARE = 0.05  # of the mean time to an event of the fastest type: the length of a leap


def simulate(
    process: Process,
    start: Counts,
    times: Sequence[float] | Floats,
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
    the mean time left to them; room is that of the middle of the leap. So no count becomes negative, every cell is
    accounted for, and the error of the means falls with the square of the leap.

    Parameters
    ----------
    process, start
        The process, and [types] cells at its first edge; or [runs, types], those of each run.
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
    keys = keys_of(seed, range(first, first + runs), "branching")
    return follow(process, start, times, keys=keys, few=few, share=share).cells


@dataclass(frozen=True, slots=True)
class Followed:
    """Numbers of cells, and of the events that made them: cells = start + fired @ process.change, to the cell.

    Attributes
    ----------
    cells
        [runs, times, types].
    fired
        [runs, times, events] events from the first edge up to each time.
    """

    cells: Counts
    fired: Counts


def follow(
    process: Process, start: Counts, times: Sequence[float] | Floats, *, keys: NDArray[np.uint64], few: int = FEW,
    share: float = SHARE,
) -> Followed:  # fmt: skip
    """`simulate` with the key of each run's stream, and the events counted.

    Parameters
    ----------
    keys
        [runs, 2] the key of each run (`senexo.base.streams.derive`).
    process, start, times, few, share
        As for `simulate`, whose errors these are.
    """
    for time in times:
        process.within(time, "times")
    faults = faults_of_steps(few, share)
    if (np.diff(times) <= 0).any():
        faults.append(Fault("times", str(list(times)), "rising times"))
    n, given = len(process.types), np.asarray(start)
    if given.shape not in ((n,), (len(keys), n)) or (given < 0).any():
        faults.append(Fault("start", str(given.tolist()), f"{n} counts of at least 0, or as many for each run"))
    if faults:
        raise InvalidInput(faults)
    starts = np.ascontiguousarray(np.broadcast_to(given, (len(keys), n)), dtype=np.int64)
    cells = np.empty((len(keys), len(times), n), np.int64)
    fired = np.empty((len(keys), len(times), len(process.parent)), np.int64)
    if not courses(keys, starts, np.asarray(times, float), process.law, few, share, cells, fired):
        raise SimulationError(too_many(process))
    return Followed(cells, fired)


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
