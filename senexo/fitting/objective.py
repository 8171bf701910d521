"""The objective of a fit: log-likelihood and log-prior at values of the parameters, gradient, Fisher information."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf, isfinite, isinf

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, SimulationError
from senexo.fitting.noise import Data, terms
from senexo.fitting.predictions import Predictions
from senexo.fitting.priors import bounds, log_density
from senexo.fitting.problem import CENSORINGS, OF_TRIALS, Observable, Problem, from_scale, to_scale
from senexo.fitting.terms import Terms

Floats = NDArray[np.float64]
_SIZE, _MOST_SIZE = 1e-2, 1.0  # of a parameter on the linear scale: at least that share of its bounds, at most that


@dataclass(frozen=True)
class Evaluation:
    """The objective at one point.

    Attributes
    ----------
    value
        Minus log-likelihood minus log-prior; +inf where it failed, and `reason` says why.
    llh, log_prior, chi2
        Log-likelihood, log density of the priors, sum of squared residuals in widths.
    gradient, fisher
        By the parameters as they are searched; None where they were not wanted or it failed.
    predictions, widths, residuals
        Of each measurement, in the problem's order; residuals in widths, on the scale of the error.
    """

    value: float
    llh: float
    log_prior: float
    chi2: float
    gradient: Floats | None
    fisher: Floats | None
    predictions: Floats
    widths: Floats
    residuals: Floats
    reason: str | None = None


class Objective:
    """A problem as a function of its estimated parameters, on the scales on which they are searched.

    Parameters
    ----------
    problem
        As `senexo.fitting.petab.read.read_problem` reads it.
    rtol
        Relative tolerance of the ODE solver.
    gradient
        "exact": forward sensitivities where the model has them, central differences where not; "differences": always
        central differences.

    Attributes
    ----------
    ids, lower, upper
        The estimated parameters and their bounds as they are searched.
    failures
        Reason -> how many evaluations had no value for it.
    """

    def __init__(self, problem: Problem, *, rtol: float = 1e-8, gradient: str = "exact") -> None:
        if gradient not in ("exact", "differences"):
            raise InvalidInput([Fault("gradient", repr(gradient), "'exact' or 'differences'")])
        self.problem, self.rtol = problem, rtol
        self.parts = [(rows, Predictions(one, rtol)) for rows, one in _by_model(problem)]
        self.parameters = problem.estimated
        self.ids = [one.id for one in self.parameters]
        ends = [bounds(one) for one in self.parameters]
        self.lower, self.upper = np.array([low for low, _ in ends]), np.array([high for _, high in ends])
        self.failures: Counter[str] = Counter()
        self.n_evaluations = 0
        self.exact = gradient == "exact" and self.why_not is None
        self._places = [k for k, one in enumerate(problem.parameters) if one.estimated]
        self._fixed = np.array([np.nan if one.nominal is None else one.nominal for one in problem.parameters])
        self._measured = np.array([m.value for m in problem.measurements])
        self._laws = [(one, *_data(problem, one)) for one in problem.observables]

    @property
    def why_not(self) -> str | None:
        """Why there are no exact gradients; None where there are."""
        return next((part.experiments.why_not for _, part in self.parts if part.experiments.why_not), None)

    def check(self, x: Floats) -> None:
        """Raise `InvalidModel` for quantities of a model that have no value at the start of an experiment."""
        for _, part in self.parts:
            part.experiments.check(self.values(x))

    @property
    def nominal(self) -> Floats:
        """The table's values of the estimated parameters as they are searched; nan where it has none."""
        return np.array(
            [np.nan if one.nominal is None else to_scale(one.nominal, one.scale) for one in self.parameters]
        )

    def values(self, x: Floats) -> Floats:
        """The values of all parameters of the table at a point of the search."""
        found = self._fixed.copy()
        for place, parameter, value in zip(self._places, self.parameters, x, strict=True):
            found[place] = from_scale(float(value), parameter.scale)
        return found

    def __call__(self, x: Floats, *, gradient: bool = True) -> Evaluation:
        """The objective at a point [parameters] of the search; a failure is +inf and counted, never raised."""
        self.n_evaluations += 1
        x = np.asarray(x, dtype=np.float64)
        try:
            if not gradient:
                y, width = self._predict(x)
                slopes = None
            elif self.exact:
                y, width, *slopes = self._predict_with_slopes(x)
            else:
                y, width = self._predict(x)
                slopes = self._differences(x)
            return self._evaluation(x, y, width, slopes)
        except SimulationError as error:
            return self._failed(" ".join(str(error).split()))

    def _failed(self, reason: str) -> Evaluation:
        self.failures[_kind(reason)] += 1
        nothing = np.full(len(self._measured), np.nan)
        return Evaluation(inf, -inf, 0.0, inf, None, None, nothing, nothing, nothing, reason)

    @contextmanager
    def loosely(self, rtol: float) -> Iterator[None]:
        """Within it the ODE solver has at least this relative tolerance: for the way to an optimum, not its value."""
        before = self.rtol
        self._set(max(before, rtol))
        try:
            yield
        finally:
            self._set(before)

    def _set(self, rtol: float) -> None:
        self.rtol = rtol
        for _, part in self.parts:
            part.experiments.rtol = rtol

    # ---- predictions

    def _predict(self, x: Floats) -> tuple[Floats, Floats]:
        values, n = self.values(x), len(self._measured)
        y, width = np.full(n, np.nan), np.full(n, np.nan)
        for rows, part in self.parts:
            y[rows], width[rows] = part.values(values)
        return y, width

    def _predict_with_slopes(self, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        values, n = self.values(x), len(self._measured)
        y, width, dy, dwidth = np.full(n, np.nan), np.full(n, np.nan), np.zeros((n, len(x))), np.zeros((n, len(x)))
        for rows, part in self.parts:
            y[rows], width[rows], dy[rows], dwidth[rows] = part.slopes(values)
        chain = np.array([_chain(value, one.scale) for value, one in zip(x, self.parameters, strict=True)])
        return y, width, dy * chain, dwidth * chain

    def _differences(self, x: Floats) -> list[Floats]:
        """d prediction, d width / d parameter [measurements, parameters] by central differences within the bounds.

        Their step is the cube root of the solver's tolerance, in sizes of the parameter: errors of both kinds are then
        about the square of it.
        """
        found = np.zeros((2, len(self._measured), len(x)))
        for k, parameter in enumerate(self.parameters):
            least = min(_SIZE * (self.upper[k] - self.lower[k]), _MOST_SIZE)
            size = 1.0 if parameter.scale != "lin" else max(abs(x[k]), least)
            step = self.rtol ** (1.0 / 3.0) * size
            up, down = x.copy(), x.copy()
            up[k], down[k] = min(x[k] + step, self.upper[k]), max(x[k] - step, self.lower[k])
            for which, (high, low) in enumerate(zip(self._predict(up), self._predict(down), strict=True)):
                found[which, :, k] = (high - low) / (up[k] - down[k])
        return [found[0], found[1]]

    # ---- likelihood

    def _evaluation(self, x: Floats, y: Floats, width: Floats, slopes: Sequence[Floats] | None) -> Evaluation:
        parts = self._terms(y, width)
        bad = np.flatnonzero(~np.isfinite(parts.value))
        if len(bad):
            return self._failed(self._why(int(bad[0]), y, width))
        llh = -float(np.sum(parts.value))
        priors = [log_density(one, float(value)) for one, value in zip(self.parameters, x, strict=True)]
        log_prior = float(sum(found for found, _, _ in priors))
        if not isfinite(log_prior):
            return self._failed("a parameter is outside its prior")
        gradient = fisher = None
        if slopes is not None:
            dy, dwidth = slopes
            with np.errstate(all="ignore"):
                gradient = parts.by_y @ dy + parts.by_width @ dwidth
                fisher = (dy.T * parts.yy) @ dy + (dwidth.T * parts.ww) @ dwidth
            gradient = gradient - np.array([first for _, first, _ in priors])
            fisher = fisher + np.diag([second for _, _, second in priors])
            if not (np.all(np.isfinite(gradient)) and np.all(np.isfinite(fisher))):
                return self._failed("the gradient is not finite")
        chi2 = float(np.sum(parts.residual**2))
        return Evaluation(-llh - log_prior, llh, log_prior, chi2, gradient, fisher, y, width, parts.residual)

    def _terms(self, y: Floats, width: Floats) -> Terms:
        made = np.zeros((6, len(y)))
        for observable, rows, data in self._laws:
            found = terms(observable.scale, observable.distribution, data, y[rows], width[rows])
            made[:, rows] = (found.value, found.by_y, found.by_width, found.yy, found.ww, found.residual)
        return Terms(*made)

    def _why(self, row: int, y: Floats, width: Floats) -> str:
        m = self.problem.measurements[row]
        observable = next(one for one in self.problem.observables if one.id == m.observable)
        if observable.distribution in OF_TRIALS and not 0.0 <= y[row] <= 1.0:
            return f"{m.observable} is {y[row]:g}, which is no probability"
        if observable.distribution == "poisson" and y[row] < 0.0:
            return f"{m.observable} is {y[row]:g}, which is no mean of counts"
        if not width[row] > 0.0:
            return f"the noise of {m.observable} is {width[row]:g}"
        if observable.scale != "lin" and not y[row] > 0.0:
            return f"{m.observable} is {y[row]:g}, which has no logarithm"
        return f"{m.observable} is {y[row]:g}" + ("" if isinf(m.time) else " at some time")


def _by_model(problem: Problem) -> list[tuple[NDArray[np.int64], Problem]]:
    """The problem once for each model that has measurements, with the rows of these."""
    found = []
    for id in dict.fromkeys(m.model for m in problem.measurements):
        rows = [k for k, m in enumerate(problem.measurements) if m.model == id]
        measurements = tuple(problem.measurements[k] for k in rows)
        model = problem.models.get(id, problem.model)
        found.append((np.array(rows, dtype=np.int64), replace(problem, model=model, measurements=measurements)))
    return found


def _data(problem: Problem, observable: Observable) -> tuple[NDArray[np.int64], Data]:
    """The rows of an observable's measurements, and these as arrays."""
    rows = [k for k, m in enumerate(problem.measurements) if m.observable == observable.id]
    chosen = [problem.measurements[k] for k in rows]
    value, upper, trials = (np.array([getattr(m, name) for m in chosen], dtype=np.float64)
                            for name in ("value", "upper", "trials"))  # fmt: skip
    kinds = np.array([CENSORINGS.index(m.censoring) for m in chosen], dtype=np.int64)
    return np.array(rows, dtype=np.int64), Data(value, kinds, upper, trials)


def _chain(value: float, scale: str) -> float:
    """d value of a parameter / d value as it is searched."""
    if scale == "lin":
        return 1.0
    with np.errstate(over="ignore"):
        return float(np.exp(value)) if scale == "log" else float(np.power(10.0, value) * np.log(10.0))


def _kind(reason: str) -> str:
    """A reason without its numbers, so that equal ones are counted together."""
    return re.sub(r"(?<![\w.])[-+]?\d[\d.,]*(?:e[-+]?\d+)?", "#", reason)
