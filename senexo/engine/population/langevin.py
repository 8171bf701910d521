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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula import lanes
from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.evaluate import evaluate
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.lanes import run_block
from senexo.engine.formula.laws import bounded, constant_parts, floored
from senexo.engine.formula.layout import COUNT, LANES, SHIFT, STATES, Layout
from senexo.engine.formula.network import Lowered, LoweredReaction
from senexo.engine.formula.sparse import eliminate
from senexo.engine.population.kernel import ones
from senexo.engine.population.rows import Floats, Ints, Rows
from senexo.engine.rng import threefry, unit
from senexo.model.expression import Expression

NOISE, COUNTS = np.uint64(5), np.uint64(6)  # second words of the counter, beside those in `senexo.engine.rng`
_MOST_MEAN = 30.0  # of a Poisson number drawn at once

_AGAIN = 256  # draws on, of the noise of each half of a step that is made again
_ROUGH = 30.0  # copies: a species may change by half of it and as much more; beyond, the step is made again

_compile = kernel(internal=True)


class _Kernels(NamedTuple):
    """Addresses of what is generated for a type; see `senexo.engine.formula.lanes`."""

    derive: int  # what depends on constants only
    right: int  # right-hand side of the step, and the Jacobian
    factor: int
    substitute: int
    total: int  # the hazard of an event
    counts: int  # rates of the counted reactions


class _Places(NamedTuple):
    """Where the parts of a block begin, in rows, and how many numbers of noise and counted reactions there are."""

    right: int
    constants: int
    step: int
    noise: int
    n_noise: int
    hazard: int
    counts: int
    n_counts: int


class _Slots(NamedTuple):
    """The slots of the continuous species, and of the constants that laws read."""

    states: NDArray[np.int32]
    constants: NDArray[np.int32]


