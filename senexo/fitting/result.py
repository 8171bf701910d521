"""What a fit gives: estimates with intervals, all searches, predictions, and the folder in which they are written."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo import __version__
from senexo.base.atomic import replacing_folder, write_file
from senexo.base.errors import Fault, InvalidInput
from senexo.fitting.multistart import Waterfall, at_bounds
from senexo.fitting.objective import Evaluation, Objective
from senexo.fitting.posterior import Posterior
from senexo.fitting.priors import bounds
from senexo.fitting.problem import Problem, from_scale
from senexo.fitting.profile import Profile
from senexo.fitting.sentences import (
    failures,
    headline,
    number,
    of_bounds,
    of_directions,
    of_other_optima,
    of_posterior,
    of_profile,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fit:
    """A finished fit.

    Attributes
    ----------
    problem
        What was fitted.
    objective
        The problem as a function of its parameters; `Fit.objective(x)` evaluates it at a point of the search.
    at_nominal
        The objective at the table's own values; None where it does not give all of them.
    waterfall
        All searches, the best first; None where none was wanted.
    profiles
        One for each estimated parameter, or none.
    settings
        What the numbers depend on.
    posterior
        Draws of it; None where none were wanted, or time was up before there were any.
    """

    problem: Problem
    objective: Objective
    at_nominal: Evaluation | None
    waterfall: Waterfall | None
    profiles: tuple[Profile, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    posterior: Posterior | None = None

    @property
    def best(self) -> Evaluation | None:
        """The objective at the optimum; without searches at the table's values; None where it has no value."""
        if self.waterfall is None:
            return self.at_nominal if self.at_nominal is not None and isfinite(self.at_nominal.value) else None
        return self.waterfall.best.at if isfinite(self.waterfall.best.value) else None

    @property
    def llh(self) -> float:
        """Log-likelihood at the optimum; nan where there is none."""
        return nan if self.best is None else self.best.llh

    @property
    def chi2(self) -> float:
        """Sum of squared residuals there, in widths of the error."""
        return nan if self.best is None else self.best.chi2

    @property
    def x(self) -> np.ndarray | None:
        """The estimates as they are searched."""
        if self.best is None:
            return None
        return self.objective.nominal if self.waterfall is None else self.waterfall.best.x

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """A row for each estimated parameter: value, interval, bounds, and what was found on either side."""
        import pandas as pd

        x = self.x
        profiles = {one.id: one for one in self.profiles}
        at = {} if x is None else at_bounds(self.objective, x)
        rows = []
        for k, parameter in enumerate(self.objective.parameters):
            profile = profiles.get(parameter.id)
            low, high = (nan, nan) if profile is None else (profile.low, profile.high)
            rows.append(
                {
                    "parameter": parameter.id,
                    "value": nan if x is None else from_scale(float(x[k]), parameter.scale),
                    "low": nan if isnan(low) else from_scale(low, parameter.scale),
                    "high": nan if isnan(high) else from_scale(high, parameter.scale),
                    "below": "" if profile is None else profile.below,
                    "above": "" if profile is None else profile.above,
                    "at_bound": at.get(parameter.id, ""), "scale": parameter.scale,
                    "lower_bound": from_scale(bounds(parameter)[0], parameter.scale),
                    "upper_bound": from_scale(bounds(parameter)[1], parameter.scale),
                    "nominal": nan if parameter.nominal is None else parameter.nominal,
                }
            )  # fmt: skip
        columns = ("parameter", "value", "low", "high", "below", "above", "at_bound", "scale", "lower_bound",
                   "upper_bound", "nominal")  # fmt: skip
        return pd.DataFrame(rows, columns=list(columns))

    @cached_property
    def measurements(self) -> pd.DataFrame:
        """A row for each measurement: what was measured, what the model gives at the optimum, the error's width."""
        import pandas as pd

        best = self.best
        nothing = np.full(len(self.problem.measurements), nan)
        found = (nothing,) * 3 if best is None else (best.predictions, best.widths, best.residuals)
        return pd.DataFrame(
            {
                "observable": [m.observable for m in self.problem.measurements],
                "preequilibration": [m.before or "" for m in self.problem.measurements],
                "condition": [m.condition for m in self.problem.measurements],
                "time": [m.time for m in self.problem.measurements],
                "measurement": [m.value for m in self.problem.measurements],
                "simulation": found[0], "noise": found[1], "residual": found[2],
            }
        )  # fmt: skip

    @cached_property
    def starts(self) -> pd.DataFrame:
        """A row for each search, the best first: where it began and ended, the log-likelihood, evaluations."""
        import pandas as pd

        if self.waterfall is None:
            return pd.DataFrame()
        rows = []
        for order, begun, found in zip(self.waterfall.order, self.waterfall.starts, self.waterfall.found, strict=True):
            row: dict[str, Any] = {"search": order, "llh": found.at.llh, "minus_log_posterior": found.value,
                                   "ended": found.ended, "evaluations": found.n_evaluations}  # fmt: skip
            for name, x in (("start", begun), ("end", found.x)):
                for parameter, value in zip(self.objective.parameters, x, strict=True):
                    row[f"{name} {parameter.id}"] = from_scale(float(value), parameter.scale)
            rows.append(row)
        return pd.DataFrame(rows)

    @cached_property
    def profile_points(self) -> pd.DataFrame:
        """A row for each point of a profile: parameter, value, rise of the objective above its minimum."""
        import pandas as pd

        named = {one.id: one for one in self.objective.parameters}
        return pd.DataFrame(
            [(one.id, from_scale(float(x), named[one.id].scale), float(rise))
             for one in self.profiles for x, rise in zip(one.x, one.rise, strict=True)],
            columns=["parameter", "value", "rise"],
        )  # fmt: skip

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The answer first: the likelihood, the parameters, what the data cannot tell, what a reader should know."""
        objective, best, x = self.objective, self.best, self.x
        if self.waterfall is None:
            found = [self._nominal_sentence()]
        else:
            found = [headline(objective, self.waterfall)]
        if best is None or x is None or self.waterfall is None:
            return (*found, *self.problem.notes)
        named = {one.id: (one, float(value)) for one, value in zip(objective.parameters, x, strict=True)}
        found += [of_profile(one, *named[one.id]) for one in self.profiles]
        if not self.profiles:
            found += [f"{one.id} = {number(from_scale(value, one.scale))}." for one, value in named.values()]
        if self.posterior is not None:
            found += of_posterior(self.posterior)
        found += of_other_optima(objective, self.waterfall, self.profiles)
        found += of_bounds(objective, best, x, self.profiles)
        found += of_directions(objective, best, x)
        if any(one.better is not None for one in self.profiles):
            found.append("A profile came below the optimum that the searches found: start more searches.")
        if objective.why_not is not None:
            found.append(f"Gradients are central differences: {objective.why_not}.")
        found += [f"{one[0].upper()}{one[1:]}." for one in failures(objective)]
        return (*found, *(f"{note[0].upper()}{note[1:]}." for note in self.problem.notes))

    def _nominal_sentence(self) -> str:
        if self.at_nominal is None:
            return "The parameter table does not give a nominal value to every parameter, so there is no likelihood."
        if not isfinite(self.at_nominal.value):
            return f"At the nominal values there is no likelihood: {self.at_nominal.reason}."
        return f"At the nominal values the log-likelihood is {self.llh:.10g}, chi-square {self.chi2:.10g}."

    def to_json(self) -> str:
        """The answer as one JSON object; numbers that are not there are null."""

        def plain(value: Any) -> Any:
            if isinstance(value, float | np.floating):
                return float(value) if isfinite(value) else None
            return value

        best = self.best
        estimates = [{str(k): plain(v) for k, v in row.items()} for row in self.estimates.to_dict("records")]
        about = {
            "problem": self.problem.name, "senexo_version": __version__, "llh": plain(self.llh),
            "chi2": plain(self.chi2), "log_prior": None if best is None else plain(best.log_prior),
            "llh_at_nominal": None if self.at_nominal is None else plain(self.at_nominal.llh),
            "searches": 0 if self.waterfall is None else len(self.waterfall.found),
            "searches_at_best": 0 if self.waterfall is None or best is None else self.waterfall.at_best,
            "evaluations": self.objective.n_evaluations, "failed_evaluations": sum(self.objective.failures.values()),
            "estimates": estimates, "sentences": list(self.sentences), "settings": self.settings,
        }  # fmt: skip
        return json.dumps(about, indent=2)

    def write(self, out: str | os.PathLike[str]) -> Path:
        """Write the tables (CSV), `result.json`, `answer.txt` and the figures into a new folder.

        Raises
        ------
        InvalidInput
            There is something at `out` already.
        """
        from senexo.base.table import csv_bytes
        from senexo.fitting.figures import drawn
        from senexo.report.drawing import styled

        folder = Path(out)
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise InvalidInput([Fault("out", f"{folder}, which exists", "a new folder")])
        tables = {"parameters": self.estimates, "measurements": self.measurements, "searches": self.starts,
                  "profiles": self.profile_points}  # fmt: skip
        if self.posterior is not None:
            tables |= {"posterior": self.posterior.table(), "posterior_summary": self.posterior.summary()}
        with replacing_folder(folder, exclusive=True) as new:
            for name, table in tables.items():
                if len(table):
                    write_file(new / f"{name}.csv", csv_bytes(table))
            write_file(new / "result.json", self.to_json().encode())
            write_file(new / "answer.txt", ("\n".join(self.sentences) + "\n").encode())
            if self.best is not None:
                (new / "figures").mkdir()
                with styled():
                    for one in drawn(self):
                        one.save(new / "figures")
        return folder

    def __repr__(self) -> str:
        return "\n".join(self.sentences)
