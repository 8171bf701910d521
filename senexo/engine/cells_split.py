"""Populations in windows: every cell runs exactly while the pools are frozen, then the pools are settled.

A window of length h (Strang splitting; Strang 1968, doi 10.1137/0705041, whose error falls with h^2 for smooth rates):

1. half a settlement: every molecule of a pool of N leaves within h/2 with probability 1 - exp(-K h/2), where
   K = sum of k_j and k_j = propensity_j / N over all that may take it: uptake by each cell, loss, passage. Those that
   leave are shared out by k_j. So no pool becomes negative and no molecule is lost;
2. every cell runs by itself for h with its uptake left out, as `senexo.engine.cells_kernel` has it; divisions, deaths
   and daughters included; what it releases is collected and comes into the pools at the end;
3. half a settlement more.

Windows begin at whole multiples of h. Cells do not touch each other inside a window, so threads change nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, UnsupportedFeature
from senexo.base.streams import derive
from senexo.engine.cells import Cells, Log, Population
from senexo.engine.cells_exact import MOST_CELLS, MOST_EVENTS, own_slots
from senexo.engine.cells_kernel import (
    BELOW_HAZARD,
    DAUGHTER,
    EVENTS,
    FULL,
    ROOM,
    TEXT,
    accepted,
    binomial,
    derived,
    divide,
    load,
    meet,
    redraw,
    transit,
)
from senexo.engine.cells_outcome import reason
from senexo.engine.cells_tables import (
    AFTER,
    AFTER_END,
    BECOME,
    CHANGES,
    CHANGES_END,
    CHANNELS,
    DIVIDE,
    EFFECT,
    FIRST,
    RATE,
    REACTIONS,
    SLOTS,
    TAKES,
    TAKING,
    TIME,
    TO,
    UPTAKE,
    UPTAKE_END,
    WHAT,
    Plan,
    plan,
)
from senexo.engine.compiling import kernel
from senexo.engine.draws import REACTIONS as DRAWS
from senexo.engine.draws import RUN, exponential, threefry, unit
from senexo.engine.machine import run as execute
from senexo.engine.ssa_outcome import DEPLETED, NEGATIVE, OK, STOPPED, TOO_LONG

CHUNKS = 8  # parts of a window's work; the result does not depend on their number
_ROWS = ("kind", "key", "parent", "born", "draws", "wait", "values")
_compile = kernel()


@_compile
def _reactions(
    code: Any, channels: Any, changes: Any, memory: Any, waiting: Any, stream: Any, released: Any, fired: Any,
    rate: int, n_rates: int, skip: int, n_reactions: int, first: int, used: int, due: float, end: float, stop: Any,
) -> Any:  # fmt: skip
    """Reactions of one cell up to `end` or to a fate, which is left to the caller.

    What `cells_kernel` has in functions stands here in one loop with its own names: numba counts references to every
    array that is handed on or read from a tuple, and that takes longer than the reaction.
    Returns (outcome, channel of the kind, place in its share, draws, time, due, events).
    """
    k0, k1 = stream[0], stream[1]
    since, left, total = waiting[0], waiting[1], waiting[2]
    choice = unit(threefry(k0, k1, np.uint64(used), DRAWS)[1])
    outcome, r, inside, time, events = OK, 0, 0.0, since, 0
    while due <= end:
        time = due
        target, before = choice * total, 0.0
        for place in range(n_rates):
            propensity = memory[rate + place]
            if propensity > 0.0:
                r = place
                if before + propensity > target:
                    break
            before += propensity
        if r + skip >= n_reactions:
            propensity = memory[rate + r]
            if before + propensity <= target:  # rounding went past the last channel; it is the last one's
                before -= propensity
            inside = (target - before) / propensity
            break
        channel = first + skip + r
        fine = True
        for c in range(channels[channel, CHANGES], channels[channel, CHANGES_END]):
            if changes[c, 2] >= 0:
                released[changes[c, 2]] += changes[c, 1]
            else:
                memory[changes[c, 0]] += changes[c, 1]
                fine &= memory[changes[c, 0]] >= 0.0
        if not fine:
            outcome = DEPLETED
            break
        events += 1
        fired[channel] += 1
        execute(code, channels[channel, AFTER], channels[channel, AFTER_END], memory)
        total = 0.0
        for place in range(rate, rate + n_rates):
            fine &= memory[place] >= 0.0 and memory[place] < np.inf
            total += memory[place]
        used += 1
        x, y = threefry(k0, k1, np.uint64(used), DRAWS)
        since, left, choice = time, exponential(x), unit(y)
        due = since + left / total if total > 0.0 else np.inf
        if not fine:
            outcome = NEGATIVE
            break
        if events % 65536 == 0 and stop[0]:
            outcome = STOPPED
            break
    waiting[0], waiting[1], waiting[2] = since, left, total
    return outcome, r + skip, inside, used, time, due, events


@_compile
def _run_cell(
    tables: Any, kind: Any, key: Any, parent: Any, born: Any, draws: Any, wait: Any, values: Any, row: int,
    f_kind: Any, f_key: Any, f_parent: Any, f_born: Any, f_draws: Any, f_wait: Any, f_values: Any,
    n: Any, memory: Any, spare: Any, base: Any, pools: Any, released: Any, fired: Any, gone: Any, copied: Any,
    log_time: Any, log_key: Any, log_channel: Any, begin: float, end: float, stop: Any, keep: bool,
) -> Any:  # fmt: skip
    """One cell from where it is to `end`; second daughters go to the rows f_. Returns (outcome, channel, time).

    n: fresh rows, entries of the log, events. ROOM and FULL leave the cell before the event that needs more room.
    """
    stream = np.empty(2, np.uint64)
    stream[0], stream[1] = derived(key[row], EVENTS, TEXT)
    waiting, k = wait[row], kind[row]
    total = load(tables, k, values[row], pools, max(begin, born[row]), True, memory)
    due = meet(waiting, stream, draws[row], max(begin, born[row]), total)
    outcome, channel, time = OK, 0, begin
    about = tables.kinds[k]
    skip, n_reactions, first, n_slots = about[TAKING], about[REACTIONS], about[FIRST], about[SLOTS]
    rate, n_rates = about[RATE] + about[TAKING], about[CHANNELS] - about[TAKING]
    if total < 0.0:
        return NEGATIVE, first, begin
    used = draws[row]
    while due <= end:
        outcome, r, inside, used, time, due, events = _reactions(
            tables.code, tables.channels, tables.changes, memory, waiting, stream, released, fired,
            rate, n_rates, skip, n_reactions, first, used, due, end, stop,
        )  # fmt: skip
        n[2] += events
        channel = first + r
        if outcome != OK or due > end:
            break
        effect = tables.channels[channel, EFFECT]
        happens = tables.effects[effect, WHAT]
        if happens == DIVIDE and n[0] == len(f_kind):
            outcome = ROOM
            break
        if keep and n[1] == len(log_time):
            outcome = FULL
            break
        yes = accepted(tables, k, channel, inside, time - born[row], time, memory)
        n[2] += 1
        if yes < 0:
            outcome = BELOW_HAZARD
            break
        used += 1
        if yes == 0:
            due = redraw(waiting, stream, used, time, waiting[2])
            continue
        fired[channel] += 1
        if keep:
            log_time[n[1]], log_channel[n[1]] = time, channel
            log_key[n[1], 0], log_key[n[1], 1] = key[row, 0], key[row, 1]
            n[1] += 1
        if happens == DIVIDE:
            new = n[0]
            n[0] += 1
            divide(tables, effect, k, key[row], base, copied, memory, spare[0], spare[1], spare[2])
            mother = key[row].copy()
            nursery = np.empty(2, np.uint64)
            nursery[0], nursery[1] = derived(mother, DAUGHTER, TEXT)
            f_key[new, 0], f_key[new, 1] = derived(nursery, np.uint64(1), RUN)
            f_parent[new], f_kind[new], f_born[new] = mother, tables.effects[effect, TO + 1], time
            f_draws[new], f_wait[new, 1] = 0, -1.0
            f_values[new] = 0.0
            for slot in range(tables.kinds[f_kind[new], SLOTS]):
                f_values[new, slot] = spare[2, slot]
            key[row, 0], key[row, 1] = derived(nursery, np.uint64(0), RUN)
            stream[0], stream[1] = derived(key[row], EVENTS, TEXT)
            parent[row], used = mother, 0
        elif happens == BECOME:
            spare[0, :n_slots] = memory[:n_slots]
            transit(tables, effect, k, tables.effects[effect, TO], base, spare[0], spare[1])
        else:
            for slot in range(n_slots):
                if tables.counted[k, slot]:
                    gone[k, slot] += int(memory[slot])
            kind[row] = -1
            return OK, channel, time
        k = tables.effects[effect, TO]
        kind[row], born[row] = k, time
        about = tables.kinds[k]
        skip, n_reactions, first, n_slots = about[TAKING], about[REACTIONS], about[FIRST], about[SLOTS]
        rate, n_rates = about[RATE] + about[TAKING], about[CHANNELS] - about[TAKING]
        total = load(tables, k, spare[1], pools, time, True, memory)
        due = redraw(waiting, stream, used, time, total)
        if total < 0.0:
            outcome = NEGATIVE
            break
    draws[row] = used
    for slot in range(n_slots):
        values[row, slot] = memory[slot]
    return outcome, channel, time


@_compile
def _window(
    tables: Any, last: int, place: Any, kind: Any, key: Any, parent: Any, born: Any, draws: Any, wait: Any,
    values: Any, f_kind: Any, f_key: Any, f_parent: Any, f_born: Any, f_draws: Any, f_wait: Any, f_values: Any,
    n: Any, memory: Any, spare: Any, base: Any, pools: Any, released: Any, fired: Any, gone: Any, copied: Any,
    log_time: Any, log_key: Any, log_channel: Any, begin: float, end: float, stop: Any, keep: bool,
) -> Any:  # fmt: skip
    """All cells of rows place[0] to last, each followed by its daughters place[1] .. n[0] of the fresh rows."""
    while place[0] < last or place[1] < n[0]:
        if place[1] < n[0]:
            code, channel, time = _run_cell(
                tables, f_kind, f_key, f_parent, f_born, f_draws, f_wait, f_values, place[1],
                f_kind, f_key, f_parent, f_born, f_draws, f_wait, f_values,
                n, memory, spare, base, pools, released, fired, gone, copied,
                log_time, log_key, log_channel, begin, end, stop, keep,
            )  # fmt: skip
            if code != OK:
                return code, channel, time
            place[1] += 1
        else:
            if kind[place[0]] >= 0:
                code, channel, time = _run_cell(
                    tables, kind, key, parent, born, draws, wait, values, place[0],
                    f_kind, f_key, f_parent, f_born, f_draws, f_wait, f_values,
                    n, memory, spare, base, pools, released, fired, gone, copied,
                    log_time, log_key, log_channel, begin, end, stop, keep,
                )  # fmt: skip
                if code != OK:
                    return code, channel, time
            place[0] += 1
        if stop[0]:
            return STOPPED, 0, begin
    return OK, 0, end


@_compile
def _takers(
    tables: Any, first: int, last: int, kind: Any, values: Any, pools: Any, time: float, memory: Any, rates: Any
) -> int:
    """The propensities of all that takes from pools, [rows, most of any kind]; the first bad row, or -1."""
    before = -1
    for row in range(first, last):
        rates[row] = 0.0
        k = kind[row]
        if k < 0 or tables.kinds[k, TAKING] == 0:
            continue
        about = tables.kinds[k]
        if k != before:
            memory[:] = tables.template[k]
            before = k
        for slot in range(about[SLOTS]):
            memory[slot] = values[row, slot]
        memory[about[TIME]] = time
        for pool in range(len(pools)):
            slot = tables.pool_slot[k, pool]
            if slot >= 0:
                memory[slot] = pools[pool]
        execute(tables.code, about[UPTAKE], about[UPTAKE_END], memory)
        for t in range(about[TAKING]):
            rates[row, t] = memory[about[RATE] + t]
            if not (rates[row, t] >= 0.0 and rates[row, t] < np.inf):
                return row
    return -1


@_compile
def _settle(
    tables: Any, n: int, kind: Any, values: Any, pools: Any, fired: Any, rates: Any, span: float, key: Any
) -> int:
    """Molecules leave their pools for `span` and arrive where they go; returns how many. Each pool has a stream."""
    before, moved = pools.copy(), 0
    upto = np.empty(n * rates.shape[1])
    for pool in range(len(pools)):
        if before[pool] <= 0:
            continue
        total = 0.0
        for row in range(n):
            for t in range(rates.shape[1]):
                k = kind[row]
                if (
                    k >= 0
                    and t < tables.kinds[k, TAKING]
                    and tables.channels[tables.kinds[k, FIRST] + t, TAKES] == pool
                ):
                    total += rates[row, t]
                upto[row * rates.shape[1] + t] = total
        if total <= 0.0:
            continue
        k0, k1 = threefry(key[0], key[1], np.uint64(pool), RUN)
        used = np.zeros(1, np.uint64)
        leaving = binomial(k0, k1, used, before[pool], -np.expm1(-total / before[pool] * span))
        for _ in range(leaving):
            word = threefry(k0, k1, used[0], DRAWS)[0]
            used[0] += np.uint64(1)
            place = min(np.searchsorted(upto, unit(word) * total, side="right"), len(upto) - 1)
            while place > 0 and upto[place] == upto[place - 1]:
                place -= 1
            row, t = place // rates.shape[1], place % rates.shape[1]
            channel = tables.kinds[kind[row], FIRST] + t
            fired[channel] += 1
            for c in range(tables.channels[channel, CHANGES], tables.channels[channel, CHANGES_END]):
                copies, to = tables.changes[c, 1], tables.changes[c, 2]
                if to >= 0:
                    pools[to] += copies
                else:
                    values[row, tables.changes[c, 0]] += copies
        moved += leaving
    return moved


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
    chunks: int = CHUNKS,
) -> tuple[Cells, Log]:
    """The population at `until` (model time), in windows of length `window`, and what happened to its cells.

    The result depends on the window, not on `threads`, `chunks` or the order of work; a run stopped at a multiple of
    the window and gone on with is the whole run. Over a limit, or once `stop` [1] is set by another thread, it ends
    with the window and the log says so. The log is in order of time. Without pools it equals `run_exact`.
    Raises `UnsupportedFeature` for a reaction that takes more than one copy from pools; else as `run_exact`.
    """
    made = plan(population)
    _check(made, window)
    work = _Windows(population, cells, made, keep_log, max(1, chunks))
    workers = min(threads or len(os.sched_getaffinity(0)), max(1, chunks))
    why = ""
    with ThreadPoolExecutor(workers) as pool:
        while work.time < until and not why:
            end = min(until, (np.floor(work.time / window * (1.0 + 1e-12)) + 1.0) * window)
            code, channel, time = work.window(float(end), pool)
            if code == OK and work.alive() > most_cells:
                code, channel, time = ROOM, 0, work.time
            elif code == OK and work.events > most_events:
                code, channel, time = TOO_LONG, 0, work.time
            elif code == OK and stop is not None and stop[0]:
                code, channel, time = STOPPED, 0, work.time
            why = reason(made, code, channel, time, most_cells=most_cells, most_events=most_events)
    return work.cells(), work.log(why)


def _check(made: Plan, window: float) -> None:
    if not 0.0 < window < np.inf:
        raise InvalidInput([Fault("window", repr(window), "a positive time")])
    tables = made.tables
    for kind in tables.kinds:
        for channel in range(kind[FIRST], kind[FIRST] + kind[TAKING]):
            if tables.channels[channel, TAKES] < 0:
                name = made.channels[channel].name
                raise UnsupportedFeature("more than one copy from the pools at once, in windows", f"reaction {name}")


class _Chunk:
    """What one part of a window's work writes beside its rows: fresh rows, log, counts."""

    def __init__(self, windows: _Windows) -> None:
        width, cells = windows.tables.template.shape[1], windows.state
        self.memory, self.spare = np.zeros(width), np.zeros((3, width))
        self.n, self.place = np.zeros(3, dtype=np.int64), np.zeros(2, dtype=np.int64)
        self.fresh = {name: np.zeros((16, *cells[name].shape[1:]), dtype=cells[name].dtype) for name in _ROWS}
        self.counts = [np.zeros_like(a) for a in (windows.pools, windows.fired, windows.gone, windows.copied)]
        self.log = [np.zeros(64), np.zeros((64, 2), dtype=np.uint64), np.zeros(64, dtype=np.int64)]

    def run(self, windows: _Windows, first: int, last: int, end: float) -> tuple[int, int, float]:
        self.n[:], self.place[:] = 0, (first, 0)
        for counts in self.counts:
            counts[:] = 0
        released, fired, gone, copied = self.counts
        while True:
            code, channel, time = _window(
                windows.tables, last, self.place, *(windows.state[name] for name in _ROWS),
                *(self.fresh[name] for name in _ROWS), self.n, self.memory, self.spare, windows.base, windows.pools,
                released, fired, gone, copied, *self.log, windows.time, end, windows.stop, windows.keep,
            )  # fmt: skip
            if code == ROOM:
                self.fresh = {name: np.concatenate((rows, np.zeros_like(rows))) for name, rows in self.fresh.items()}
            elif code == FULL:
                self.log = [np.concatenate((part, np.zeros_like(part))) for part in self.log]
            else:
                return int(code), int(channel), float(time)


