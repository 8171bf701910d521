"""Populations in windows, scarce species event by event and abundant ones as continuous amounts.

Which is which is a `HybridPartition`. Windows and pools are those of `senexo.engine.population.splitting`. A window is
cut into equal steps of at most `step`; in each (Strang 1968, doi 10.1137/0705041)

1. the continuous species move on by half a step (`senexo.engine.population.langevin`), scarce ones standing still;
2. the other reactions and the fates happen exactly, event by event, for a whole step, each cell with its own clock; so
   their hazards are taken in the middle of the step, and a hazard not used up is carried over to the next;
3. the continuous species move on by the other half.

A reaction that only brings into pools is no event of the cell: how often it happens is a Poisson number (tau-leap) with
the rates before and after 2, each for half the step.

At division the whole copies of a continuous amount are shared out by the species' rule, and the second daughter has the
rest, so the sum is kept and mean and variance are those of whole copies. Noise and counts have streams of the cell's
lineage, numbered by window and step.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.formula.kernels import kernel
from senexo.engine.population.chunks import Chunk, Outcome
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.partition import HybridPartition, divided
from senexo.engine.population.rows import Floats, Ints
from senexo.engine.population.separation import Separated
from senexo.engine.population.splitting import MAX_CELLS, MAX_EVENTS, check
from senexo.engine.population.stepper import Execution, SplitStepper
from senexo.engine.population.tables import compile_population
from senexo.engine.population.window_kernel import DONE
from senexo.engine.status import NEGATIVE, OK

STEP = 0.25  # time units: the longest step where none is given
_FEW = 500  # cells that need far less than a second for a window
_DRAWS = 1 << 10  # draws kept for a flow or count
_PLACES = 1 << 20  # of flows and counts kept for a window

_compile = kernel()


def longest_step(window: float, step: float | None) -> float:
    """How long a step may be: `step`, or where that is None `STEP` or the window."""
    return min(window, STEP) if step is None else step


def run_hybrid(
    population: Population,
    cells: Cells,
    until: float,
    *,
    window: float,
    step: float | None = None,
    partition: HybridPartition | None = None,
    threads: int | None = None,
    most_cells: int = MAX_CELLS,
    most_events: int = MAX_EVENTS,
    keep_log: bool = True,
    stop: NDArray[np.bool_] | None = None,
    execution: Execution | None = None,
) -> tuple[Cells, Log]:
    """A population by operator splitting, abundant species as continuous amounts (chemical Langevin equation).

    The result depends on window, step and partition, not on threads or the order of work; a run stopped at a multiple
    of the window and gone on with is the whole run. Continuous species may hold amounts that are not whole; their
    reactions are not counted in `Cells.fired`, nor the parts of copies in `gone`.

    Parameters
    ----------
    step
        The longest step inside a window, in model time; None: `STEP` or the window, whichever is shorter.
    partition
        Which species are continuous; None: `divided(population)`.
    population, cells, until, window, threads, most_cells, most_events, keep_log, stop, execution
        As of `run_split`.

    Returns
    -------
    Cells, Log
        As `run_split`.

    Raises
    ------
    InvalidInput
        A step or window that is no time, or a hazard above its bound; else as `run_split`.
    """
    longest = longest_step(window, step)
    if not 0.0 < longest < np.inf:
        raise InvalidInput([Fault("step", repr(step), "a positive time")])
    check(compile_population(population), window)
    parts = _separated(population, partition)
    sign = np.zeros(1, dtype=np.bool_) if stop is None else stop
    mine = replace(cells, fired=cells.fired[parts.channels])
    inside = EventsAndFlow(parts, longest, cells.fired[parts.counted_channels])
    stepper = SplitStepper(
        parts.events, mine, inside, keep_log=keep_log, stop=sign, threads=threads, execution=execution,
        brief=len(cells) < _FEW,
    )  # fmt: skip
    why = stepper.run(until, window=window, most_cells=most_cells, most_events=most_events)
    after, log = stepper.cells(), stepper.log(why)
    fired = cells.fired.copy()
    fired[parts.channels] = after.fired[: len(parts.channels)]
    fired[parts.counted_channels] = inside.counted
    after.fired = fired
    return after, replace(log, channel=parts.channels[log.channel])


def prepare(population: Population, partition: HybridPartition | None = None) -> None:
    """Compile what `run_hybrid` needs for a population ahead of its first run."""
    _separated(population, partition)


def _separated(population: Population, partition: HybridPartition | None) -> Separated:
    chosen = population.kept.get("partition", lambda: divided(population)) if partition is None else partition
    return population.kept.get(("separated", chosen.continuous), lambda: Separated(population, chosen))


class EventsAndFlow:
    """Inside a window: the flow of continuous species, and between its steps the events of everything else.

    counted: how often each counted reaction has happened; floored: amounts that were set to 0.
    """

    def __init__(self, parts: Separated, longest: float, counted: Ints) -> None:
        self.parts, self.longest, self.counted, self.floored = parts, longest, counted, 0
        self.hazard: Floats = np.zeros(0)  # of an event, per row
        self.by_type: dict[tuple[int, int], list[tuple[int, Ints]]] = {}

    def saved(self) -> Ints:
        return self.counted.copy()

    def restore(self, saved: Ints) -> None:
        self.counted = saved
        self.by_type.clear()

    def run(self, stepper: SplitStepper, end: float) -> Outcome:
        begin = stepper.state.time
        n = max(1, int(np.ceil((end - begin) / self.longest * (1.0 - 1e-12))))
        edges = [*(begin + (end - begin) * k / n for k in range(n)), end]
        self.see_pools(stepper)
        # what cells release is not seen before the window ends
        released, flown = np.zeros_like(stepper.state.pools), begin
        for k, (start, later) in enumerate(pairwise(edges)):
            middle, half = 0.5 * (start + later), 0.5 * (later - start)
            self.flow(stepper, 2 * k, middle - flown)  # from middle to middle: two halves of steps made as one
            flown = middle
            if not self.count(stepper, 2 * k, half, released):
                return Outcome(NEGATIVE, 0, start)
            outcome = self.events(stepper, start, later, released)
            if outcome.code != OK:
                return outcome
            if not self.count(stepper, 2 * k + 1, half, released):
                return Outcome(NEGATIVE, 0, start)
        self.flow(stepper, 2 * n, end - flown)
        stepper.state.pools += released
        return Outcome(OK, 0, end)

    def see_pools(self, stepper: SplitStepper) -> None:
        """Laws read the pools, frozen for the window, in the cells' own rows."""
        state = stepper.state
        see(stepper.tables.pool_slot[: stepper.media], state.rows.kind, state.rows.values, state.n, state.pools)

    def events(self, stepper: SplitStepper, begin: float, end: float, released: Ints) -> Outcome:
        """Events up to `end`, of the cells whose next one is due by then."""
        wait, hazard = stepper.state.rows.wait, self.hazard

        def mark(first: int, last: int, flag: NDArray[np.int8]) -> None:
            pass_over(first, last, wait, hazard, begin, end, flag)

        self.by_type.clear()
        return stepper.events(begin, end, released, mark)

    def sorted(self, stepper: SplitStepper, first: int, last: int) -> list[tuple[int, Ints]]:
        """The rows of living cells from first to last - 1, by their type; kept until something happens to one."""
        found = self.by_type.get((first, last))
        if found is None:
            kind = stepper.state.rows.kind[first:last]
            found = [(k, first + np.flatnonzero(kind == k)) for k in range(stepper.media)]
            self.by_type[first, last] = found = [(k, index) for k, index in found if len(index)]
        return found

    def flow(self, stepper: SplitStepper, place: int, h: float) -> None:
        """The continuous species of all cells move on by h; every cell's hazard of an event after that."""
        state = stepper.state
        first = (state.n_windows * _PLACES + place) * _DRAWS
        self.hazard = hazard = np.full(len(state.rows.kind), np.inf)

        def work(chunk: Chunk, a: int, b: int) -> int:
            flows = self.parts.flows
            return sum(flows[k].step(index, state.rows, h, first, hazard) for k, index in self.sorted(stepper, a, b))

        self.floored += sum(stepper.share_rows(work))

    def count(self, stepper: SplitStepper, place: int, h: float, released: Ints) -> bool:
        """What is counted during h; False for a negative rate."""
        if not len(self.counted):
            return True
        state, flows = stepper.state, self.parts.flows
        first = (state.n_windows * _PLACES + place) * _DRAWS

        def work(chunk: Chunk, a: int, b: int) -> list[tuple[int, Ints | None]]:
            return [(k, flows[k].count(index, state.rows, h, first)) for k, index in self.sorted(stepper, a, b)]

        for counts in stepper.share_rows(work):
            for kind, found in counts:
                if found is None:
                    return False
                for events, (at, changes) in zip(found[:, 0].tolist(), self.parts.released[kind], strict=True):
                    self.counted[at] += events
                    for species, copies in changes:
                        released[species] += copies * events
        return True


@_compile
def see(pool_slot: Any, kind: Any, values: Any, n: int, pools: Any) -> None:
    """Write the pools into the cells among rows 0 .. n - 1, by the slots of each type (pool_slot: [types, pools])."""
    for row in range(n):
        if 0 <= kind[row] < len(pool_slot):
            for pool in range(len(pools)):
                slot = pool_slot[kind[row], pool]
                if slot >= 0:
                    values[row, slot] = pools[pool]


@_compile
def pass_over(first: int, last: int, wait: Any, hazard: Any, begin: float, end: float, flag: Any) -> None:
    """Flag the rows that have no event from `begin` to `end`, and note what their hazard was then."""
    for row in range(first, last):
        if wait[row, 1] < 0.0 or not hazard[row] < np.inf:
            continue
        left = max(0.0, wait[row, 1] - (begin - wait[row, 0]) * wait[row, 2])
        if hazard[row] >= 0.0 and left > hazard[row] * (end - begin):
            wait[row, 0], wait[row, 1], wait[row, 2] = begin, left, hazard[row]
            flag[row] = DONE
