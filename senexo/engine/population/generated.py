"""Generated kernels of a population: when they are worth their compilation, and the work they do."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.lanes import uptake_kernel, window_kernel
from senexo.engine.population.lockstep import Lockstep, locksteps
from senexo.engine.population.model import Population
from senexo.engine.population.rows import Ints, Leaves, Rows, Span, first
from senexo.engine.population.state import State
from senexo.engine.population.tables import CompiledPopulation, compile_population

_WORTH_A_SEARCH = 0.3  # seconds of work by tables, after which kernels compiled before are searched for
_WORTH_COMPILING = 4.0  # seconds of work by tables that are worth the compilation


class Generated:
    """The kernels of a population's types; those of other populations with the same network are the same."""

    def __init__(self, made: CompiledPopulation, nets: tuple[Lockstep, ...]) -> None:
        self.made, self.nets = made, nets
        self.kernels = [window_kernel(net) for net in nets]
        self.uptakes = [uptake_kernel(net) if net.uptake else None for net in nets]
        n_kinds = len(made.tables.kinds)
        self.places = [_places(net.kinds, n_kinds) for net in nets]
        self.known = _places([kind for net in nets if net.uptake for kind in net.kinds], n_kinds)
        self._compiled = False

    def ready(self) -> bool:
        """Is there machine code for all of them?"""
        if not self._compiled:  # the list of a kernel's signatures takes as long as a window of few cells
            kernels: list[Any] = [kernel for kernel in (*self.kernels, *self.uptakes) if kernel is not None]
            self._compiled = all(kernel.signatures for kernel in kernels)
        return self._compiled

    def compile(self, rows: Rows) -> None:
        """Run all kernels once, on none of these rows."""
        tables = self.made.tables
        none, pools = np.zeros(0, np.int64), np.zeros(tables.pool_slot.shape[1], np.int64)
        span = Span(0.0, 1.0, pools, np.zeros(1, np.bool_))
        self._run(rows, 1, np.zeros(0, np.int8), span, 0, 0)
        self.uptake(rows, Leaves(none, np.zeros((0, 1)), self.known), 0, 0, pools)

    def run(
        self, state: State, flag: NDArray[np.int8], span: Span, first: int, last: int, released: Ints, fired: Ints
    ) -> int:
        """Run the cells of rows first .. last - 1 in a window; see `lanes.window_source`. Events, or -1 if stopped."""
        heft, events = 1 << np.arange(state.levels), 0
        found = self._run(state.rows, state.levels, flag, span, first, last)
        if found is None:
            return -1
        for net, counts in zip(self.nets, found, strict=True):
            happened = np.einsum("l,klr->kr", heft, counts)
            fired[net.channels] += happened
            for reaction, group in enumerate(net.releases):
                for pool, copies in group:
                    released[pool] += copies * happened[:, reaction].sum()
            events += int(counts.sum())
        return events

    def _run(
        self, rows: Rows, levels: int, flag: NDArray[np.int8], span: Span, first: int, last: int
    ) -> list[Ints] | None:
        """Of each kernel, the events of every kind, by levels of weight and reactions; None if stopped."""
        found = []
        for net, place, kernel in zip(self.nets, self.places, self.kernels, strict=True):
            counts = np.zeros((len(net.kinds), levels, net.n_reactions + 1), np.int64)
            if not kernel(rows, flag, span, first, last, place, levels, net.weights, counts.reshape(-1)):
                return None
            found.append(counts[:, :, :-1])
        return found

    def uptake(self, rows: Rows, leaves: Leaves, first: int, last: int, pools: Ints) -> None:
        """Rates of what takes from pools, of leaves first .. last - 1; see `lanes.uptake_source`."""
        for place, kernel in zip(self.places, self.uptakes, strict=True):
            if kernel is not None:
                kernel(rows, leaves, first, last, place, pools)


class _Record:
    """What a population's tables have taken so far, in seconds, and its kernels once they are worth it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.spent = 0.0
        self.kernels: Generated | None = None
        self.compiling: Future[None] | None = None

    def begin(self, population: Population, spent: float, ahead: float, rows: Rows, now: bool) -> Generated | None:
        """The kernels; None as long as they are not worth it. Their compilation is begun when that is."""
        with self.lock:
            self.spent += spent
            if self.kernels is None and (now or self.spent + ahead > _WORTH_A_SEARCH):
                made = compile_population(population)
                self.kernels = Generated(made, locksteps(population, made))
            kernels = self.kernels
            if kernels is None or not kernels.nets:
                return None
            if not kernels.ready() and self.compiling is None and (now or self.spent + ahead > _WORTH_COMPILING):
                thread = ThreadPoolExecutor(1)
                self.compiling = thread.submit(kernels.compile, first(rows, 0))
                thread.shutdown(wait=False)  # it ends with the compilation
            return kernels


def generated(population: Population, spent: float, ahead: float, rows: Rows, *, now: bool) -> Generated | None:
    """The population's kernels, if they are there; else they are made, in the background, when that is worth it.

    spent: seconds of work since the last call; ahead: those that are expected; rows: of any state; now: wait for the
    kernels.
    """
    record = population.kept.get("generated kernels", _Record)
    kernels = record.begin(population, spent, ahead, rows, now)
    if record.compiling is not None and (now or record.compiling.done()):
        record.compiling.result()
    return kernels if kernels is not None and kernels.ready() else None


def _places(kinds: Any, n: int) -> Ints:
    found = np.full(n, -1)
    found[list(kinds)] = np.arange(len(kinds))
    return found
