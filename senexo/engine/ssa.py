"""Exact stochastic runs of one network: many trajectories, each with its own stream, in arrays."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import derive
from senexo.engine.evaluate import apply_assignments
from senexo.engine.lowered import Lowered
from senexo.engine.ssa_outcome import OK, STOPPED, error

Values = NDArray[np.float64]


def sample(lowered: Lowered, v0: Values, times: Values, *, runs: int, seed: int, threads: int | None = None,
           most_events: int = 1_000_000_000) -> Values:
    from senexo.engine.ssa_machine import simulate_tables
    from senexo.engine.ssa_tables import tables
    built = tables(lowered)
    out = np.empty((runs, len(times), len(v0)))
    stop = np.zeros(1, np.bool_)
    key = np.array(derive(seed, "ssa"), dtype=np.uint64)
    code, index, time, run = simulate_tables(built.programs, built.flows, built.memory, v0, key, 0, times, most_events, out, np.empty((0,2)), stop)
    if code != OK:
        raise error(lowered, code, index, time, run, most_events)
    apply_assignments(lowered, out, times)
    return out
