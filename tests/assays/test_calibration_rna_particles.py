"""A small share of verify/assay_expression.py and verify/assay_particles.py: one set of tables each, fixed seed.

Bars are three standard errors of a share of 5 % beyond nominal, so a sound method fails one check in about 700.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from verify import assay_expression as rna
from verify import assay_particles as tracking
from verify._calibration import covers, keeps_level


@pytest.mark.parametrize("design", ["unpaired", "paired"])
def test_moderated_t(design: str) -> None:
    def judged(rng: np.random.Generator, change: float) -> rna.Estimate:
        return rna._first(rna._microarray(rng, 3, design, change), design)

    assert covers(f"small: moderated {design}", 1.0, lambda rng: judged(rng, 1.0), sets=50).passed
    assert keeps_level(f"small: moderated {design}", lambda rng: judged(rng, 0.0).p_value, sets=50).passed


def test_counts() -> None:
    def judged(rng: np.random.Generator, change: float) -> rna.Estimate:
        return rna._first(rna._library(rng, 4, "unpaired", change), "unpaired", "counts")

    assert covers("small: counts", 1.0, lambda rng: judged(rng, 1.0), sets=16).passed


@pytest.mark.parametrize("options", [{"n": 3}, {"n": 4, "spread": 0.5}, {"n": 5, "held": 8e7}])
def test_ratios_of_particles(options: dict[str, float]) -> None:
    effect = math.log(0.5)
    name = f"small: particles {options}"
    assert covers(name, effect, lambda rng: tracking._ratio(rng, effect, **options), sets=40).passed  # type: ignore[arg-type]
