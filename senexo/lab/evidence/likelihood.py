"""How likely a measurement is in every draw, by the observation model of its assay.

figure
    An estimate x with an interval: a normal (on a log scale: log-normal) error around the truth, of the width of the
    interval on either side (a two-piece normal where the two differ).
senescence
    k of n cells counted as stained: binomial, p = fp + (1 - fp - fn) share.
fates
    k of n cells with a fate: binomial.
qpcr
    Ct of single reactions: N ~ Poisson(copies x cells lysed), Ct = Ct(one copy) - log N / log(1 + efficiency) +
    Normal(0, sd), as the virtual instrument makes them; at or beyond the cut-off: not detected.
particles
    Counts: Poisson, or negative binomial with a stated dispersion, of mean rate x exposure.
dilution
    Positive wells: single hit, p = 1 - exp(-frequency x cells).

Constants that are the same in all draws are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.lab.evidence import laws
from senexo.lab.observe import threshold_cycle

if TYPE_CHECKING:
    from senexo.study.schema import Candidate, Evidence, Replicates

Floats = NDArray[np.float64]
FEW = 2_000.0  # expected templates up to which their Poisson distribution is summed; above, it is normal
IMPOSSIBLE = -np.inf


def log_likelihood(evidence: Evidence, truth: Floats, noise: Replicates, *, cells: int = 0) -> Floats:
    """Logarithm of the likelihood [draws] of a measurement, from the true value [draws] of what it is about.

    cells: how many simulated cells a share is of (0: it is exact). A share k/m is then taken as (k + 1/2)/(m + 1), so
    that a few simulated cells that all agree exclude nothing. nan (no living cell): impossible.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        match evidence.kind:
            case "figure":
                found = _figure(evidence, truth)
            case "senescence":
                share = _share(truth, cells)
                stained = noise.false_positive + (1.0 - noise.false_positive - noise.false_negative) * share
                found = _binomial(evidence.data["positive"], evidence.data["counted"], stained[:, None])
            case "fates":
                found = _binomial(evidence.data["with_fate"], evidence.data["cells"], _share(truth, cells)[:, None])
            case "dilution":
                dose = np.array(evidence.data["cells"])
                hit = -np.expm1(-np.maximum(truth, 0.0)[:, None] * dose)
                found = _binomial(evidence.data["positive"], evidence.data["wells"], hit)
            case "particles":
                found = _counts(evidence, truth)
            case "qpcr":
                found = _cycles(np.array(evidence.data["ct"]), truth * noise.lysed_cells, noise)
    return np.where(np.isnan(found), IMPOSSIBLE, found)


def outcome(
    candidate: Candidate, truth: float, noise: Replicates, rng: np.random.Generator, *, cells: int = 0
) -> Evidence:
    """An outcome that a candidate experiment could have where the true value is `truth`, by the same models."""
    from scipy.special import ndtri

    from senexo.study.schema import Evidence

    design = {name: np.array(values) for name, values in candidate.design.items()}
    share = (truth * cells + 0.5) / (cells + 1.0) if cells else truth
    figure: dict[str, float] = {}
    data: dict[str, NDArray[Any]] = {}
    match candidate.kind:
        case "figure":
            log, width = candidate.law == "log-normal", float(ndtri(0.975)) * candidate.sd
            found = (np.log(truth) if log else truth) + candidate.sd * rng.standard_normal()
            ends = found, found - width, found + width
            figure = dict(zip(("value", "low", "high"), np.exp(ends) if log else ends, strict=True))
        case "senescence":
            stained = noise.false_positive + (1.0 - noise.false_positive - noise.false_negative) * share
            counted = design["counted"].astype(int)
            data = {"positive": rng.binomial(counted, stained), "counted": counted}
        case "fates":
            whole = design["cells"].astype(int)
            data = {"with_fate": rng.binomial(whole, share), "cells": whole}
        case "dilution":
            wells, hit = design["wells"].astype(int), -np.expm1(-max(truth, 0.0) * design["cells"])
            data = {"cells": design["cells"], "wells": wells, "positive": rng.binomial(wells, hit)}
        case "particles":
            mean = truth * design["exposure"]
            spread = candidate.dispersion
            mean = mean * rng.gamma(1.0 / spread, spread, mean.shape) if spread else mean
            data = {"particles": rng.poisson(mean), "exposure": design["exposure"]}
        case "qpcr":
            cycles = [
                threshold_cycle(truth * noise.lysed_cells, noise, rng) for _ in range(int(design["reactions"].sum()))
            ]
            data = {"ct": np.nan_to_num(np.array(cycles), nan=noise.ct_cutoff)}
    listed = {name: tuple(float(x) for x in values) for name, values in data.items()}
    return Evidence(
        name=candidate.name, kind=candidate.kind, parameter=candidate.parameter, observable=candidate.observable,
        law=candidate.law, **figure, data=listed, dispersion=candidate.dispersion, source="an outcome made here",
        status="assumed",
    )  # fmt: skip


