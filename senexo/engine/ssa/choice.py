"""Which kernel is done first: nanoseconds of each, in round numbers that were measured on one core for 26 reactions.

Only their ratios matter, and no result depends on them: the kernels agree bit for bit.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Literal

from senexo.engine.ssa.generated_lanes import LANES

if TYPE_CHECKING:
    from senexo.engine.ssa.steady import Steady

Generated = Literal["flat", "lanes"]

TABLES = 140.0  # for one reaction
FLAT = 22.0
LOCKSTEP = 15.0  # for one step of all lanes, per reaction of the network
COMPILE = {"flat": 3.5e6, "lanes": 9e6}  # per line of source
MOST_REACTIONS = 400
MOST_LINES = 8_000  # of source; the compiler's time grows faster than the source


def per_event(backend: Generated, net: Steady, runs: int) -> float:
    """Nanoseconds for one reaction in each of so many runs of one thread."""
    if backend == "flat":
        return FLAT * runs
    return LOCKSTEP * len(net.rates) * max(1.0, runs / LANES)


def lines(backend: Generated, net: Steady) -> float:
    """About how many lines of source a kernel has."""
    n = len(net.rates)
    stale = sum(len(net.stale(k)) for k in range(n))
    if backend == "lanes":
        return 60.0 + 8.0 * n + 3.0 * len(net.counted)
    blocks = sum(len({s // net.block for s in net.stale(k)}) for k in range(n))
    return 200.0 + 5.0 * n + 6.0 * stale + net.block * blocks + 2.0 * n * net.n_blocks


def compilation(backend: Generated, net: Steady) -> float:
    """Nanoseconds that the compilation of a kernel takes; infinite where it is not worth trying."""
    size = lines(backend, net) if len(net.rates) <= MOST_REACTIONS else float("inf")
    return COMPILE[backend] * size if size <= MOST_LINES else float("inf")


def share(runs: int, threads: int) -> int:
    """Runs of the thread that has most."""
    return ceil(runs / max(1, threads))
