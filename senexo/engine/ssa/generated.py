"""Generated stochastic kernels, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from senexo.engine.formula.codegen import compile_function
from senexo.engine.rng import REACTIONS, RUN, draw, exponential, threefry, unit, widest_vectors
from senexo.engine.ssa.generated_lanes import lanes_source
from senexo.engine.ssa.generated_single import flat_source
from senexo.engine.ssa.steady import Steady

_NAMES = {
    "threefry": threefry, "exponential": exponential, "unit": unit, "draw": draw, "widest_vectors": widest_vectors,
    "RUN": RUN, "REACTIONS": REACTIONS,
}  # fmt: skip


def compiled(net: Steady, backend: Literal["flat", "lanes"]) -> Callable[..., Any]:
    """The kernel of a network for single trajectories ("flat") or for an ensemble ("lanes")."""
    return compile_function(flat_source(net) if backend == "flat" else lanes_source(net), _NAMES)
