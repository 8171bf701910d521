"""A window's work in parts: what each part writes of its own, and the threads that do them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.generated import Generated
from senexo.engine.population.rows import Span, Work, first, room
from senexo.engine.population.state import State
from senexo.engine.population.window_kernel import Part, run_cells
from senexo.engine.status import FULL, OK, ROOM, STOPPED


class Outcome(NamedTuple):
    """How a stretch of a run ended: a code of `senexo.engine.status`, the channel that is to blame, and the time."""

    code: int
    channel: int
    time: float


class Chunk:
    """What one part of a window's work writes beside the rows: daughters, fates, counts, copies for the pools."""

    def __init__(self, tables: Any, state: State, keep: bool, base: NDArray[np.float64]) -> None:
        width = tables.template.shape[1]
        self.memory, self.place = np.zeros(width), np.zeros(2, dtype=np.int64)
        self.fresh = room(first(state.rows, 0), 16)
        self.released = np.zeros_like(state.pools)
        self.work = Work.new(width, base, state.counts.like(), keep)

    def clear(self) -> None:
        self.work.n[:] = 0
        self.work.counts.clear()
        self.released[:] = 0

    def run(
        self, tables: Any, state: State, flag: NDArray[np.int8], span: Span, first: int, last: int,
        generated: Generated | None,
    ) -> Outcome:  # fmt: skip
        """The cells of rows first .. last - 1 to the end of a span, daughters included."""
        self.clear()
        self.place[:] = (first, 0)
        if generated is not None:
            events = generated.run(state, flag, span, first, last, self.released, self.work.counts.fired)
            if events < 0:
                return Outcome(STOPPED, 0, span.begin)
            self.work.n[2] += events
        while True:
            part = Part(self.place, last, flag, self.memory, self.released)
            code, channel, time = run_cells(tables, state.rows, self.fresh, part, self.work, span)
            if code == ROOM:
                self.fresh = room(self.fresh, 2 * len(self.fresh.kind))
            elif code == FULL:
                self.work = self.work._replace(entries=room(self.work.entries, 2 * len(self.work.entries.time)))
            else:
                return Outcome(int(code), int(channel), float(time))


class Chunks:
    """The parts of a window's work and the threads that do them; which thread does which part changes nothing.

    most: parts of every work (None: as many as are worth it); stop: set where the work ends by an error or interrupt.
    """

    def __init__(self, make: Callable[[], Chunk], threads: int, most: int | None, stop: NDArray[np.bool_]) -> None:
        self.make, self.n_threads, self.most, self.stop = make, threads, most, stop
        self.all: list[Chunk] = []
        self.working: list[Chunk] = []
        self.threads = ThreadPoolExecutor(threads)

    def close(self) -> None:
        self.threads.shutdown()

    def share(self, n: int, fewest: int, work: Callable[[Chunk, int, int], Any], *, aside: bool) -> list[Any]:
        """What the work on 0 .. n - 1 gives, part by part, none smaller than `fewest` but by `most`.

        aside: also a single part is done in a thread of its own, so that an interrupt is heard.
        """
        parts = self.most or min(4 * self.n_threads, n // fewest) // self.n_threads * self.n_threads
        parts = max(1, min(parts, n)) if self.n_threads > 1 or self.most else 1
        while len(self.all) < parts:
            self.all.append(self.make())
        self.working = self.all[:parts]
        if parts == 1 and not aside:
            return [work(self.working[0], 0, n)]
        edges = [int(edge) for edge in np.linspace(0, n, parts + 1)]
        jobs = [
            self.threads.submit(work, chunk, a, b)
            for chunk, (a, b) in zip(self.working, pairwise(edges), strict=True)
        ]  # fmt: skip
        try:
            wait(jobs)
        except BaseException:
            self.stop[0] = True
            raise
        return [job.result() for job in jobs]


def worst(outcomes: list[Outcome]) -> Outcome | None:
    """The outcome to report: the earliest fault, or that the work was stopped; None where all went well."""
    failed = [outcome for outcome in outcomes if outcome.code != OK]
    return min(failed, key=lambda outcome: (outcome.code == STOPPED, outcome.time)) if failed else None
