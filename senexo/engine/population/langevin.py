"""The continuous part of cells: a chemical Langevin step, linearly implicit, sixteen cells at a time.

dY = f dt + sum_g s_g sqrt(v_g) dW_g, one g per direction s_g in which reactions change the cell, v_g the sum of their
rates (Gillespie 2000, doi 10.1063/1.481811). One step of length h solves

    (1 - h J / 2) dY = h f(Y) + sqrt(h) sum_g s_g sqrt(v_g(Y)) xi_g

with the Jacobian J of f: order 2 in h without noise, stable for all h, and the stationary variance of linear networks
is exact for every h, since a trapezoid damps fluctuations just as much as it makes them. What reactions conserve, it
conserves. A trapezoid swings around what is fast and far from its balance. So a cell that would go below 0, or change a
species by more than half of it and 30 copies, takes two steps of h / 2 with (1 - h J / 2) and new noise instead, which
do not overshoot. What is below 0 even then (by noise, at a few copies) is set to 0.

xi: (number of ones in 64 random bits - 32) / 4, with mean 0, variance 1, skewness 0 and kurtosis 3 - 1/32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import types
from numpy.typing import NDArray

from senexo.engine.formula import lanes
from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.evaluate import evaluate
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.laws import bounded, constant_parts, floored
from senexo.engine.formula.layout import COUNT, LANES, SHIFT, SIGNATURE, STATES, Layout
from senexo.engine.formula.network import Lowered, LoweredReaction
from senexo.engine.formula.sparse import eliminate
from senexo.engine.population.kernel import ones
from senexo.engine.rng import threefry, unit
from senexo.model.expression import Expression

NOISE, COUNTS = np.uint64(5), np.uint64(6)  # second words of the counter, beside those in `senexo.engine.rng`
_MOST_MEAN = 30.0  # of a Poisson number drawn at once

_AGAIN = 256  # draws on, of the noise of each half of a step that is made again
_ROUGH = 30.0  # copies: a species may change by half of it and as much more; beyond, the step is made again

_function, _block, _int = types.FunctionType(SIGNATURE), types.float64[::1], types.int64
_places, _index = types.int64[::1], types.int32[::1]


@kernel()
def _kick(w, at_noise, n_noise, k0, k1, first):  # type: ignore[no-untyped-def]
    """The noise of all lanes, two numbers from each draw."""
    for pair in range((n_noise + 1) // 2):
        at = (at_noise + 2 * pair) * LANES
        for lane in range(LANES):
            x, y = threefry(k0[lane], k1[lane], first + np.uint64(pair), NOISE)
            w[at + lane] = np.float64(ones(x) - 32) * 0.25
            w[at + LANES + lane] = np.float64(ones(y) - 32) * 0.25


@kernel(
    types.void(
        *[_function] * 5, types.UniTuple(_int, 6), _index, _index, _places, types.float64[:, ::1],
        types.uint64[:, ::1], types.float64, types.uint64, _block, _places, _block,
    )
)  # fmt: skip
def _flow(  # type: ignore[no-untyped-def]
    derive,
    right,
    factor,
    substitute,
    total,
    layout,
    states,
    constants,
    rows,
    values,
    keys,
    h,
    first,
    w,
    floored,
    hazard,
):
    """One step of length h for the rows of `values` that are listed, and each row's hazard of an event after it.

    `first`: the first draw of its noise.
    """
    at_right, at_constants, at_step, at_noise, n_noise, at_hazard = layout
    n, n_given = len(states), len(constants)
    negative = np.zeros(LANES, np.bool_)
    new = np.zeros(n * LANES)
    who = np.zeros(LANES, np.int64)
    k0, k1 = np.zeros(LANES, np.uint64), np.zeros(LANES, np.uint64)
    for begin in range(0, len(rows), LANES):
        for lane in range(LANES):
            who[lane] = rows[min(begin + lane, len(rows) - 1)]
            k0[lane], k1[lane] = keys[who[lane], 0], keys[who[lane], 1]
            row = values[who[lane]]
            for i in range(n):
                w[(STATES + i) * LANES + lane] = row[states[i]]
            for i in range(n_given):
                w[(at_constants + i) * LANES + lane] = row[constants[i]]
            w[at_step * LANES + lane] = h
            w[SHIFT * LANES + lane] = 2.0 / h
            negative[lane] = False
        _kick(w, at_noise, n_noise, k0, k1, first)
        derive(w, COUNT)
        right(w, COUNT)
        factor(w, COUNT)
        substitute(w, COUNT)
        again = False
        for i in range(n):
            for lane in range(LANES):
                q = i * LANES + lane
                new[q] = w[STATES * LANES + q] + w[at_right * LANES + q]
                rough = not (new[q] >= 0.0 and abs(w[at_right * LANES + q]) <= 0.5 * w[STATES * LANES + q] + _ROUGH)
                negative[lane] |= rough
                again |= rough
        for part in range(2 if again else 0):
            _kick(w, at_noise, n_noise, k0, k1, first + np.uint64(_AGAIN * (part + 1)))
            for lane in range(LANES):
                w[SHIFT * LANES + lane], w[at_step * LANES + lane] = 2.0 / h, 0.5 * h
            right(w, COUNT)
            factor(w, COUNT)
            substitute(w, COUNT)
            for i in range(n):
                for lane in range(LANES):
                    q = i * LANES + lane
                    after = w[STATES * LANES + q] + w[at_right * LANES + q]
                    if negative[lane]:
                        floored[0] += after < 0.0 and begin + lane < len(rows)
                        new[q] = max(0.0, after)
                    w[STATES * LANES + q] = new[q]
        for lane in range(min(LANES, len(rows) - begin)):
            for i in range(n):
                values[who[lane], states[i]] = new[i * LANES + lane]
        w[STATES * LANES : STATES * LANES + len(new)] = new
        total(w, COUNT)
        for lane in range(min(LANES, len(rows) - begin)):
            hazard[who[lane]] = w[at_hazard * LANES + lane]


@kernel(
    types.boolean(
        *[_function] * 2, types.UniTuple(_int, 3), _index, _index, _places, types.float64[:, ::1],
        types.uint64[:, ::1], _places, types.float64, types.uint64, _block, types.int64[:, ::1],
    )
)  # fmt: skip
def _count(  # type: ignore[no-untyped-def]
    derive, rates, layout, states, constants, rows, values, keys, weights, h, first, w, found
):
    """How often each counted reaction happens in h at the present rates, summed over the rows; False for a bad rate.

    found [reactions, 2]: events as often as their cell's weight, and once each.
    A Poisson number by inversion, a large mean in parts of at most 30.
    """
    at_constants, at_counts, n_counts = layout
    n, n_given, fine = len(states), len(constants), True
    for begin in range(0, len(rows), LANES):
        for lane in range(LANES):
            row = values[rows[min(begin + lane, len(rows) - 1)]]
            for i in range(n):
                w[(STATES + i) * LANES + lane] = row[states[i]]
            for i in range(n_given):
                w[(at_constants + i) * LANES + lane] = row[constants[i]]
        derive(w, COUNT)
        rates(w, COUNT)
        for lane in range(min(LANES, len(rows) - begin)):
            who, used = rows[begin + lane], first
            for c in range(n_counts):
                mean = w[(at_counts + c) * LANES + lane] * h
                if not (mean >= 0.0 and mean < np.inf):
                    fine = False
                    continue
                parts = np.int64(np.ceil(mean / _MOST_MEAN))
                for _ in range(parts):
                    choice = unit(threefry(keys[who, 0], keys[who, 1], used, COUNTS)[0])
                    used += np.uint64(1)
                    share = np.exp(-mean / parts)
                    upto, events = share, 0
                    while choice >= upto and events < 1000:
                        events += 1
                        share *= mean / parts / events
                        upto += share
                    found[c, 0] += weights[who] * events
                    found[c, 1] += events
    return fine


class Flow:
    """One type's continuous reactions, and those that are only counted, compiled.

    `events`: the propensities of everything else that can happen to the cell by itself.
    """

    def __init__(
        self, network: Lowered, states: Sequence[int], reactions: Sequence[LoweredReaction],
        counted: Sequence[LoweredReaction], events: Sequence[Expression],
    ) -> None:  # fmt: skip
        graph = Graph()
        assigned: dict[int, Node] = {}
        for item in network.assignments:
            assigned[item.slot] = graph.add(floored(item.math, network), assigned)
        laws = [graph.add(floored(reaction.rate, network), assigned) for reaction in reactions]
        counts = [graph.add(floored(reaction.rate, network), assigned) for reaction in counted]
        hazard = graph.number(0.0)
        for law in events:
            hazard = graph.node("plus", hazard, graph.add(floored(law, network), assigned))
        drift, spread = _directions(graph, states, reactions, laws)
        n, n_noise, beyond = len(states), len(spread), len(network.slots)
        leaves = [graph.slot(slot) for slot in states]
        slopes = gradients(graph, drift, leaves)
        entries: dict[tuple[int, int], int] = {}
        jacobian: list[Node] = []
        for i, rate in enumerate(drift):
            for j, leaf in enumerate(leaves):
                if leaf in slopes[rate]:
                    entries[i, j] = len(jacobian)
                    jacobian.append(bounded(graph, slopes[rate][leaf]))
        step, shift = graph.slot(beyond), graph.slot(beyond + 1)
        noise = [graph.slot(beyond + 2 + g) for g in range(n_noise)]
        right = _right(graph, drift, spread, step, shift, noise)
        wanted = [*right, *jacobian, *counts, hazard]
        varying = {*leaves, step, shift, *noise}
        derived = constant_parts(graph, wanted, varying)
        constants = [
            int(graph.keys[i][1]) for i in graph.reachable(wanted) if graph.operator(i) == "slot" and i not in varying
        ]
        elimination = eliminate(n, entries)
        # the step, the noise in pairs, the hazard, the counted rates
        own_rows = 1 + n_noise + n_noise % 2 + 1 + len(counts)
        layout = Layout(n, len(constants), len(derived), len(jacobian), len(elimination.places), own_rows)
        places = {slot: STATES + i for i, slot in enumerate(states)}
        places |= {slot: layout.constants + i for i, slot in enumerate(constants)}
        places |= {beyond: layout.rules, beyond + 1: SHIFT}
        places |= {beyond + 2 + g: layout.rules + 1 + g for g in range(n_noise)}
        ready = {node: layout.derived + i for i, node in enumerate(derived)}
        derive = lanes.formulas(graph, derived, layout.derived, places, {})
        targets = [(layout.right + i, node) for i, node in enumerate(right)]
        targets += [(layout.jacobian + i, node) for i, node in enumerate(jacobian)]
        at_hazard = layout.rules + 1 + n_noise + n_noise % 2
        self._kernels = (
            derive,
            lanes.placed(graph, targets, places, ready),
            lanes.factor(layout, entries, elimination),
            lanes.substitute(layout, elimination),
            lanes.formulas(graph, [hazard], at_hazard, places, ready),
        )
        at_counts = at_hazard + 1
        self._counts = (derive, lanes.formulas(graph, counts, at_counts, places, ready))
        self._layout = (layout.right, layout.constants, layout.rules, layout.rules + 1, n_noise, at_hazard)
        self._count_layout = (layout.constants, at_counts, len(counts))
        self._states, self._constants = np.array(states, np.int32), np.array(constants, np.int32)
        self._rows, self.n_counted = layout.rows, len(counts)

    def step(
        self, rows: NDArray[np.int64], values: NDArray[np.float64], keys: NDArray[np.uint64], h: float, first: int,
        hazard: NDArray[np.float64],
    ) -> int:  # fmt: skip
        """Move the rows of `values` [n, slots] on by h, and set their `hazard`; returns how many amounts became 0."""
        floored = np.zeros(1, dtype=np.int64)
        if len(rows) and h > 0.0:
            _flow(
                *self._kernels, self._layout, self._states, self._constants, rows, values, keys, h, np.uint64(first),
                np.ones(self._rows * LANES), floored, hazard,
            )  # fmt: skip
        return int(floored[0])

    def count(
        self, rows: NDArray[np.int64], values: NDArray[np.float64], keys: NDArray[np.uint64],
        weights: NDArray[np.int64], h: float, first: int,
    ) -> NDArray[np.int64] | None:  # fmt: skip
        """Events [counted reactions, 2] during h, of all rows together; None for a negative rate.

        First as many as all cells have that the rows represent (`weights`), then those of the rows alone.
        """
        found = np.zeros((self.n_counted, 2), dtype=np.int64)
        fine = True
        if self.n_counted and len(rows):
            fine = _count(
                *self._counts, self._count_layout, self._states, self._constants, rows, values, keys,
                weights, h, np.uint64(first), np.ones(self._rows * LANES), found,
            )  # fmt: skip
        return found if fine else None


def _directions(
    graph: Graph, states: Sequence[int], reactions: Sequence[LoweredReaction], laws: Sequence[Node]
) -> tuple[list[Node], list[tuple[tuple[tuple[int, float], ...], Node]]]:
    """The drift of every state, and per direction its copies of states and the sum of rates along it."""
    place = {slot: i for i, slot in enumerate(states)}
    drift, sums = [graph.number(0.0)] * len(states), dict[tuple[tuple[int, float], ...], Node]()
    for reaction, law in zip(reactions, laws, strict=True):
        moved: dict[int, float] = {}
        for change in reaction.changes:
            copies = float(evaluate(change.coefficient, np.zeros(0), 0.0))
            moved[place[change.slot]] = moved.get(place[change.slot], 0.0) + copies
        direction = tuple(sorted((i, copies) for i, copies in moved.items() if copies != 0.0))
        for i, copies in direction:
            drift[i] = graph.node("plus", drift[i], graph.node("times", graph.number(copies), law))
        if direction:
            sign = 1.0 if direction[0][1] > 0.0 else -1.0
            direction = tuple((i, sign * copies) for i, copies in direction)
            sums[direction] = graph.node("plus", sums[direction], law) if direction in sums else law
    return drift, list(sums.items())


def _right(
    graph: Graph, drift: Sequence[Node], spread: Sequence[tuple[tuple[tuple[int, float], ...], Node]], step: Node,
    shift: Node, noise: Sequence[Node],
) -> list[Node]:  # fmt: skip
    """shift (h f + noise), the right-hand side for the matrix shift - J."""
    total = [graph.node("times", step, rate) for rate in drift]
    for (direction, rate), draw in zip(spread, noise, strict=True):
        variance = graph.node("max", graph.node("times", step, rate), graph.number(0.0))
        kick = graph.node("times", graph.node("sqrt", variance), draw)
        for i, copies in direction:
            total[i] = graph.node("plus", total[i], graph.node("times", graph.number(copies), kick))
    return [graph.node("times", shift, item) for item in total]
