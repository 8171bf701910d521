"""A population while windows pass: its rows in memory, who runs them, and the way back when a window is broken off."""

from __future__ import annotations

import signal
import threading
import time as clock
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import pairwise
from types import FrameType, TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.streams import derive
from senexo.engine.population.exact import current
from senexo.engine.population.exchange import BLOCK, arrive, leave, sums, uptake
from senexo.engine.population.generated import Generated, generated
from senexo.engine.population.kernel import FULL, ROOM
from senexo.engine.population.model import ROWS, Cells, Log, Population
from senexo.engine.population.tables import FIRST, TAKING, plan
from senexo.engine.population.window_kernel import window
from senexo.engine.status import NEGATIVE, OK, STOPPED

Outcome = tuple[int, int, float]  # code, channel, time

_ROWS = ("kind", *ROWS[1:])  # of the window kernel: the medium of a type is a kind too
_SLOW = 0.2  # seconds: a window longer than this is remembered at its beginning, so that it can be broken off
CELLS, _BLOCKS = 1024, 32  # the fewest cells in a chunk of a window, and blocks in one of a settlement
_NEVER = np.zeros(1, dtype=np.bool_)


@contextmanager
def interrupts(sign: NDArray[np.bool_]) -> Iterator[None]:
    """Let an interrupt from the keyboard set the sign, where it would end the program; so nothing is cut in two."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def answer(number: int, frame: FrameType | None) -> None:
        sign[0] = True

    signal.signal(signal.SIGINT, answer)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Chunk:
    """What one part of a window's work writes beside its rows: fresh rows, log, counts."""

    def __init__(self, work: Windows) -> None:
        width, cells = work.tables.template.shape[1], work.state
        self.memory, self.spare = np.zeros(width), np.zeros((3, width))
        self.n, self.place = np.zeros(3, dtype=np.int64), np.zeros(2, dtype=np.int64)
        self.fresh = {name: np.zeros((16, *cells[name].shape[1:]), dtype=cells[name].dtype) for name in _ROWS}
        self.counts = [np.zeros_like(a) for a in (work.pools, work.fired, work.gone, work.copied)]
        self.log = [np.zeros(64), np.zeros((64, 2), dtype=np.uint64), *np.zeros((2, 64), dtype=np.int64)]

    def clear(self) -> None:
        self.n[:] = 0
        for counts in self.counts:
            counts[:] = 0

    def run(self, work: Windows, first: int, last: int, end: float, stop: NDArray[np.bool_]) -> Outcome:
        self.clear()
        self.place[:] = (first, 0)
        released, fired, gone, copied = self.counts
        rows = [work.state[name] for name in _ROWS]
        if work.generated is not None:
            events = work.generated.run(
                first, last, work.state, work.levels, work.flag, work.pools, work.time, end, released, fired, stop
            )
            if events < 0:
                return STOPPED, 0, work.time
            self.n[2] += events
        while True:
            code, channel, time = window(
                work.tables, last, self.place, work.flag, *rows, *(self.fresh[name] for name in _ROWS), self.n,
                self.memory, self.spare, work.base, work.pools, released, fired, gone, copied, *self.log,
                work.time, end, stop, work.keep,
            )  # fmt: skip
            if code == ROOM:
                self.fresh = {name: np.concatenate((rows, np.zeros_like(rows))) for name, rows in self.fresh.items()}
            elif code == FULL:
                self.log = [np.concatenate((part, np.zeros_like(part))) for part in self.log]
            else:
                return int(code), int(channel), float(time)


