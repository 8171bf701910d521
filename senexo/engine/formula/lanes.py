"""Straight-line kernels over a block of lanes, generated from one network's formulas.

Blocks are laid out as in `senexo.engine.formula.layout`. Every kernel is one loop over the lanes with all arithmetic
written out in its body. Three rules make vector instructions of that loop: all memory is one array at offsets known
when the kernel is made (nothing can overlap, so nothing must be checked), the number of lanes is an argument (a loop of
known length is unrolled instead), and only elementary operations are used. So a lane's bits depend on that lane alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from senexo.engine.formula.codegen import compile_function, print_nodes
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.lane_math import lane_exp, lane_ln, lane_power
from senexo.engine.formula.layout import BACKWARD, LANES, SHIFT, SIGNATURE, TIME, Layout
from senexo.engine.formula.sparse import Elimination

_COMPILING = Lock()
_FUNCTIONS = {"exp": "lane_exp", "ln": "lane_ln", "power": "lane_power"}


class LaneKernel:
    """A compiled kernel over blocks; Python calls it, and other kernels do by its `address` (`run_block`)."""

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher  # keeps the code alive
        with _COMPILING:  # two threads may ask for one kernel
            if not dispatcher.signatures:
                dispatcher.compile(SIGNATURE)
                dispatcher.disable_compile()
        made = dispatcher.get_compile_result(SIGNATURE)
        self.address = int(made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name))

    def __call__(self, block: NDArray[np.float64], lanes: np.uint64) -> None:
        self._dispatcher(block, lanes)


def _run_block(typingctx: Any, address: Any, block: Any, lanes: Any) -> Any:
    """Call the lane kernel at an address.

    Numba's own functions as arguments would do the same, but cost several microseconds of Python each at every call.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parameters = [context.get_value_type(kind) for kind in SIGNATURE.args]
        function = ir.FunctionType(context.get_value_type(SIGNATURE.return_type), parameters)
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.int64, *SIGNATURE.args), generate


run_block: Any = intrinsic(_run_block)


def formulas(
    graph: Graph, nodes: Sequence[Node], into: int, rows_of_slots: Mapping[int, int], ready: Mapping[Node, int]
) -> LaneKernel:
    """Kernel that computes the nodes into the rows from `into` on; ready: node -> row where its value already is."""
    return placed(graph, [(into + i, node) for i, node in enumerate(nodes)], rows_of_slots, ready)


def placed(
    graph: Graph, nodes: Sequence[tuple[int, Node]], rows_of_slots: Mapping[int, int], ready: Mapping[Node, int]
) -> LaneKernel:
    """As `formulas`, for nodes that each come with the row they go to."""
    known = {node: _at(row) for node, row in ready.items()}
    lines, results = print_nodes(
        graph,
        [node for _, node in nodes],
        lambda slot: _at(rows_of_slots[slot]),
        time=_at(TIME),
        ready=known,
        functions=_FUNCTIONS,
    )
    return _kernel([*lines, *(f"{_at(row)} = {text}" for (row, _), text in zip(nodes, results, strict=True))])


def factor(layout: Layout, entries: Mapping[tuple[int, int], int], plan: Elimination) -> LaneKernel:
    """Kernel: L U = shift * identity - jacobian. The reciprocals of the pivots stand in the diagonal's places.

    entries: (row, column) -> place in the Jacobian.
    """
    held = {entry: f"-{_at(layout.jacobian + place)}" for entry, place in entries.items()}
    for i in range(layout.n_states):
        own = entries.get((i, i))
        held[i, i] = _at(SHIFT) if own is None else f"{_at(SHIFT)} - {_at(layout.jacobian + own)}"
    lines = [f"m{plan.places[entry]} = {text}" for entry, text in held.items()]
    filled = set(held)
    for pivot, below, right in plan.pivots:
        diagonal = plan.places[pivot, pivot]
        lines.append(f"m{diagonal} = 1.0 / m{diagonal}")
        for r in below:
            multiplier = plan.places[r, pivot]
            lines.append(f"m{multiplier} = m{multiplier} * m{diagonal}")
            for c in right:
                target, product = plan.places[r, c], f"m{multiplier} * m{plan.places[pivot, c]}"
                lines.append(f"m{target} = m{target} - {product}" if (r, c) in filled else f"m{target} = -({product})")
                filled.add((r, c))
    return _kernel([*lines, *(f"{_at(layout.factors + place)} = m{place}" for place in plan.places.values())])


def substitute(layout: Layout, plan: Elimination) -> LaneKernel:
    """Kernel: the right-hand side becomes the solution of L U x = b."""

    def held(r: int, c: int) -> str:
        return _at(layout.factors + plan.places[r, c])

    lines = [f"x{i} = {_at(layout.right + i)}" for i in range(layout.n_states)]
    for pivot, below, _ in plan.pivots:
        lines += [f"x{r} = x{r} - {held(r, pivot)} * x{pivot}" for r in below]
    for pivot, _, right in reversed(plan.pivots):
        lines += [f"x{pivot} = x{pivot} - {held(pivot, c)} * x{c}" for c in right]
        lines.append(f"x{pivot} = x{pivot} * {held(pivot, pivot)}")
    return _kernel([*lines, *(f"{_at(layout.right + i)} = x{i}" for i in range(layout.n_states))])


def residual(layout: Layout, entries: Mapping[tuple[int, int], int]) -> LaneKernel:
    """Kernel: a bound on the componentwise backward error of (shift - jacobian) x = b, b the kept right-hand side.

    sum_i |r_i| / (|shift x_i| + sum_j |J_ij x_j| + |b_i|) with r = b - (shift - J) x. Its largest term is the
    smallest relative change of matrix and right-hand side that makes x exact (Oettli & Prager 1964, doi
    10.1007/BF01386090) and does not depend on the units of the states; a sum, unlike a maximum, keeps a nan.
    What dies out passes below 2e-308, where rounding is coarse: a row that small counts as solved.
    """
    lines = ["error = 0.0"]
    for i in range(layout.n_states):
        kept = _at(layout.kept + i)
        lines += [f"a = {_at(SHIFT)} * {_at(layout.right + i)}", f"r = {kept} - a", f"s = abs(a) + abs({kept})"]
        for (row, column), place in entries.items():
            if row == i:
                lines.append(f"a = {_at(layout.jacobian + place)} * {_at(layout.right + column)}")
                lines += ["r = r + a", "s = s + abs(a)"]
        lines.append("error = error + abs(r) / (s + 1e-290)")
    return _kernel([*lines, f"{_at(BACKWARD)} = error"])


def _at(row: int) -> str:
    return f"w[lane + row{row}]"


def _kernel(lines: Sequence[str]) -> LaneKernel:
    body = "".join(f"        {line}\n" for line in lines or ["pass"])
    source = f"def kernel(w, lanes):\n    for lane in range(lanes):\n{body}"
    names: dict[str, object] = {"lane_exp": lane_exp, "lane_ln": lane_ln, "lane_power": lane_power}
    # unsigned, because a signed index would be tested for being negative at every access
    names |= {f"row{row}": np.uint64(int(row) * LANES) for row in re.findall(r"\brow(\d+)\]", body)}
    return LaneKernel(compile_function(source, names))
