"""Populations in windows, scarce species event by event and abundant ones as continuous amounts.

What is which says a `HybridPartition`. Windows and pools are those of `senexo.engine.population.splitting`. A window
is cut into equal steps of at most `step`; in each (Strang 1968, doi 10.1137/0705041)

1. the continuous species move on by half a step (`senexo.engine.population.langevin`), scarce ones standing still;
2. the other reactions and the fates happen exactly, event by event, for a whole step, each cell with its own clock; so
   their hazards are taken in the middle of the step, and a hazard not used up is carried over to the next;
3. the continuous species move on by the other half.

A reaction that only brings into pools is no event of the cell: how often it happens is a Poisson number with the rates
before and after 2, each for half the step.

At division the whole copies of a continuous amount are shared out by the species' rule, and the second daughter has the
rest, so the sum is kept and mean and variance are those of whole copies. Noise and counts have streams of the cell's
lineage, numbered by window and step.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.network import LoweredReaction
from senexo.engine.population.exact import MOST_CELLS, MOST_EVENTS
from senexo.engine.population.kernel import ROOM
from senexo.engine.population.langevin import Flow
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.outcome import reason
from senexo.engine.population.partition import HybridPartition, divided, limited
from senexo.engine.population.splitting import Method, check
from senexo.engine.population.stepper import _NEVER, CELLS, Chunk, Outcome, Windows, interrupts
from senexo.engine.population.tables import TAKES, Plan, plan
from senexo.engine.population.window_kernel import DONE
from senexo.engine.status import NEGATIVE, OK, STOPPED, TOO_LONG
from senexo.model.expression import Slot

STEP = 0.25  # time units: the longest step where none is given
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
    most_cells: int = 100 * MOST_CELLS,
    most_events: int = 1000 * MOST_EVENTS,
    keep_log: bool = True,
    stop: NDArray[np.bool_] | None = None,
    chunks: int | None = None,
    method: Method | None = None,
) -> tuple[Cells, Log]:
    """The population at `until` (model time), and what happened to its cells.

    step: at most this long, `STEP` or the window where None; partition: None = `divided(population)`. The result
    depends on window, step and partition, not on `threads`, `chunks`, `method` or the order of work; a run stopped at a
    multiple of the window and gone on with is the whole run. Continuous species may hold amounts that are not whole;
    their reactions are not counted in `Cells.fired`, nor the parts of copies in `gone`. Limits, `stop` and errors as
    `run_split`.
    """
    longest = longest_step(window, step)
    if not 0.0 < longest < np.inf:
        raise InvalidInput([Fault("step", repr(step), "a positive time")])
    check(plan(population), window)
    parts = _parts(population, partition)
    workers = threads or len(os.sched_getaffinity(0))
    sign = np.zeros(1, dtype=np.bool_) if stop is None else stop
    steps = _Steps(parts, cells, keep_log, sign, workers, chunks, longest)
    why = ""
    with interrupts(sign), steps as work:
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
            why = reason(parts.made, code, channel, time, most_cells=most_cells, most_events=most_events)
        after, log, counted = work.cells(), work.log(why), steps.counted
    fired = cells.fired.copy()
    fired[parts.channels] = after.fired[: len(parts.channels)]
    fired[parts.counted_channels] = counted
    after.fired = fired
    return after, replace(log, channel=parts.channels[log.channel])


class _Parts:
    """A population taken apart: its events as a population of their own, and the flows of its types."""

    def __init__(self, population: Population, partition: HybridPartition) -> None:
        self.partition = partition
        whole = plan(population)
        place = {(channel.type, channel.name, channel.once): at for at, channel in enumerate(whole.channels)}
        types, self.flows = [], list[Flow]()
        self.released: list[list[tuple[int, tuple[tuple[int, int], ...]]]] = []
        counted_at = list[int]()
        pooled = population.pooled
        for number, type in enumerate(population.types):
            network, continuous = type.network, partition.continuous
            flowing, counted, events = list[LoweredReaction](), list[LoweredReaction](), list[LoweredReaction]()
            released = list[tuple[int, tuple[tuple[int, int], ...]]]()
            for reaction in network.reactions:
                channel = place.get((type.name, reaction.id, False))
                moved = () if channel is None else whole.channels[channel].changes
                if partition.is_continuous(network, reaction):
                    flowing.append(reaction)
                elif channel is not None and moved and all(id in pooled and copies > 0 for id, copies in moved):
                    counted.append(reaction)
                    changes = tuple((pooled.index(id), copies) for id, copies in moved)
                    released.append((len(counted_at), changes))
                    counted_at.append(channel)
                else:
                    events.append(limited(network, reaction, continuous))
            states = [slot for slot in whole.countable[number] if network.slots[slot].id in continuous]
            mine = (place.get((type.name, reaction.id, False)) for reaction in events)
            laws = [
                reaction.rate
                for reaction, channel in zip(events, mine, strict=True)
                if channel is not None and whole.tables.channels[channel, TAKES] == -1
            ]
            laws += [Slot(network.slot(fate.bound or fate.hazard)) for fate in type.fates]
            self.flows.append(Flow(network, states, flowing, counted, laws))
            self.released.append(released)
            types.append(replace(type, network=replace(network, reactions=tuple(events))))
        self.events = Population(tuple(types), population.pools, population.per_cell)
        self.made: Plan = plan(self.events)
        self.channels = np.array([place[c.type, c.name, c.once] for c in self.made.channels], dtype=np.int64)
        self.counted_channels = np.array(counted_at, dtype=np.int64)


def prepare(population: Population, partition: HybridPartition | None = None) -> None:
    """Compile what `run_hybrid` needs for a population ahead of its first run."""
    _parts(population, partition)


_FEW = 500  # cells that need far less than a second for a window
_taken_apart: WeakKeyDictionary[Population, dict[frozenset[str], _Parts]] = WeakKeyDictionary()
_partitions: WeakKeyDictionary[Population, HybridPartition] = WeakKeyDictionary()


def _parts(population: Population, partition: HybridPartition | None) -> _Parts:
    if partition is None:
        if population not in _partitions:
            _partitions[population] = divided(population)
        partition = _partitions[population]
    known = _taken_apart.setdefault(population, {})
    if partition.continuous not in known:
        known[partition.continuous] = _Parts(population, partition)
    return known[partition.continuous]


class _Steps(Windows):
    """Windows of the events alone, with the flow between them."""

    def __init__(
        self, parts: _Parts, cells: Cells, keep: bool, stop: NDArray[np.bool_], workers: int, chunks: int | None,
        step: float,
    ) -> None:  # fmt: skip
        mine = replace(cells, fired=cells.fired[parts.channels])
        super().__init__(parts.events, mine, keep, stop, workers, chunks)
        self.parts, self.longest = parts, step
        if len(cells) < _FEW:
            self.seconds = 0.0  # not to be broken off: the next window will be over soon
        self.counted = cells.fired[parts.counted_channels]
        self.floored = 0  # amounts that were set to 0
        self.hazard = np.zeros(0)
        self.by_type: dict[tuple[int, int], list[tuple[int, NDArray[np.int64]]]] = {}

    def remembered(self) -> dict[str, Any]:
        return {**super().remembered(), "counted": self.counted.copy(), "by_type": {}}

    def run(self, end: float) -> Outcome:
        begin = self.time
        n = max(1, int(np.ceil((end - begin) / self.longest * (1.0 - 1e-12))))
        edges = [*(begin + (end - begin) * k / n for k in range(n)), end]
        self.see_pools()
        arriving, flown = np.zeros_like(self.pools), begin
        for k, (start, later) in enumerate(pairwise(edges)):
            middle, half = 0.5 * (start + later), 0.5 * (later - start)
            self.flow(2 * k, middle - flown)  # from middle to middle: two halves of steps made as one
            flown, before = middle, self.pools.copy()
            if not self.count(2 * k, half, arriving):
                return NEGATIVE, 0, start
            self.time = start
            found = self.react(later)
            self.time = begin
            if found[0] != OK:
                return found
            arriving += self.pools - before  # what cells release is not seen before the window ends
            self.pools[:] = before
            if not self.count(2 * k + 1, half, arriving):
                return NEGATIVE, 0, start
        self.flow(2 * n, end - flown)
        self.pools += arriving
        return OK, 0, end

    def react(self, end: float) -> Outcome:
        """Events up to `end`, of the cells whose next one is due by then."""
        stop = self.sign if self.slow else _NEVER
        if len(self.flag) < len(self.state["kind"]):
            self.flag = np.ones(len(self.state["kind"]), dtype=np.int8)
        begin, wait = self.time, self.state["wait"]

        def work(chunk: Chunk, a: int, b: int) -> Outcome:
            pass_over(a, b, wait, self.hazard, begin, end, self.flag)
            return chunk.run(self, a, b, end, stop)

        self.by_type.clear()
        return self.finish(self.share(self.n, CELLS, work), end)

    def sorted(self, first: int, last: int) -> list[tuple[int, NDArray[np.int64]]]:
        """The rows of living cells from first to last - 1, by their type; remembered until something happens to one."""
        found = self.by_type.get((first, last))
        if found is None:
            kind = self.state["kind"][first:last]
            found = [(k, first + np.flatnonzero(kind == k)) for k in range(self.media)]
            self.by_type[first, last] = found = [(k, rows) for k, rows in found if len(rows)]
        return found

    def see_pools(self) -> None:
        """Laws read the pools, frozen for the window, in the cells' own rows."""
        kind, values = self.state["kind"][: self.n], self.state["values"][: self.n]
        for k in range(self.media):
            for pool, slot in enumerate(self.tables.pool_slot[k]):
                if slot >= 0:
                    values[kind == k, slot] = self.pools[pool]

    def flow(self, place: int, h: float) -> None:
        """The continuous species of all cells move on by h; every cell's hazard of an event after that."""
        first = (self.windows * _PLACES + place) * _DRAWS
        kind, values, keys = self.state["kind"], self.state["values"], self.state["key"]
        self.hazard = np.full(len(kind), np.inf)

        def work(chunk: Chunk, a: int, b: int) -> int:
            return sum(
                self.parts.flows[k].step(rows, values, keys, h, first, self.hazard) for k, rows in self.sorted(a, b)
            )

        self.floored += sum(self.share(self.n, CELLS, work))

    def count(self, place: int, h: float, arriving: NDArray[Any]) -> bool:
        """What is counted during h; False for a negative rate."""
        if not len(self.counted):
            return True
        first = (self.windows * _PLACES + place) * _DRAWS
        values, keys, weights = self.state["values"], self.state["key"], self.state["weight"]

        def work(chunk: Chunk, a: int, b: int) -> list[tuple[int, NDArray[np.int64] | None]]:
            flows = self.parts.flows
            return [(k, flows[k].count(rows, values, keys, weights, h, first)) for k, rows in self.sorted(a, b)]

        for counts in self.share(self.n, CELLS, work):
            for kind, found in counts:
                if found is None:
                    return False
                self.events += int(found[:, 1].sum())
                for events, (at, changes) in zip(found[:, 0].tolist(), self.parts.released[kind], strict=True):
                    self.counted[at] += events
                    for species, copies in changes:
                        arriving[species] += copies * events
        return True


@_compile
def pass_over(first: int, last: int, wait: Any, hazard: Any, begin: float, end: float, flag: Any) -> None:
    """Mark the rows that have no event from `begin` to `end`, and note what their hazard was then."""
    for row in range(first, last):
        flag[row] = 1
        if wait[row, 1] < 0.0 or not hazard[row] < np.inf:
            continue
        left = max(0.0, wait[row, 1] - (begin - wait[row, 0]) * wait[row, 2])
        if hazard[row] >= 0.0 and left > hazard[row] * (end - begin):
            wait[row, 0], wait[row, 1], wait[row, 2] = begin, left, hazard[row]
            flag[row] = DONE
