"""Many cells, donors or parameter sets of one network as ODEs: compiled once, bit-identical row by row.

A row is a whole value vector (see `engine.lowered`): constants may differ from row to row at no cost.
Formulas are generated for one block of lanes, with their exact sparse Jacobian; the steps are taken by the
stiff-safe Rodas5P kernel in `engine.rosenbrock`.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.engine import rosenbrock
from senexo.engine.codegen import compile_function, print_nodes
from senexo.engine.differentiate import gradients
from senexo.engine.graph import Graph, Node
from senexo.engine.lowered import Lowered
from senexo.engine.rosenbrock import FORMULAS, LANES
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

    >>> from senexo.engine.lower import lower
    >>> from senexo.model.loading import load
    >>> batch = BatchODE(lower(load("mir34c-rab27b").network))            # doctest: +SKIP
    >>> batch.solve(v, np.linspace(0, 168, 85)).values.shape              # doctest: +SKIP
    (64, 85, 171)
    """

    def __init__(self, lowered: Lowered) -> None:
        if lowered.events:
            raise UnsupportedFeature("events in a batch", f"event {lowered.events[0].id}")
        self.n_slots = len(lowered.slots)
        self._states = np.array([rate.slot for rate in lowered.rates], dtype=np.int32)
        graph = Graph()
        assigned: dict[int, Node] = {}
        for item in lowered.assignments:
            assigned[item.slot] = graph.add(item.math, assigned)
        rates = [graph.add(item.math, assigned) for item in lowered.rates]
        states = [graph.slot(int(slot)) for slot in self._states]
        time = graph.node("time")
        slopes = gradients(graph, rates, [*states, time])
        entries = {
            (i, j): slopes[rate][state]
            for i, rate in enumerate(rates)
            for j, state in enumerate(states)
            if state in slopes[rate]
        }
        by_time = [slopes[rate].get(time, graph.number(0.0)) for rate in rates]
        self._timed = any(time in slopes[rate] for rate in rates)
        plan = eliminate(len(states), entries)
        self._entries = np.array([plan.places[entry] for entry in entries], dtype=np.int32)
        self._diagonals = np.array([plan.places[i, i] for i in range(len(states))], dtype=np.int32)
        self._n_entries = len(plan.places)
        self._factor, self._substitute = plan.factor, plan.substitute
        self._rates = _formulas(graph, rates)
        self._slopes = _formulas(graph, [*entries.values(), *by_time])
        self._assigned = np.array(list(assigned), dtype=np.int32)
        self._assignments = _formulas(graph, list(assigned.values()))

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
        unit, one number or one per slot. threads: None = one per core; results do not depend on it.
        """
        v = np.ascontiguousarray(v, dtype=np.float64)
        times = np.ascontiguousarray(times, dtype=np.float64)
        n, k = len(v), len(times)
        found = np.empty((n, k, len(self._states)))
        status, steps = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int64)
        values = np.repeat(v[:, None, :], k, axis=1)
        allowed = np.ascontiguousarray(np.broadcast_to(atol, self.n_slots)[self._states], dtype=np.float64)

        def work(rows: slice) -> None:
            if len(self._states):
                rosenbrock.solve(
                    self._rates, self._slopes, v[rows], times, found[rows], status[rows], steps[rows], self._states,
                    self._entries, self._factor, self._substitute, self._diagonals, self._n_entries, self._timed,
                    rtol, allowed, max_steps,
                )  # fmt: skip
            values[rows][:, :, self._states] = found[rows]
            _assign(self._assignments, values[rows].reshape(-1, self.n_slots), times, self._assigned)

        parts = max(1, min(threads or os.cpu_count() or 1, -(-n // LANES)))
        bounds = [n * part // parts for part in range(parts + 1)]
        slices = [slice(a, b) for a, b in pairwise(bounds) if b > a]
        if len(slices) == 1:
            work(slices[0])
        else:
            with ThreadPoolExecutor(len(slices)) as pool:
                list(pool.map(work, slices))
        return BatchResult(values, status, steps)


def _formulas(graph: Graph, nodes: list[Node]) -> object:
    """A compiled function (v, t, out) that computes the nodes for one block of lanes; out [nodes x LANES]."""
    lines, results = print_nodes(graph, nodes, lambda slot: f"v[{slot * LANES} + lane]", time="t[lane]")
    lines += [f"out[{i * LANES} + lane] = {text}" for i, text in enumerate(results)]
    body = "".join(f"        {line}\n" for line in lines or ["pass"])
    dispatcher = compile_function(f"def kernel(v, t, out):\n    for lane in range({LANES}):\n{body}", {})
    if not dispatcher.signatures:  # type: ignore[attr-defined]  # else this process has compiled the same text before
        dispatcher.compile(FORMULAS)  # type: ignore[attr-defined]
        dispatcher.disable_compile()  # type: ignore[attr-defined]
    return dispatcher


@njit(
    types.void(types.FunctionType(FORMULAS), types.float64[:, ::1], types.float64[::1], types.int32[::1]),
    nogil=True, error_model="numpy", cache=True,
)  # fmt: skip
def _assign(assignments, values, times, assigned):
    """Evaluate the assignment rules in every row of `values` [n k, slots], a block of lanes at a time."""
    n_rows, n_slots = values.shape
    v, t = np.ones(n_slots * LANES), np.zeros(LANES)
    out = np.zeros(len(assigned) * LANES)
    for start in range(0, n_rows, LANES):
        for lane in range(min(LANES, n_rows - start)):
            t[lane] = times[(start + lane) % len(times)]
            for i in range(n_slots):
                v[i * LANES + lane] = values[start + lane, i]
        assignments(v, t, out)
        for lane in range(min(LANES, n_rows - start)):
            for i in range(len(assigned)):
                values[start + lane, assigned[i]] = out[i * LANES + lane]
