"""What a fit says in words: the optimum, each parameter's interval, what the data cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

import numpy as np

from senexo.fitting.multistart import SAME, Waterfall, at_bounds, units
from senexo.fitting.objective import Evaluation, Objective
from senexo.fitting.posterior import CONVERGED, ENOUGH, Posterior
from senexo.fitting.problem import Parameter, from_scale
from senexo.fitting.profile import Profile

FEW = 2  # searches that ended at the best; fewer are no confirmation
_FLAT_DIRECTION = 1e-3  # curvature of the objective along a direction, beside 1 for a standard error of a unit
_MEMBER = 0.35  # of a direction of length 1: a parameter that belongs to it


def number(value: float) -> str:
    """A number with four digits."""
    return f"{value:.4g}"


def headline(objective: Objective, waterfall: Waterfall | None) -> str:
    """The likelihood that was reached, and how often."""
    if waterfall is None or not np.isfinite(waterfall.best.value):
        total = 0 if waterfall is None else len(waterfall.found)
        return f"None of {total} starts has a likelihood: {'; '.join(failures(objective)) or 'no start was made'}."
    best, n = waterfall.best, len(waterfall.found)
    prior = "" if best.at.log_prior == 0.0 else f" (log-posterior {-best.value:.6g})"
    reached = f"{waterfall.at_best} of {n} searches ended within {SAME} of it"
    if waterfall.at_best < FEW:
        reached += ": nothing confirms that there is no better one, so start more"
    return f"The best log-likelihood is {best.at.llh:.6g}{prior}; {reached}."


def failures(objective: Objective) -> list[str]:
    """Why evaluations had no value, and how many."""
    total = objective.n_evaluations
    return [f"{count:,} of {total:,} evaluations had no value: {reason}" for reason, count in
            objective.failures.most_common(5)]  # fmt: skip


def of_profile(profile: Profile, parameter: Parameter, best: float) -> str:
    """One parameter's interval in words; `best` is its estimate as it is searched."""
    value, low, high = (number(from_scale(x, parameter.scale)) if not isnan(x) else "" for x in
                        (best, profile.low, profile.high))  # fmt: skip
    lower, upper = number(parameter.lower), number(parameter.upper)
    level = f"{100.0 * profile.level:g} %"
    held = "".join(
        f"; {' and '.join(ids)} {'is' if len(ids) == 1 else 'are'} at a bound at its {end} end, which moves with it"
        for ids, end in ((profile.held_below, "lower"), (profile.held_above, "upper")) if ids
    )  # fmt: skip
    match profile.below, profile.above:
        case "found", "found":
            return f"{parameter.id} = {value} ({level} interval {low} to {high}{held})."
        case "found", _:
            beyond = _beyond(profile.above, "larger", upper)
            return f"{parameter.id} is at least {low} ({level}{held}): only a lower bound; {beyond}."
        case _, "found":
            beyond = _beyond(profile.below, "smaller", lower)
            return f"{parameter.id} is at most {high} ({level}{held}): only an upper bound; {beyond}."
        case "flat", "flat":
            return (
                f"{parameter.id} is not identifiable: every value from {lower} to {upper} fits as well as {value}, "
                "because others make up for it or nothing that was measured depends on it."
            )
        case _:
            sides = [_beyond(profile.below, "smaller", lower), _beyond(profile.above, "larger", upper)]
            return f"{parameter.id} is not determined by these data ({level}): {sides[0]}, and {sides[1]}."


def _beyond(end: str, word: str, bound: str) -> str:
    match end:
        case "flat":
            return f"any {word} value, up to the bound {bound}, fits as well" if word == "larger" else (
                f"any {word} value, down to the bound {bound}, fits as well")  # fmt: skip
        case "bound":
            return f"{word} values fit worse, but cannot be excluded before the bound {bound}"
        case "at bound":
            return f"the best value is the bound {bound} itself"
        case _:
            return f"{word} values could not be followed to the bound {bound}"


def of_bounds(objective: Objective, at: Evaluation, x: np.ndarray, profiles: Sequence[Profile]) -> Iterator[str]:
    """A sentence for every parameter that ended at a bound, where its profile does not say that others are as good."""
    flat = {(one.id, side) for one in profiles for side, end in (("lower", one.below), ("upper", one.above))
            if end == "flat"}  # fmt: skip
    named = {one.id: one for one in objective.parameters}
    exact = at.chi2 < 1e-6 * max(len(at.residuals), 1)
    for id, side in at_bounds(objective, x).items():
        if (id, side) in flat:
            continue
        parameter = named[id]
        bound = parameter.lower if side == "lower" else parameter.upper
        why = "the data are met exactly, so that no width of the error is small enough" if exact else (
            "the optimum may lie beyond it, or nothing that was measured depends on it")  # fmt: skip
        yield f"{id} is at its {side} bound {number(bound)}: {why}."


def of_directions(objective: Objective, at: Evaluation, x: np.ndarray) -> Iterator[str]:
    """Combinations of parameters along which the objective hardly changes, by the Fisher information."""
    if at.fisher is None or len(x) < 2:
        return
    unit = units(objective)
    values, vectors = np.linalg.eigh(at.fisher * np.outer(unit, unit))
    bounded = at_bounds(objective, x)
    for value, vector in zip(values, vectors.T, strict=True):
        members = [k for k in np.argsort(-np.abs(vector)) if abs(vector[k]) >= _MEMBER]
        if value > _FLAT_DIRECTION or len(members) < 2 or any(objective.ids[k] in bounded for k in members):
            continue
        names = [objective.ids[k] for k in members]
        opposite = len({bool(vector[k] > 0.0) for k in members}) > 1
        how = "against each other" if opposite else "together"
        yield (
            f"{', '.join(names[:-1])} and {names[-1]} can be moved {how} without a change in the fit: these data "
            "determine a combination of them only."
        )


def of_posterior(posterior: Posterior) -> Iterator[str]:
    """Whether the chains can be believed, and the intervals that hold 95 % of the posterior."""
    summary = posterior.summary()
    worst, fewest = float(summary["r_hat"].max()), float(summary[["ess_bulk", "ess_tail"]].min().min())
    chains, n, _ = posterior.draws.shape
    how = f"{chains} chains of {n:,} draws, largest R-hat {worst:.3f}, fewest effective draws {fewest:.0f}"
    if worst <= CONVERGED and fewest >= ENOUGH:
        values = ", ".join(
            f"{id} {number(low)} to {number(high)}"
            for id, low, high in zip(summary["parameter"], summary["low"], summary["high"], strict=True)
        )
        yield f"95 % of the posterior: {values} ({how})."
    else:
        yield (
            f"The draws of the posterior are not enough to be believed ({how}; R-hat should be at most {CONVERGED}, "
            f"effective draws at least {ENOUGH:.0f}): draw more, or look for several optima."
        )


def of_other_optima(objective: Objective, waterfall: Waterfall, profiles: Sequence[Profile]) -> Iterator[str]:
    """Another optimum that is nearly as good, and lies outside the intervals around the best."""
    best = waterfall.best
    for other in waterfall.found[1:]:
        if not profiles or other.value > best.value + profiles[0].threshold:
            return
        outside = [
            f"{one.id} = {number(from_scale(float(x), one.scale))}"
            for x, one, profile in zip(other.x, objective.parameters, profiles, strict=True)
            if x < profile.low or x > profile.high
        ]
        if other.value > best.value + SAME and outside:
            yield (
                f"Another optimum is within the limit of the intervals (log-likelihood {other.at.llh:.6g}), outside "
                f"those around the best: {', '.join(outside)}. The data do not exclude it."
            )
            return
