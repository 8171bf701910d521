"""Cohorts of virtual patients against laws. Statistical tests have fixed seeds and state their rate of false alarms."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from changed_study import changed
from scipy import stats

from senexo import workflow
from senexo.assays._survival.assay import survival
from senexo.assays.stats.cox import cox
from senexo.base.errors import InvalidInput
from senexo.engine.host.patient import LAST_REMISSION, OUTCOME
from senexo.lab.cohort import association, chemotherapy, hazards
from senexo.lab.cohort.experiment import CohortExperiment, followed
from senexo.lab.cohort.patients import from_quantiles, patients
from senexo.lab.cohort.tables import of_patients
from senexo.lab.experiment import UNTREATED, World
from senexo.lab.registry import experiment_of
from senexo.study.cohort import CLASSES, numbers
from senexo.study.observables import Observable, Quantity
from senexo.study.schema import Study

END = 1825.0
STUDY: dict[str, Any] = {
    "title": "patients", "seed": 5, "model": {"circuit": "mir34c-rab27b"}, "cells": {"LSC": {"n": 4}},
    "donors": {"n": 1, "draws": "central", "stand_for": "patients"}, "culture": {"duration": "20 d"},
    "arms": {"standard": {}, "mimic": {"dose": {"what": "miR-34c-5p", "amount": 3000}}},
    "readouts": {"grid": "3 h"},
    "cohort": {"patients": 400, "follow_up": "1825 d", "reads": ["75 d", "730 d"]},
}  # fmt: skip


def study(**changes: Any) -> Study:
    return changed(STUDY, changes)


@cache
def made() -> CohortExperiment:
    experiment = experiment_of(study())
    assert isinstance(experiment, CohortExperiment)
    experiment.compile()
    return experiment


@cache
def table(cut: bool = False) -> tuple[np.ndarray, float]:
    """What a course adds, by level and p53."""
    experiment = made()
    arm, untreated = experiment.study.arms["standard"], UNTREATED
    if cut:
        cuts = study(claim={"id": "C", "holds_when": "surviving(standard, 730 d) > 0.1",
                            "null": {"cut": ["miR-34c-5p -| *"]}}).claim  # fmt: skip
        assert cuts is not None
        arm, untreated = arm.cut(cuts.cuts), untreated.cut(cuts.cuts)
    return hazards.rows(experiment.simulator, arm, untreated, 1, factor=4.0, days=10.0)


def cohort(
    n: int = 400, *, cut: bool = False, shuffled: bool = False, apart: str = "", **draws: float
) -> dict[str, np.ndarray]:
    """Outcomes and covariates of a cohort; draws: numbers that depart from the table."""
    changed = {"cohort__patients": n, **({"cohort__draws": draws} if draws else {})}
    if apart:
        changed["cohort__stem_kinetics"] = apart
    own = study(**changed)
    assert own.cohort is not None
    values = {name: draw.value for name, draw in own.cohort.draws.items()}
    drawn = patients(own.cohort, values, own.seed, 1)
    if shuffled:
        drawn = replace(drawn, level=np.random.default_rng(1).permutation(drawn.level))
    kills, exposed = chemotherapy.courses(drawn.clearance, values["blood_saturation"])
    added, escape = table(cut)
    if apart:
        added = hazards.as_blasts(added)
    found, _ = followed(drawn, kills * drawn.sensitivity[:, None, None], exposed, added, escape, END)
    known = {f"known_{name}": one for name, one in drawn.known.items()}
    return {**{name: found[name] for name in OUTCOME.names or ()}, **known, "clearance": drawn.clearance}


# ---- covariates --------------------------------------------------------------------------------------------------


def test_covariates_have_the_quantiles_and_rank_correlations_of_the_registry() -> None:
    """20,000 patients: quantiles within 4.5 standard errors of their ranks, correlations within 0.03."""
    own = study(cohort__patients=20_000)
    assert own.cohort is not None
    values = {name: draw.value for name, draw in own.cohort.draws.items()}
    known = patients(own.cohort, values, 3, 1).known
    for number, where in enumerate(CLASSES):
        mine = known["risk"] == number
        assert abs(mine.mean() - values[f"share_{where}"]) < 4.5 * np.sqrt(0.25 / 20_000)
        assert abs(known["tp53"][mine].mean() - values[f"tp53_{where}"]) < 4.5 * np.sqrt(0.15 / mine.sum())
        for what in ("age", "wbc", "blasts"):
            for percent in (5, 25, 50, 75, 95):
                below = (known[what][mine] <= values[f"{what}_p{percent}_{where}"]).mean()
                p = percent / 100
                assert abs(below - p) < 4.5 * np.sqrt(p * (1 - p) / mine.sum()), (where, what, percent)
    # classes differ in their quantiles, which moves correlations over all a little
    for one, other in (("age", "wbc"), ("wbc", "blasts"), ("age", "blasts")):
        inside = np.average(
            [stats.spearmanr(known[one][mine], known[other][mine])[0]
             for mine in (known["risk"] == number for number in range(3))],
            weights=[(known["risk"] == number).sum() for number in range(3)],
        )  # fmt: skip
        assert inside == pytest.approx(values[f"rank_{one}_{other}"], abs=0.03)


def test_more_patients_change_none_of_the_first() -> None:
    few, many = cohort(20), cohort(60)
    for name, column in few.items():
        np.testing.assert_array_equal(column, many[name][:20])


def test_quantiles_are_met_exactly_between_and_beyond() -> None:
    at = stats.norm.ppf([0.05, 0.25, 0.5, 0.75, 0.95])
    wanted = [2.0, 8.2, 23.4, 60.3, 149.0]
    np.testing.assert_allclose(from_quantiles(at, wanted, "wbc"), wanted)
    assert from_quantiles(np.array([-9.0, 9.0]), wanted, "wbc").tolist() == [0.2, 500.0]


def test_every_number_has_a_source_and_no_assumed_one_claims_to_be_seen() -> None:
    for name, one in numbers().items():
        assert one.source, name
        assert one.source != "none found" or one.status in ("assumed", "unverified"), name


# ---- outcomes ----------------------------------------------------------------------------------------------------


def test_relapse_without_a_stem_cell_is_impossible_and_competing_risks_add_to_one() -> None:
    found = cohort(2000)
    relapsed = ~np.isnan(found["relapse_day"])
    assert relapsed.sum() > 300
    assert (found["stem_at_remission"][relapsed] > 0.0).all()
    assert (found["least_stem"][relapsed] > 0.0).all()
    cured = found["least_stem"] == 0.0
    assert cured.sum() > 50
    assert not relapsed[cured].any()
    in_remission = ~np.isnan(found["remission_day"])
    rows = of_patients({"arm": "a"}, found, END, {"mrd_limit": 1e-4})
    ended = rows["relapse"] + rows["death_in_remission"]
    assert set(ended) <= {0, 1}
    still = in_remission & (ended == 0)
    shares = [float(one[in_remission].mean()) for one in (rows["relapse"] == 1, rows["death_in_remission"] == 1, still)]
    assert sum(shares) == pytest.approx(1.0, abs=1e-12)
    assert (rows.loc[rows["remission"] == 1, "remission_days"] >= 0.0).all()
    assert (found["remission_day"][in_remission] <= LAST_REMISSION).all()


def test_a_patient_can_live_without_remission_and_causes_fit_what_happened() -> None:
    found = cohort(2000, salvage_adverse=0.5)
    none = np.isnan(found["remission_day"])
    assert (none & np.isnan(found["death_day"])).any()
    of_leukaemia = found["cause"] == 2.0
    assert (found["fails_day"][of_leukaemia] < found["death_day"][of_leukaemia]).all()
    assert (found["transplant_day"][found["cause"] == 3.0] <= found["death_day"][found["cause"] == 3.0]).all()


def test_where_stem_cells_have_the_kinetics_of_blasts_relapse_no_longer_comes_from_those_that_rest() -> None:
    own, null = cohort(800), cohort(800, apart="blasts")
    share = [np.mean(~np.isnan(one["relapse_day"][~np.isnan(one["remission_day"])])) for one in (own, null)]
    assert share[0] > share[1] + 0.1
    none = [np.mean(one["stem_at_remission"][~np.isnan(one["remission_day"])] == 0.0) for one in (own, null)]
    assert none[1] > none[0] + 0.1


# ---- the level of miR-34c-5p -------------------------------------------------------------------------------------


def test_with_the_edges_cut_the_level_changes_nothing() -> None:
    """The circuit is the only way: hazards of all levels are the same, and so is every outcome whoever has which."""
    added, _ = table(True)
    n = len(hazards.LEVELS)
    np.testing.assert_allclose(added[:n], added[:1].repeat(n, axis=0), rtol=1e-4, atol=1e-7)  # the solver's error
    assert np.ptp(table()[0][:n, 0].sum(axis=1)) > 1.0
    one, other = cohort(300, cut=True), cohort(300, cut=True, shuffled=True)
    for name in ("remission_day", "relapse_day", "death_day"):  # the solver's error moves a few events by a day
        assert (np.isnan(one[name]) != np.isnan(other[name])).mean() < 0.03, name
        assert np.nanmedian(np.abs(one[name] - other[name])) == 0.0, name
    intact = [np.nan_to_num(cohort(300, shuffled=shuffled)["remission_day"]) for shuffled in (False, True)]
    assert (intact[0] != intact[1]).mean() > 0.05


def test_a_marker_of_tp53_is_an_association_that_adjustment_takes_away() -> None:
    """Edges cut, and mutated TP53 lowers the level and the response: confounded. One in 1e3 by chance."""
    found = cohort(3000, cut=True, level_tp53=0.2, level_sd=0.5, methylated=0.0, sensitivity_tp53=0.3,
                   tp53_adverse=0.6, sensitivity_adverse=numbers()["sensitivity_intermediate"].value,
                   doubling_sd=0.3)  # fmt: skip
    death = np.where(np.isnan(found["death_day"]), np.inf, found["death_day"])
    risk = found["known_risk"]
    held = [found["known_age"], found["known_tp53"], (risk == 1.0).astype(float), (risk == 2.0).astype(float)]
    alone = association.hazard_ratio(np.minimum(death, END), death <= END, found["known_mir34c"], [])
    adjusted = association.hazard_ratio(np.minimum(death, END), death <= END, found["known_mir34c"], held)
    assert alone < 0.93
    assert abs(np.log(adjusted)) < 3.3 * 1.3 / np.sqrt((death <= END).sum())


def test_permuted_labels_give_uniform_p_values() -> None:
    """1,000 cohorts of 60 with the level permuted: Kolmogorov and Smirnov's p above 0.001."""
    found, rng, p = cohort(3000), np.random.default_rng(2), []
    death = np.where(np.isnan(found["death_day"]), np.inf, found["death_day"])
    for _ in range(1000):
        chosen = rng.choice(3000, 60, replace=False)
        level = rng.permutation(found["known_mir34c"][chosen])[:, None]
        fit = cox(np.minimum(death[chosen], END), death[chosen] <= END, level, np.zeros(60, int), [[0]])
        assert not isinstance(fit, str)
        p.append(fit.coefficients[0].p_value)
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_exposure_to_cytarabine_seldom_predicts_remission() -> None:
    """In at most 10 % of 1,000 cohorts of 265 by a test at 5 % (it does not in 265 patients; 10.1007/BF00686192)."""
    found, rng = cohort(3000), np.random.default_rng(3)
    exposure, responded = 1.0 / found["clearance"], ~np.isnan(found["remission_day"])
    p = []
    for _ in range(1000):
        chosen = rng.choice(3000, 265, replace=False)
        own, reached = exposure[chosen], responded[chosen]
        p.append(stats.mannwhitneyu(own[reached], own[~reached]).pvalue)
    assert np.mean(np.array(p) < 0.05) <= 0.10


