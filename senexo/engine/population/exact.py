"""All cells and pools of a population as one exact stochastic process: for small populations, and as an oracle.

Every cell is followed: there are no weights here. One event of a cell that represents several would move several copies
of a pool at once, which a nearly empty pool may not have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.streams import TEXT as TEXT_WORD
from senexo.base.streams import derive, threefry
from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.population.kernel import (
    BELOW_HAZARD,
    DAUGHTER,
    EVENTS,
    FULL,
    ROOM,
    TEXT,
    accepted,
    chosen,
    derived,
    divide,
    load,
    meet,
    react,
    redraw,
    refresh,
    renew,
    total_hazard,
    transit,
)
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.outcome import reason
from senexo.engine.population.tables import (
    AFTER,
    AFTER_END,
    BECOME,
    CHANNELS,
    DIVIDE,
    EFFECT,
    FIRST,
    POOL,
    POOLED,
    RATE,
    REACTIONS,
    SETS,
    SLOTS,
    TO,
    WHAT,
    plan,
)
from senexo.engine.rng import RUN
from senexo.engine.status import DEPLETED, NEGATIVE, OK, STOPPED, TOO_LONG

_ROWS = ("kind", "key", "parent", "born", "draws", "wait", "stream", "memory", "due")
MOST_CELLS, MOST_EVENTS = 1_000_000, 1_000_000_000
_compile = kernel()


@_compile
def _advance(
    tables: Any, n: Any, kind: Any, key: Any, parent: Any, born: Any, stream: Any, draws: Any, wait: Any, due: Any,
    memory: Any, base: Any, pools: Any, fired: Any, gone: Any, copied: Any, spare: Any,
    log_time: Any, log_key: Any, log_channel: Any, until: float, most: int, stop: Any, keep: bool,
) -> Any:  # fmt: skip
    """Events in their order up to `until`. Rows [0, n[0]) are in use; n: rows, entries of the log, events.

    Returns (outcome, channel, time). ROOM and FULL ask for more rows or a longer log, and change nothing.
    """
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
        k = kind[row]
        mine, about = memory[row], tables.kinds[k]
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
        effect = tables.channels[channel, EFFECT]
        what_happens = tables.effects[effect, WHAT]
        if what_happens == DIVIDE and n[0] == len(kind):
            return ROOM, channel, time
        if keep and n[1] == len(log_time):
            return FULL, channel, time
        yes = accepted(tables, k, channel, inside, time - born[row], time, mine)
        n[2] += 1
        if yes < 0:
            return BELOW_HAZARD, channel, time
        if yes == 0:
            draws[row] += 1
            due[row] = redraw(wait[row], stream[row], draws[row], time, wait[row, 2])
            continue
        fired[channel] += 1
        if keep:
            log_time[n[1]], log_channel[n[1]] = time, channel
            log_key[n[1], 0], log_key[n[1], 1] = key[row, 0], key[row, 1]
            n[1] += 1
        if what_happens == DIVIDE:
            new = n[0]
            n[0] += 1
            divide(tables, effect, k, key[row], 1, base, copied, mine, spare[0], spare[1], spare[2])
            parent[row] = key[row]
            parent[new] = key[row]
            d0, d1 = derived(parent[row], DAUGHTER, TEXT)
            spare_key = np.array([d0, d1], np.uint64)
            for daughter in range(2):
                i = row if daughter == 0 else new
                x, y = derived(spare_key, np.uint64(daughter), RUN)
                key[i, 0], key[i, 1] = x, y
                x, y = derived(key[i], EVENTS, TEXT)
                stream[i, 0], stream[i, 1] = x, y
                kind[i], born[i], draws[i] = tables.effects[effect, TO + daughter], time, 0
                total = load(tables, kind[i], spare[1 + daughter], pools, time, False, memory[i])
                due[i] = redraw(wait[i], stream[i], 0, time, total)
                if total < 0.0:
                    return NEGATIVE, channel, time
        elif what_happens == BECOME:
            kind[row], born[row] = tables.effects[effect, TO], time
            spare[0, : about[SLOTS]] = mine[: about[SLOTS]]
            transit(tables, effect, SETS, k, kind[row], base, spare[0], spare[1])
            total = load(tables, kind[row], spare[1], pools, time, False, mine)
            draws[row] += 1
            due[row] = redraw(wait[row], stream[row], draws[row], time, total)
            if total < 0.0:
                return NEGATIVE, channel, time
        else:
            for slot in range(about[SLOTS]):
                if tables.counted[k, slot]:
                    gone[k, slot] += int(mine[slot])
            kind[row], due[row] = -1, np.inf


def run_exact(
    population: Population,
    cells: Cells,
    until: float,
    *,
    most_cells: int = MOST_CELLS,
    most_events: int = MOST_EVENTS,
    keep_log: bool = True,
    stop: NDArray[np.bool_] | None = None,
) -> tuple[Cells, Log]:
    """The population at `until` (model time), and what happened to its cells.

    The joint process of all cells and pools, event by event. Cost: per event, a look at every cell's next time, and
    at every cell's propensities where a pool has changed. A run cut into parts gives the same events as the whole.
    Over a limit, or once another thread has set `stop` [1], it ends early and the log says so.
    `cells` is left as it is. Raises `SenexoError` for laws that go negative or fire without enough reactant, and
    `InvalidInput` for cells with a weight above 1.
    """
    heavy = int(np.count_nonzero(cells.weight != 1))
    if heavy:
        found = f"{heavy} of {len(cells)} cells represent more than one"
        raise InvalidInput([Fault("run_exact: cells.weight", found, "1 for every cell; run_split or run_hybrid")])
    made = plan(population)
    work = _Rows(population, cells, made.tables, most_cells)
    sign = np.zeros(1, dtype=np.bool_) if stop is None else stop
    code, channel, time = OK, -1, until
    while True:
        code, channel, time = work.advance(until, most_events, sign, keep_log)
        if code == ROOM:
            work.compact()
            if not work.grow():
                break
        elif code == FULL:
            work.lengthen()
        else:
            break
    why = reason(made, code, channel, time, most_cells=most_cells, most_events=most_events)
    return work.cells(time), work.log(why)


class _Rows:
    """A population as the kernel has it: the media of the pools first, then the cells, with room for more."""

    def __init__(self, population: Population, cells: Cells, tables: Any, most_cells: int) -> None:
        self.tables, self.old, self.media = tables, cells, len(population.types)
        n = len(cells)
        self.most = self.media + max(n, most_cells)
        capacity = min(self.media + 2 * n + 16, self.most)
        width = tables.template.shape[1]
        media = np.array(
            [derive(cells.seed, cells.replicate, "pool", place) for place in range(self.media)], dtype=np.uint64
        )

        def rows(first: Any, rest: Any) -> NDArray[Any]:
            both = np.concatenate((first, rest))
            room = np.zeros((capacity, *both.shape[1:]), dtype=both.dtype)
            room[: len(both)] = both
            return room

        self.kind = rows(np.arange(self.media, 2 * self.media), cells.type)
        self.key = rows(media, cells.key)
        self.parent = rows(np.zeros_like(media), cells.parent)
        self.born = rows(np.zeros(self.media), cells.born)
        self.draws = rows(cells.pool_draws, cells.draws)
        self.wait = rows(cells.pool_wait, cells.wait)
        self.stream = event_streams(self.key)
        self.memory = np.zeros((capacity, width))
        self.due = np.full(capacity, np.inf)
        self.pools, self.fired = cells.pools.copy(), cells.fired.copy()
        self.gone, self.copied, self.base = cells.gone.copy(), cells.copied.copy(), cells.base
        self.spare = np.zeros((3, max(width, 1)))
        self.n = np.array([self.media + n, 0, 0])
        self.log_time, self.log_key, self.log_channel = np.zeros(64), np.zeros((64, 2), np.uint64), np.zeros(64, int)
        values = np.concatenate((cells.base, cells.values))
        bad = _begin(
            tables, self.n[0], self.kind, self.stream, self.draws, self.wait, self.due, values, self.pools,
            cells.time, self.memory,
        )  # fmt: skip
        self.bad = int(bad)
        self.start = cells.time

    def advance(self, until: float, most: int, stop: NDArray[np.bool_], keep: bool) -> tuple[int, int, float]:
        if self.bad >= 0:
            return NEGATIVE, int(self.tables.kinds[self.kind[self.bad], FIRST]), self.start
        return _advance(
            self.tables, self.n, self.kind, self.key, self.parent, self.born, self.stream, self.draws, self.wait,
            self.due, self.memory, self.base, self.pools, self.fired, self.gone, self.copied, self.spare,
            self.log_time, self.log_key, self.log_channel, until, most, stop, keep,
        )  # fmt: skip

    def compact(self) -> None:
        """Move the living to the front, in their order; the time of a long run is no time of its memory."""
        alive = np.flatnonzero(self.kind[: self.n[0]] >= 0)
        for name in _ROWS:
            array = getattr(self, name)
            array[: len(alive)] = array[alive]
        self.n[0] = len(alive)

    def grow(self) -> bool:
        """Make room for a quarter more cells at least, unless there are as many as may be."""
        if self.n[0] >= self.most:
            return False
        if self.n[0] > 0.75 * len(self.kind):
            capacity = min(2 * len(self.kind), self.most)
            for name in _ROWS:
                setattr(self, name, _doubled(getattr(self, name))[:capacity])
        return True

    def lengthen(self) -> None:
        for name in ("log_time", "log_key", "log_channel"):
            setattr(self, name, _doubled(getattr(self, name)))

    def cells(self, time: float) -> Cells:
        n, width = self.n[0], self.old.values.shape[1]
        alive = np.arange(self.media, n)[self.kind[self.media : n] >= 0]
        kind, born, memory = self.kind[alive], self.born[alive], self.memory[alive, :width]
        return Cells(
            self.old.seed, self.old.replicate, time,
            type=kind, key=self.key[alive], parent=self.parent[alive], born=born,
            draws=self.draws[alive], wait=self.wait[alive],
            values=current(self.tables, kind, memory, born, self.pools, time),
            weight=np.ones(len(alive), dtype=np.int64), base=self.base.copy(), pools=self.pools,
            pool_draws=self.draws[: self.media].copy(), pool_wait=self.wait[: self.media].copy(),
            fired=self.fired, gone=self.gone, copied=self.copied, windows=self.old.windows,
        )  # fmt: skip

    def log(self, why: str) -> Log:
        n = self.n[1]
        weight = np.ones(n, dtype=np.int64)
        return Log(self.log_time[:n], self.log_key[:n], self.log_channel[:n], weight, complete=not why, reason=why)


@_compile
def _begin(
    tables: Any, n: int, kind: Any, stream: Any, draws: Any, wait: Any, due: Any, values: Any, pools: Any,
    time: float, memory: Any,
) -> int:  # fmt: skip
    """Load all rows; the first one with a bad propensity, or -1."""
    for i in range(n):
        total = load(tables, kind[i], values[i], pools, time, False, memory[i])
        if total < 0.0:
            return i
        due[i] = meet(wait[i], stream[i], draws[i], time, total)
    return -1


def event_streams(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Of each lineage, the key of its stream of events: derive(key, "events")."""
    with np.errstate(over="ignore"):
        x, y = threefry((keys[:, 0], keys[:, 1]), (EVENTS, np.uint64(TEXT_WORD)))
    return np.column_stack((x, y))


def current(
    tables: Any,
    kind: NDArray[np.int64],
    values: NDArray[np.float64],
    born: NDArray[np.float64],
    pools: Any,
    time: float,
) -> NDArray[np.float64]:
    """The slots of each cell as they are now, 0 beyond those of its type, so that equal states have equal bytes."""
    values = np.ascontiguousarray(values)
    refresh(tables, kind, values, born, pools, time, np.zeros(tables.template.shape[1]))
    return values


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate((array, np.zeros_like(array)))
