"""A small share of verify/assay_fates.py, assay_colonies.py and assay_balance.py: one seed, few sets.

Bars are three standard errors of a share of 5 % beyond nominal, so a sound method fails one check in about 700.
"""

from __future__ import annotations

import numpy as np
import pytest

from verify import assay_balance, assay_colonies, assay_fates
from verify._calibration import covers, keeps_level


@pytest.mark.parametrize("n", [3, 8])
def test_balance(n: int) -> None:
    def index(rng: np.random.Generator) -> assay_balance.Estimate:
        return assay_balance._index(assay_balance._answer(rng, n, 0.4, 0.65))

    assert covers(f"small: index {n}", 0.65, index, sets=80).passed
    gain = keeps_level(f"small: gain {n}", lambda rng: assay_balance._answer(rng, n, 0.4, 0.0)["p_gain"], sets=80)
    assert gain.passed


@pytest.mark.parametrize("name", ["4 donors, 10 a dish", "5 donors, 2 a dish"])
def test_colonies(name: str) -> None:
    world = assay_colonies.WORLDS[name]
    assert covers(
        f"small: {name}", float(np.log(0.4)), lambda rng: assay_colonies._fraction(rng, 0.4, *world), sets=40
    ).passed
    level = keeps_level(f"small: {name}", lambda rng: assay_colonies._fraction(rng, 1.0, *world).p_value, sets=40)
    assert level.passed


def test_fates() -> None:
    truth = assay_fates._mean_incidence(0.5) - assay_fates._mean_incidence(1.0)
    assert covers("small: fates", truth, lambda rng: assay_fates._difference(rng, 4, 0.5)[0], sets=40).passed
    assert keeps_level("small: fates", lambda rng: assay_fates._difference(rng, 4, 1.0)[1], sets=40).passed
