"""Populations in windows: every cell runs exactly while the pools are frozen, then the pools are settled.

A window of length h (Strang splitting; Strang 1968, doi 10.1137/0705041). For smooth rates the error falls with h^2
where what a cell takes up does not change how fast it takes, else with h, as a settlement keeps the rates it finds:

1. half a settlement (`senexo.engine.population.exchange`): molecules leave the pools for their takers within h/2, so
   that no pool becomes negative and no molecule is lost;
2. every cell runs by itself for h with its uptake left out, as `senexo.engine.population.kernel` has it; divisions,
   deaths and daughters included; what it releases is collected and comes into the pools at the end;
3. half a settlement more.

Windows begin at whole multiples of h. Cells do not touch each other inside a window, so threads change nothing.
Cells are run by tables, or in lockstep by a kernel generated for their network; the result is the same bit for bit.
"""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, UnsupportedFeature
from senexo.engine.population.exact import MOST_CELLS, MOST_EVENTS
from senexo.engine.population.kernel import ROOM
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.outcome import reason
from senexo.engine.population.stepper import Windows, interrupts
from senexo.engine.population.tables import FIRST, TAKES, TAKING, Plan, plan
from senexo.engine.status import OK, STOPPED, TOO_LONG

Method = Literal["tables", "lanes"]


def run_split(
    population: Population,
    cells: Cells,
    until: float,
    *,
    window: float,
    threads: int | None = None,
    most_cells: int = 100 * MOST_CELLS,
    most_events: int = 1000 * MOST_EVENTS,
    keep_log: bool = True,
    stop: NDArray[np.bool_] | None = None,
    chunks: int | None = None,
    method: Method | None = None,
) -> tuple[Cells, Log]:
    """The population at `until` (model time), in windows of length `window`, and what happened to its cells.

    The result depends on the window, not on `threads`, `chunks` (parts of the work), `method` or the order of work; a
    run stopped at a multiple of the window and gone on with is the whole run. Over a limit it ends with the window and
    the log says so. Once another thread has set `stop` [1], or on an interrupt from the keyboard, which sets it too, it
    ends within a moment with the state at the end of the last whole window. The log is in order of time; without
    `keep_log` it is empty. Without pools the result equals that of `run_exact`. method: by default tables until a
    generated kernel is worth its compilation.
    Raises `UnsupportedFeature` for a reaction that takes more than one copy from pools; else as `run_exact`.
    """
    made = plan(population)
    check(made, window)
    workers = threads or len(os.sched_getaffinity(0))
    sign = np.zeros(1, dtype=np.bool_) if stop is None else stop
    why = ""
    with interrupts(sign), Windows(population, cells, keep_log, sign, workers, chunks) as work:
        while work.time < until and not why:
            end = min(until, (np.floor(work.time / window * (1.0 + 1e-12)) + 1.0) * window)
            work.choose(method, until)
            code, channel, time = work.window(float(end))
            if code == OK and work.alive() > most_cells:
                code, channel, time = ROOM, 0, work.time
            elif code == OK and work.events > most_events:
                code, channel, time = TOO_LONG, 0, work.time
            elif code == OK and sign[0] and work.time < until:
                code, channel, time = STOPPED, 0, work.time
            why = reason(made, code, channel, time, most_cells=most_cells, most_events=most_events)
        return work.cells(), work.log(why)


def check(made: Plan, window: float) -> None:
    """Refuse windows that are no time, and uptake that windows cannot settle."""
    if not 0.0 < window < np.inf:
        raise InvalidInput([Fault("window", repr(window), "a positive time")])
    tables = made.tables
    for kind in tables.kinds:
        for channel in range(kind[FIRST], kind[FIRST] + kind[TAKING]):
            if tables.channels[channel, TAKES] < 0:
                name = made.channels[channel].name
                raise UnsupportedFeature("more than one copy from the pools at once, in windows", f"reaction {name}")
