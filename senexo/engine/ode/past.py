"""What is delayed in one run: its formulas as programs, its history, and the times at which it jumps."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from math import inf, isnan

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError
from senexo.engine.formula.bytecode import Assembler, Span
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.network import Lowered
from senexo.engine.ode.history import Breaks, History
from senexo.model.expression import Expression, Slot, Time, walk

Floats = NDArray[np.float64]
Run = Callable[[Span], None]

# A step is at most as long as the shortest delay, so that the method of steps holds, but not bounded below this share
# of the run: within it, what is delayed is taken from the straight line between the last step and now. A delay that is
# 0 (and may grow) bounds steps by the larger share.
SHORTEST, NONE = 1e-5, 1e-3


class Past:
    """The delays of one network.

    `stop` is the end of the present stretch: at it, what is delayed is seen from before a jump, and from behind it
    everywhere else.
    """

    def __init__(self, lowered: Lowered, assembler: Assembler, graph: Graph, inlined: dict[int, Node]) -> None:
        self.delays = lowered.delays
        self.ids = [lowered.slots[item.slot].id for item in self.delays]
        self.slots = np.array([item.slot for item in self.delays], dtype=np.int64)
        self.n_slots = len(lowered.slots)
        self.history, self.breaks = History(), Breaks()
        self.stop = inf
        self.start = np.empty(0)  # slots, and the time behind them, at the start
        rows = [_cells(assembler, len(self.delays)) for _ in range(3)]
        self.now_cells, self.lag_cells, self.before_cells = rows
        self._now = _program(assembler, graph, rows[0], [graph.add(item.math, inlined) for item in self.delays])
        self._lags = _program(assembler, graph, rows[1], [graph.add(item.lag, inlined) for item in self.delays])
        self._before = _program(assembler, graph, rows[2], [graph.add(item.before) for item in self.delays])
        self.at_start = np.empty(0)
        delayed = {int(slot) for slot in self.slots}
        changing = {slot for slot, info in enumerate(lowered.slots) if info.changes}
        self.fixed = [_reads(item.lag).isdisjoint(changing) and not _timed(item.lag) for item in self.delays]
        inlined_slots = {slot for slot, node in inlined.items() if _slots(graph, node) & delayed}
        nested = any((_reads(item.lag) | _reads(item.math)) & (delayed | inlined_slots) for item in self.delays)
        self.passes = len(self.delays) + 1 if nested else 1

    def anew(self) -> Past:
        """The same programs for another run."""
        other = copy(self)
        other.history, other.breaks, other.stop = History(), Breaks(), inf
        return other

    def begin(self, memory: Floats, run: Run) -> None:
        """Take the values at time 0 as those of all times before."""
        self.start = memory[: self.n_slots + 1].copy()
        self.at_start = self.present(memory, run)

    def present(self, memory: Floats, run: Run) -> Floats:
        """What is to be delayed, now."""
        run(self._now)
        return memory[self.now_cells].copy()

    def refresh(self, memory: Floats, run: Run) -> None:
        """What is delayed, at the present time, in place; the time stands behind the slots."""
        time = float(memory[self.n_slots])
        for _ in range(self.passes):
            last = memory[self.slots].copy()
            run(self._lags)
            for k, lag in enumerate(memory[self.lag_cells].tolist()):
                if isnan(lag) or lag < 0.0:
                    raise SimulationError(f"at time {time:g} a delay() reaches {lag:g} back, expected 0 or more")
                memory[self.slots[k]] = self.value(k, time, lag, memory, run)
            if np.array_equal(last, memory[self.slots], equal_nan=True):
                return

    def value(self, k: int, time: float, lag: float, memory: Floats, run: Run) -> float:
        then, right = time - lag, time < self.stop
        margin = 16 * 2.0**-52 * max(time, lag)
        if lag > 0.0 and (then < -margin or (then <= margin and not right)):
            return self.before(k, then, memory, run)
        end = self.history.end
        if then > end + margin or not self.history.ends:  # within the present step
            now = float(self.present(memory, run)[k])
            past = float(self.at_start[k]) if not self.history.ends else self.history.value(k, end, right=False)
            share = (then - end) / (time - end) if time > end else 1.0
            return now if share >= 1.0 else past + share * (now - past)
        return self.history.value(k, then, right=right)

    def before(self, k: int, time: float, memory: Floats, run: Run) -> float:
        """What it was before the start."""
        kept = memory[: self.n_slots + 1].copy()
        memory[: self.n_slots] = self.start[:-1]
        memory[self.n_slots] = time
        run(self._before)
        memory[: self.n_slots + 1] = kept
        return float(memory[self.before_cells.start + k])

    def reach(self, time: float, end: float, memory: Floats) -> float:
        """How far a step from that time may go: by the shortest delay."""
        return time + min(max(lag, SHORTEST * end) if lag > 0.0 else NONE * end for lag in memory[self.lag_cells])

    def lags(self, memory: Floats) -> list[float]:
        """Those that stay as they are."""
        return [lag for lag, fixed in zip(memory[self.lag_cells].tolist(), self.fixed, strict=True) if fixed]


def _cells(assembler: Assembler, count: int) -> slice:
    first = assembler.cells(count)
    return slice(first, first + count)


def _program(assembler: Assembler, graph: Graph, cells: slice, nodes: list[Node]) -> Span:
    return assembler.assemble(graph, list(zip(range(cells.start, cells.stop), nodes, strict=True)))


def _reads(math: Expression) -> set[int]:
    return {node.index for node in walk(math) if isinstance(node, Slot)}


def _slots(graph: Graph, node: Node) -> set[int]:
    return {int(graph.keys[part][1]) for part in graph.reachable([node]) if graph.operator(part) == "slot"}


def _timed(math: Expression) -> bool:
    return any(isinstance(node, Time) for node in walk(math))
