"""Survival on 1,000 simulated sets: do intervals cover, do tests keep their level, those of a searched cut too?

Exponential times of mean 1, uniform censoring (about a quarter censored), whole sentences through the public call
where the correction is part of the question.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from senexo.assays._survival.assay import survival
from senexo.assays.stats.cox import cox
from senexo.assays.stats.cox_likelihood import concordance
from senexo.assays.stats.cutpoint import searched
from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.kaplan_meier import curve, log_rank, mean_difference
from verify import Check
from verify._calibration import covers, keeps_level

RATIO = 2.0
UNTIL = 1.0


def main() -> list[Check]:
    return [
        covers("Cox hazard ratio, 2 x 30", math.log(RATIO), hazard_ratio),
        covers("Cox hazard ratio of a level, adjusted, 80", math.log(RATIO), adjusted_ratio),
        covers("Cox hazard ratio in four strata, 80", math.log(RATIO), stratified_ratio),
        covers("Firth hazard ratio, 40 + 6, often separated", math.log(0.3), rare_group),
        covers("median survival, 40 patients", math.log(2.0), median),
        covers("restricted mean difference, 2 x 40", 0.0, mean_gap),
        covers("restricted mean difference, 2 x 40, ratio 2", _true_gap(), mean_gap_of_two),
        covers("restricted mean difference, 8 + 40", 0.0, mean_gap_of_few),
        covers("concordance, 80 patients", RATIO / (1.0 + RATIO) * 0.5 + 0.25, c_index),
        keeps_level("log-rank, 2 x 30", group_level),
        keeps_level("log-rank, 8 + 40", uneven_level),
        keeps_level("log-rank in four strata, 80", stratified_level),
        keeps_level("Cox Wald test, 2 x 30", lambda rng: hazard_ratio(rng, 1.0).p_value),
        keeps_level("searched cut, 40 patients", search_level),
        keeps_level("searched cut, 80 patients, coarse values and times", coarse_search_level),
        keeps_level("proportional hazards, 2 x 40, ratio 2", proportional_level),
        keeps_level("six levels, Holm", holm_level),
        keeps_level("restricted mean difference, 2 x 40", lambda rng: mean_gap(rng).p_value),
    ]


def patients(rng: np.random.Generator, n: int, hazard: np.ndarray | float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    times, ends = rng.exponential(1.0, n) / hazard, rng.uniform(0.5, 4.0, n)
    return np.minimum(times, ends), times <= ends


def two(n: int) -> np.ndarray:
    return np.repeat([0, 1], n)


def hazard_ratio(rng: np.random.Generator, ratio: float = RATIO) -> Estimate:
    group = two(30)
    return _asked(*patients(rng, 60, ratio**group), group[:, None].astype(float))


def _asked(time: np.ndarray, event: np.ndarray, x: np.ndarray, stratum: np.ndarray | None = None) -> Estimate:
    none = np.zeros(len(time), np.int64)
    fit = cox(time, event, x, none if stratum is None else stratum, [[k] for k in range(x.shape[1])])
    return Estimate(math.nan, -math.inf, math.inf, 1.0) if isinstance(fit, str) else fit.coefficients[0]


def adjusted_ratio(rng: np.random.Generator) -> Estimate:
    """A confounder of correlation 0.5 that itself raises the hazard."""
    level, noise = rng.normal(size=80), rng.normal(size=80)
    age = 0.5 * level + math.sqrt(0.75) * noise
    return _asked(*patients(rng, 80, RATIO**level * 1.5**age), np.column_stack([level, age]))


def stratified_ratio(rng: np.random.Generator) -> Estimate:
    group, stratum = np.arange(80) % 2, np.arange(80) // 20
    time, event = patients(rng, 80, RATIO**group * np.array([0.3, 1.0, 2.0, 4.0])[stratum])
    return _asked(time, event, group[:, None].astype(float), stratum)


def rare_group(rng: np.random.Generator) -> Estimate:
    group = np.repeat([0.0, 1.0], [40, 6])
    return _asked(*patients(rng, 46, 0.3**group), group[:, None])


def median(rng: np.random.Generator) -> Estimate:
    return curve(*patients(rng, 40)).median()


def mean_gap(rng: np.random.Generator, ratio: float = 1.0) -> Estimate:
    group = two(40).astype(bool)
    time, event = patients(rng, 80, ratio**group)
    return mean_difference(curve(time[group], event[group]), curve(time[~group], event[~group]), UNTIL)


def mean_gap_of_two(rng: np.random.Generator) -> Estimate:
    return mean_gap(rng, RATIO)


def mean_gap_of_few(rng: np.random.Generator) -> Estimate:
    few, many = patients(rng, 8), patients(rng, 40)
    return mean_difference(curve(*few), curve(*many), UNTIL)


def _true_gap() -> float:
    return (1.0 - math.exp(-RATIO * UNTIL)) / RATIO - (1.0 - math.exp(-UNTIL))


def c_index(rng: np.random.Generator) -> Estimate:
    """A predictor of two values: half of the pairs tie (1/2), of the others the higher hazard dies first with 2/3.

    All are followed to the event, so that every pair counts.
    """
    group = rng.permutation(two(40)).astype(float)
    time = rng.exponential(1.0, 80) / RATIO**group
    share, error = concordance(time, np.ones(80, bool), group, np.zeros(80, np.int64))
    pairs = 40 * 40 / (80 * 79 / 2)  # share of pairs that do not tie, a little above one half
    share += (0.5 - pairs) * (RATIO / (1.0 + RATIO) - 0.5)
    return Estimate(share, share - 1.96 * error, share + 1.96 * error)


def group_level(rng: np.random.Generator) -> float:
    return log_rank(*patients(rng, 60), two(30), np.zeros(60, np.int64)).p_value


def uneven_level(rng: np.random.Generator) -> float:
    return log_rank(*patients(rng, 48), np.repeat([0, 1], [8, 40]), np.zeros(48, np.int64)).p_value


def stratified_level(rng: np.random.Generator) -> float:
    """Strata differ in hazard and in their share of the group: without them the test would see the strata."""
    stratum = np.arange(80) // 20
    group = (rng.random(80) < np.array([0.2, 0.4, 0.6, 0.8])[stratum]).astype(int)
    time, event = patients(rng, 80, np.array([0.5, 1.0, 2.0, 4.0])[stratum])
    return log_rank(time, event, group, stratum).p_value


def search_level(rng: np.random.Generator) -> float:
    found = searched(rng.normal(size=40), *patients(rng, 40), shuffles=999)
    assert not isinstance(found, str)
    return found.p_value


def coarse_search_level(rng: np.random.Generator) -> float:
    time, event = patients(rng, 80)
    found = searched(rng.integers(0, 8, 80).astype(float), np.ceil(time * 6), event, shuffles=999)
    assert not isinstance(found, str)
    return found.p_value


def proportional_level(rng: np.random.Generator) -> float:
    group = two(40)
    fit = cox(*patients(rng, 80, RATIO**group), group[:, None].astype(float), np.zeros(80, np.int64), [[0]])
    from scipy.special import chdtrc

    return 1.0 if isinstance(fit, str) else float(chdtrc(1, fit.proportional[0][0]))


def holm_level(rng: np.random.Generator) -> float:
    """The smallest corrected p of six levels without effect, two of them alike, through the public call."""
    time, event = patients(rng, 50)
    levels = rng.normal(size=(50, 6))
    levels[:, 1] = levels[:, 0] + 0.1 * levels[:, 1]
    table = pd.DataFrame(levels, columns=list("abcdef")).assign(time=time, event=event)
    result = survival(table, time="time", event="event", value=list("abcdef"))
    return float(result.tables["cox"]["p_holm"].min())
