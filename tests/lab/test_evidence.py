"""Draws weighted by measurements: conjugate posteriors in closed form, and observation models against their laws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from senexo import read_study, workflow
from senexo.base.errors import InvalidInput
from senexo.lab.evidence import weighting
from senexo.lab.evidence.likelihood import FEW, log_likelihood, outcome
from senexo.lab.evidence.pareto import fit_tail, smoothed
from senexo.lab.evidence.weighting import FIXED, IN_PRIOR, Weighted, share_after
from senexo.study.resolve import resolve
from senexo.study.schema import Candidate, Evidence, Replicates, Study
from verify.worlds_boxes import covered
from verify.worlds_information import claim, draws, exact_claim

TINY = Path(__file__).parents[1] / "circuits" / "tiny.toml"
NOISE = read_study(TINY).replicates
PERFECT = NOISE.model_copy(update={"false_positive": 0.0, "false_negative": 0.0})


def measured(kind: str = "figure", noise: Replicates = NOISE, truth: Any = None, cells: int = 0, **more: Any) -> Any:
    found = Evidence.model_validate({"name": "e", "kind": kind, "source": "test", "status": "assumed", **more})
    return log_likelihood(found, np.asarray(truth, dtype=float), noise, cells=cells)


def posterior(log: Any, true: Any) -> weighting.ShareAfter:
    return share_after(Weighted({"e": log}, {}), true, np.ones(len(true), dtype=bool))


@pytest.mark.parametrize("law", ["normal", "log-normal"])
def test_a_normal_prior_and_a_figure_give_the_conjugate_posterior(law: str) -> None:
    """Prior N(0, 1), x = 0.8 with sd 0.5: posterior N(0.64, 0.2). 4 standard errors: false alarm 6e-5."""
    theta = np.random.default_rng(1).standard_normal(20_000)
    ends = np.array([0.8, 0.8 - 1.959964 * 0.5, 0.8 + 1.959964 * 0.5])
    value, low, high = ends if law == "normal" else np.exp(ends)
    log = measured(truth=theta if law == "normal" else np.exp(theta), law=law, value=value, low=low, high=high)
    for cut in (0.0, 0.64, 1.5):
        found, exact = posterior(log, theta > cut), stats.norm.sf((cut - 0.64) / np.sqrt(0.2))
        assert abs(found.value - exact) < 4 * np.sqrt(exact * (1 - exact) / found.effective)
    assert found.enough


@pytest.mark.parametrize("kind", ["senescence", "fates"])
def test_a_uniform_prior_and_counts_give_the_beta_posterior(kind: str) -> None:
    """7 of 40 cells: Beta(8, 34). 4 standard errors: false alarm 6e-5."""
    theta = np.random.default_rng(2).random(20_000)
    columns = ("positive", "counted") if kind == "senescence" else ("with_fate", "cells")
    log = measured(kind, PERFECT, theta, data=dict(zip(columns, [(3, 4), (20, 20)], strict=True)))
    found, exact = posterior(log, theta > 0.2), stats.beta(8, 34).sf(0.2)
    assert abs(found.value - exact) < 4 * np.sqrt(exact * (1 - exact) / found.effective)


def test_a_gamma_prior_and_counts_of_particles_give_the_gamma_posterior() -> None:
    """Gamma(2, 1) and 30 particles at exposure 10: Gamma(32, 11). 4 standard errors: false alarm 6e-5."""
    theta = np.random.default_rng(3).gamma(2.0, 1.0, 20_000)
    log = measured("particles", truth=theta, data={"particles": (12, 18), "exposure": (4, 6)})
    found, exact = posterior(log, theta > 3.0), stats.gamma(32, scale=1 / 11).sf(3.0)
    assert abs(found.value - exact) < 4 * np.sqrt(exact * (1 - exact) / found.effective)


def test_likelihoods_are_those_of_scipy_up_to_a_constant() -> None:
    truth = np.array([0.001, 0.01, 0.05])
    dilution = measured("dilution", truth=truth, data={"cells": (100, 10), "wells": (12, 12), "positive": (9, 2)})
    exact = sum(stats.binom(12, 1 - np.exp(-truth * dose)).logpmf(k) for dose, k in ((100, 9), (10, 2)))
    assert np.ptp(dilution - exact) < 1e-9
    rate = np.array([1.0, 5.0, 20.0])
    counts = measured("particles", truth=rate, data={"particles": (9, 14), "exposure": (2, 3)}, dispersion=0.25)
    exact = sum(stats.nbinom(4, 4 / (4 + rate * e)).logpmf(k) for k, e in ((9, 2), (14, 3)))
    assert np.ptp(counts - exact) < 1e-9
    share = np.array([0.0, 0.3, 1.0])
    stained = measured("senescence", NOISE, share, data={"positive": (5,), "counted": (50,)})
    p = NOISE.false_positive + (1 - NOISE.false_positive - NOISE.false_negative) * share
    assert np.ptp(stained - stats.binom(50, p).logpmf(5)) < 1e-9


@pytest.mark.parametrize("templates", [0.0, 0.7, 12.0, FEW * 0.99, FEW * 1.5])
def test_the_density_of_a_ct_and_its_chance_of_no_detection_sum_to_one(templates: float) -> None:
    truth = [templates / NOISE.lysed_cells]
    ct = np.linspace(10.0, NOISE.ct_cutoff - 1e-9, 401)
    density = np.array([measured("qpcr", truth=truth, data={"ct": (c,)})[0] for c in ct])
    detected = np.trapezoid(np.exp(density), ct) / np.sqrt(2 * np.pi)
    missed = float(np.exp(measured("qpcr", truth=truth, data={"ct": (NOISE.ct_cutoff,)})[0]))
    assert detected + missed == pytest.approx(1.0, abs=2e-3)


def test_a_few_simulated_cells_that_agree_exclude_nothing() -> None:
    data = {"positive": (8,), "counted": (10,)}
    assert measured("senescence", PERFECT, [0.0], data=data)[0] == -np.inf
    assert np.isfinite(measured("senescence", PERFECT, [0.0, 1.0], data=data, cells=8)).all()
    assert measured("senescence", PERFECT, [np.nan], data=data)[0] == -np.inf


def test_the_tail_of_a_pareto_distribution_is_found() -> None:
    """Order statistics at their expected places, so nothing is random; the prior shrinks the shape by 10 of n."""
    p = (np.arange(1, 2001) - 0.5) / 2000
    for shape in (0.2, 0.5, 0.9):
        found, scale = fit_tail(np.sort(stats.genpareto(shape, scale=2.0).ppf(p)))
        assert found == pytest.approx(shape, abs=0.03)
        assert scale == pytest.approx(2.0, rel=0.05)


def test_a_tail_of_many_numbers_is_fitted_without_overflow() -> None:
    """Log-likelihoods of the grid differ by thousands; sums over pairs of them overflowed."""
    p = (np.arange(1, 20_001) - 0.5) / 20_000
    with np.errstate(all="raise", under="ignore"):
        found, _ = fit_tail(np.sort(stats.genpareto(0.5, scale=2.0).ppf(p)))
    assert found == pytest.approx(0.5, abs=0.01)


def test_weights_that_underflow_have_collapsed() -> None:
    log = 1000.0 * np.random.default_rng(3).standard_normal(200)
    with np.errstate(all="raise", under="ignore"):
        found = smoothed(log)
    assert found.shape == np.inf
    assert found.effective == pytest.approx(1.0)


def test_smoothing_keeps_the_order_and_even_weights() -> None:
    log = np.random.default_rng(5).standard_normal(400) * 2
    weights = smoothed(log)
    assert weights.values.sum() == pytest.approx(1.0)
    assert (np.argsort(weights.values) == np.argsort(log)).all()
    assert smoothed(np.full(50, -7.0)).effective == pytest.approx(50)
    assert smoothed(np.full(3, -np.inf)).effective == 0.0


def test_the_interval_of_a_share_after_evidence_covers() -> None:
    """Of 200 samples at 95 % coverage fewer than 180 have a chance of 0.001; the long form is in make verify."""
    assert covered(200) >= 180


def test_evidence_far_from_the_prior_gives_no_share() -> None:
    theta = np.random.default_rng(7).standard_normal(300)
    log = measured(truth=theta, law="normal", value=6.0, low=5.8, high=6.2)
    found = posterior(log, theta > 3)
    assert not found.enough
    assert found.interval == (0.0, 1.0)
    assert "More draws are needed" in weighting.sentence("C", "50 %", found, Weighted({"e": log}, {}))


def study(*evidence: dict[str, Any], **more: Any) -> Study:
    tables = read_study(TINY, set=["donors.n=60", "cells.cell.n=4"]).to_dict()
    claim = {
        "id": "T",
        "holds_when": "arrested(dose[3000], 5 d) - arrested(mock, 5 d) > 5 %",
        "null": {"set": {"K": 1e9}},
    }
    return resolve({**tables, "assays": [], "claim": claim, "evidence": list(evidence), **more}, where="s.toml")


K = {"name": "K", "parameter": "K", "value": 900, "low": 450, "high": 1800}


def test_a_study_with_evidence_has_every_share_before_and_after(tmp_path: Path) -> None:
    alive = {
        "name": "alive",
        "kind": "fates",
        "observable": "alive(mock, 5 d)",
        "data": {"with_fate": [5], "cells": [9]},
    }
    candidates = [
        {"name": "noise", "parameter": "he", "sd": 0.1}, {"name": "K", "parameter": "K", "sd": 0.1, "cost": 2},
    ]  # fmt: skip
    own = study(K, alive, worlds={"K known": {"draws": {"K": 500}}}, candidates=candidates)
    assert resolve(own.to_dict()).evidence == own.evidence
    assert own.digest == study().digest  # a run does not look at it
    found = workflow.worlds(own, out=tmp_path / "out", workers=1)
    table, draws = found.table("worlds").set_index("world"), found.table("worlds_draws")
    here = draws[draws["world"] == "as it stands"]
    assert here["weight"].sum() == pytest.approx(1.0)
    by_hand = here.loc[here["claim_is_true"], "weight"].sum()
    row = table.loc["as it stands"]
    assert row["effective_draws"] == pytest.approx(1 / (here["weight"] ** 2).sum())
    if row["effective_draws"] >= weighting.FEWEST:
        assert row["true_after"] == pytest.approx(by_hand)
    sentences = {f["id"]: f["sentence"] for f in found.findings if f["assay"] == "evidence"}
    assert "evidence: K, alive" in sentences["evidence:T:as it stands"]
    assert f"left out: K {FIXED}" in sentences["evidence:T:K known"]
    ranked = found.table("worlds_experiments").set_index(["world", "experiment"])
    assert ranked.loc[("as it stands", "K"), "rank"] == 1
    assert ranked.loc[("as it stands", "noise"), "bits"] == pytest.approx(0, abs=1e-9)  # he is the same in all draws
    assert ranked.loc[("as it stands", "K"), "bits_per_cost"] == ranked.loc[("as it stands", "K"), "bits"] / 2
    assert "of 2 candidate experiments K would tell most about T" in workflow.table_of_worlds(found)
    assert "true after the evidence" in (found.folder / "report.html").read_text(encoding="utf-8")
    assert "true after evidence" in workflow.table_of_worlds(found)


@pytest.mark.parametrize("sd", [0.3, 1.0])
def test_expected_information_is_that_of_the_closed_form(sd: float) -> None:
    """A normal number measured with a normal error: within 3 standard errors; false alarm 1.1 % over four figures."""
    for found, exact in ((draws(sd, 700, 1), 0.5 * np.log2(1 + 1 / sd**2)), (claim(sd, 700, 2), exact_claim(sd))):
        assert abs(found.value - exact) < 3 * found.se
        assert abs(found.all_draws - found.half_of_them) < 0.1


def test_outcomes_are_made_by_the_model_that_judges_them() -> None:
    """Made at the truth, the likelihood is largest near it: the mean of its maximum is within 4 standard errors."""
    rng, grid = np.random.default_rng(4), np.linspace(0.02, 0.98, 49)
    designs: dict[str, Any] = {
        "senescence": {"counted": (200, 200)}, "fates": {"cells": (150,)}, "particles": {"exposure": (300,)},
        "dilution": {"cells": (1, 3), "wells": (60, 60)}, "figure": {}, "qpcr": {"reactions": (8,)},
    }  # fmt: skip
    for kind, design in designs.items():
        one = Candidate.model_validate({"name": kind, "kind": kind, "design": design, "sd": 0.2, "parameter": "p"})
        found = []
        for _ in range(40):
            made = outcome(one, 0.4, NOISE, rng)
            found.append(grid[np.argmax(log_likelihood(made, grid, NOISE))])
        assert abs(np.mean(found) - 0.4) < 4 * np.std(found) / np.sqrt(40) + 0.02, kind


def test_a_figure_that_the_prior_is_made_of_counts_once() -> None:
    known = read_study("c05", set=["model.prior=evidence"]).to_dict()
    del known["worlds"]
    one = resolve({**known, "evidence": [{"figure": "aml-mir34c"}]})
    assert weighting._not_used(one.evidence[0], one.donors.draws["m0"]) == IN_PRIOR
    shipped = resolve(
        {**known, "model": {"circuit": "mir34c-rab27b"}, "donors": {"n": 3}, "evidence": [{"figure": "aml-mir34c"}]}
    )
    assert weighting._not_used(shipped.evidence[0], shipped.donors.draws["m0"]) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"parameter": "Q"}, r'evidence\[0\].parameter: found "Q", expected one of the parameters'),
        ({"observable": "alive(mock, 5 d)"}, "found both, expected the key parameter or the key observable"),
        ({"low": 950}, r"evidence\[0\].value: found 900, 950 to 1800, expected an estimate inside its interval"),
        ({"low": -1}, 'expected an interval above 0, or law = "normal"'),
        ({"kind": "fates"}, "found neither, expected the key data, or the key file"),
        ({"kind": "fates", "data": {"cells": [9], "with_fate": [10]}}, "row 1, expected with_fate of at most cells"),
        ({"kind": "fates", "data": {"cells": [9]}}, "found cells, expected the columns with_fate, cells"),
        ({"kind": "qpcr", "file": "none.csv"}, "a CSV file; there is none that can be read at none.csv"),
        ({"kind": "blot"}, "kinds of measurement"),
        ({"figure": "no-such"}, "figures: aml-mir34c"),
    ],
)  # fmt: skip
def test_what_is_no_evidence_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        study({**K, **change})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"parameter": "Q"}, r'candidates\[0\].parameter: found "Q", expected one of the parameters'),
        ({"sd": 0}, "expected the key sd above 0"),
        ({"design": {"cells": [3]}}, "found cells, expected a design with no column"),
        ({"kind": "senescence", "design": {"counted": [0]}}, "design.counted: .* expected whole numbers above 0"),
        ({"kind": "dilution", "design": {"cells": [3], "wells": [4, 4]}}, "columns of one length"),
        ({"observable": "alive(mock, 5 d)"}, "found both, expected the key parameter or the key observable"),
    ],
)
def test_what_is_no_candidate_experiment_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        study(candidates=[{"name": "c", "parameter": "K", "sd": 0.2, **change}])


def test_a_table_of_counts_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("positive,counted\n12,200\n9,180\n", encoding="utf-8")
    raw = study().to_dict()
    raw["evidence"] = [{
        "name": "stain", "kind": "senescence", "observable": "arrested(mock, 5 d)", "file": "counts.csv",
    }]  # fmt: skip
    assert resolve(raw, folder=tmp_path).evidence[0].data == {"positive": (12, 9), "counted": (200, 180)}
