"""Generated kernels of a population: when they are worth their compilation, and the work they do."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.lanes import uptake_kernel, window_kernel
from senexo.engine.population.lockstep import Lockstep, locksteps
from senexo.engine.population.model import Population
from senexo.engine.population.tables import Plan, plan

_WORTH_A_LOOK = 0.3  # seconds of work by tables, after which it is asked whether there are kernels already
_WORTH_COMPILING = 4.0  # seconds of work by tables that are worth the compilation


class Generated:
    """The kernels of a population's types; those of other populations with the same network are the same."""

    def __init__(self, made: Plan, nets: tuple[Lockstep, ...]) -> None:
        self.made, self.nets = made, nets
        self.windows = [window_kernel(net) for net in nets]
        self.uptakes = [uptake_kernel(net) if net.uptake else None for net in nets]
        n_kinds = len(made.tables.kinds)
        self.places = [_places(net.kinds, n_kinds) for net in nets]
        self.known = _places([kind for net in nets if net.uptake for kind in net.kinds], n_kinds)

    def ready(self) -> bool:
        """Is there machine code for all of them?"""
        kernels: list[Any] = [kernel for kernel in (*self.windows, *self.uptakes) if kernel is not None]
        return all(kernel.signatures for kernel in kernels)

    def compile(self) -> None:
        """Run all kernels once, on nothing."""
        tables = self.made.tables
        width = tables.source.shape[2]
        words, floats, ints = np.zeros((0, 2), np.uint64), np.zeros((0, width)), np.zeros(0, np.int64)
        state = {"kind": ints, "key": words, "draws": ints, "wait": np.zeros((0, 3)), "values": floats, "weight": ints}
        pools, stop = np.zeros(tables.pool_slot.shape[1], np.int64), np.zeros(1, np.bool_)
        fired = np.zeros(len(tables.channels), np.int64)
        self.run(0, 0, state, 1, np.zeros(0, np.int8), pools, 0.0, 1.0, pools.copy(), fired, stop)
        self.uptake(ints, 0, 0, state, pools, np.zeros((0, 1)))

    def run(
        self, first: int, last: int, state: dict[str, NDArray[Any]], levels: int, flag: NDArray[np.int8],
        pools: NDArray[np.int64], begin: float, end: float, released: NDArray[np.int64], fired: NDArray[np.int64],
        stop: NDArray[np.bool_],
    ) -> int:  # fmt: skip
        """Run the cells of rows first .. last - 1 in a window; see `lanes.window_source`. Events, or -1.

        levels: weights are below 2 to this power.
        """
        rows = [state[name] for name in ("kind", "key", "draws", "wait", "values", "weight")]
        heft = 1 << np.arange(levels)
        events = 0
        for net, place, kernel in zip(self.nets, self.places, self.windows, strict=True):
            counts = np.zeros((len(net.kinds), levels, net.n_reactions + 1), np.int64)
            if not kernel(
                first, last, place, *rows, levels, flag, net.weights, pools, begin, end, counts.reshape(-1), stop
            ):
                return -1
            happened = np.einsum("l,klr->kr", heft, counts[:, :, :-1])
            fired[net.channels] += happened
            for reaction, group in enumerate(net.releases):
                for pool, copies in group:
                    released[pool] += copies * happened[:, reaction].sum()
            events += int(counts[:, :, :-1].sum())
        return events

    def uptake(
        self, rows: NDArray[np.int64], first: int, last: int, state: dict[str, NDArray[Any]], pools: NDArray[np.int64],
        rates: NDArray[np.float64],
    ) -> None:  # fmt: skip
        """Rates of what takes from pools, of leaves first .. last - 1; see `lanes.uptake_source`."""
        for place, kernel in zip(self.places, self.uptakes, strict=True):
            if kernel is not None:
                kernel(rows, first, last, place, state["kind"], state["values"], pools, rates)


class _Record:
    """What a population's tables have taken so far, in seconds, and its kernels once that is asked for."""

    def __init__(self) -> None:
        self.spent = 0.0
        self.kernels: Generated | None = None
        self.compiling: Future[None] | None = None


_records: WeakKeyDictionary[Population, _Record] = WeakKeyDictionary()
_compiler = ThreadPoolExecutor(1)


def generated(population: Population, spent: float, ahead: float, *, now: bool) -> Generated | None:
    """The population's kernels, if they are there; else they are made, in the background, when that is worth it.

    spent: seconds of work since this was asked last; ahead: those that are expected; now: to wait for the kernels.
    """
    record = _records.setdefault(population, _Record())
    record.spent += spent
    if record.kernels is None and (now or record.spent + ahead > _WORTH_A_LOOK):
        made = plan(population)
        record.kernels = Generated(made, locksteps(population, made))
    kernels = record.kernels
    if kernels is None or not kernels.nets:
        return None
    if not kernels.ready() and record.compiling is None and (now or record.spent + ahead > _WORTH_COMPILING):
        record.compiling = _compiler.submit(kernels.compile)
    if record.compiling is not None and (now or record.compiling.done()):
        record.compiling.result()
    return kernels if kernels.ready() else None


def _places(kinds: Any, n: int) -> NDArray[np.int64]:
    found = np.full(n, -1)
    found[list(kinds)] = np.arange(len(kinds))
    return found