class _Windows:
    """A population while windows pass: the media of the pools first, then cells, the dead until they are many."""

    def __init__(self, population: Population, cells: Cells, made: Plan, keep: bool, chunks: int) -> None:
        self.old, self.made, self.tables, self.keep = cells, made, made.tables, keep
        self.media, self.time, self.windows, self.events = len(population.types), cells.time, cells.windows, 0
        key = np.array([derive(cells.seed, cells.replicate, "pool", k) for k in range(self.media)], dtype=np.uint64)
        first = {
            "kind": np.arange(self.media, 2 * self.media), "key": key, "parent": np.zeros_like(key),
            "born": np.zeros(self.media), "draws": cells.pool_draws, "wait": cells.pool_wait, "values": cells.base,
        }  # fmt: skip
        rest = {**cells.arrays(), "kind": cells.type}
        self.state: dict[str, NDArray[Any]] = {name: np.concatenate((first[name], rest[name])) for name in _ROWS}
        self.pools, self.fired = cells.pools.copy(), cells.fired.copy()
        self.gone, self.copied, self.base = cells.gone.copy(), cells.copied.copy(), cells.base
        self.stop = np.zeros(1, dtype=np.bool_)
        self.chunks = [_Chunk(self) for _ in range(chunks)]
        self.logs: list[list[NDArray[Any]]] = []

    def alive(self) -> int:
        return int((self.state["kind"] >= 0).sum()) - self.media

    def window(self, end: float, pool: ThreadPoolExecutor) -> tuple[int, int, float]:
        code = self.settle(0, 0.5 * (end - self.time), pool)
        if code[0] == OK:
            code = self.run(end, pool)
        if code[0] == OK:
            self.time = end
            code = self.settle(1, 0.5 * (end - self.started), pool)
        self.windows += 1
        return code

    def bounds(self) -> list[tuple[int, int]]:
        edges = np.linspace(0, len(self.state["kind"]), len(self.chunks) + 1).astype(int)
        return [(int(a), int(b)) for a, b in pairwise(edges)]

    def settle(self, half: int, span: float, pool: ThreadPoolExecutor) -> tuple[int, int, float]:
        most = int(self.tables.kinds[:, TAKING].max())
        if not len(self.pools) or not most or not self.pools.any():
            return OK, 0, self.time
        state, n = self.state, len(self.state["kind"])
        rates = np.empty((n, most))
        jobs = [
            pool.submit(
                _takers, self.tables, a, b, state["kind"], state["values"], self.pools, self.time, chunk.memory, rates
            )
            for chunk, (a, b) in zip(self.chunks, self.bounds(), strict=True)
        ]
        bad = [row for row in self.wait_for(jobs) if row >= 0]
        if bad:
            return NEGATIVE, int(self.tables.kinds[state["kind"][bad[0]], FIRST]), self.time
        words = derive(self.old.seed, self.old.replicate, "settle", self.windows, half)
        key = np.array(words, dtype=np.uint64)
        values = state["values"]
        self.events += int(_settle(self.tables, n, state["kind"], values, self.pools, self.fired, rates, span, key))
        return OK, 0, self.time

    def run(self, end: float, pool: ThreadPoolExecutor) -> tuple[int, int, float]:
        self.started = self.time
        jobs = [
            pool.submit(chunk.run, self, a, b, end) for chunk, (a, b) in zip(self.chunks, self.bounds(), strict=True)
        ]
        found = self.wait_for(jobs)
        failed = [code for code in found if code[0] != OK]
        if failed:
            return min(failed, key=lambda code: code[2])
        for chunk in self.chunks:
            released, fired, gone, copied = chunk.counts
            self.pools += released
            self.fired += fired
            self.gone += gone
            self.copied += copied
            self.events += int(chunk.n[2])
            if chunk.n[1]:
                self.logs.append([part[: chunk.n[1]].copy() for part in chunk.log])
        self.gather()
        return OK, 0, end

    def gather(self) -> None:
        """Add the daughters in the order of their mothers; drop the dead when they are an eighth."""
        born = sum(int(chunk.n[0]) for chunk in self.chunks)
        kind = self.state["kind"]
        dead = int((kind < 0).sum())
        if not born and 8 * dead <= len(kind):
            return
        keep = kind >= 0
        for name in _ROWS:
            fresh = [chunk.fresh[name][: chunk.n[0]] for chunk in self.chunks]
            self.state[name] = np.concatenate((self.state[name][keep], *fresh))

    def wait_for(self, jobs: list[Any]) -> list[Any]:
        try:
            wait(jobs)
        except BaseException:
            self.stop[0] = True
            raise
        return [job.result() for job in jobs]

    def cells(self) -> Cells:
        kind = self.state["kind"]
        alive = np.arange(self.media, len(kind))[kind[self.media :] >= 0]
        rows = {name: self.state[name][alive] for name in _ROWS}
        values = own_slots(self.tables, rows["kind"], rows["values"], self.old.values.shape[1])
        return Cells(
            self.old.seed, self.old.replicate, self.time,
            type=rows["kind"], key=rows["key"], parent=rows["parent"], born=rows["born"], draws=rows["draws"],
            wait=rows["wait"], values=values, base=self.base.copy(), pools=self.pools,
            pool_draws=self.state["draws"][: self.media].copy(), pool_wait=self.state["wait"][: self.media].copy(),
            fired=self.fired, gone=self.gone, copied=self.copied, windows=self.windows,
        )  # fmt: skip

    def log(self, why: str) -> Log:
        empty = [np.zeros(0), np.zeros((0, 2), dtype=np.uint64), np.zeros(0, dtype=np.int64)]
        time, key, channel = (np.concatenate(parts) for parts in zip(empty, *self.logs, strict=True))
        order = np.lexsort((key[:, 1], key[:, 0], time))
        return Log(time[order], key[order], channel[order], complete=not why, reason=why)


