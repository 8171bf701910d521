"""ODEs of many cells, donors or parameter sets of one network: compiled once, bit-identical row by row.

A row is a whole value vector (see `senexo.engine.formula.network`): constants may differ from row to row at no cost.
What depends on constants only is computed once per row; the rates, their exact sparse Jacobian and its elimination
are generated for blocks of lanes (`senexo.engine.formula.lanes`), and the steps are those of
`senexo.engine.ode.rodas5p`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.base.threads import available
from senexo.engine.formula import lanes
from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.laws import bounded, constant_parts, floored
from senexo.engine.formula.layout import LANES, STATES, Layout
from senexo.engine.formula.network import Lowered, refuse_constraints
from senexo.engine.formula.sparse import eliminate
from senexo.engine.ode import rodas5p

Floats = NDArray[np.float64]
_ROWS_AT_ONCE = 512  # of one thread: enough to keep the lanes full, few enough to stay in the cache

_MESSAGES = {
    rodas5p.OK: "reached the end",
    rodas5p.STEP_TOO_SMALL: "the step size vanished: the solution blows up, or a rate is not a number",
    rodas5p.TOO_MANY_STEPS: "too many steps: loosen rtol or atol, or shorten the run",
    rodas5p.NOT_FINITE: "an initial value is missing, infinite or not a number",
}


def message(status: int) -> str:
    """What a status code of `BatchResult` means."""
    return _MESSAGES[int(status)]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What `BatchODE.solve` found; values and final values have the assignment rules applied.

    Attributes
    ----------
    values
        [n, k, chosen slots]; nan from the time on at which a failed row could not be followed.
    final
        The whole value vectors at the last time [n, slots].
    status
        [n]; 0 is success, and `message` says what any other code means.
    n_steps
        Steps of the solver [n].
    """

    values: Floats
    final: Floats
    status: NDArray[np.int8]
    n_steps: NDArray[np.int64]


