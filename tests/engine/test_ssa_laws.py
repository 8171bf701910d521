"""Exact laws with fewer runs than `verify.exact_laws`; a right simulator fails these with probability 1e-3 per seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from senexo.assays.stats.multiple_testing import holm
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.ssa.sampler import sample
from senexo.model.loading import load
from verify.exact_laws import ALPHA, LAWS, p_value


def test_laws_hold(tmp_path: Path) -> None:
    p_values = [p_value(law, tmp_path, runs=4_000, seed=7) for law in LAWS]
    adjusted = holm(p_values)
    assert min(adjusted) > ALPHA, dict(zip((law.name for law in LAWS), p_values, strict=True))


def test_the_test_has_power(tmp_path: Path) -> None:
    """n^2 for n (n - 1), and a dose 0.2 late, are found out."""
    dimer = next(law for law in LAWS if law.name == "dimerisation")
    wrong = type(dimer)(dimer.name, dimer.antimony.replace("A*(A-1)", "A*A"), 3.0, ("A",), dimer.probabilities)
    assert p_value(wrong, tmp_path, runs=40_000, seed=7) < 1e-6
    dose = next(law for law in LAWS if law.name == "dose in the middle")
    late = type(dose)(dose.name, dose.antimony.replace("3.7", "3.9"), 5.0, ("X",), dose.probabilities)
    assert p_value(late, tmp_path, runs=20_000, seed=7) < 1e-6


@pytest.mark.parametrize(
    ("rate", "hazard"),
    [
        ("2*(1 + sin(3*time))", lambda t: 2 * (1 + np.sin(3 * t))),
        ("0.01 + 5*exp(-100*(time - 2)^2)", lambda t: 0.01 + 5 * np.exp(-100 * (t - 2) ** 2)),
        ("piecewise(0, time < 1, 4, time < 1.25, 0.5)", lambda t: 0.0 if t < 1 else 4.0 if t < 1.25 else 0.5),
        ("0.2*time", lambda t: 0.2 * t),
    ],
)
def test_waiting_times_under_moving_rates(rate: str, hazard: object, tmp_path: Path) -> None:
    """One molecule dies at rate r(t): survival is exp(-integral of r). Binned by outputs, chi-square p > 1e-4."""
    path = tmp_path / "model.ant"
    path.write_text(f"model m()\nsubstanceOnly species X = 1; X => ; X*({rate});\nend\n")
    lowered = lower(load(path).network)
    times = np.linspace(0.0, 4.0, 17)
    alive = sample(lowered, initial_values(lowered), times, runs=6_000, seed=21)[:, :, lowered.slot("X")]
    area = [integrate.quad(hazard, 0, t, points=[1.0, 1.25, 2.0], limit=200)[0] for t in times]  # type: ignore[arg-type]
    expected = -np.diff(np.append(np.exp(-np.array(area)), 0.0)) * len(alive)
    died = -np.diff(np.append(alive.sum(axis=0), 0.0))
    assert np.all(died[expected < 1e-9] == 0)
    keep = expected > 5
    statistic = np.sum((died - expected)[keep] ** 2 / expected[keep])
    assert stats.chi2.sf(statistic, keep.sum() - 1) > 1e-4