def _share(truth: Floats, cells: int) -> Floats:
    return (truth * cells + 0.5) / (cells + 1.0) if cells else truth


def _figure(evidence: Evidence, truth: Floats) -> Floats:
    from scipy.special import ndtri

    assert evidence.value is not None
    assert evidence.low is not None
    assert evidence.high is not None
    scale = np.log if evidence.law == "log-normal" else np.asarray
    value, low, high, own = (scale(x) for x in (evidence.value, evidence.low, evidence.high, truth))
    q = float(ndtri(0.5 + evidence.level / 2.0))
    sd = np.where(own > value, high - value, value - low) / q
    return np.asarray(-0.5 * ((own - value) / sd) ** 2)


def _binomial(k: tuple[float, ...], n: tuple[float, ...], p: Floats) -> Floats:
    return np.asarray(laws.binomial(np.array(k), np.array(n) - np.array(k), p).sum(axis=1))


def _counts(evidence: Evidence, truth: Floats) -> Floats:
    counts = np.array(evidence.data["particles"])
    mean = truth[:, None] * np.array(evidence.data["exposure"])
    if evidence.dispersion == 0.0:
        return np.asarray(laws.poisson(counts, mean).sum(axis=1))
    return np.asarray(laws.negative_binomial(counts, mean, 1.0 / evidence.dispersion).sum(axis=1))


def _cycles(ct: Floats, templates: Floats, noise: Replicates) -> Floats:
    """Sum over reactions of log p(Ct | expected templates) [draws]."""
    return np.array([_reactions(ct, float(mean), noise) for mean in templates])


def _reactions(ct: Floats, mean: float, noise: Replicates) -> float:
    from scipy.special import gammaln, log_ndtr, logsumexp

    if not mean >= 0:
        return IMPOSSIBLE
    detected = ct < noise.ct_cutoff
    per_log = 1.0 / np.log1p(noise.efficiency)
    if mean > FEW:
        centre, sd = (
            np.array([noise.ct_one_copy - np.log(mean) * per_log]),
            float(np.hypot(noise.ct_sd, per_log / mean**0.5)),
        )
        weight = np.zeros(1)
    else:
        number = np.arange(0, int(mean + 10.0 * mean**0.5 + 20.0))
        weight = (
            number * np.log(mean) - mean - gammaln(number + 1.0) if mean > 0 else np.where(number == 0, 0.0, IMPOSSIBLE)
        )
        centre, sd = (
            np.where(number > 0, noise.ct_one_copy - np.log(np.maximum(number, 1)) * per_log, np.inf),
            noise.ct_sd,
        )
    with np.errstate(invalid="ignore"):
        seen = -0.5 * ((ct[detected, None] - centre) / sd) ** 2 - np.log(sd)
    total = logsumexp(np.where(np.isfinite(centre), seen, IMPOSSIBLE) + weight, axis=1).sum()
    beyond = np.where(
        np.isfinite(centre), log_ndtr((np.where(np.isfinite(centre), centre, 0.0) - noise.ct_cutoff) / sd), 0.0
    )
    return float(total + (~detected).sum() * logsumexp(beyond + weight))
