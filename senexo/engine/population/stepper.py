"""Populations in windows: operator splitting between the cells, with the pools frozen, and the pools.

A window of length h (Strang splitting; Strang 1968, doi 10.1137/0705041): half a settlement of the pools
(`senexo.engine.population.exchange`), what happens inside, half a settlement more. What happens inside is a part of its
own (`Inside`): events alone (`senexo.engine.population.splitting`), or events and continuous amounts
(`senexo.engine.population.hybrid`).
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import derive
from senexo.base.threads import available
from senexo.engine.population.chunks import Chunk, Chunks, Outcome, worst
from senexo.engine.population.exchange import BLOCK, arrive, leave, sums, uptake
from senexo.engine.population.generated import Generated, generated
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.rows import Ints, Leaves, Span, first, put, room, taken
from senexo.engine.population.state import State
from senexo.engine.population.tables import FIRST, TAKING, compile_population
from senexo.engine.status import LARGEST, NEGATIVE, OK, ROOM, STOPPED, TOO_LONG, TOO_MANY, reason

_SLOW = 0.2  # seconds: where a window takes longer, the state at its beginning is kept, so that it can be broken off
_CELLS, _BLOCKS = 1024, 32  # the fewest cells in a part of a window's work, and blocks in one of a settlement
_NEVER = np.zeros(1, dtype=np.bool_)

Backend = Literal["tables", "lanes"]


@dataclass(frozen=True, slots=True)
class Execution:
    """How the work is done, which changes no bit of the result; for tests, as the defaults choose well.

    backend: cells by tables, or by generated kernels as soon as these are compiled (None: once they are worth it);
    chunks: parts of the work.
    """

    backend: Backend | None = None
    chunks: int | None = None


class Inside(Protocol):
    """What happens to the cells within a window, while the pools stand still."""

    def run(self, stepper: SplitStepper, end: float) -> Outcome:
        """Bring all cells to `end`, and what they release into the pools."""
        ...

    def saved(self) -> Any:
        """What `run` changes of this object."""
        ...

    def restore(self, saved: Any) -> None:
        """Back to what `saved` gave."""
        ...


class SplitStepper:
    """A population in windows.

    brief: the first window is expected to take no time worth an interrupt.
    """

    def __init__(
        self, population: Population, cells: Cells, inside: Inside, *, keep_log: bool, stop: NDArray[np.bool_],
        threads: int | None, execution: Execution | None, brief: bool = False,
    ) -> None:  # fmt: skip
        execution = execution or Execution()
        self.population, self.origin, self.inside, self.stop = population, cells, inside, stop
        self.made = compile_population(population)
        self.tables, self.media = self.made.tables, len(population.types)
        self.state = State.begin(cells)
        self.alive = np.arange(self.state.n)
        self.flag = np.ones(self.state.n, dtype=np.int8)
        self.rates = np.zeros((0, 0))
        self.backend = execution.backend
        self.generated: Generated | None = None
        self.seconds, self.slow = 0.0 if brief else np.inf, True  # that the last window took; may this one take long?
        self.spent, self.reported = 0.0, 0.0  # seconds so far, and those that the choice of a kernel knows of

        def chunk() -> Chunk:
            return Chunk(self.tables, self.state, keep_log, cells.base)

        workers = threads or available()
        self.chunks = Chunks(chunk, workers, execution.chunks, stop)

    def run(self, until: float, *, window: float, most_cells: int, most_events: int) -> str:
        """Windows up to `until`; why it ended before, or ""."""
        state, why = self.state, ""
        try:
            while self.state.time < until and not why:
                state = self.state
                end = min(until, (np.floor(state.time / window * (1.0 + 1e-12)) + 1.0) * window)
                self.choose(until)
                code, channel, time = self.step(float(end))
                if code == OK:
                    code, channel, time = self.within(until, most_cells, most_events)
                what = self.made.label(channel)
                why = reason(code, what, time, most_cells=most_cells, most_events=most_events)
        except KeyboardInterrupt:
            self.stop[0] = True
            raise
        finally:
            self.chunks.close()
        return why

    def within(self, until: float, most_cells: int, most_events: int) -> Outcome:
        """Whether the run may go on after a window."""
        code = OK
        if len(self.alive) - self.media > most_cells:
            code = ROOM
        elif self.state.n_events > most_events:
            code = TOO_LONG
        elif self.state.pools.max(initial=0) > LARGEST or self.state.rows.weight[self.alive].sum(dtype=float) > LARGEST:
            code = TOO_MANY
        elif self.stop[0] and self.state.time < until:
            code = STOPPED
        return Outcome(code, 0, self.state.time)

    def choose(self, until: float) -> None:
        """Take the generated kernel as soon as there is one, and have it made when that is worth its compilation."""
        if self.generated is None and self.backend != "tables":
            passed = self.state.time - self.origin.time
            ahead = self.spent * (until - self.state.time) / passed if passed > 0.0 else 0.0
            now = self.backend == "lanes"
            self.generated = generated(self.population, self.spent - self.reported, ahead, self.state.rows, now=now)
            self.reported = self.spent

    def step(self, end: float) -> Outcome:
        """One window, or none of it: what is broken off leaves the state as it was."""
        began, begin = clock.perf_counter(), self.state.time
        self.slow = self.seconds > _SLOW
        saved = (self.state.copy(), self.alive, self.inside.saved()) if self.slow else None
        found = self.settle(0, 0.5 * (end - begin))
        if found.code == OK:
            found = self.inside.run(self, end)
        if found.code == OK:
            self.state.time = end
            found = self.settle(1, 0.5 * (end - begin))
            self.state.n_windows += 1
        if found.code == STOPPED and saved is not None:
            self.state, self.alive, inside = saved
            self.inside.restore(inside)
            return Outcome(STOPPED, 0, begin)
        self.seconds = clock.perf_counter() - began
        self.spent += self.seconds
        return found

    # ---- what the inside of a window uses

    def share(self, n: int, fewest: int, work: Callable[[Chunk, int, int], Any]) -> list[Any]:
        """What the work on 0 .. n - 1 gives, part by part; interruptible where the window may take long."""
        return self.chunks.share(n, fewest, work, aside=self.slow)

    def share_rows(self, work: Callable[[Chunk, int, int], Any]) -> list[Any]:
        """`share` of all rows in use."""
        return self.share(self.state.n, _CELLS, work)

    def events(
        self, begin: float, end: float, released: Ints, mark: Callable[[int, int, NDArray[np.int8]], None] | None = None
    ) -> Outcome:
        """Events of all cells from `begin` to `end`, by their own clocks; what they release is added to `released`.

        mark(first, last, flag): flags rows that have no event by then, which are passed over.
        """
        state = self.state
        if len(self.flag) < state.n:
            self.flag = np.ones(len(state.rows.kind), dtype=np.int8)
        self.flag[: state.n] = 1
        span = Span(begin, end, state.pools, self.stop if self.slow else _NEVER)

        def work(chunk: Chunk, a: int, b: int) -> Outcome:
            if mark is not None:
                mark(a, b, self.flag)
            return chunk.run(self.tables, state, self.flag, span, a, b, self.generated)

        bad = worst(self.share_rows(work))
        if bad is not None:
            return bad
        for chunk in self.chunks.working:
            released += chunk.released
            state.counts.add(chunk.work.counts)
            state.n_events += int(chunk.work.n[2])
            if chunk.work.n[1]:
                state.entries.append(room(chunk.work.entries, int(chunk.work.n[1])))
        self.gather()
        return Outcome(OK, 0, end)

    def gather(self) -> None:
        """Put the daughters behind all others, in the order of their mothers; drop the dead when they are an eighth."""
        state = self.state
        alive = np.flatnonzero(state.rows.kind[: state.n] >= 0)
        if 8 * (state.n - len(alive)) > state.n:
            put(state.rows, 0, taken(state.rows, alive))
            state.n = len(alive)
        born = sum(int(chunk.work.n[0]) for chunk in self.chunks.working)
        if state.n + born > len(state.rows.kind):
            state.rows = room(first(state.rows, state.n), state.n + born + state.n // 4)
        for chunk in self.chunks.working:
            daughters = first(chunk.fresh, int(chunk.work.n[0]))
            put(state.rows, state.n, daughters)
            state.n += len(daughters.kind)
        self.alive = np.flatnonzero(state.rows.kind[: state.n] >= 0)

    # ---- the pools

    def settle(self, half: int, span: float) -> Outcome:
        """Molecules leave the pools for their takers, for a stretch of time."""
        state, tables, n = self.state, self.tables, len(self.alive)
        pools, rows, kernels = state.pools, state.rows, self.generated
        most = int(tables.kinds[:, TAKING].max())
        if not len(pools) or not most or not pools.any():
            return Outcome(OK, 0, state.time)
        blocks = -(-n // BLOCK)
        if self.rates.shape[0] < n:
            self.rates = np.zeros((n + n // 4, most))
        known = np.full(len(tables.kinds), -1) if kernels is None else kernels.known
        leaves = Leaves(self.alive, self.rates, known)
        found, counts = np.zeros((len(pools), blocks)), np.zeros((len(pools), blocks), int)

        def look(chunk: Chunk, a: int, b: int) -> int:
            first, last = a * BLOCK, min(b * BLOCK, n)
            if kernels is not None:
                kernels.uptake(rows, leaves, first, last, pools)
            bad = uptake(tables, rows, leaves, first, last, pools, state.time, chunk.memory)
            sums(tables, rows, leaves, a, b, found)
            return int(bad)

        bad = [leaf for leaf in self.share(blocks, _BLOCKS, look) if leaf >= 0]
        if bad:
            return Outcome(NEGATIVE, int(tables.kinds[rows.kind[self.alive[bad[0]]], FIRST]), state.time)
        words = derive(self.origin.seed, self.origin.replicate, "settle", state.n_windows, half)
        key = np.array(words, dtype=np.uint64)
        many = bool((rows.weight[self.alive] > 1).any())
        leave(pools, found, span, key, many, counts)

        def give(chunk: Chunk, a: int, b: int) -> None:
            chunk.clear()
            arrive(tables, rows, leaves, a, b, counts, key, many, chunk.work.counts.fired, chunk.released)

        if counts.any():
            self.share(blocks, _BLOCKS, give)
            for chunk in self.chunks.working:
                pools += chunk.released
                state.counts.add(chunk.work.counts)
        return Outcome(OK, 0, state.time)

    # ---- results

    def cells(self) -> Cells:
        return self.state.cells(self.tables, self.origin, self.alive[self.media :])

    def log(self, why: str) -> Log:
        """All fates in order of time."""
        log = self.state.log(why)
        order = np.lexsort((log.key[:, 1], log.key[:, 0], log.time))
        return Log(log.time[order], log.key[order], log.channel[order], log.weight[order], log.complete, log.reason)
