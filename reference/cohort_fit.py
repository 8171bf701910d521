"""The search that fitted `senexo/study/cohort.csv`: `python -m reference.cohort_fit`.

Nelder and Mead's simplex on the fitted rows of `cohort_targets.csv` alone, residuals over half of the interval, with a
soft bound (sum of 2 (sqrt(1 + r^2) - 1)); the same patients in every step. The predicted rows are never looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from reference.cohort import STUDY, ratios, statistics, targets
from senexo.lab.cohort import chemotherapy, hazards
from senexo.lab.cohort.experiment import UNTREATED, CohortExperiment, followed
from senexo.lab.cohort.patients import patients
from senexo.lab.registry import experiment_of
from senexo.study.read import read_study

Floats = NDArray[np.float64]
PATIENTS = 1500
# name -> (start, whether it is searched on the scale of logits)
SEARCHED = {
    "sensitivity_favourable": (1.3, False), "sensitivity_intermediate": (0.75, False),
    "sensitivity_adverse": (0.55, False), "sensitivity_sd": (0.5, False), "kill_resting": (0.5, True),
    "kill_resting_sd": (0.8, False), "stem_share": (5e-7, False), "doubling_sd": (0.5, False), "wake": (0.03, False),
    "early_death": (0.0011, False), "early_age": (0.5, False), "consolidation_death": (0.5, False),
    "salvage_favourable": (0.45, True), "salvage_intermediate": (0.25, True), "salvage_adverse": (0.15, True),
    "relapse_survival": (200.0, False),
}  # fmt: skip


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
        self.best = np.inf

    def named(self, x: Floats) -> dict[str, float]:
        """The numbers at a point."""
        return {
            name: float(1.0 / (1.0 + np.exp(-at)) if share else np.exp(at))
            for at, (name, (_, share)) in zip(x, SEARCHED.items(), strict=True)
        }

    def outcomes(self, changed: Mapping[str, float]) -> Mapping[str, Floats]:
        """The cohort with these numbers."""
        values = self.values | changed
        drawn = patients(self.cohort, values, self.study.seed, 1)
        kills, exposed = chemotherapy.courses(drawn.clearance, values["blood_saturation"])
        kills *= drawn.sensitivity[:, None, None]
        found, _ = followed(drawn, kills, exposed, self.added, self.escape, self.end)
        return {**{name: found[name] for name in found.dtype.names or ()},
                **{f"known_{name}": one for name, one in drawn.known.items()}}  # fmt: skip

    def loss(self, x: Floats) -> float:
        """The sum over the fitted rows."""
        changed = self.named(x)
        found = self.outcomes(changed)
        groups = {row["group"] for row in self.rows}
        seen = {(one, group): value for group in groups for one, value in statistics(found, group)}
        seen |= {(name, "all"): value for name, value in ratios(found, self.end).items()}
        total = 0.0
        for row in self.rows:
            half = 0.5 * (float(row["high"]) - float(row["low"]))
            residual = (seen[row["statistic"], row["group"]] - float(row["value"])) / half
            total += 2.0 * (np.sqrt(1.0 + residual**2) - 1.0)
        if total < self.best:
            self.best = total
            print(f"{total:.3f}", {name: float(f"{value:.4g}") for name, value in changed.items()}, flush=True)
        return total


def main(evaluations: int) -> None:
    start = np.array([np.log(v / (1.0 - v)) if share else np.log(v) for v, share in SEARCHED.values()])
    fit = Fit()
    simplex = np.vstack([start, start + 0.3 * np.eye(len(start))])
    minimize(fit.loss, start, method="Nelder-Mead",
             options={"initial_simplex": simplex, "maxfev": evaluations, "adaptive": True})  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
