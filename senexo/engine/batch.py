"""Many cells, donors or parameter sets of one network as ODEs: compiled once, bit-identical row by row.

A row is a whole value vector (see `engine.lowered`): constants may differ from row to row at no cost. What
depends on constants only is computed once per row; the rates, their exact sparse Jacobian and its elimination
are generated for blocks of lanes (`engine.lanes`), and the stiff-safe Rodas5P kernel in `engine.rosenbrock`
takes the steps.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.engine import lanes, rosenbrock
from senexo.engine.differentiate import gradients
from senexo.engine.graph import Graph, Node
from senexo.engine.lanes import LANES
from senexo.engine.lowered import Lowered
from senexo.engine.sparse import eliminate

Floats = NDArray[np.float64]

_MESSAGES = {
    rosenbrock.OK: "reached the end",
    rosenbrock.STEP_TOO_SMALL: "the step size vanished: the solution blows up, or a rate is not a number",
    rosenbrock.TOO_MANY_STEPS: "too many steps: loosen rtol or atol, or shorten the run",
    rosenbrock.NOT_FINITE: "an initial value is missing, infinite or not a number",
}


def message(status: int) -> str:
    """What a status code of `BatchResult` means."""
    return _MESSAGES[int(status)]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """values [n, k, slots], assignment rules evaluated at every time; status [n] (0 = ok); n_steps [n].

    From the time a failed row could not be followed, its changing values are nan.
    """

    values: Floats
    status: NDArray[np.int8]
    n_steps: NDArray[np.int64]


class BatchODE:
    """A network compiled for batches.

    Raises UnsupportedFeature for a model with events: the caller cuts the run at scheduled times and edits the
    values between two calls.

    >>> from senexo.engine.lowered import Assigned, Lowered, SlotInfo
    >>> from senexo.model.expression import Call, Slot
    >>> decay = Call("minus", (Call("times", (Slot(1), Slot(0))),))
    >>> slots = (SlotInfo("x", "parameter", changes=True), SlotInfo("k", "parameter"))
    >>> batch = BatchODE(Lowered(slots, np.array([1.0, 0.5]), (), (), (Assigned(0, decay),), (), (), ()))
    >>> rows = np.array([[1.0, 0.5], [1.0, 2.0]])
    >>> batch.solve(rows, np.array([0.0, 1.0])).values[:, -1, 0].round(5)
    array([0.60653, 0.13534])
    """

    def __init__(self, lowered: Lowered) -> None:
        if lowered.events:
            raise UnsupportedFeature("events in a batch", f"event {lowered.events[0].id}")
        self.n_slots = len(lowered.slots)
        graph = Graph()
        assigned: dict[int, Node] = {}
        for item in lowered.assignments:
            assigned[item.slot] = graph.add(item.math, assigned)
        rates = {item.slot: graph.add(item.math, assigned) for item in lowered.rates}
        rates = {slot: rate for slot, rate in rates.items() if graph.value(rate) != 0.0}
        n = len(rates)
        leaves, time = [graph.slot(slot) for slot in rates], graph.node("time")
        slopes = gradients(graph, list(rates.values()), [*leaves, time])
        entries, jacobian = {}, []
        for i, rate in enumerate(rates.values()):
            for j, leaf in enumerate(leaves):
                if leaf in slopes[rate]:
                    entries[i, j] = len(jacobian)
                    jacobian.append(slopes[rate][leaf])
        by_time = [slopes[rate].get(time, graph.number(0.0)) for rate in rates.values()]
        self._timed = any(graph.operator(node) == "time" for node in graph.reachable(rates.values()))

        wanted = [*rates.values(), *jacobian, *by_time, *assigned.values()]
        derived = _derived(graph, wanted, {*leaves, time})
        used = graph.reachable(wanted)
        constants = [int(graph.keys[i][1]) for i in used if graph.operator(i) == "slot" and i not in leaves]
        states_at = {slot: place for place, slot in enumerate(rates)}
        constants_at = {slot: place for place, slot in enumerate(constants)}
        derived_at = {node: len(constants) + i for i, node in enumerate(derived)}

        def kernel(nodes: Sequence[Node], given: dict[Node, int]) -> Any:
            return lanes.formulas(graph, nodes, states_at, constants_at, given)

        plan = eliminate(n, entries)
        self._derive = kernel(derived, {})
        self._rates = kernel(list(rates.values()), derived_at)
        self._slopes = kernel([*jacobian, *by_time], derived_at)
        self._rules = kernel(list(assigned.values()), derived_at)
        self._factor = lanes.factor(entries, plan, n)
        self._substitute = lanes.substitute(plan, n)
        self._residual = lanes.residual(entries, n)
        self._states, self._constants, self._assigned = _slots(rates), _slots(constants), _slots(assigned)
        self._n_derived, self._n_entries, self._n_factors = len(derived), len(jacobian), len(plan.places)

    def solve(
        self,
        v: Floats,
        times: Floats,
        *,
        rtol: float = 1e-6,
        atol: float | Floats = 1e-9,
        threads: int | None = None,
        max_steps: int = 100_000,
    ) -> BatchResult:
        """Follow every row of `v` [n, slots] from times[0] to times[-1] (rising, in the model's time unit).

        rtol, atol: local error allowed per step, root mean square over the states; atol in each quantity's own
        unit, one number or one per slot. threads: None = one per core; results do not depend on it. Where a rate
        names the time, no step is longer than the longest gap between two times nor a twentieth of the run; a
        pulse shorter than that must be a cut made by the caller.
        """
        v = np.ascontiguousarray(v, dtype=np.float64)
        times = np.ascontiguousarray(times, dtype=np.float64)
        n, k = len(v), len(times)
        found = np.empty((n, k, len(self._states)))
        status, steps = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int64)
        values = np.empty((n, k, self.n_slots))
        allowed = np.ascontiguousarray(np.broadcast_to(atol, self.n_slots)[self._states], dtype=np.float64)

        def work(rows: slice) -> None:
            if len(self._states):
                rosenbrock.solve(
                    self._derive, self._rates, self._slopes, self._factor, self._substitute, self._residual,
                    v[rows], times, found[rows], status[rows], steps[rows], self._states, self._constants,
                    self._n_derived, self._n_entries, self._n_factors, self._timed, rtol, allowed, max_steps,
                )  # fmt: skip
            _fill(
                self._derive, self._rules, v[rows], times, found[rows], values[rows], self._states,
                self._constants, self._assigned, self._n_derived,
            )  # fmt: skip

        parts = max(1, min(threads or os.cpu_count() or 1, -(-n // LANES)))
        bounds = [n * part // parts for part in range(parts + 1)]
        slices = [slice(a, b) for a, b in pairwise(bounds) if b > a]
        if len(slices) == 1:
            work(slices[0])
        else:
            with ThreadPoolExecutor(len(slices)) as pool:
                list(pool.map(work, slices))
        return BatchResult(values, status, steps)


def _slots(slots: Iterable[int]) -> NDArray[np.int32]:
    return np.array(list(slots), dtype=np.int32)


def _derived(graph: Graph, roots: Sequence[Node], varying: set[Node]) -> list[Node]:
    """The largest subexpressions that stay the same during a run; truth values are left where they stand."""
    fixed: set[Node] = set()
    nodes = graph.reachable(roots)
    for node in nodes:
        if node not in varying and not graph.is_truth(node) and fixed.issuperset(graph.arguments(node)):
            fixed.add(node)
    tops = {node for node in roots if node in fixed}
    tops |= {a for node in nodes if node not in fixed for a in graph.arguments(node) if a in fixed}
    return sorted(node for node in tops if graph.arguments(node))


_formulas, _index = types.FunctionType(lanes.FORMULAS), types.int32[::1]


@njit(
    types.void(
        _formulas, _formulas, types.float64[:, ::1], types.float64[::1], types.float64[:, :, ::1],
        types.float64[:, :, ::1], _index, _index, _index, types.int64,
    ),
    nogil=True, error_model="numpy", cache=True,
)  # fmt: skip
def _fill(derive, rules, rows, times, found, values, states, constants, assigned, n_derived):
    """Write whole value vectors at every time: constants, the states found, and the assignment rules."""
    n_given, k = len(constants), len(times)
    p, x, t = np.ones((n_given + n_derived) * LANES), np.ones(len(states) * LANES), np.zeros(LANES)
    derived, out = p[n_given * LANES :], np.zeros(len(assigned) * LANES)
    for r in range(len(rows)):
        for i in range(n_given):
            p[i * LANES : (i + 1) * LANES] = rows[r, constants[i]]
        derive(x, p, t, derived)
        for begin in range(0, k, LANES):
            for lane in range(min(LANES, k - begin)):
                t[lane] = times[begin + lane]
                values[r, begin + lane] = rows[r]
                for i in range(len(states)):
                    x[i * LANES + lane] = found[r, begin + lane, i]
                    values[r, begin + lane, states[i]] = found[r, begin + lane, i]
            rules(x, p, t, out)
            for lane in range(min(LANES, k - begin)):
                for i in range(len(assigned)):
                    values[r, begin + lane, assigned[i]] = out[i * LANES + lane]
