"""Factored matrices of compiled steps against numpy's dense solutions, and what the backward error notices."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.engine.formula.sparse import eliminate
from senexo.engine.ode import bdf_matrix
from senexo.engine.ode.step_programs import elimination_rows

SIZE = 8
patterns = st.sets(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), max_size=35)


@numba.njit
def _sparse(matrix, factor, solve, begins, b):
    bdf_matrix.factor_sparse(matrix, factor)
    bdf_matrix.solve_sparse(matrix, solve, begins, b)


@numba.njit
def _dense(matrix, order, b):
    bdf_matrix.factor_dense(matrix, order)
    bdf_matrix.solve_dense(matrix, order, b)


@numba.njit
def _error(memory, entries, c, x, right, scratch):
    return bdf_matrix.backward_error(memory, 0, entries, c, x, right, scratch)


def sparse_solution(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    plan = eliminate(len(matrix), {(int(i), int(j)) for i, j in zip(*np.nonzero(matrix), strict=True)})
    flat = np.zeros(len(plan.places))
    for (i, j), place in plan.places.items():
        flat[place] = matrix[i, j]
    x = right.copy()
    _sparse(flat, *elimination_rows(plan), x)
    return x


def dense_solution(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    x = right.copy()
    _dense(matrix.copy(), np.zeros(len(matrix), dtype=np.int64), x)
    return x


def error_of(slopes: np.ndarray, c: float, x: np.ndarray, right: np.ndarray) -> float:
    rows, columns = np.nonzero(slopes)
    entries = np.column_stack((rows, columns, np.zeros(len(rows), dtype=np.int64)))
    return _error(slopes[rows, columns], entries, c, x, right, np.empty(len(x)))


@settings(max_examples=100, deadline=None)
@given(pattern=patterns, seed=st.integers(0, 2**32 - 1))
def test_sparse_and_dense_solutions_are_those_of_numpy(pattern, seed):
    rng, matrix = np.random.default_rng(seed), np.zeros((SIZE, SIZE))
    for entry in pattern:
        matrix[entry] = rng.standard_normal()
    matrix += np.diag(1.0 + np.abs(matrix).sum(axis=1))  # so that the fixed order loses no digits
    right = rng.standard_normal(SIZE)
    known = np.linalg.solve(matrix, right)
    np.testing.assert_allclose(sparse_solution(matrix, right), known, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(dense_solution(matrix, right), known, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_rows_are_exchanged_in_the_dense_solution(scale):
    """Rows of very different sizes, and a pivot of 0: the permuted matrix has a known inverse."""
    matrix = np.array([[0.0, 2.0, 0.0], [0.0, 1e-20, 4.0 * scale], [5.0, 1.0, 1.0]])
    x = np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(dense_solution(matrix, matrix @ x), x, rtol=1e-14)


def test_the_backward_error_shows_where_the_fixed_order_lost_digits():
    """I - J with a pivot of 1e-17: elimination without exchanges gives a wrong solution, the dense one is right."""
    slopes = np.array([[1.0 - 1e-17, -1.0], [-1.0, 0.0]])
    matrix = np.array([[1e-17, 1.0], [1.0, 1.0]])
    right = np.array([1.0, 2.0])
    lost, kept = sparse_solution(matrix, right), dense_solution(matrix, right)
    np.testing.assert_allclose(kept, [1.0, 1.0], rtol=1e-15)
    assert error_of(slopes, 1.0, kept, right) < 1e-15
    assert abs(lost[0] - 1.0) > 0.1
    assert error_of(slopes, 1.0, lost, right) > 1e-6


def test_the_backward_error_is_the_least_relative_change():
    """x = 2 instead of 1 for (1 + 1) x = 2: the residual of 2 over |x| + |c J x| + |b| = 2 + 2 + 2."""
    assert error_of(np.array([[-1.0]]), 1.0, np.array([2.0]), np.array([2.0])) == pytest.approx(1 / 3, rel=1e-15)
    assert error_of(np.array([[-1.0]]), 1.0, np.array([1.0]), np.array([2.0])) == 0.0


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_solution_that_is_no_number_has_no_small_backward_error(wrong):
    assert not error_of(np.array([[-1.0]]), 1.0, np.array([wrong]), np.array([2.0])) <= 1e-6