def test_a_bulk_sample_comes_out_as_below_detection() -> None:
    """As the real one does: half of the patients without a read."""
    found = cohort(600)
    rows = of_patients({"arm": "a"}, found, END, {"mrd_limit": 1e-4})
    assert 0.3 < (rows["mir34c_reads"] == 0).mean() < 0.6
    answer = survival(rows.rename(columns={"mir34c_reads": "hsa-mir-34c"}), time="days", event="dead",
                      value=["hsa-mir-34c"], kind="counts", unit="days")  # fmt: skip
    assert any("below detection" in finding.verdict for finding in answer.findings)


# ---- the experiment ----------------------------------------------------------------------------------------------


def test_a_claim_reads_the_patients_of_a_world() -> None:
    experiment = made()
    unit = experiment.units()[0]
    arrays = experiment.simulate_unit(unit)
    death = np.where(np.isnan(arrays["death_day"]), np.inf, arrays["death_day"])
    seen = {q: experiment.value(Observable(q, "standard", 730.0 * 24.0), unit, arrays)
            for q in Quantity if q.of_patients}  # fmt: skip
    assert seen[Quantity.SURVIVING] == (death > 730.0).mean()
    assert seen[Quantity.RELAPSED] == (arrays["relapse_day"] <= 730.0).mean()
    assert seen[Quantity.REMISSION] == np.isfinite(arrays["remission_day"]).mean()
    assert all(np.isfinite(value) and value > 0.0 for value in seen.values())
    again = experiment.simulate_unit(unit)
    for name, one in arrays.items():
        np.testing.assert_array_equal(one, again[name])
    null = experiment.simulate_unit(replace(unit, world=World.NULL))  # without a claim: nothing is cut
    np.testing.assert_array_equal(null["death_day"], arrays["death_day"])


