"""Readings against the laws of counting and of PCR."""

from __future__ import annotations

import math

import numpy as np
import pytest

from senexo.base.streams import generator
from senexo.lab.observe import stained, threshold_cycle
from senexo.study.schema import Replicates

HOW = Replicates(
    n=3, cells_counted=200, false_positive=0.02, false_negative=0.1, lysed_cells=100, ct_sd=0.3, ct_one_copy=38.0,
    ct_cutoff=40.0, efficiency=1.0, reference_copies={}, about={},
)  # fmt: skip
WELLS = 4000
SURE = 4.9  # |Z|: one false alarm in a million, and the seeds are fixed


def test_stained_counts_follow_the_binomial_law_of_the_mixture() -> None:
    """P(positive) = p (1 - false negatives) + (1 - p) false positives, over the living cells only."""
    senescent, alive = np.zeros(50, bool), np.ones(50, bool)
    senescent[:20] = True
    alive[:10] = False  # ten of the senescent cells are dead: 10 of 40 living are senescent
    chance = 0.25 * 0.9 + 0.75 * 0.02
    counts = np.array([stained(senescent, alive, HOW, generator(1, well)) for well in range(WELLS)])
    assert set(counts[:, 1]) == {200}
    mean, variance = 200 * chance, 200 * chance * (1 - chance)
    assert abs(counts[:, 0].mean() - mean) < SURE * math.sqrt(variance / WELLS)
    assert abs(counts[:, 0].var() / variance - 1) < SURE * math.sqrt(2 / WELLS)


def test_a_dead_well_counts_nothing() -> None:
    assert stained(np.ones(5, bool), np.zeros(5, bool), HOW, generator(1)) == (0, 0)


@pytest.mark.parametrize("efficiency", [1.0, 0.8])
def test_a_dilution_series_has_the_slope_of_the_efficiency(efficiency: float) -> None:
    """Ct against log10(copies) falls by 1 / log10(1 + efficiency) per decade and stands at ct_one_copy for 1."""
    how = HOW.model_copy(update={"efficiency": efficiency})
    copies = np.logspace(3, 7, 40)
    ct = [threshold_cycle(c, how, generator(2, well)) for well, c in enumerate(copies)]
    slope, intercept = np.polyfit(np.log10(copies), ct, 1)
    spread = 0.3 / math.sqrt(40)
    assert slope == pytest.approx(-1 / math.log10(1 + efficiency), abs=SURE * spread / np.std(np.log10(copies)))
    assert intercept == pytest.approx(38.0, abs=SURE * spread * math.sqrt(1 + 25 / np.var(np.log10(copies))))


def test_few_templates_are_missed_as_poisson_says() -> None:
    """P(undetected) = exp(-copies) where one copy is always seen."""
    for copies in (0.5, 2.0):
        ct = np.array([threshold_cycle(copies, HOW, generator(3, well, f"{copies}")) for well in range(WELLS)])
        missed, expected = np.isnan(ct).mean(), math.exp(-copies)
        assert abs(missed - expected) < SURE * math.sqrt(expected * (1 - expected) / WELLS)


def test_a_dead_well_and_a_rounded_zero_are_undetected() -> None:
    assert all(math.isnan(threshold_cycle(copies, HOW, generator(5))) for copies in (math.nan, 0.0, -1e-12))
    assert threshold_cycle(1e30, HOW, generator(5)) < 0


def test_what_comes_after_the_last_cycle_is_undetected() -> None:
    how = HOW.model_copy(update={"ct_cutoff": 38.0, "ct_sd": 0.5})
    ct = np.array([threshold_cycle(2.0, how, generator(4, well)) for well in range(WELLS)])
    assert np.nanmax(ct) <= 38.0
    one = math.exp(-2.0) * 2.0  # P(exactly one template): half of these come too late
    missed = math.exp(-2.0) + one / 2 + math.exp(-2.0) * 2.0 * 0.0228  # two templates: Ct 37, two sd below the end
    assert np.isnan(ct).mean() == pytest.approx(missed, abs=0.03)
