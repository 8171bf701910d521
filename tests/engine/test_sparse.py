"""Unrolled sparse elimination against dense algebra, and its fill against matrices with a known best order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.engine.formula.sparse import Elimination, eliminate

SIZE = 9
patterns = st.sets(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), max_size=40)


def solve(plan: Elimination, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Elimination and substitution as planned; an entry the plan has no place for is a KeyError."""
    held = {entry: float(matrix[entry]) for entry in plan.places}
    x = right.copy()
    for pivot, below, to_the_right in plan.pivots:
        for r in below:
            multiplier = held[r, pivot] / held[pivot, pivot]
            x[r] -= multiplier * x[pivot]
            for c in to_the_right:
                held[r, c] -= multiplier * held[pivot, c]
    for pivot, _, to_the_right in reversed(plan.pivots):
        x[pivot] = (x[pivot] - sum(held[pivot, c] * x[c] for c in to_the_right)) / held[pivot, pivot]
    return x


@settings(max_examples=200, deadline=None)
@given(pattern=patterns, seed=st.integers(0, 2**32 - 1))
def test_the_plan_solves_every_matrix_of_its_pattern(pattern, seed):
    rng, matrix = np.random.default_rng(seed), np.zeros((SIZE, SIZE))
    for entry in pattern:
        matrix[entry] = rng.standard_normal()
    matrix += np.diag(1.0 + np.abs(matrix).sum(axis=1))  # so that no order of elimination loses digits
    right = rng.standard_normal(SIZE)
    found = solve(eliminate(SIZE, pattern), matrix, right)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-11, atol=1e-11)


@settings(max_examples=50, deadline=None)
@given(pattern=patterns)
def test_the_plan_does_not_depend_on_the_order_of_the_entries(pattern):
    assert eliminate(SIZE, sorted(pattern)) == eliminate(SIZE, sorted(pattern, reverse=True))


ARROW = [entry for i in range(1, 30) for entry in ((0, i), (i, 0))]
CHAIN = [entry for i in range(29) for entry in ((i, i + 1), (i + 1, i))]


@pytest.mark.parametrize(("pattern", "size"), [(ARROW, 30), (CHAIN, 30), ([], 30)], ids=["arrow", "chain", "diagonal"])
def test_matrices_that_need_no_fill_get_none(pattern, size):
    assert set(eliminate(size, pattern).places) == {*pattern, *((i, i) for i in range(size))}
