"""Late entry, competing events and strata against R (survival, cmprsk), and the tables that showed the faults.

References and how they were made: references/survival_designs.R. Tables of cases: cases/*.csv.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from senexo.assays._survival.assay import SurvivalResult, survival
from senexo.assays.stats.cox_likelihood import Partial
from senexo.assays.stats.fine_gray import fine_gray
from senexo.assays.stats.gray import gray_test
from senexo.base.table import read_table

FOLDER = Path(__file__).parent
REFERENCES: dict[str, Any] = json.loads((FOLDER / "references" / "survival_designs.json").read_text())
LATE, COMPETING = ("lt", "late"), ("competing", "competing_ties", "competing_two")
Z = 1.959963984540054


def near(value: Any, rel: float = 1e-6) -> Any:
    return pytest.approx(value, rel=rel, abs=1e-9, nan_ok=True)


def case(name: str) -> pd.DataFrame:
    return read_table(FOLDER / "cases" / f"{name}.csv")


def row(result: SurvivalResult, table: str, **where: Any) -> dict[str, Any]:
    """The one row of a table with these values."""
    found = result.tables[table]
    for column, value in where.items():
        found = found[found[column] == value]
    [one] = found.to_dict("records")
    return {str(key): value for key, value in one.items()}


def sentences(result: SurvivalResult) -> str:
    return " ".join([result.sentence, *result.notes])


# late entry


def late(name: str) -> tuple[SurvivalResult, dict[str, Any]]:
    reference = REFERENCES[name]
    result = survival(
        pd.DataFrame(reference["input"]), time="time", event="dead", group="grp", entry="entry",
        adjust=reference.get("adjust") or (), strata=reference.get("strata") or (), until=None,
    )  # fmt: skip
    return result, reference


def same_model(
    result: SurvivalResult, model: str, theirs: dict[str, Any], table: str = "cox", outcome: str = ""
) -> None:
    rows = result.tables[table]
    rows = rows[(rows["model"] == model) & ((rows["outcome"] == outcome) | (not outcome))]
    terms = {f"grp{str(term).split(' against ')[0]}" if " against " in str(term) else str(term): one
             for term, one in zip(rows["term"], rows.to_dict("records"), strict=True)}  # fmt: skip
    for term, coef, error in zip(theirs["terms"], theirs["coef"], theirs["se"], strict=True):
        assert terms[term]["coefficient"] == near(coef)
        assert terms[term]["std_error"] == near(error)
        assert [terms[term][key] for key in ("low", "high")] == near(
            [math.exp(coef - Z * error), math.exp(coef + Z * error)]
        )
        assert terms[term]["p_value"] == near(chi2.sf((coef / error) ** 2, 1))


@pytest.mark.parametrize("name", LATE)
def test_curves_of_late_entrants_are_those_of_survfit(name: str) -> None:
    reference = REFERENCES[name]
    ours = survival(
        pd.DataFrame(reference["input"]), time="time", event="dead", group="grp", entry="entry",
        until=reference["until"][0],
    )  # fmt: skip
    theirs = pd.DataFrame(reference["curves"])
    mine = ours.tables["curves"].sort_values(["group", "time"]).reset_index(drop=True)
    assert mine["group"].to_list() == theirs["group"].to_list()
    for column in ("time", "n_at_risk", "n_events", "survival"):
        assert mine[column].to_list() == near(theirs[column].to_list()), column
    alive = (theirs["survival"] > 0).to_numpy()
    for column in ("std_error", "low", "high"):
        assert mine.loc[alive, column].to_list() == near(theirs.loc[alive, column].astype(float).to_list()), column
    groups = ours.tables["groups"].sort_values("group")
    for column in ("median", "median_low", "median_high"):
        values = np.array([math.inf if x is None else x for x in reference["groups"][column]], float)
        assert groups[column].to_list() == near(values.tolist())
    assert groups["mean"].to_list() == near(reference["groups"]["mean"])


@pytest.mark.parametrize("name", LATE)
def test_cox_and_log_rank_of_late_entrants_are_those_of_r(name: str) -> None:
    ours, reference = late(name)
    models = [model for model in ("alone", "stratified", "adjusted") if model in reference]
    for model in models:
        theirs = reference[model]
        same_model(ours, model, theirs)
        fit = row(ours, "models", model=model)
        assert fit["log_likelihood"] == near(theirs["loglik"][1])
        assert [fit["concordance"], fit["concordance_error"]] == near(
            [theirs["concordance"][0], theirs["concordance_se"][0]]
        )
        zph = ours.tables["proportional"].query("model == @model")
        assert zph["chi_square"].to_list()[-1] == near(theirs["zph"][-1])
    test = row(ours, "logrank", test="log-rank")
    assert test["chi_square"] == near(reference["logrank_stratified" if "stratified" in models else "logrank"][0])


def test_the_late_entrants_of_the_biobank() -> None:
    """Made-up case lt.csv: 0.864 as if all had been followed from time 0, 0.512 (0.28 to 0.93) with their entries."""
    table = case("lt")
    found = row(survival(table, time="time", event="dead", group="grp", entry="entry"), "cox", role="asked")
    assert [round(found[key], 3) for key in ("hazard_ratio", "low", "high")] == [0.512, 0.280, 0.934]
    without = survival(table, time="time", event="dead", group="grp")
    assert round(row(without, "cox", role="asked")["hazard_ratio"], 3) == 0.864
    assert "entry looks like the time at which patients came under observation: 20 of 60" in sentences(without)
    at_risk = survival(table, time="time", event="dead", group="grp", entry="entry").tables["at_risk"]
    assert at_risk.query("group == 'biobank'")["n_at_risk"].iloc[0] == 0


def test_separation_is_found_among_late_entrants() -> None:
    """Against a linear programme over all pairs of an event and one at risk with it."""
    from scipy.optimize import linprog

    rng, kinds = np.random.default_rng(5), set()
    for _ in range(60):
        n = 14
        time, entry = rng.permutation(np.arange(1.0, n + 1)), np.zeros(n)
        entry = np.floor(time * rng.random(n) * 0.9)
        event = rng.random(n) < 0.4
        x = rng.integers(0, 2, (n, 2)).astype(float)
        x = np.column_stack([x, x[:, 0] * rng.random(n)])
        if not event.any() or np.linalg.matrix_rank(x - x.mean(axis=0)) < 3:
            continue
        pairs = np.array([x[j] - x[i] for i in np.flatnonzero(event) for j in range(n)
                          if entry[j] < time[i] <= time[j]])  # fmt: skip
        best = linprog(pairs.sum(axis=0), pairs, np.zeros(len(pairs)), bounds=[(-1, 1)] * 3)
        apart = -best.fun > 1e-7
        kinds.add(apart)
        assert Partial(time, event, x, np.zeros(n, np.int64), entry).separated() == apart
    assert kinds == {True, False}


# competing events


def competing(name: str, **options: Any) -> tuple[SurvivalResult, dict[str, Any]]:
    reference = REFERENCES[name]
    table = pd.DataFrame(reference["input"])
    table["what"] = table["status"].map({0: "free", 1: "event", 2: "other"})
    return survival(
        table, time="time", event="what=event", competing="what=other", group="grp", **options
    ), reference  # fmt: skip


@pytest.mark.parametrize("name", COMPETING)
def test_incidences_are_those_of_survfit_of_several_states(name: str) -> None:
    ours, reference = competing(name)
    curves = ours.tables["incidence_curves"]
    theirs = pd.DataFrame(reference["incidence"])
    for one in theirs.to_dict("records"):
        for outcome in ("event", "other"):
            own = curves[
                (curves["group"] == one["group"]) & (curves["outcome"] == outcome) & (curves["time"] <= one["time"])
            ]
            assert own["incidence"].iloc[-1] == near(one[outcome])
            assert own["std_error"].iloc[-1] == near(one[f"{outcome}_se"])


@pytest.mark.parametrize("name", COMPETING)
def test_gray_is_that_of_cmprsk(name: str) -> None:
    ours, reference = competing(name)
    stratified, _ = competing(name, strata="site")
    for place, outcome in enumerate(("event", "other")):
        assert row(ours, "gray", outcome=outcome)["chi_square"] == near(reference["gray"][place])
        assert row(stratified, "gray", outcome=outcome)["chi_square"] == near(reference["gray_stratified"][place])
        assert row(stratified, "gray", outcome=outcome)["estimand"] == "stratified by site"


@pytest.mark.parametrize("name", COMPETING)
def test_fine_and_gray_is_that_of_crr_and_cox_is_cause_specific(name: str) -> None:
    ours, reference = competing(name, adjust="age")
    for outcome in ("event", "other"):
        same_model(ours, "alone", reference[f"fine_gray_{outcome}"], "subdistribution", outcome)
        same_model(ours, "adjusted", reference[f"fine_gray_adjusted_{outcome}"], "subdistribution", outcome)
        same_model(ours, "alone", reference[f"cox_{outcome}"], "cox", outcome)


def test_fine_and_gray_within_strata_has_the_weights_of_finegray() -> None:
    ours, reference = competing("competing", adjust="age", strata="site")
    theirs = reference["fine_gray_stratified"]
    rows = ours.tables["subdistribution"].query("model == 'adjusted' and outcome == 'event'")
    assert rows["coefficient"].to_list() == near(theirs["coef"])


def test_without_a_competing_event_fine_and_gray_is_cox_and_incidence_is_one_less_survival() -> None:
    d = pd.DataFrame(REFERENCES["competing"]["input"])  # times without ties, so that Breslow is Efron
    event, x = (d["status"] == 1).to_numpy(), d[["age"]].to_numpy(float)
    none = np.zeros(len(d), bool)
    time, o = d["time"].to_numpy(float), np.zeros(len(d), np.int64)
    fit = fine_gray(time, event, none, x, o)
    assert not isinstance(fit, str)
    cox = survival(d.assign(dead=event.astype(int)), time="time", event="dead", value="age")
    assert fit.coefficients[0].value == near(row(cox, "cox")["coefficient"])


def test_the_level_of_grays_test_and_the_cover_of_fine_and_gray() -> None:
    """400 tables of 80 patients under no effect: 5 % of tests and of intervals err; the bar lets chance pass 1e-4."""
    rng, wrong, missed, sets = np.random.default_rng(20261130), 0, 0, 400
    group, o = np.repeat([0, 1], 40), np.zeros(80, np.int64)
    for _ in range(sets):
        t, kind, end = rng.exponential(10.0, 80), rng.random(80) < 0.5, rng.uniform(2.0, 30.0, 80)
        time, seen = np.minimum(t, end), t <= end
        event, other = seen & kind, seen & ~kind
        wrong += gray_test(time, event, other, group, o).p_value < 0.05
        fit = fine_gray(time, event, other, group[:, None].astype(float), o)
        assert not isinstance(fit, str)
        missed += not fit.coefficients[0].low < 0.0 < fit.coefficients[0].high
    from scipy.stats import binom

    low, high = binom.ppf([1e-4, 1 - 1e-4], sets, 0.05)
    assert low <= wrong <= high
    assert low <= missed <= high + 4  # Wald's interval is known to be a little short at 40 per group


def test_competing_events_have_their_own_sentences_and_figure() -> None:
    ours, _ = competing("competing", adjust="age", strata="site")
    text = sentences(ours)
    assert "Gray's test of the cumulative incidence of event, stratified by site" in text
    assert "cause-specific hazard ratio of other" in text
    assert "subdistribution hazard ratio of event" in text
    assert "median" not in text  # 1 - Kaplan-Meier is no share of patients here
    assert len(ours.figure().axes) == 3
    assert "mean survival" not in text


def test_censored_events_that_preclude_are_named() -> None:
    d = pd.DataFrame(REFERENCES["competing"]["input"])
    d["what"] = d["status"].map({0: "alive", 1: "relapse", 2: "Died"})
    n = int((d["status"] == 2).sum())
    found = survival(d, time="time", event="what=relapse", group="grp")
    assert f"{n} patients with 'Died' in column what are censored" in sentences(found)
    assert "competing: what=Died" in sentences(found)
    flags = d.assign(relapse=(d["status"] == 1).astype(int), dead=(d["status"] == 2).astype(int)).drop(columns="what")
    assert f"{n} patients with yes in column dead are censored" in sentences(
        survival(flags, time="time", event="relapse", group="grp")
    )
    both = survival(flags, time="time", event="relapse", competing="dead", group="grp")
    assert "are censored" not in sentences(both)
    assert both.tables["gray"]["chi_square"].to_list() == near(REFERENCES["competing"]["gray"])


def test_late_entry_with_competing_events_has_incidences_and_no_gray() -> None:
    d = pd.DataFrame(REFERENCES["competing"]["input"])
    d["begin"] = np.where(np.arange(len(d)) % 4 == 0, (d["time"] * 0.3).round(3), 0.0)
    d["what"] = d["status"].map({0: "free", 1: "event", 2: "other"})
    found = survival(d, time="time", event="what=event", competing="what=other", group="grp", entry="begin")
    assert set(found.tables["gray"]["verdict"]) == {"not testable"}
    assert found.tables["subdistribution"]["problem"].str.contains("late entry").all()
    assert found.tables["cox"]["hazard_ratio"].notna().all()
    assert found.tables["incidence"]["incidence"].between(0.1, 0.9).all()
    d["begin"] = (d["time"] * 0.3).round(3)  # nobody is followed from time 0
    few = survival(d, time="time", event="what=event", competing="what=other", group="grp", entry="begin")
    assert "at risk at the event at" in sentences(few)


# estimands


def test_curves_and_means_are_standardised_to_strata_as_r_does_it_by_hand() -> None:
    reference = REFERENCES["strata"]
    ours = survival(
        case("strata"), time="months", event="dead", group="drug", control="no", strata="centre",
        until=reference["until"][0],
    )  # fmt: skip
    curves = ours.tables["curves"]
    for group in ("no", "yes"):
        own = curves[curves["group"] == group]
        place = np.searchsorted(own["time"].to_numpy(float), reference["at"], side="right") - 1
        survivals, errors = reference[group]["survival"], reference[group]["error"]
        assert own["survival"].iloc[place].to_list() == near(survivals)
        assert (own["std_error"] * own["survival"]).iloc[place].to_list() == near(errors)
        assert row(ours, "groups", group=group)["mean"] == near(reference[group]["mean"][0])
        assert row(ours, "groups", group=group)["estimand"] == "standardised to centre"
    found = row(ours, "means")
    assert found["difference"] == near(reference["yes"]["mean"][0] - reference["no"]["mean"][0])
    assert row(ours, "logrank", test="log-rank")["chi_square"] == near(reference["logrank"][0])


def test_the_two_estimands_of_the_confounded_trial() -> None:
    """Made-up case strata.csv: 0.520 (0.361 to 0.747) unadjusted, 1.519 stratified by centre; each is named."""
    ours = survival(case("strata"), time="months", event="dead", group="drug", control="no", strata="centre")
    alone, within = (row(ours, "cox", model=model) for model in ("alone", "stratified"))
    assert [round(alone[key], 3) for key in ("hazard_ratio", "low", "high")] == [0.520, 0.361, 0.747]
    assert round(within["hazard_ratio"], 3) == 1.519
    assert [alone["estimand"], within["estimand"]] == ["unadjusted", "stratified by centre"]
    text = sentences(ours)
    assert "(unadjusted): hazard ratio 0.520" in text
    assert "(stratified by centre): hazard ratio 1.52" in text
    assert "the hazard ratio is 0.520 unadjusted and 1.52 stratified by centre" in text
    assert "longer" not in text  # the restricted means are standardised too
    title = ours.figure().axes[0].get_title(loc="left")
    assert "unadjusted" in title
    assert "stratified by centre" in title
    assert "standardised to centre" in ours.figure().axes[0].get_ylabel()


def test_strata_without_both_groups_are_left_out_of_standardised_curves_and_named() -> None:
    d = pd.DataFrame({
        "months": [3.0, 5, 8, 2, 9, 4, 7, 6, 1, 10], "dead": [1, 0, 1, 1, 1, 1, 0, 1, 1, 0],
        "arm": list("abababaabb"), "site": list("xxxxyyyzzz"),
    })  # fmt: skip
    d.loc[d["site"] == "z", "arm"] = "a"
    found = survival(d, time="months", event="dead", group="arm", strata="site")
    assert "strata without all groups of arm (z) are no part of standardised curves" in sentences(found)
    alone = survival(d[d["site"] != "z"], time="months", event="dead", group="arm", strata="site")
    assert found.tables["means"]["difference"].to_list() == near(alone.tables["means"]["difference"].to_list())
    d.loc[d["site"] == "x", "arm"] = "b"
    d.loc[d["site"] == "y", "arm"] = "a"
    apart = survival(d, time="months", event="dead", group="arm", strata="site")
    assert "curves and restricted means are unadjusted" in sentences(apart)
    assert set(apart.tables["groups"]["estimand"]) == {"unadjusted"}


def test_a_searched_cut_takes_the_interval_of_the_c_index_with_it() -> None:
    rng = np.random.default_rng(8)
    d = pd.DataFrame({"months": rng.exponential(10, 60), "dead": 1, "level": rng.normal(size=60)})
    found = survival(d, time="months", event="dead", value="level", cut="optimal")
    [index] = [one for one in found.findings if one.id.startswith("concordance")]
    assert index.verdict == "searched cut"
    assert index.low is None
    assert "the cut was searched for" in index.sentence


def test_a_level_that_is_also_an_adjuster_is_left_out_of_its_own_model() -> None:
    rng = np.random.default_rng(9)
    d = pd.DataFrame({
        "months": rng.exponential(10, 80), "dead": 1, "wbc": rng.lognormal(size=80), "age": rng.normal(60, 9, 80),
        "level": rng.normal(size=80),
    })  # fmt: skip
    found = survival(d, time="months", event="dead", value=["level", "age", "log2(wbc)"], adjust=["age", "wbc"])
    named = found.tables["cox"].query("model == 'adjusted' and role == 'asked'").set_index("value")["estimand"]
    assert named.to_dict() == {
        "level": "adjusted for age, wbc", "age": "adjusted for wbc", "log2(wbc)": "adjusted for age"
    }  # fmt: skip
    assert "age is itself held constant in the adjusted models: its own is adjusted for wbc" in sentences(found)
    alone = survival(d, time="months", event="dead", value="age", adjust="wbc")
    ours = found.tables["cox"].query("model == 'adjusted' and value == 'age' and term == 'age'")["coefficient"].iloc[0]
    assert ours == near(row(alone, "cox", model="adjusted", term="age")["coefficient"])