@dataclass(frozen=True)
class Halving:
    """What half the window changes, per quantity: mean over replicates at `window`, the difference to window / 2.

    `error` estimates what is wrong at window / 2 (of the difference a third, for the second order of the method);
    `standard_error` says how finely the replicates tell the difference. Smaller than two of these, it is not seen.
    """

    window: float
    quantities: tuple[str, ...]
    mean: NDArray[np.float64]
    difference: NDArray[np.float64]
    standard_error: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        return np.abs(self.difference) / 3.0


def halving(
    population: Population, beginnings: Sequence[Cells], until: float, *, window: float, threads: int | None = None
) -> Halving:
    """The error of a window, from the same replicates with the whole window and with half of it.

    beginnings: states of at least two replicates. Quantities: cells of each type, mean of each species per cell of a
    type ("type.species"; 0 where there is no cell), copies in each pool.
    """
    rows = []
    for cells in beginnings:
        runs = (run_split(population, cells, until, window=h, threads=threads) for h in (window, window / 2))
        rows.append([_summary(population, after) for after, _ in runs])
    found = np.array(rows)
    difference = found[:, 1] - found[:, 0]
    spread = difference.std(axis=0, ddof=1) / np.sqrt(len(rows))
    return Halving(window, _quantities(population), found[:, 0].mean(axis=0), difference.mean(axis=0), spread)


def _quantities(population: Population) -> tuple[str, ...]:
    countable = plan(population).countable
    species = [
        f"{type.name}.{type.network.slots[slot].id}"
        for type, slots in zip(population.types, countable, strict=True)
        for slot in slots
    ]
    return (*(type.name for type in population.types), *species, *population.pooled)


def _summary(population: Population, cells: Cells) -> list[float]:
    numbers = np.bincount(cells.type, minlength=len(population.types))
    means = [
        cells.values[cells.type == place, slot].mean() if numbers[place] else 0.0
        for place, slots in enumerate(plan(population).countable)
        for slot in slots
    ]
    return [*numbers, *means, *cells.pools]
