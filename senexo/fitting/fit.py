"""`senexo.fit`: a PEtab problem to estimates, intervals and words."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import isfinite

import numpy as np

from senexo.base.errors import Fault, InvalidInput
from senexo.fitting.multistart import Waterfall, polish, search, start_points
from senexo.fitting.objective import Objective
from senexo.fitting.petab.read import read_problem
from senexo.fitting.posterior import Posterior, sample
from senexo.fitting.problem import Problem
from senexo.fitting.profile import Profile, profiles
from senexo.fitting.result import Fit
from senexo.fitting.search import Found

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


def fit(
    problem: str | os.PathLike[str] | Problem, *, starts: int = 20, seed: int = 0, intervals: bool = True,
    level: float = 0.95, draws: int = 0, rtol: float = 1e-8, max_seconds: float | None = None,
    out: str | os.PathLike[str] | None = None, progress: Progress | None = None,
) -> Fit:  # fmt: skip
    """Fit a model to measurements: a PEtab problem to estimates, profile intervals and sentences.

    The minimum of minus log-likelihood minus log-prior is searched from many starts (a Latin hypercube of the
    initialization priors, or of the bounds on the parameters' scales) by Fisher scoring in a trust region within the
    bounds. Gradients are exact: sensitivities S' = J S + df/dp along the solver's own steps; central differences for
    models with events, delays, algebraic rules or comparisons in their rates. Intervals are profile likelihoods.

    Parameters
    ----------
    problem
        The YAML file of a PEtab problem (version 1), or what `read_problem` returns.
    starts
        Number of searches; 0: the likelihood at the table's nominal values, without any search.
    seed
        Of the starts.
    intervals
        Whether profiles are computed: some ten to a hundred searches for each parameter.
    level
        Of the intervals.
    draws
        Draws of the posterior that each of four chains keeps, after a warm-up as long; 0: none.
    rtol
        Relative tolerance of the ODE solver.
    max_seconds
        Wall time of each part: no search is begun after it, profiles and chains end where they are.
    out
        A new folder for tables, figures and the answer.
    progress
        Called with what is being done, how many are done and of how many.

    Returns
    -------
    Fit
        Estimates, searches, profiles, predictions; it prints as the answer in sentences.

    Raises
    ------
    InvalidInput
        All faults of the problem's files at once, each with file, row and column; arguments out of range.
    InvalidModel, UnsupportedFeature
        The model cannot be read, or needs what there is not.

    References
    ----------
    PEtab: doi 10.1371/journal.pcbi.1008646. Profiles: doi 10.1093/bioinformatics/btp358.

    Examples
    --------
    >>> from pathlib import Path
    >>> example = Path("examples/fit/mimic.yaml")
    >>> fit(example, starts=0) if example.exists() else None  # doctest: +ELLIPSIS
    At the nominal values the log-likelihood is ...
    """
    faults = _faults(starts, seed, level, rtol, max_seconds, draws)
    if faults:
        raise InvalidInput(faults)
    if not isinstance(problem, Problem):
        problem = read_problem(problem)
    objective = Objective(problem, rtol=rtol)
    nominal = objective.nominal
    known = bool(np.all(np.isfinite(nominal)))
    objective.check(nominal if known else start_points(objective, 1, seed)[0])
    at_nominal = objective(nominal, gradient=False) if known else None
    settings = {"starts": starts, "seed": seed, "level": level, "draws": draws, "rtol": rtol}
    posterior: Posterior | None = None
    waterfall: Waterfall | None = None
    found: list[Profile] = []
    if starts and objective.ids:
        objective.failures.clear()
        objective.n_evaluations = 0
        say = progress or (lambda what, done, total: None)
        waterfall = search(objective, starts, seed=seed, max_seconds=max_seconds,
                           progress=lambda done: say("searches", done, starts))  # fmt: skip
        if intervals and isfinite(waterfall.best.value):
            waterfall, found = _with_profiles(objective, waterfall, level, max_seconds, say)
        if draws and isfinite(waterfall.best.value):
            posterior = sample(
                objective, waterfall, draws, seed=seed, max_seconds=max_seconds,
                progress=lambda done, total: say("draws", done, total),
            )  # fmt: skip
    result = Fit(problem, objective, at_nominal, waterfall, tuple(found), settings, posterior)
    if out is not None:
        result.write(out)
    return result


def _with_profiles(
    objective: Objective, waterfall: Waterfall, level: float, max_seconds: float | None, say: Progress
) -> tuple[Waterfall, list[Profile]]:
    """Profiles from the best; where one leads below it, once more from there."""
    found: list[Profile] = []
    for _ in range(2):
        done = 0

        def count(id: str) -> None:
            nonlocal done
            done += 1
            say("profiles", done, len(objective.ids))

        best = waterfall.best
        found = profiles(objective, best.x, best.value, level=level, max_seconds=max_seconds, progress=count)
        lower = next((one.better for one in found if one.better is not None), None)
        if lower is None:
            break
        better = polish(objective, Found(lower, objective(lower), 1, "converged"))
        waterfall = Waterfall((better, *waterfall.found[1:]), waterfall.starts, waterfall.order)
    return waterfall, found


def _faults(
    starts: object, seed: object, level: object, rtol: object, max_seconds: object, draws: object
) -> list[Fault]:
    found = []
    for name, value, least, most in (
        ("starts", starts, 0, 100_000), ("seed", seed, 0, 2**63 - 1), ("draws", draws, 0, 10_000_000),
    ):  # fmt: skip
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or not least <= value <= most:  # type: ignore[operator]
            found.append(Fault(name, repr(value)[:80], f"a whole number from {least} to {most:,}"))
    for name, value, low, high in (("level", level, 0.0, 1.0), ("rtol", rtol, 0.0, 1e-2)):
        if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not low < value < high:
            found.append(Fault(name, repr(value)[:80], f"a number between {low:g} and {high:g}"))
    if max_seconds is not None and (not isinstance(max_seconds, int | float) or not max_seconds > 0.0):
        found.append(Fault("max_seconds", repr(max_seconds)[:80], "a number above 0"))
    return found
