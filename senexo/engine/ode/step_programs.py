"""What an implicit step of one row needs of a network: rates, their exact Jacobian, its elimination, as tables.

Nothing is compiled for a network: `senexo.engine.formula.machine` runs the programs, and the kernel in
`senexo.engine.ode.bdf` reads the elimination. What depends only on quantities that stay the same between two
events is computed once after each of them (`derive`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula.bytecode import Assembler, Span
from senexo.engine.formula.differentiate import gradients
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.laws import constant_parts
from senexo.engine.formula.sparse import Elimination, eliminate

MOST_DENSE = 400  # states; a dense matrix of more is not factored, the step is made shorter
MOST_PRODUCTS = 1_000_000  # of an elimination; beyond, scipy's solvers go on with a dense matrix

_PARTIAL = frozenset(
    {"power", "sqrt", "ln", "factorial", "arcsin", "arccos", "arccosh", "arctanh"}
)  # no value everywhere

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StepPrograms:
    """Programs, where their results stand, and the Jacobian's pattern.

    `entries` [entries, 3]: row, column and place in the factored matrix of each entry of the Jacobian; `diagonal` [n]
    its places; `factor`, `solve` and `begins` are read by the kernel (`elimination_rows`). `inputs` [entries, 3]: row,
    number of the quantity and cell of each derivative by a quantity that stays the same, where these were wanted.
    """

    derive: Span
    rates: Span
    slopes: Span
    rate_cell: int
    slope_cell: int  # of the entries
    entries: Numbers
    diagonal: Numbers
    factor: Numbers
    solve: Numbers
    begins: Numbers
    n_places: int
    guarded: bool  # may a rate have no value just beyond a state that has one?
    n_dense: int  # rows of the dense matrix that takes over where the elimination loses digits; 0: none
    cost: int  # of a step, in rows of tables and products of the elimination
    by_inputs: Span
    inputs: Numbers


def step_programs(
    assembler: Assembler, graph: Graph, rates: list[Node], states: NDArray[np.int64], frozen: Mapping[Node, int],
    by: Sequence[int] = (),
) -> StepPrograms | None:  # fmt: skip
    """Programs for rates that are written out in full; `frozen` nodes are read from their cells.

    by: slots that stay the same, by which the rates are differentiated too.
    None where a rate has no derivative in closed form, or the elimination would be too large.
    """
    leaves, fixed = [graph.slot(int(slot)) for slot in states], [graph.slot(slot) for slot in by]
    try:
        slopes = gradients(graph, rates, [*leaves, *fixed])
        column = {leaf: j for j, leaf in enumerate(leaves)}
        places = [(i, column[leaf]) for i, rate in enumerate(rates) for leaf in slopes[rate] if leaf in column]
        plan = eliminate(len(rates), places, MOST_PRODUCTS)
    except (UnsupportedFeature, OverflowError):
        return None
    jacobian = [slopes[rate][leaf] for rate in rates for leaf in slopes[rate] if leaf in column]
    number = {leaf: k for k, leaf in enumerate(fixed)}
    by_fixed = [(i, number[leaf], slopes[rate][leaf]) for i, rate in enumerate(rates) for leaf in slopes[rate]
                if leaf in number]  # fmt: skip
    wanted = [*rates, *jacobian, *(slope for _, _, slope in by_fixed)]
    derived = constant_parts(graph, wanted, {*leaves, graph.node("time"), *frozen})
    derived_cell, rate_cell = assembler.cells(len(derived)), assembler.cells(len(rates))
    slope_cell = assembler.cells(len(jacobian))
    input_cell = assembler.cells(len(by_fixed))
    known = dict(frozen)
    derive = assembler.assemble(graph, enumerate_from(derived_cell, derived), known, direct=True)
    known |= {node: derived_cell + k for k, node in enumerate(derived)}
    to_rates = assembler.assemble(graph, enumerate_from(rate_cell, rates), known, direct=True)
    to_slopes = assembler.assemble(graph, enumerate_from(slope_cell, jacobian), known, direct=True)
    to_inputs = assembler.assemble(
        graph, enumerate_from(input_cell, [slope for _, _, slope in by_fixed]), known, direct=True
    )
    factor, solve, begins = elimination_rows(plan)
    cost = 2 * (to_rates.last - to_rates.first + 20 * len(rates) + len(solve)) + len(factor) + 1
    return StepPrograms(
        derive,
        to_rates,
        to_slopes,
        rate_cell,
        slope_cell,
        np.array([(i, j, plan.places[i, j]) for i, j in places], dtype=np.int64).reshape(-1, 3),
        np.array([plan.places[i, i] for i in range(len(rates))], dtype=np.int64),
        factor,
        solve,
        begins,
        len(plan.places),
        any(graph.operator(node) in _PARTIAL for node in graph.reachable(rates)),
        len(rates) if len(rates) <= MOST_DENSE else 0,
        cost + to_slopes.last - to_slopes.first,
        to_inputs,
        np.array([(i, k, input_cell + e) for e, (i, k, _) in enumerate(by_fixed)], dtype=np.int64).reshape(-1, 3),
    )


def enumerate_from(first: int, nodes: list[Node]) -> list[tuple[int, Node]]:
    """Each node with its cell."""
    return list(enumerate(nodes, first))


def written_out(graph: Graph, roots: list[Node], inlined: Mapping[int, Node]) -> dict[Node, Node]:
    """Every node that the roots need, with the slots of assignment rules written out."""
    found: dict[Node, Node] = {}
    for node in graph.reachable(roots):
        arguments = graph.arguments(node)
        if graph.operator(node) == "slot":
            found[node] = inlined.get(int(graph.keys[node][1]), node)
        elif arguments:
            found[node] = graph.node(graph.operator(node), *(found[argument] for argument in arguments))
        else:
            found[node] = node
    return found


def elimination_rows(plan: Elimination) -> tuple[Numbers, Numbers, Numbers]:
    """The elimination as rows of numbers, pivot by pivot, and where each pivot's part of `solve` begins.

    factor: place of the pivot, number of rows below, of columns right; then for each row its place in the column of the
    pivot and, for each column, the place in the row of the pivot and the place that is changed. solve: pivot, its
    place, number of rows below, of columns right; then (row, place) of each row, (column, place) of each column.
    """
    factor: list[int] = []
    solve: list[int] = []
    begins: list[int] = []
    places = plan.places
    for pivot, below, right in plan.pivots:
        factor += [places[pivot, pivot], len(below), len(right)]
        for row in below:
            factor.append(places[row, pivot])
            for column in right:
                factor += [places[pivot, column], places[row, column]]
        begins.append(len(solve))
        solve += [pivot, places[pivot, pivot], len(below), len(right)]
        for row in below:
            solve += [row, places[row, pivot]]
        for column in right:
            solve += [column, places[pivot, column]]
    return np.array(factor, dtype=np.int64), np.array(solve, dtype=np.int64), np.array(begins, dtype=np.int64)
