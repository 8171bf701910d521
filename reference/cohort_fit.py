"""The search that fitted `senexo/study/cohort.csv`: `python -m reference.cohort_fit`.

Damped Gauss-Newton steps on the fitted rows of `cohort_targets.csv` alone, residuals over half of the interval, with a
soft bound (sum of 2 (sqrt(1 + r^2) - 1)), and a pull towards the start (a residual of 1 at a factor e, or at 0.33 of a
number that is searched as it is); the same patients in every step, differences over a fifth of a unit. The predicted
rows are never looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from reference.cohort import STUDY, ratios, statistics, targets
from senexo.lab.cohort import chemotherapy, hazards
from senexo.lab.cohort.experiment import CohortExperiment, followed
from senexo.lab.cohort.patients import patients
from senexo.lab.experiment import UNTREATED
from senexo.lab.registry import experiment_of
from senexo.study.read import read_study

Floats = NDArray[np.float64]
PATIENTS, STEP, PULL = 1000, 0.2, 1.0
# name -> (start, scale of the search: a logarithm, a logit, or as it is)
SEARCHED: dict[str, tuple[float, str]] = {
    "sensitivity_favourable": (2.3, "log"), "sensitivity_intermediate": (1.1, "log"),
    "sensitivity_adverse": (0.45, "log"), "sensitivity_sd": (1.2, "log"), "kill_resting": (0.55, "logit"),
    "kill_resting_sd": (0.6, "log"), "stem_share": (1.5e-7, "log"), "doubling_sd": (0.55, "log"), "wake": (0.05, "log"),
    "early_death": (0.0011, "log"), "early_age": (0.5, "plain"), "consolidation_death": (0.4, "log"),
    "salvage_favourable": (0.6, "logit"), "salvage_intermediate": (0.2, "logit"), "salvage_adverse": (0.12, "logit"),
    "relapse_survival": (150, "log"), "sensitivity_age": (-0.14, "plain"), "salvage_age": (-0.55, "plain"),
}  # fmt: skip


def searched(value: float, scale: str) -> float:
    """A number on the scale of its search."""
    if scale == "plain":
        return 3.0 * value
    return float(np.log(value) if scale == "log" else np.log(value / (1.0 - value)))


def number(at: float, scale: str) -> float:
    """A number from the scale of its search."""
    if scale == "plain":
        return at / 3.0
    return float(np.exp(at)) if scale == "log" else float(1.0 / (1.0 + np.exp(-at)))


class Fit:
    """The loss of a point of the search."""

    def __init__(self) -> None:
        study = read_study(STUDY, set=[f"cohort.patients={PATIENTS}", "donors.n=1", 'donors.draws="central"'])
        experiment = experiment_of(study)
        assert isinstance(experiment, CohortExperiment)
        experiment.compile()
        self.study, self.cohort, self.end = study, experiment.cohort, float(experiment.end_days)
        self.values = experiment.values(1)
        self.added, self.escape = hazards.rows(
            experiment.simulator, next(iter(study.arms.values())), UNTREATED, 1, factor=self.values["damage_p53"],
            days=self.values["damage_days"],
        )  # fmt: skip
        self.rows = [row for row in targets() if row["role"] == "fitted"]
        self.courses: tuple[Floats, Floats] | None = None

    def named(self, x: Floats) -> dict[str, float]:
        """The numbers at a point."""
        return {name: number(float(at), scale) for at, (name, (_, scale)) in zip(x, SEARCHED.items(), strict=True)}

    def outcomes(self, changed: Mapping[str, float]) -> Mapping[str, Floats]:
        """The cohort with these numbers."""
        values = self.values | changed
        drawn = patients(self.cohort, values, self.study.seed, 1)
        if self.courses is None:  # clearances are not searched
            self.courses = chemotherapy.courses(drawn.clearance, values["blood_saturation"])
        kills, exposed = self.courses[0] * drawn.sensitivity[:, None, None], self.courses[1]
        found, _ = followed(drawn, kills, exposed, self.added, self.escape, self.end)
        return {**{name: found[name] for name in found.dtype.names or ()},
                **{f"known_{name}": one for name, one in drawn.known.items()}}  # fmt: skip

    def residuals(self, x: Floats) -> Floats:
        """Of the fitted rows."""
        found = self.outcomes(self.named(x))
        groups = {row["group"] for row in self.rows}
        seen = {(one, group): value for group in groups for one, value in statistics(found, group)}
        seen |= {(name, "all"): value for name, value in ratios(found, self.end).items()}
        return np.array([
            2.0 * (seen[row["statistic"], row["group"]] - float(row["value"]))
            / (float(row["high"]) - float(row["low"]))
            for row in self.rows
        ])  # fmt: skip


def loss(residuals: Floats, away: Floats) -> float:
    """The sum over the fitted rows, and the pull towards the start."""
    return float(2.0 * (np.sqrt(1.0 + residuals**2) - 1.0).sum() + ((away / PULL) ** 2).sum())


def main(rounds: int) -> None:
    start = np.array([searched(*one) for one in SEARCHED.values()])
    fit, x, damping = Fit(), start, 1.0
    here = fit.residuals(x)
    for _ in range(rounds):
        numbers = {name: float(f"{value:.4g}") for name, value in fit.named(x).items()}
        print(f"{loss(here, x - start):.3f}", numbers, here.round(1).tolist(), flush=True)
        slopes = np.array([(fit.residuals(x + STEP * one) - here) / STEP for one in np.eye(len(x))]).T
        weights = 1.0 / np.sqrt(1.0 + here**2)
        for _ in range(4):
            curvature = slopes.T @ (weights[:, None] * slopes) + np.eye(len(x)) * (damping + PULL**-2)
            move = -np.linalg.solve(curvature, slopes.T @ (weights * here) + (x - start) * PULL**-2)
            there = fit.residuals(x + move)
            if loss(there, x + move - start) < loss(here, x - start):
                x, here, damping = x + move, there, damping / 4.0
                break
            damping *= 4.0
        else:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
