"""Response on 1,000 simulated cohorts: odds ratios, areas, shares cover; Fisher's and likelihood ratio tests hold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

from senexo.assays._response.assay import response
from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.odds import exact_odds_ratio
from senexo.assays.stats.proportion import clopper_pearson
from senexo.assays.stats.roc import area
from verify import Check
from verify._calibration import covers, keeps_level

ODDS = 2.5  # per unit of the level
STRONG = 20.0
SHIFT = 0.8  # of responders' levels
AREA = float(ndtr(SHIFT / math.sqrt(2.0)))


def main() -> list[Check]:
    return [
        covers("response, odds ratio, 80 patients", math.log(ODDS), slope),
        covers("response, odds ratio adjusted for age, 80 patients", math.log(ODDS), adjusted),
        covers("response, odds ratio, 16 patients, often parted (Firth)", math.log(STRONG), parted),
        covers("response, area under the ROC curve, 25 and 35 patients", AREA, roc_area),
        covers("response, exact odds ratio of two groups", math.log(ODDS), groups),
        covers("response, share of 20 patients", 0.9, share),
        keeps_level("response, likelihood ratio of a level", logistic_level),
        keeps_level("response, Firth's likelihood ratio, 16 patients", firth_level),
        keeps_level("response, Fisher's exact test", fisher_level),
        keeps_level("response, Holm over five levels", several_level),
    ]


def patients(rng: np.random.Generator, n: int, odds: float, age: float = 0.0, rate: float = 0.6) -> pd.DataFrame:
    """n patients, of whom at least one responded and one did not."""
    while True:
        table = pd.DataFrame({"level": rng.normal(size=n), "age": rng.normal(size=n)})
        table["level"] += 0.4 * table["age"]
        logit = math.log(rate / (1.0 - rate)) + math.log(odds) * table["level"] + age * table["age"]
        table["responded"] = (rng.random(n) < expit(logit)).astype(int)
        if 0 < table["responded"].sum() < n:
            return table


def _log_odds(table: pd.DataFrame, model: str, **options: object) -> Estimate:
    rows = response(table, response="responded", value="level", **options).tables["models"]  # type: ignore[arg-type]
    row = rows[(rows["model"] == model) & (rows["term"] == "level")].iloc[0]
    with np.errstate(divide="ignore"):
        return Estimate(*(float(np.log(row[key])) for key in ("odds_ratio", "low", "high")), float(row["p_value"]))


def slope(rng: np.random.Generator) -> Estimate:
    return _log_odds(patients(rng, 80, ODDS), "alone")


def adjusted(rng: np.random.Generator) -> Estimate:
    return _log_odds(patients(rng, 80, ODDS, age=-0.7), "adjusted", adjust="age")


def parted(rng: np.random.Generator) -> Estimate:
    return _log_odds(patients(rng, 16, STRONG), "alone", method="firth")


def roc_area(rng: np.random.Generator) -> Estimate:
    y = np.repeat([1, 0], [25, 35])
    return area(rng.normal(size=60) + SHIFT * y, y)


def groups(rng: np.random.Generator) -> Estimate:
    a, b = int(rng.binomial(22, expit(math.log(ODDS)))), int(rng.binomial(26, 0.5))
    found = exact_odds_ratio(a, 22, b, 26)
    with np.errstate(divide="ignore"):
        return Estimate(*(float(np.log(x)) for x in (found.value, found.low, found.high)))


def share(rng: np.random.Generator) -> Estimate:
    n = int(rng.binomial(20, 0.9))
    return Estimate(n / 20, *clopper_pearson(n, 20))


def logistic_level(rng: np.random.Generator) -> float:
    return _log_odds(patients(rng, 60, 1.0), "alone").p_value


def firth_level(rng: np.random.Generator) -> float:
    return _log_odds(patients(rng, 16, 1.0), "alone", method="firth").p_value


def fisher_level(rng: np.random.Generator) -> float:
    table = patients(rng, 44, 1.0).assign(arm=np.repeat(["a", "b"], 22))
    return float(response(table, response="responded", group="arm").tables["fisher"]["p_value"].iloc[0])


def several_level(rng: np.random.Generator) -> float:
    """The smallest p after Holm of five levels without effect."""
    table = patients(rng, 50, 1.0).assign(**{f"x{k}": rng.normal(size=50) for k in range(5)})
    found = response(table, response="responded", value=[f"x{k}" for k in range(5)])
    return float(found.tables["models"]["p_holm"].min())