class BatchODE:
    """A network compiled for batches.

    Parameters
    ----------
    lowered
        The network, as `senexo.engine.formula.lower.lower` makes it.

    Raises
    ------
    UnsupportedFeature
        The network has events: cut the run at scheduled times and edit the values between two calls.

    Examples
    --------
    >>> from senexo.engine.formula.network import Assigned, Lowered, SlotInfo
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
        refuse_constraints(lowered, "in a batch")
        self.lowered, self.n_slots = lowered, len(lowered.slots)
        graph = Graph()
        assigned: dict[int, Node] = {}
        for item in lowered.assignments:
            assigned[item.slot] = graph.add(floored(item.math, lowered), assigned)
        rates = {item.slot: graph.add(floored(item.math, lowered), assigned) for item in lowered.rates}
        rates = {slot: rate for slot, rate in rates.items() if graph.value(rate) != 0.0}
        n = len(rates)
        leaves, time = [graph.slot(slot) for slot in rates], graph.node("time")
        slopes = gradients(graph, list(rates.values()), [*leaves, time])
        entries: dict[tuple[int, int], int] = {}
        jacobian: list[Node] = []
        for i, rate in enumerate(rates.values()):
            for j, leaf in enumerate(leaves):
                if leaf in slopes[rate]:
                    entries[i, j] = len(jacobian)
                    jacobian.append(bounded(graph, slopes[rate][leaf]))
        by_time = [slopes[rate].get(time, graph.number(0.0)) for rate in rates.values()]
        self._timed = any(graph.operator(node) == "time" for node in graph.reachable(rates.values()))

        wanted = [*rates.values(), *jacobian, *by_time, *assigned.values()]
        derived = constant_parts(graph, wanted, {*leaves, time})
        used = graph.reachable(wanted)
        constants = [int(graph.keys[i][1]) for i in used if graph.operator(i) == "slot" and i not in leaves]
        plan = eliminate(n, entries)
        layout = Layout(n, len(constants), len(derived), len(jacobian), len(plan.places), len(assigned))
        rows = {slot: STATES + i for i, slot in enumerate(rates)}
        rows |= {slot: layout.constants + i for i, slot in enumerate(constants)}
        ready = {node: layout.derived + i for i, node in enumerate(derived)}
        self._made = (
            lanes.formulas(graph, derived, layout.derived, rows, {}),
            lanes.formulas(graph, list(rates.values()), layout.rates, rows, ready),
            lanes.formulas(graph, [*jacobian, *by_time], layout.jacobian, rows, ready),
            lanes.factor(layout, entries, plan),
            lanes.substitute(layout, plan),
            lanes.residual(layout, entries),
            lanes.formulas(graph, list(assigned.values()), layout.rules, rows, ready),
        )
        self._kernels = rodas5p.Kernels(*(made.address for made in self._made))
        self._places = rodas5p.Places(
            rates=layout.rates, right=layout.right, kept=layout.kept, constants=layout.constants,
            by_time=layout.jacobian + layout.n_entries, rules=layout.rules, n_rows=layout.rows,
        )  # fmt: skip
        self._slots = rodas5p.Slots(_slots(rates), _slots(constants), _slots(assigned))
        # where a slot's value comes from: a state, then an assignment rule, or (negative) the row as it was given
        self._source = -1 - np.arange(self.n_slots, dtype=np.int32)
        self._source[self._slots.states] = np.arange(n)
        self._source[self._slots.assigned] = n + np.arange(len(assigned))

    def solve(
        self,
        v: Floats,
        times: Floats,
        *,
        rtol: float = 1e-6,
        atol: float | Floats = 1e-9,
        threads: int | None = None,
        slots: Sequence[int] | NDArray[np.int_] | None = None,
        max_steps: int = 100_000,
    ) -> BatchResult:
        """Follow every row from times[0] to times[-1].

        Where a rate names the time, no step is longer than the longest gap between two times nor a twentieth of the
        run; a pulse shorter than that must be a cut made by the caller.

        Parameters
        ----------
        v
            Values at times[0] [n, slots].
        times
            Ascending, in the model's time unit [k].
        rtol, atol
            Local error of a step, root mean square over the states; atol in each quantity's own unit, one number or
            one per slot.
        threads
            None: one per core. Results do not depend on it.
        slots
            Those to report at every time, in this order; None: all (large, and most never change).
        max_steps
            Of one row, before it is given up.

        Returns
        -------
        BatchResult
        """
        v = np.ascontiguousarray(v, dtype=np.float64)
        times = np.ascontiguousarray(times, dtype=np.float64)
        source = self._source if slots is None else np.ascontiguousarray(self._source[np.asarray(slots, dtype=int)])
        n, k = len(v), len(times)
        values, final = np.empty((n, k, len(source))), np.empty((n, self.n_slots))
        status, steps = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int64)
        states = self._slots.states
        allowed = np.ascontiguousarray(np.broadcast_to(atol, self.n_slots)[states], dtype=np.float64)
        control = rodas5p.Control(float(rtol), allowed, int(max_steps), self._timed)

        def work(rows: slice) -> None:
            found = np.empty((len(v[rows]), k, len(states)))
            if len(states):
                rodas5p.solve(
                    self._kernels, self._places, self._slots, control, v[rows], times,
                    rodas5p.Found(found, status[rows], steps[rows]),
                )  # fmt: skip
            rodas5p.read_out(
                self._kernels, self._places, self._slots, v[rows], times, found, source, values[rows], final[rows]
            )

        threads = threads or available()
        share = min(_ROWS_AT_ONCE, max(LANES, -(-n // threads)))
        slices = [slice(begin, begin + share) for begin in range(0, n, share)]
        if threads == 1 or len(slices) == 1:
            for rows in slices:
                work(rows)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, slices))
        return BatchResult(values, final, status, steps)


def _slots(slots: Iterable[int]) -> NDArray[np.int32]:
    return np.array(list(slots), dtype=np.int32)
