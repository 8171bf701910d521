"""Boxes of parameters: planted ones are found again, labels without one give none, and what is said of a box is so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from senexo import read_study
from senexo.lab.donors import donor_values
from senexo.lab.scenario import conditions
from senexo.lab.scenario.box import Box, Found, fit, seek, words
from verify.worlds_boxes import of_permuted_labels, planted, recovered

TINY = Path(__file__).parents[1] / "circuits" / "tiny.toml"


def test_a_planted_box_is_found_again() -> None:
    """The long form, 100 seeds, is a check of make verify; 4 of 5 at least: false alarm 0.02 at 95 in 100."""
    assert recovered(range(5)) >= 4


def test_permuted_labels_have_no_box() -> None:
    """Under the null a box has a chance of about 0.0025: 2 or more of 10 about 3e-4."""
    assert of_permuted_labels(range(10)) <= 1


def test_what_is_said_of_a_box_is_so() -> None:
    x, true = planted(3)
    found = seek(x, true)
    assert isinstance(found, Found)
    inside = found.box.holds(x)
    assert found.density == true[inside].mean()
    assert found.outside == true[~inside].mean()
    assert found.coverage == true[inside].sum() / true.sum()
    assert found.mass == inside.mean()
    assert max(found.p) < 1e-6
    assert found.density_unseen == pytest.approx(0.85, abs=0.12)  # 3.5 standard errors of some 150 draws
    assert set(found.box.bounds) == {1, 4, 6}


def test_scale_and_order_of_parameters_do_not_matter() -> None:
    x, true = planted(4)
    plain, moved = fit(x, true), fit(np.exp(5 * x[:, ::-1]), true)
    assert (plain.holds(x) == moved.holds(np.exp(5 * x[:, ::-1]))).mean() > 0.995


def test_too_few_true_or_false_draws_have_no_box() -> None:
    x, true = planted(5)
    few = true & (np.cumsum(true) <= 19)
    assert seek(x, few) is None
    assert seek(x, ~few) is None
    assert fit(x, np.zeros(len(x), dtype=bool)).bounds == {}
    assert fit(x, np.ones(len(x), dtype=bool)).bounds == {}


def test_bounds_in_words() -> None:
    assert words(Box({0: (-np.inf, 3.14159)}), ["th"]) == ["th below 3.14"]


def test_conditions_are_in_words_with_the_assay_that_would_measure_them() -> None:
    study = read_study(TINY, set=["donors.n=300"])
    draws = {name: draw for name, draw in study.donors.draws.items() if draw.law != "fixed"}
    x = {k: donor_values(draws, study.seed, k) for k in range(1, 301)}
    true = np.array([x[k]["K"] < 120 and x[k]["d"] > 0.025 for k in x])
    found = conditions.sought("here", "A and B", study, true, np.ones(300, dtype=bool), {"K": "a titration"})
    frame = conditions.table([found]).set_index("parameter")
    assert frame.loc["K", "high"] == pytest.approx(120, rel=0.03)
    assert frame.loc["d", "low"] == pytest.approx(0.025, rel=0.03)
    assert frame.loc["K", "measured_by"] == "a titration"
    said = found.finding()["sentence"]
    assert said.startswith("here: A and B are true where ")
    assert "in 100 % of such draws" in said
    assert said.endswith("Measured by: K: a titration.")
    none = conditions.sought("here", "A", study, ~np.isnan(true), np.ones(300, dtype=bool), {})
    assert "no box of parameters in which A is true was confirmed" in none.finding()["sentence"]
    assert conditions.table([none]).empty