def test_patients_run_from_file_to_report(tmp_path: Path) -> None:
    own = study(
        cohort__patients=60, cells__LSC__n=2, assays=[
            {"name": "survival", "control": "standard"}, {"name": "survival", "value": ["mir34c"], "adjust": ["age"]},
            {"name": "survival", "value": ["log2_stem_cells"], "relapse": 1}, {"name": "response", "value": ["mir34c"]},
        ],
    )  # fmt: skip
    run = workflow.run(own, out=tmp_path / "run")
    rows = run.table("patients")
    assert len(rows) == 2 * 60
    assert rows.groupby("patient")["age"].nunique().max() == 1  # the same patients in both arms
    assert {finding["assay"] for finding in run.findings} == {"survival", "response"}
    assert not any("Not testable" in finding["sentence"] for finding in run.findings)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for words in ("Patients alive from the beginning", "competing risks", "Six patients of the first world"):
        assert words in page
    assert all(len(run.table(name)) for name in ("patients", "examples", "hazards", "timecourse"))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"cohort__draws": {"ages": 3}}, 'the unknown number "ages"'),
        ({"cohort__draws": {"methylated": 2.0}}, "a share from 0 to 1"),
        ({"cohort__draws": {"age_p5_adverse": 60}}, "quantiles that increase"),
        ({"cohort__reads": ["1826 d"]}, "a time up to the end of the follow-up"),
        ({"cohort__follow_up": None}, "no follow_up"),
        ({"mouse": {"cells": 1e5, "end": "8 weeks"}}, "mice or patients, not both"),
        ({"assays": [{"name": "dilution"}]}, r"a table \[secondary\]"),
        ({"model__circuit": "mir34c-rab27b-cells"}, "cells that are each alone"),
        ({"claim": {"id": "C", "holds_when": "engrafted(standard, 75 d) > 0.5",
                    "null": {"cut": ["miR-34c-5p -| *"]}}}, "a quantity of patients"),
    ],
)  # fmt: skip
def test_faults(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        experiment_of(study(**changed))
