"""Draws weighted by the evidence of a study, and the shares of a claim before and after.

The draws are those of the prior, so a draw's importance weight is the likelihood of the measurements in it. Weights
are Pareto-smoothed (`lab.evidence.pareto`). A share p after the evidence is weighted. Its interval is Wilson's with
as many draws as would give its variance, p (1 - p) / sum w^2 (x - p)^2, or as are effective if these are fewer. Where
fewer than `FEWEST` draws are effective, or the shape of the tail is above 0.7, no share is given: so few draws near the
evidence say nothing, and more draws are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.ranks import wilson
from senexo.lab.claim import null
from senexo.lab.claim.judge import number
from senexo.lab.donors import donor_values
from senexo.lab.evidence.likelihood import log_likelihood
from senexo.lab.evidence.pareto import WORST_SHAPE, Floats, Weights, smoothed
from senexo.study.claims import Comparison, Value, observables, parse_claim
from senexo.study.donors import HERE
from senexo.study.evidence import condition
from senexo.study.observables import Observable, Quantity

if TYPE_CHECKING:
    from senexo.lab.experiment import Experiment, Get
    from senexo.study.schema import Candidate, Draw, Evidence, Study

Bools = NDArray[np.bool_]
FEWEST = 20.0  # effective draws below which no share is given
IN_PRIOR = "is in the prior of this world already"
FIXED = "is about a number that is the same in all draws"


@dataclass(frozen=True)
class Weighted:
    """The evidence of a study on its draws.

    Attributes
    ----------
    log_likelihood
        Name -> logarithm of its likelihood [draws], of what was used.
    left_out
        Name -> why it was not.
    """

    log_likelihood: dict[str, Floats]
    left_out: dict[str, str]

    def weights(self, kept: Bools) -> Weights:
        """Weights [draws], 0 outside `kept`."""
        total = np.where(kept, sum(self.log_likelihood.values(), np.zeros(len(kept))), -np.inf)
        return smoothed(total)


@dataclass(frozen=True, slots=True)
class ShareAfter:
    """A share of weighted draws; how many are effective, for it (`size`) and in all, and whether they are enough."""

    value: float
    effective: float
    size: float
    enough: bool
    level: float = 0.95

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval for the effective number of draws; 0 to 1 where they are too few."""
        return wilson(self.value * self.size, self.size, level=self.level) if self.enough else (0.0, 1.0)

    def __str__(self) -> str:
        if not self.enough:
            return f"not known after the evidence ({self.effective:.1f} draws are effective)"
        low, high = self.interval
        return f"{100 * self.value:.1f} % after the evidence ({100 * low:.1f} to {100 * high:.1f})"


def share_after(weighted: Weighted, true: Bools, among: Bools, *, level: float = 0.95) -> ShareAfter:
    """The weighted share of `true` among the draws `among` [draws]."""
    weights = weighted.weights(among)
    value = float(weights.values[true & among].sum()) if weights.values.any() else float("nan")
    enough = weights.effective >= FEWEST and not weights.shape > WORST_SHAPE
    variance = float(np.square(weights.values[among] * (true[among] - value)).sum())
    size = min(weights.effective, value * (1.0 - value) / variance) if variance > 0 else weights.effective
    return ShareAfter(min(value, 1.0), weights.effective, size, enough, level)


def read_by(study: Study) -> list[Observable]:
    """Everything that the evidence and the candidate experiments of a study read of its arms."""
    texts = [*(one.observable for one in study.evidence), *(one.observable for one in study.candidates)]
    clauses = [parse_claim(condition(text)) for text in texts if text]
    return list(dict.fromkeys(found for clause in clauses for found in observables(clause)))


@dataclass(frozen=True)
class Truths:
    """What measurements of a study are about, in every draw."""

    study: Study
    seen: Mapping[Observable, Floats]
    founders: Mapping[str, int]

    @classmethod
    def of(cls, experiment: Experiment, get: Get) -> Truths:
        """From the stored units of a study."""
        study = experiment.study
        founders = dict(zip(study.arms, experiment.size().founders, strict=True))
        return cls(study, null.read(experiment, read_by(study), get), founders)

    def value(self, one: Evidence | Candidate) -> Floats:
        """The true value [draws] of what a measurement is about."""
        if one.parameter is not None:
            draws = {one.parameter: self.study.donors.draws[one.parameter]}
            numbers = range(1, self.study.donors.n + 1)
            return np.array([donor_values(draws, self.study.seed, k)[one.parameter] for k in numbers])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.broadcast_to(number(self._side(one), self.seen), self.study.donors.n)

    def cells(self, one: Evidence | Candidate) -> int:
        """How many simulated cells a share is of, where the measurement is of one; 0 for anything else."""
        side = None if one.parameter is not None else self._side(one)
        share = isinstance(side, Observable) and side.quantity in (Quantity.SENESCENCE, Quantity.ARRESTED)
        return self.founders[side.arm] if share and isinstance(side, Observable) else 0

    def _side(self, one: Evidence | Candidate) -> Value:
        clause = parse_claim(condition(one.observable or ""))
        assert isinstance(clause, Comparison)
        return clause.left


def weigh(truths: Truths) -> Weighted | None:
    """The evidence on the draws of a study; None without any."""
    study = truths.study
    known: dict[str, Floats] = {}
    left_out: dict[str, str] = {}
    for one in study.evidence:
        reason = None if one.parameter is None else _not_used(one, study.donors.draws[one.parameter])
        if reason is not None:
            left_out[one.name] = reason
        else:
            known[one.name] = log_likelihood(one, truths.value(one), study.replicates, cells=truths.cells(one))
    return Weighted(known, left_out) if study.evidence else None


def _not_used(one: Evidence, draw: Draw) -> str | None:
    """Why evidence about a parameter is left out: it would count twice, or says nothing here."""
    if draw.law == "fixed" or draw.low == draw.high:
        return FIXED
    return IN_PRIOR if draw.source == one.source != HERE else None


def sentence(claim: str, before: str, after: ShareAfter, weighted: Weighted) -> str:
    """A claim before and after the evidence, and what the evidence was."""
    used = ", ".join(weighted.log_likelihood) or "nothing"
    said = f"{claim} is true in {before} before and {after}; evidence: {used}"
    for name, why in weighted.left_out.items():
        said += f"; left out: {name} {why}"
    if not after.enough:
        said += ". More draws are needed (--donors), or evidence that the prior agrees with"
    return f"{said}."


def columns(name: str, after: ShareAfter | None) -> dict[str, Any]:
    """Columns of the table of worlds."""
    keys = (f"{name}_after", f"{name}_after_low", f"{name}_after_high")
    if after is None or not after.enough:
        return dict.fromkeys(keys, float("nan"))
    return dict(zip(keys, (after.value, *after.interval), strict=True))