class Windows:
    """Rows: the media of the pools first, then the cells in their order, the dead among them until they are many."""

    def __init__(
        self,
        population: Population,
        cells: Cells,
        keep: bool,
        stop: NDArray[np.bool_],
        workers: int,
        chunks: int | None,
    ) -> None:
        self.population, self.old, self.keep, self.sign = population, cells, keep, stop
        self.made = plan(population)
        self.tables, self.media = self.made.tables, len(population.types)
        self.time, self.windows, self.events = cells.time, cells.windows, 0
        key = np.array([derive(cells.seed, cells.replicate, "pool", k) for k in range(self.media)], dtype=np.uint64)
        first = {
            "kind": np.arange(self.media, 2 * self.media), "key": key, "parent": np.zeros_like(key),
            "born": np.zeros(self.media), "draws": cells.pool_draws, "wait": cells.pool_wait, "values": cells.base,
            "weight": np.ones(self.media, dtype=np.int64),
        }  # fmt: skip
        rest = {**cells.arrays(), "kind": cells.type}
        self.n = self.media + len(cells)
        self.levels = _levels(cells.weight)
        self.state: dict[str, NDArray[Any]] = {name: np.concatenate((first[name], rest[name])) for name in _ROWS}
        self.pools, self.fired = cells.pools.copy(), cells.fired.copy()
        self.gone, self.copied, self.base = cells.gone.copy(), cells.copied.copy(), cells.base
        self.rows = np.arange(self.n)
        self.flag = np.ones(self.n, dtype=np.int8)
        self.rates = np.zeros((0, 0))
        self.generated: Generated | None = None
        self.logs: list[list[NDArray[Any]]] = []
        self.chunks: list[Chunk] = []
        self.most_chunks, self.workers = chunks, workers
        self.working: list[Chunk] = []
        self.seconds, self.slow = np.inf, True  # that the last window took, and whether the next may take long
        self.spent, self.told = 0.0, 0.0  # seconds so far, and those that the choice of a kernel knows of
        self.threads = ThreadPoolExecutor(workers)

    def __enter__(self) -> Windows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.threads.shutdown()

    def alive(self) -> int:
        return len(self.rows) - self.media

    def choose(self, method: Literal["tables", "lanes"] | None, until: float) -> None:
        """Take the generated kernel as soon as there is one, and have it made when that is worth its compilation."""
        if self.generated is None and method != "tables":
            passed = self.time - self.old.time
            ahead = self.spent * (until - self.time) / passed if passed > 0.0 else 0.0
            self.generated = generated(self.population, self.spent - self.told, ahead, now=method == "lanes")
            self.told = self.spent

    def window(self, end: float) -> Outcome:
        """One window, or none of it: what is broken off leaves the state as it was."""
        began, start = clock.perf_counter(), self.time
        self.slow = self.seconds > _SLOW
        kept = self.remembered() if self.slow else {}
        found = self.settle(0, 0.5 * (end - start))
        if found[0] == OK:
            found = self.run(end)
        if found[0] == OK:
            self.time = end
            found = self.settle(1, 0.5 * (end - start))
            self.windows += 1
        if found[0] == STOPPED:
            self.__dict__.update(kept)
            return STOPPED, 0, start
        self.seconds = clock.perf_counter() - began
        self.spent += self.seconds
        return found

    def remembered(self) -> dict[str, Any]:
        """What `window` changes, to go back to."""
        names = ("time", "windows", "events", "n", "rows")
        return {
            **{name: getattr(self, name) for name in names},
            **{name: getattr(self, name).copy() for name in ("pools", "fired", "gone", "copied")},
            "logs": list(self.logs),
            "state": {name: rows[: self.n].copy() for name, rows in self.state.items()},
        }

    def settle(self, half: int, span: float) -> Outcome:
        most = int(self.tables.kinds[:, TAKING].max())
        if not len(self.pools) or not most or not self.pools.any():
            return OK, 0, self.time
        state, kind, n = self.state, self.state["kind"], len(self.rows)
        blocks = -(-n // BLOCK)
        if self.rates.shape[0] < n:
            self.rates = np.zeros((n + n // 4, most))
        rates, found, counts = self.rates, np.zeros((len(self.pools), blocks)), np.zeros((len(self.pools), blocks), int)
        generated = self.generated
        known = np.full(len(self.tables.kinds), -1) if generated is None else generated.known

        def look(chunk: Chunk, a: int, b: int) -> int:
            first, last = a * BLOCK, min(b * BLOCK, n)
            if generated is not None:
                generated.uptake(self.rows, first, last, state, self.pools, rates)
            values, memory = state["values"], chunk.memory
            bad = uptake(
                self.tables, self.rows, first, last, known, kind, values, state["weight"], self.pools, self.time,
                memory, rates,
            )  # fmt: skip
            sums(self.tables, self.rows, a, b, kind, rates, found)
            return int(bad)

        bad = [leaf for leaf in self.share(blocks, _BLOCKS, look) if leaf >= 0]
        if bad:
            return NEGATIVE, int(self.tables.kinds[kind[self.rows[bad[0]]], FIRST]), self.time
        words = derive(self.old.seed, self.old.replicate, "settle", self.windows, half)
        key = np.array(words, dtype=np.uint64)
        many = bool((state["weight"][self.rows] > 1).any())
        leave(self.pools, found, span, key, many, counts)

        def give(chunk: Chunk, a: int, b: int) -> None:
            chunk.clear()
            moved, fired = chunk.counts[:2]
            arrive(
                self.tables, self.rows, a, b, kind, state["values"], state["weight"], rates, counts, key, many, fired,
                moved,
            )  # fmt: skip

        if counts.any():
            self.share(blocks, _BLOCKS, give)
            for chunk in self.working:
                self.pools += chunk.counts[0]
                self.fired += chunk.counts[1]
            self.events += int(counts.sum())
        return OK, 0, self.time

    def run(self, end: float) -> Outcome:
        stop = self.sign if self.slow else _NEVER
        if len(self.flag) < self.n:
            self.flag = np.ones(len(self.state["kind"]), dtype=np.int8)
        self.flag[: self.n] = 1
        return self.finish(self.share(self.n, CELLS, lambda chunk, a, b: chunk.run(self, a, b, end, stop)), end)

    def finish(self, found: list[Outcome], end: float) -> Outcome:
        """Bring together what the chunks have done."""
        failed = [code for code in found if code[0] != OK]
        if failed:
            return min(failed, key=lambda code: (code[0] == STOPPED, code[2]))
        for chunk in self.working:
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

    def share(self, n: int, fewest: int, work: Callable[[Chunk, int, int], Any]) -> list[Any]:
        """Work on 0 .. n - 1 in chunks, in threads where there are several or where it has to be interrupted."""
        chunks = self.most_chunks or min(4 * self.workers, n // fewest) // self.workers * self.workers
        chunks = max(1, min(chunks, n)) if self.workers > 1 or self.most_chunks else 1
        while len(self.chunks) < chunks:
            self.chunks.append(Chunk(self))
        self.working = self.chunks[:chunks]
        if chunks == 1 and not self.slow:
            return [work(self.working[0], 0, n)]
        edges = [int(edge) for edge in np.linspace(0, n, chunks + 1)]
        parts = [(chunk, a, b) for chunk, (a, b) in zip(self.working, pairwise(edges), strict=True)]
        jobs = [self.threads.submit(work, *part) for part in parts]
        wait(jobs)
        return [job.result() for job in jobs]

    def gather(self) -> None:
        """Put the daughters behind all others, in the order of their mothers; drop the dead when they are an eighth."""
        kind = self.state["kind"]
        alive = np.flatnonzero(kind[: self.n] >= 0)
        if 8 * (self.n - len(alive)) > self.n:
            for rows in self.state.values():
                rows[: len(alive)] = rows[alive]
            self.n = len(alive)
        born = sum(int(chunk.n[0]) for chunk in self.working)
        if self.n + born > len(kind):
            for name, rows in self.state.items():
                room = np.zeros((self.n + born + self.n // 4, *rows.shape[1:]), dtype=rows.dtype)
                room[: self.n] = rows[: self.n]
                self.state[name] = room
        for chunk in self.working:
            fresh = int(chunk.n[0])
            for name, rows in self.state.items():
                rows[self.n : self.n + fresh] = chunk.fresh[name][:fresh]
            self.n += fresh
        self.rows = np.flatnonzero(self.state["kind"][: self.n] >= 0)

    def cells(self) -> Cells:
        alive = self.rows[self.media :]
        rows = {name: self.state[name][alive] for name in _ROWS}
        values = current(self.tables, rows["kind"], rows["values"], rows["born"], self.pools, self.time)
        return Cells(
            self.old.seed, self.old.replicate, self.time,
            type=rows["kind"], key=rows["key"], parent=rows["parent"], born=rows["born"], draws=rows["draws"],
            wait=rows["wait"], values=values, weight=rows["weight"], base=self.base.copy(), pools=self.pools,
            pool_draws=self.state["draws"][: self.media].copy(), pool_wait=self.state["wait"][: self.media].copy(),
            fired=self.fired, gone=self.gone, copied=self.copied, windows=self.windows,
        )  # fmt: skip

    def log(self, why: str) -> Log:
        empty = [np.zeros(0), np.zeros((0, 2), dtype=np.uint64), *np.zeros((2, 0), dtype=np.int64)]
        time, key, channel, weight = (np.concatenate(parts) for parts in zip(empty, *self.logs, strict=True))
        order = np.lexsort((key[:, 1], key[:, 0], time))
        return Log(time[order], key[order], channel[order], weight[order], complete=not why, reason=why)


def _levels(weight: NDArray[np.int64]) -> int:
    """How many powers of two may occur among these weights, 1 among them; `InvalidInput` for another number."""
    bad = weight[(weight < 1) | (weight & (weight - 1) != 0)]
    if len(bad):
        raise InvalidInput([Fault("cells.weight", f"{int(bad[0])}, of {len(bad)} cells", "a power of two, 1 or more")])
    return int(weight.max(initial=1)).bit_length()
