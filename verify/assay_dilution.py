"""Limiting dilution on 1,000 simulated plates: intervals cover, tests keep their level, bounds of edge plates too."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from senexo.assays._dilution.assay import dilution
from senexo.assays.stats import single_hit
from senexo.assays.stats.estimate import Estimate
from verify import Check
from verify._calibration import covers, keeps_level

DOSES = np.array([100.0, 300.0, 1000.0])
MICE = np.array([1e3, 1e4, 1e5, 1e6])
ONE_IN = 400.0


def main() -> list[Check]:
    return [
        covers("dilution frequency, 24 wells at 3 doses", math.log(1 / ONE_IN), frequency),
        covers("dilution frequency, 6 mice at 4 doses", math.log(1 / 5e4), mice),
        covers("dilution ratio of two groups", math.log(3.0), fold),
        covers("dilution ratio, often to nothing (bound)", math.log(10.0), rare_fold),
        covers("dilution, so rare that often none responds (bound)", math.log(1 / 4e4), rare),
        keeps_level("dilution groups, likelihood ratio", group_level),
        keeps_level("dilution slope, likelihood ratio", slope_level),
        keeps_level("dilution, Holm over three pairs", pairs_level),
    ]


def plate(rng: np.random.Generator, doses: np.ndarray, units: int, one_in: float) -> np.ndarray:
    return rng.binomial(units, 1 - np.exp(-doses / one_in)).astype(float)


def logs(found: Estimate) -> Estimate:
    with np.errstate(divide="ignore"):
        return Estimate(*(float(np.log(x)) for x in (found.value, found.low, found.high)))


def frequency(rng: np.random.Generator) -> Estimate:
    return logs(single_hit.fit(DOSES, np.full(3, 24.0), plate(rng, DOSES, 24, ONE_IN)))


def mice(rng: np.random.Generator) -> Estimate:
    return logs(single_hit.fit(MICE, np.full(4, 6.0), plate(rng, MICE, 6, 5e4)))


def rare(rng: np.random.Generator) -> Estimate:
    return logs(single_hit.fit(DOSES, np.full(3, 24.0), plate(rng, DOSES, 24, 4e4)))


def fold(rng: np.random.Generator) -> Estimate:
    return _fold(rng, ONE_IN, 3 * ONE_IN)


def rare_fold(rng: np.random.Generator) -> Estimate:
    """The second group often has no response at all."""
    return _fold(rng, 10 * ONE_IN, 100 * ONE_IN)


def _fold(rng: np.random.Generator, one_in: float, other: float) -> Estimate:
    plates = [(DOSES, np.full(3, 24.0), plate(rng, DOSES, 24, x)) for x in (one_in, other)]
    return logs(single_hit.ratio(*(single_hit.fit(*one) for one in plates), *plates))


def group_level(rng: np.random.Generator) -> float:
    response = np.concatenate([plate(rng, DOSES, 24, ONE_IN) for _ in range(2)])
    return single_hit.difference(np.tile(DOSES, 2), np.full(6, 24.0), response, np.repeat(["a", "b"], 3))[1]


def slope_level(rng: np.random.Generator) -> float:
    found = single_hit.slope(DOSES, np.full(3, 24.0), plate(rng, DOSES, 24, ONE_IN), np.repeat("a", 3))
    return 1.0 if math.isnan(found.z_ratio) else single_hit.two_sided(found.z_ratio)


def pairs_level(rng: np.random.Generator) -> float:
    """Through the public call: the smallest corrected p-value of three groups that are alike."""
    rows = [
        (name, dose, 24, int(response))
        for name in "abc"
        for dose, response in zip(DOSES, plate(rng, DOSES, 24, ONE_IN), strict=True)
    ]
    table = pd.DataFrame(rows, columns=["group", "dose", "tested", "response"])
    return float(dilution(table, group="group").tables["pairs"]["p_holm"].min())
