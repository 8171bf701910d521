"""The probability that a mouse has no stem cell left, by the branching process of its hazards.

Stem cells do not act on each other, and are few among the cells that fill the marrow: in the room of the deterministic
twin they are a branching process. With Poisson numbers at the injection, of means m, it is exp(-sum m (1 - f)), f the
generating functions of single cells at zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from senexo.engine.branching.extinction import extinction, log_extinction, mean
from senexo.engine.branching.process import Event, Process
from senexo.engine.branching.splitting import rare_extinction
from senexo.engine.host.leukaemia import STEM

Floats = NDArray[np.float64]
ROOM_STEP_H = 84.0  # between edges of the room of the twin
EFFORT, REPEATS = 50, 10  # of splitting


def stem_cells_alone(process: Process, means: Floats) -> Process:
    """The stem cells of a process as a branching process, in the room that its twin leaves from `means` on."""
    end = float(process.edges[-1])
    edges = np.linspace(0.0, end, 1 + max(1, round(end / ROOM_STEP_H)))
    if np.isfinite(process.capacity):
        middle = 0.5 * (edges[1:] + edges[:-1])
        process = process.in_room(edges, process.room(mean(process, means, middle)))
    n = len(STEM)
    events = [
        Event(
            STEM[process.parent[e]], dict(zip(STEM, process.offspring[e, :n].tolist(), strict=True)), process.hazards[:,
            e]
        )
        for e in np.flatnonzero(process.parent < n)
    ]  # fmt: skip
    return Process.of(STEM, events, process.edges)


def no_stem_cell(alone: Process, means: Floats, times: Sequence[float]) -> Floats:
    """[times] the probability that no stem cell is left, from Poisson numbers of `means` [types of the host] at hour
    0."""
    own = means[: len(STEM)]
    return np.asarray(np.exp(np.expm1(log_extinction(alone, times)) @ own))


def by_splitting(alone: Process, means: Floats, time: float, *, seed: int) -> Floats:
    """[5] stem cells at hour 0, the branching value from them, and the probability by splitting with its 95 % interval.

    From the rounded means, by multilevel splitting of the simulated process: an independent answer, also where no
    number of mice would show it.
    """
    start = np.rint(means[: len(STEM)]).astype(np.int64)
    found = rare_extinction(alone, start, time, seed=seed, effort=EFFORT, repeats=REPEATS)
    return np.array([start.sum(), extinction(alone, start, time), found.probability, found.low, found.high])
