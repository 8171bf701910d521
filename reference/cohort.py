"""A virtual cohort against the figures of AML-SG: `python -m reference.cohort` prints every row of the targets.

`cohort_targets.csv` has the figures of the public registry (non-APL, n 1,475) with 95 % intervals, and which rows were
fitted and which are predicted; it was committed before any fit.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.cox import cox
from senexo.lab.cohort.experiment import CohortExperiment
from senexo.lab.registry import experiment_of
from senexo.study.read import read_study

Floats = NDArray[np.float64]
TARGETS = Path(__file__).with_name("cohort_targets.csv")
YEAR = 365.25
STUDY = "c03-prognosis"
GROUPS = {"favourable": 0.0, "intermediate": 1.0, "adverse": 2.0}


def targets() -> list[dict[str, str]]:
    """The rows of the registry's figures."""
    with TARGETS.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def incidence(days: Floats, event: Floats, by: float) -> float:
    """Percent of patients, all followed to the end, in whom it happened within `by` days."""
    return 100.0 * float(((event > 0) & (days <= by)).mean())


def statistics(found: Mapping[str, Floats], group: str) -> Iterator[tuple[str, float]]:
    """Every statistic of the targets in a group of patients."""
    risk = found["known_risk"]
    own = {"all": np.ones(len(risk), bool), "tp53": found["known_tp53"] > 0}.get(group, risk == GROUPS.get(group))
    death, relapse, remission = (
        np.where(np.isnan(found[f"{n}_day"]), np.inf, found[f"{n}_day"])[own] for n in ("death", "relapse", "remission")
    )
    reached = np.isfinite(remission)
    yield "remission_percent", 100.0 * float(reached.mean())
    first = np.minimum(relapse, death)[reached] - remission[reached]
    relapsed = np.isfinite(relapse[reached])
    for years in (1, 2, 5):
        yield f"relapse_{years}y_percent", incidence(first, relapsed, years * YEAR)
        yield f"survival_{years}y_percent", 100.0 * float((death > years * YEAR).mean())
    yield "death_in_remission_5y_percent", incidence(first, ~relapsed & np.isfinite(first), 5 * YEAR)
    for days in (30, 60):
        yield f"death_{days}d_percent", 100.0 * float((death <= days).mean())
    yield "remission_to_relapse_median_days", float(np.median(first[relapsed]))
    ill = np.isfinite(relapse)
    yield "survival_after_relapse_median_days", float(np.median(death[ill] - relapse[ill]))


def ratios(found: Mapping[str, Floats], end: float) -> dict[str, float]:
    """Hazard ratios of death of Cox's model with class, age, TP53 and white cells."""
    risk, death = found["known_risk"], np.where(np.isnan(found["death_day"]), np.inf, found["death_day"])
    x = np.stack([risk == 2, risk == 1, found["known_age"] / 10.0, found["known_tp53"],
                  np.log2(found["known_wbc"] + 1.0)], axis=1).astype(float)  # fmt: skip
    fit = cox(np.minimum(death, end), death <= end, x, np.zeros(len(x), int), [[i] for i in range(5)])
    assert not isinstance(fit, str), fit
    names = ("adverse", "intermediate", "age_10y", "tp53", "log2_wbc")
    return {f"hazard_ratio_{name}": float(np.exp(one.value)) for name, one in zip(names, fit.coefficients, strict=True)}


def compared(found: Mapping[str, Floats], end: float) -> list[tuple[dict[str, str], float]]:
    """Every target with what the cohort has."""
    seen = {(one, group): value for group in ("all", "tp53", *GROUPS) for one, value in statistics(found, group)}
    seen |= {(name, "all"): value for name, value in ratios(found, end).items()}
    return [(row, seen[row["statistic"], row["group"]]) for row in targets()]


def outcomes(patients: int, changes: list[str]) -> tuple[Mapping[str, Floats], float]:
    """A cohort of the first arm of the study, at the central values of everything."""
    settings = [f"cohort.patients={patients}", "donors.n=1", 'donors.draws="central"', *changes]
    experiment = experiment_of(read_study(STUDY, set=settings))
    assert isinstance(experiment, CohortExperiment)
    experiment.compile()
    return experiment.simulate_unit(experiment.units()[0]), float(experiment.end_days)


def main(arguments: list[str]) -> None:
    found, end = outcomes(10_000, arguments)
    met = {"fitted": [0, 0], "predicted": [0, 0]}
    print("| row | group | role | registry | here | within |\n|---|---|---|---|---|---|")
    for row, value in compared(found, end):
        within = float(row["low"]) <= value <= float(row["high"])
        met[row["role"]][0] += within
        met[row["role"]][1] += 1
        print(f"| {row['statistic']} | {row['group']} | {row['role']} | {row['value']} ({row['low']} to {row['high']})"
              f" | {value:.3g} | {'yes' if within else 'no'} |")  # fmt: skip
    print(*(f"{role}: {inside} of {n} within" for role, (inside, n) in met.items()), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