@_compile
def _kick(w: Any, at_noise: int, n_noise: int, k0: Any, k1: Any, first: Any) -> None:
    """The noise of all lanes, two numbers from each draw."""
    for pair in range((n_noise + 1) // 2):
        at = (at_noise + 2 * pair) * LANES
        for lane in range(LANES):
            x, y = threefry(k0[lane], k1[lane], first + np.uint64(pair), NOISE)
            w[at + lane] = np.float64(ones(x) - 32) * 0.25
            w[at + LANES + lane] = np.float64(ones(y) - 32) * 0.25


@kernel()
def _flow(
    kernels: Any, places: Any, slots: Any, rows: Any, index: Any, h: float, first: Any, w: Any, hazard: Any
) -> int:  # fmt: skip
    """One step of length h for the rows that are listed, and each row's hazard of an event after it.

    `first`: the first draw of its noise. Returns how many amounts became 0.
    """
    right, factor, substitute = kernels.right, kernels.factor, kernels.substitute
    at_right, at_step, values, key = places.right, places.step, rows.values, rows.key
    states, constants = slots.states, slots.constants
    n, n_given, floored = len(states), len(constants), 0
    negative = np.zeros(LANES, np.bool_)
    new = np.zeros(n * LANES)
    who = np.zeros(LANES, np.int64)
    k0, k1 = np.zeros(LANES, np.uint64), np.zeros(LANES, np.uint64)
    for begin in range(0, len(index), LANES):
        for lane in range(LANES):
            who[lane] = index[min(begin + lane, len(index) - 1)]
            k0[lane], k1[lane] = key[who[lane], 0], key[who[lane], 1]
            row = values[who[lane]]
            for i in range(n):
                w[(STATES + i) * LANES + lane] = row[states[i]]
            for i in range(n_given):
                w[(places.constants + i) * LANES + lane] = row[constants[i]]
            w[at_step * LANES + lane] = h
            w[SHIFT * LANES + lane] = 2.0 / h
            negative[lane] = False
        _kick(w, places.noise, places.n_noise, k0, k1, first)
        run_block(kernels.derive, w, COUNT)
        run_block(right, w, COUNT)
        run_block(factor, w, COUNT)
        run_block(substitute, w, COUNT)
        again = False
        for i in range(n):
            for lane in range(LANES):
                q = i * LANES + lane
                new[q] = w[STATES * LANES + q] + w[at_right * LANES + q]
                rough = not (new[q] >= 0.0 and abs(w[at_right * LANES + q]) <= 0.5 * w[STATES * LANES + q] + _ROUGH)
                negative[lane] |= rough
                again |= rough
        for part in range(2 if again else 0):
            _kick(w, places.noise, places.n_noise, k0, k1, first + np.uint64(_AGAIN * (part + 1)))
            for lane in range(LANES):
                w[SHIFT * LANES + lane], w[at_step * LANES + lane] = 2.0 / h, 0.5 * h
            run_block(right, w, COUNT)
            run_block(factor, w, COUNT)
            run_block(substitute, w, COUNT)
            for i in range(n):
                for lane in range(LANES):
                    q = i * LANES + lane
                    after = w[STATES * LANES + q] + w[at_right * LANES + q]
                    if negative[lane]:
                        floored += after < 0.0 and begin + lane < len(index)
                        new[q] = max(0.0, after)
                    w[STATES * LANES + q] = new[q]
        for lane in range(min(LANES, len(index) - begin)):
            for i in range(n):
                values[who[lane], states[i]] = new[i * LANES + lane]
        w[STATES * LANES : STATES * LANES + len(new)] = new
        run_block(kernels.total, w, COUNT)
        for lane in range(min(LANES, len(index) - begin)):
            hazard[who[lane]] = w[places.hazard * LANES + lane]
    return floored


@kernel()
def _count(
    kernels: Any, places: Any, slots: Any, rows: Any, index: Any, h: float, first: Any, w: Any, found: Any
) -> bool:  # fmt: skip
    """How often each counted reaction happens in h at the present rates, summed over the rows; False for a bad rate.

    found [reactions, 2]: events as often as their cell's weight, and once each.
    A Poisson number by inversion, a large mean in parts of at most 30.
    """
    states, constants, values, key, weight = slots.states, slots.constants, rows.values, rows.key, rows.weight
    n, n_given, fine = len(states), len(constants), True
    for begin in range(0, len(index), LANES):
        for lane in range(LANES):
            row = values[index[min(begin + lane, len(index) - 1)]]
            for i in range(n):
                w[(STATES + i) * LANES + lane] = row[states[i]]
            for i in range(n_given):
                w[(places.constants + i) * LANES + lane] = row[constants[i]]
        run_block(kernels.derive, w, COUNT)
        run_block(kernels.counts, w, COUNT)
        for lane in range(min(LANES, len(index) - begin)):
            who, used = index[begin + lane], first
            for c in range(places.n_counts):
                mean = w[(places.counts + c) * LANES + lane] * h
                if not (mean >= 0.0 and mean < np.inf):
                    fine = False
                    continue
                parts = np.int64(np.ceil(mean / _MOST_MEAN))
                for _ in range(parts):
                    choice = unit(threefry(key[who, 0], key[who, 1], used, COUNTS)[0])
                    used += np.uint64(1)
                    share = np.exp(-mean / parts)
                    upto, events = share, 0
                    while choice >= upto and events < 1000:
                        events += 1
                        share *= mean / parts / events
                        upto += share
                    found[c, 0] += weight[who] * events
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
        targets = [(layout.right + i, node) for i, node in enumerate(right)]
        targets += [(layout.jacobian + i, node) for i, node in enumerate(jacobian)]
        at_hazard = layout.rules + 1 + n_noise + n_noise % 2
        at_counts = at_hazard + 1
        self._made = (
            lanes.formulas(graph, derived, layout.derived, places, {}),
            lanes.placed(graph, targets, places, ready),
            lanes.factor(layout, entries, elimination),
            lanes.substitute(layout, elimination),
            lanes.formulas(graph, [hazard], at_hazard, places, ready),
            lanes.formulas(graph, counts, at_counts, places, ready),
        )
        self._kernels = _Kernels(*(made.address for made in self._made))
        self._places = _Places(
            right=layout.right, constants=layout.constants, step=layout.rules, noise=layout.rules + 1, n_noise=n_noise,
            hazard=at_hazard, counts=at_counts, n_counts=len(counts),
        )  # fmt: skip
        self._slots = _Slots(np.array(states, np.int32), np.array(constants, np.int32))
        self._n_rows = layout.rows

    def step(self, index: Ints, rows: Rows, h: float, first: int, hazard: Floats) -> int:
        """Move the rows that are listed on by h, and set their `hazard`; returns how many amounts became 0."""
        if not len(index) or h <= 0.0:
            return 0
        w = np.ones(self._n_rows * LANES)
        return int(_flow(self._kernels, self._places, self._slots, rows, index, h, np.uint64(first), w, hazard))

    def count(self, index: Ints, rows: Rows, h: float, first: int) -> Ints | None:
        """Events [counted reactions, 2] during h, of all rows that are listed; None for a negative rate.

        First as many as all cells have that the rows represent, then those of the rows alone.
        """
        found, fine = np.zeros((self._places.n_counts, 2), dtype=np.int64), True
        if len(found) and len(index):
            w = np.ones(self._n_rows * LANES)
            fine = _count(self._kernels, self._places, self._slots, rows, index, h, np.uint64(first), w, found)
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
