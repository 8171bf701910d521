"""Boxes of parameters (planted ones, permuted labels; 100 seeds each) and shares after evidence (exact posteriors)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from senexo.base.evidence import Status
from senexo.lab.evidence.likelihood import log_likelihood
from senexo.lab.evidence.weighting import Weighted, share_after
from senexo.lab.scenario.box import Bools, Box, Floats, overlap, seek
from senexo.study.read import read_study
from senexo.study.schema import Evidence
from verify import Check

PLANTED = Box({1: (0.4, np.inf), 4: (-np.inf, 0.5), 6: (0.2, 0.8)})  # 18 % of the unit cube
OVERLAP = 0.8


def main() -> Iterator[Check]:
    found = recovered(range(100))
    yield Check("planted boxes recovered, overlap at least 0.8", found, 95, found >= 95, "of 100 seeds", ">=")
    boxes = of_permuted_labels(range(100))
    yield Check("boxes of permuted labels", boxes, 5, boxes <= 5, "of 100 seeds")
    share = covered(2000) / 2000
    yield Check(
        "coverage of a share after evidence",
        share,
        0.93,
        share >= 0.93,
        "2,000 samples of 300 draws",
        ">=",
    )


def planted(seed: int) -> tuple[Floats, Bools]:
    """1,000 draws of 12 parameters; true in 85 % of the box and in 3 % elsewhere."""
    rng = np.random.default_rng(seed)
    x = rng.random((1000, 12))
    return x, rng.random(1000) < np.where(PLANTED.holds(x), 0.85, 0.03)


def recovered(seeds: range) -> int:
    """In how many seeds the planted box is found again."""
    volume = np.random.default_rng(99).random((20_000, 12))
    boxes = [seek(*planted(seed)) for seed in seeds]
    return sum(found is not None and overlap(volume, found.box, PLANTED) >= OVERLAP for found in boxes)


def of_permuted_labels(seeds: range) -> int:
    """In how many seeds permuted labels have a box."""
    found = 0
    for seed in seeds:
        x, true = planted(seed)
        found += seek(x, np.random.default_rng(1000 + seed).permutation(true), seed) is not None
    return found


def covered(samples: int) -> int:
    """How often the interval holds P(theta > 1) of the posterior N(0.5, 0.5): prior N(0, 1), observed 1 with sd 1."""
    status: Status = "assumed"
    figure = Evidence(
        name="x", kind="figure", value=1.0, low=-0.959964, high=2.959964, law="normal", source="a law", status=status
    )
    exact, noise, held = stats.norm.sf(0.5 / np.sqrt(0.5)), read_study("c10").replicates, 0
    for seed in range(samples):
        theta = np.random.default_rng(seed).standard_normal(300)
        log = log_likelihood(figure, theta, noise)
        low, high = share_after(Weighted({"x": log}, {}), theta > 1.0, np.ones(300, dtype=bool)).interval
        held += bool(low <= exact <= high)
    return held
