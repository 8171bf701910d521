"""Populations in windows: every cell runs exactly while the pools are frozen, then the pools are settled.

Strang splitting (Strang 1968, doi 10.1137/0705041) in windows of length h. For smooth rates the error falls with h^2
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

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, UnsupportedFeature
from senexo.engine.population.chunks import Outcome
from senexo.engine.population.exact import MAX_CELLS_EXACT, MAX_EVENTS_EXACT
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.stepper import Execution, SplitStepper
from senexo.engine.population.tables import FIRST, TAKES, TAKING, CompiledPopulation, compile_population
from senexo.engine.status import OK

MAX_CELLS, MAX_EVENTS = 100 * MAX_CELLS_EXACT, 1000 * MAX_EVENTS_EXACT


def run_split(
    population: Population,
    cells: Cells,
    until: float,
    *,
    window: float,
    threads: int | None = None,
    most_cells: int = MAX_CELLS,
    most_events: int = MAX_EVENTS,
    keep_log: bool = True,
    stop: NDArray[np.bool_] | None = None,
    execution: Execution | None = None,
) -> tuple[Cells, Log]:
    """A population by operator splitting, every reaction and fate of a cell event by event.

    The result depends on the window, not on threads or the order of work; a run stopped at a multiple of the window and
    gone on with is the whole run. Without pools the result equals that of `run_exact`.

    Parameters
    ----------
    population
        The types of cells and the pools.
    cells
        The state to start from; it is left as it is.
    until
        Model time at the end.
    window
        Length of a window, in model time.
    threads
        By default all of the processor.
    most_cells, most_events
        Limits: over one, the run ends with the window and the log says so.
    keep_log
        Without it the log is empty.
    stop
        A sign [1] by which another thread ends the run: within a moment, with the state at the end of the last whole
        window. An interrupt from the keyboard sets it, too, and raises `KeyboardInterrupt`.
    execution
        For tests: how the work is done.

    Returns
    -------
    Cells, Log
        The state at the end, and the fates of cells in order of time.

    Raises
    ------
    UnsupportedFeature
        A reaction that takes more than one copy from pools, or a law that fires without enough reactant.
    InvalidInput
        A window that is no time, or a hazard above its bound.
    SimulationError
        A law that goes negative or is no finite number.
    """
    check(compile_population(population), window)
    sign = np.zeros(1, dtype=np.bool_) if stop is None else stop
    stepper = SplitStepper(
        population, cells, Events(), keep_log=keep_log, stop=sign, threads=threads, execution=execution
    )
    why = stepper.run(until, window=window, most_cells=most_cells, most_events=most_events)
    return stepper.cells(), stepper.log(why)


class Events:
    """Inside a window: all reactions and fates, event by event."""

    def run(self, stepper: SplitStepper, end: float) -> Outcome:
        released = np.zeros_like(stepper.state.pools)
        outcome = stepper.events(stepper.state.time, end, released)
        if outcome.code == OK:
            stepper.state.pools += released
        return outcome

    def saved(self) -> None:
        return None

    def restore(self, saved: None) -> None:
        pass


def check(made: CompiledPopulation, window: float) -> None:
    """Refuse windows that are no time, and uptake that windows cannot settle."""
    if not 0.0 < window < np.inf:
        raise InvalidInput([Fault("window", repr(window), "a positive time")])
    tables = made.tables
    for kind in tables.kinds:
        for channel in range(kind[FIRST], kind[FIRST] + kind[TAKING]):
            if tables.channels[channel, TAKES] < 0:
                name = made.channels[channel].name
                raise UnsupportedFeature("more than one copy from the pools at once, in windows", f"reaction {name}")
