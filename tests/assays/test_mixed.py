"""Random-intercept models by REML against lme4 and lmerTest (references/particles.R)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from senexo.assays.stats.mixed import random_intercept

REFERENCES = json.loads((Path(__file__).parent / "references" / "particles.json").read_text(encoding="utf-8"))
CASES = ["two_arms", "four_arms", "incomplete", "no_donor_variance", "replicates"]


@pytest.mark.parametrize("name", CASES)
def test_reml_equals_lme4(name: str) -> None:
    """Estimates, errors, variances and deviance to 1e-6; lmerTest differentiates numerically, so df and p to 1e-5."""
    case = REFERENCES[name]
    arms = sorted(set(case["arm"]), key=lambda arm: (arm != "control", arm))
    arm = np.array(case["arm"])
    x = np.column_stack([np.ones(len(arm)), *(arm == other for other in arms[1:])]).astype(float)
    fit = random_intercept(np.array(case["y"]), x, case["donor"])
    assert fit is not None
    np.testing.assert_allclose(fit.effects, case["effects"], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), case["error"], rtol=1e-6)
    assert fit.donor == pytest.approx(case["donor_variance"][0], rel=1e-6, abs=1e-12)
    assert fit.residual == pytest.approx(case["residual_variance"][0], rel=1e-6)
    assert fit.deviance == pytest.approx(case["deviance"][0], rel=1e-9)
    tests = [fit.contrast(row) for row in np.eye(len(arms))]
    np.testing.assert_allclose([df for _, df in tests], case["df"], rtol=1e-5)
    np.testing.assert_allclose([estimate.p_value for estimate, _ in tests], case["p"], rtol=1e-5)


def test_nothing_to_fit() -> None:
    assert random_intercept(np.array([1.0, 2.0]), np.eye(2), list("ab")) is None
    assert random_intercept(np.array([1.0, 1.0, 1.0]), np.ones((3, 1)), list("abc")) is None
