"""All cells and pools of a population as one exact stochastic process: for small populations, and as an oracle.

Every cell is followed: there are no weights here. One event of a cell that represents several would move several copies
of a pool at once, which a nearly empty pool may not have.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.streams import TEXT as TEXT_WORD
from senexo.base.streams import threefry
from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.population.fates import fate
from senexo.engine.population.kernel import (
    EVENTS,
    TEXT,
    chosen,
    derived,
    load,
    meet,
    react,
    redraw,
    renew,
    total_hazard,
)
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.rows import Floats, Ints, Words, Work, room, taken
from senexo.engine.population.state import State
from senexo.engine.population.tables import (
    AFTER,
    AFTER_END,
    BECOME,
    CHANNELS,
    DIVIDE,
    FIRST,
    POOL,
    POOLED,
    RATE,
    REACTIONS,
    compile_population,
)
from senexo.engine.status import DEPLETED, FULL, NEGATIVE, OK, ROOM, STOPPED, THINNED, TOO_LONG, reason

MAX_CELLS_EXACT, MAX_EVENTS_EXACT = 1_000_000, 1_000_000_000
_compile = kernel()


class _Clocks(NamedTuple):
    """Of every row: the key of its stream of events, its cells of memory for the tables, and when its next event is."""

    stream: Words
    memory: Floats
    due: Floats


@_compile
def _advance(
    tables: Any, rows: Any, clocks: Any, work: Any, pools: Any, until: float, most: int, stop: Any
) -> Any:  # fmt: skip
    """Events in their order up to `until`; work.n[0] rows are in use.

    Returns (outcome, channel, time). ROOM and FULL ask for more rows or entries, and change nothing.
    """
    kind, draws, wait = rows.kind, rows.draws, rows.wait
    stream, memory, due = clocks.stream, clocks.memory, clocks.due
    n, spare, fired = work.n, work.spare, work.counts.fired
    while True:
        row, time = -1, until
        for i in range(n[0]):
            if due[i] <= time and kind[i] >= 0 and (due[i] < time or row < 0):
                row, time = i, due[i]
        if row < 0:
            return OK, -1, until
        if n[2] >= most:
            return TOO_LONG, -1, time
        if n[2] % 4096 == 0 and stop[0]:
            return STOPPED, -1, time
        mine, about = memory[row], tables.kinds[kind[row]]
        r, inside = chosen(about[RATE], about[CHANNELS], stream[row], draws[row], wait[row, 2], mine)
        channel = about[FIRST] + r
        if r < about[REACTIONS]:
            what = tables.channels[channel]
            if not react(tables, channel, mine, pools, False):
                return DEPLETED, channel, time
            n[2] += 1
            fired[channel] += 1
            execute(tables.code, what[AFTER], what[AFTER_END], mine)
            total = total_hazard(about[RATE], about[CHANNELS], mine)
            draws[row] += 1
            due[row] = redraw(wait[row], stream[row], draws[row], time, total)
            if total < 0.0:
                return NEGATIVE, channel, time
            if what[POOL]:
                for i in range(n[0]):
                    if i != row and kind[i] >= 0 and tables.kinds[kind[i], POOLED]:
                        total = renew(tables, kind[i], pools, False, memory[i])
                        if total < 0.0:
                            return NEGATIVE, channel, time
                        due[i] = meet(wait[i], stream[i], draws[i], time, total)
            continue
        outcome, happens = fate(tables, work, rows, row, rows, channel, inside, time, mine)
        if outcome == THINNED:
            draws[row] += 1
            due[row] = redraw(wait[row], stream[row], draws[row], time, wait[row, 2])
            continue
        if outcome != OK:
            return outcome, channel, time
        if happens == DIVIDE:
            for daughter in range(2):
                i = row if daughter == 0 else n[0] - 1
                stream[i, 0], stream[i, 1] = derived(rows.key[i], EVENTS, TEXT)
                draws[i] = 0
                total = load(tables, kind[i], spare[1 + daughter], pools, time, False, memory[i])
                due[i] = redraw(wait[i], stream[i], 0, time, total)
                if total < 0.0:
                    return NEGATIVE, channel, time
        elif happens == BECOME:
            total = load(tables, kind[row], spare[1], pools, time, False, mine)
            draws[row] += 1
            due[row] = redraw(wait[row], stream[row], draws[row], time, total)
            if total < 0.0:
                return NEGATIVE, channel, time
        else:
            due[row] = np.inf


def run_exact(
    population: Population,
    cells: Cells,
    until: float,
    *,
    most_cells: int = MAX_CELLS_EXACT,
    most_events: int = MAX_EVENTS_EXACT,
    keep_log: bool = True,
    stop: NDArray[np.bool_] | None = None,
) -> tuple[Cells, Log]:
    """The joint process of all cells and pools, event by event.

    Cost: per event, a search through every cell's next time, and through every cell's propensities where a pool has
    changed. A run cut into parts gives the same events as the whole. Over a limit, or once another thread has set
    `stop`, the run ends early and the log says so.

    Parameters
    ----------
    population
        The types of cells and the pools.
    cells
        The state to start from; it is left as it is.
    until
        Model time at the end.
    most_cells, most_events
        Limits of the run.
    keep_log
        Without it the log is empty.
    stop
        A sign [1] by which another thread ends the run.

    Returns
    -------
    Cells, Log
        The state at the end, and the fates of cells in the order in which they happened.

    Raises
    ------
    InvalidInput
        Cells with a weight above 1, or a hazard above its bound.
    UnsupportedFeature
        A law that fires without enough reactant.
    SimulationError
        A law that goes negative or is no finite number.
    """
    heavy = int(np.count_nonzero(cells.weight != 1))
    if heavy:
        found = f"{heavy} of {len(cells)} cells represent more than one"
        raise InvalidInput([Fault("run_exact: cells.weight", found, "1 for every cell; run_split or run_hybrid")])
    made = compile_population(population)
    process = _Process(made.tables, cells, keep_log, most_cells)
    sign = np.zeros(1, dtype=np.bool_) if stop is None else stop
    while True:
        code, channel, time = process.advance(until, most_events, sign)
        if code == FULL:
            process.lengthen()
        elif code != ROOM or not process.grow():
            break
    why = reason(code, made.label(channel), time, most_cells=most_cells, most_events=most_events)
    return process.ended(time, why)


class _Process:
    """A population as the kernel has it, with room for more rows and entries."""

    def __init__(self, tables: Any, cells: Cells, keep: bool, most_cells: int) -> None:
        self.tables, self.origin, self.state = tables, cells, State.begin(cells)
        self.most = self.state.n + max(0, most_cells - len(cells))
        capacity = min(self.state.n + len(cells) + 16, self.most)
        width = tables.template.shape[1]
        keys = self.state.rows.key
        self.clocks = _Clocks(event_streams(keys), np.zeros((len(keys), width)), np.full(len(keys), np.inf))
        self.work = Work.new(max(width, 1), cells.base, self.state.counts, keep)
        self.work.n[0] = self.state.n
        self.make_room(capacity)
        self.bad = int(_begin(tables, self.state.rows, self.clocks, self.state.n, self.state.pools, cells.time))

    def make_room(self, capacity: int) -> None:
        self.state.rows, self.clocks = room(self.state.rows, capacity), room(self.clocks, capacity)

    def advance(self, until: float, most: int, stop: NDArray[np.bool_]) -> tuple[int, int, float]:
        if self.bad >= 0:
            return NEGATIVE, int(self.tables.kinds[self.state.rows.kind[self.bad], FIRST]), self.origin.time
        code, channel, time = _advance(
            self.tables, self.state.rows, self.clocks, self.work, self.state.pools, until, most, stop
        )
        return int(code), int(channel), float(time)

    def alive(self) -> Ints:
        return np.flatnonzero(self.state.rows.kind[: self.work.n[0]] >= 0)

    def grow(self) -> bool:
        """Move the living to the front, and make room for more where they are many; False if there are the most."""
        alive, capacity = self.alive(), len(self.state.rows.kind)
        self.state.rows, self.clocks = taken(self.state.rows, alive), taken(self.clocks, alive)
        self.work.n[0] = len(alive)
        fits = len(alive) < self.most
        self.make_room(min(2 * capacity, self.most) if fits and len(alive) > 0.75 * capacity else capacity)
        return fits

    def lengthen(self) -> None:
        """Twice as many entries."""
        self.work = self.work._replace(entries=room(self.work.entries, 2 * len(self.work.entries.time)))

    def ended(self, time: float, why: str) -> tuple[Cells, Log]:
        state, media = self.state, len(self.origin.base)
        state.time, state.n = time, int(self.work.n[0])
        state.rows.values[:] = self.clocks.memory[:, : state.rows.values.shape[1]]
        state.entries = [room(self.work.entries, int(self.work.n[1]))]
        return state.cells(self.tables, self.origin, self.alive()[media:]), state.log(why)


@_compile
def _begin(tables: Any, rows: Any, clocks: Any, n: int, pools: Any, time: float) -> int:
    """Load all rows; the first one with a bad propensity, or -1."""
    for i in range(n):
        total = load(tables, rows.kind[i], rows.values[i], pools, time, False, clocks.memory[i])
        if total < 0.0:
            return i
        clocks.due[i] = meet(rows.wait[i], clocks.stream[i], rows.draws[i], time, total)
    return -1


def event_streams(keys: Words) -> Words:
    """Of each lineage, the key of its stream of events: derive(key, "events")."""
    with np.errstate(over="ignore"):
        x, y = threefry((keys[:, 0], keys[:, 1]), (EVENTS, np.uint64(TEXT_WORD)))
    return np.column_stack((x, y))
