"""Corrected p-values against R's p.adjust, scipy, and the step-wise tests themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from senexo.assays.stats.multiple_testing import benjamini_hochberg, holm

p_values = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


def test_both_equal_r() -> None:
    """R 4: p.adjust(c(0.013, 0.9, 0.002, 0.04, NA, 0.04), "holm") and "BH"."""
    p = [0.013, 0.9, 0.002, 0.04, np.nan, 0.04]
    np.testing.assert_allclose(holm(p), [0.052, 0.9, 0.01, 0.12, np.nan, 0.12], rtol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(np.array(p)), [0.0325, 0.9, 0.01, 0.05, np.nan, 0.05], rtol=1e-12)


@given(p_values)
def test_the_false_discovery_rate_equals_scipy(p: list[float]) -> None:
    np.testing.assert_allclose(benjamini_hochberg(np.array(p)), false_discovery_control(p), rtol=1e-12)


def rejected(p: list[float], alpha: float) -> list[bool]:
    """Holm's test as he wrote it: from the smallest p on, until one exceeds alpha / (hypotheses left)."""
    found = [False] * len(p)
    for step, place in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[place] * (len(p) - step) > alpha:
            break
        found[place] = True
    return found


@given(p_values, st.floats(0.001, 0.999))
def test_holm_rejects_what_the_step_down_test_rejects(p: list[float], alpha: float) -> None:
    assert (holm(p) <= alpha).tolist() == rejected(p, alpha)


def test_what_was_not_tested_is_no_member_of_the_family() -> None:
    assert holm([0.02, np.nan, np.nan])[0] == pytest.approx(0.02)
    assert np.isnan(holm([np.nan])).all()
    assert np.isnan(benjamini_hochberg(np.array([np.nan, np.nan]))).all()
