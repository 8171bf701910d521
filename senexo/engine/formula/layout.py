"""Blocks of lanes: LANES independent copies of one problem in one flat array, one quantity after the other.

Row q of lane l is at `q * LANES + l`; `Layout` says which row is what.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import types

LANES = 16
COUNT = np.uint64(LANES)  # as generated kernels take it
TIME, SHIFT, BACKWARD, STATES = 0, 1, 2, 3  # rows of a block: time, 1 / (gamma h), backward error, first state
SIGNATURE = types.void(types.float64[::1], types.uint64)  # of a generated kernel: block, number of lanes


@dataclass(frozen=True, slots=True)
class Layout:
    """Which row of a block is what; every number of rows, then where each part begins."""

    n_states: int
    n_constants: int
    n_derived: int  # what depends on constants only
    n_entries: int  # of the Jacobian; df/dt stands behind them
    n_factors: int
    n_rules: int

    @property
    def rates(self) -> int:
        return STATES + self.n_states

    @property
    def right(self) -> int:
        """Right-hand side of a linear system, then its solution."""
        return self.rates + self.n_states

    @property
    def kept(self) -> int:
        """A copy of the right-hand side."""
        return self.right + self.n_states

    @property
    def constants(self) -> int:
        return self.kept + self.n_states

    @property
    def derived(self) -> int:
        return self.constants + self.n_constants

    @property
    def jacobian(self) -> int:
        return self.derived + self.n_derived

    @property
    def factors(self) -> int:
        return self.jacobian + self.n_entries + self.n_states

    @property
    def rules(self) -> int:
        return self.factors + self.n_factors

    @property
    def rows(self) -> int:
        return self.rules + self.n_rules
