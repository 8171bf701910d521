"""Survival against R (survival, maxstat) to 1e-6 relative, against lifelines, and invariance to names.

References and how they were made: references/survival.R, references/survival.json.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t, ttest_ind

from senexo.assays._survival.assay import SurvivalResult, survival
from senexo.assays._survival.example import example
from senexo.assays._survival.spec import SPEC
from senexo.assays.stats.cox import cox
from senexo.assays.stats.cox_likelihood import Partial, concordance
from senexo.assays.stats.cutpoint import log_rank_scores, searched
from senexo.assays.stats.kaplan_meier import log_rank
from senexo.assays.stats.multiple_testing import benjamini_hochberg, holm
from senexo.base.errors import UnsupportedFeature
from verify._calibration import covers, keeps_level
from verify.assay_survival import group_level, hazard_ratio, mean_gap, median, search_level

REFERENCES: dict[str, Any] = json.loads((Path(__file__).parent / "references" / "survival.json").read_text())
CASES = [name for name, case in REFERENCES.items() if "alone" in case]
GROUPED = [name for name in CASES if "curves" in REFERENCES[name]]
MODELS = [(name, model) for name in CASES for model in ("alone", "adjusted") if model in REFERENCES[name]]
CONTROLS = {"veteran": "squamous"}


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-12, nan_ok=True)


def numbers(values: list[Any]) -> np.ndarray:
    """R's NA as nan."""
    return np.array([math.nan if value is None else value for value in values], dtype=float)


def found(name: str, *, strata: bool = True) -> tuple[SurvivalResult, dict[str, Any]]:
    case = REFERENCES[name]
    [asked] = case["group"]
    question = {"group": asked, "control": CONTROLS.get(name)} if name in GROUPED else {"value": asked}
    return survival(
        pd.DataFrame(case["input"]), time=case["time"][0], event=case["event"][0], adjust=case["adjust"] or (),
        strata=(case["strata"] or ()) if strata else (), **question,
    ), case  # fmt: skip


@pytest.mark.parametrize("name", GROUPED)
def test_curves_medians_and_restricted_means_are_those_of_survfit(name: str) -> None:
    ours, case = found(name, strata=False)  # with strata they are standardised: test_survival_designs.py
    theirs = pd.DataFrame({key: case["curves"][key] for key in case["curves"]})
    mine = ours.tables["curves"].assign(order=lambda t: pd.Categorical(t["group"], theirs["group"].unique()))
    mine = mine.sort_values(["order", "time"]).reset_index(drop=True)
    assert mine["group"].to_list() == theirs["group"].to_list()
    for column in ("time", "n_at_risk", "n_events", "n_censored", "survival"):
        assert mine[column].to_list() == near(theirs[column].to_list()), column
    alive = (theirs["survival"] > 0).to_numpy()  # where all have died R prints an infinite error or none
    for column in ("std_error", "low", "high"):
        assert mine.loc[alive, column].to_list() == near(theirs.loc[alive, column].astype(float).to_list()), column
    rows = ours.tables["groups"].set_index("group").loc[case["groups"]["group"]]
    for column in ("n", "n_events", "mean"):
        assert rows[column].to_list() == near(case["groups"][column]), column
    for column in ("median", "median_low", "median_high", "follow_up"):
        theirs_median = np.nan_to_num(numbers(case["groups"][column]), nan=math.inf)
        assert rows[column].to_list() == near(theirs_median.tolist()), column
    welch = t.ppf(0.975, rows["n"] - 1) * np.sqrt(rows["n"] / (rows["n"] - 1))
    error = (rows["mean_high"] - rows["mean"]) / welch
    inside = (rows["mean_high"] < rows["until"]).to_numpy()
    assert error[inside].to_list() == near(numbers(case["groups"]["mean_se"])[inside].tolist())
    assert rows["until"].to_list() == near(case["groups"]["until"] * len(rows))
    columns = (case["groups"]["mean"], case["groups"]["mean_se"], rows["n"])
    means = dict(zip(case["groups"]["group"], zip(*columns, strict=True), strict=True))
    for row in ours.tables["means"].to_dict("records"):
        (mean, se, n), (other, other_se, m) = means[row["group"]], means[row["control"]]
        a, b = se**2 * n / (n - 1), other_se**2 * m / (m - 1)
        half = t.ppf(0.975, (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1))) * math.sqrt(a + b)
        assert [row["difference"], row["low"], row["high"]] == near(
            [mean - other, mean - other - half, mean - other + half]
        )


@pytest.mark.parametrize("name", GROUPED)
def test_log_rank_and_peto_are_those_of_survdiff(name: str) -> None:
    ours, case = found(name)
    rows = ours.tables["logrank"].set_index("test")
    for test, key in (("log-rank", "logrank"), ("Peto-Peto", "peto")):
        assert rows.loc[test, "chi_square"] == near(case[key]["chisq"][0])
        assert rows.loc[test, "degrees_of_freedom"] == case[key]["df"][0]
    expected = ours.tables["groups"].set_index("group").loc[case["groups"]["group"], "n_expected"]
    assert expected.to_list() == near(case["logrank"]["expected"])


def plain(term: str, case: dict[str, Any]) -> str:
    """The level, or the number, that a coefficient of R is of."""
    for name in (*case["group"], *(case["adjust"] or [])):
        if term.startswith(name) and term != name:
            return term.removeprefix(name)
    return term


@pytest.mark.parametrize(
    ("name", "model"), [(name, m) for name in CASES for m in ("alone", "adjusted") if m in REFERENCES[name]]
)
def test_cox_concordance_and_proportional_hazards_are_those_of_r(name: str, model: str) -> None:
    ours, case = found(name)
    theirs = case[model]
    model = "stratified" if model == "alone" and case["strata"] else model
    rows = ours.tables["cox"][ours.tables["cox"]["model"] == model]
    level = [str(term).split(" against ")[0].split(": ")[-1] for term in rows["term"]]
    mine = rows.set_axis(pd.Index([word if word else term for word, term in zip(level, rows["term"], strict=True)]))
    names = [plain(term, case) for term in theirs["terms"]]
    if name in GROUPED and names[0] == case["group"][0]:  # a group coded as a number
        names[0] = str(mine.index[0])
    mine = mine.loc[names]
    assert mine["coefficient"].to_list() == pytest.approx(theirs["coef"], rel=1e-6, abs=1e-9)
    assert mine["std_error"].to_list() == near(theirs["se"])
    assert mine["p_value"].to_list() == pytest.approx(theirs["p"], rel=1e-6)
    z = 1.959963984540054
    ends = np.exp(np.array(theirs["coef"]) + z * np.array(theirs["se"]))
    assert mine["high"].to_list() == near(ends.tolist())
    assert mine["n"].unique().tolist() == theirs["n"]
    [fit] = ours.tables["models"].query("model == @model").to_dict("records")
    assert [fit["null_log_likelihood"], fit["log_likelihood"]] == near(theirs["loglik"])
    assert [fit["concordance"], fit["concordance_error"]] == near(
        [theirs["concordance"][0], theirs["concordance_se"][0]]
    )
    checks = ours.tables["proportional"].query("model == @model").set_index("term").rename(index={"all": "GLOBAL"})
    checks = checks.loc[theirs["zph_terms"]]
    assert checks["chi_square"].to_list() == pytest.approx(theirs["zph"], rel=1e-6, abs=1e-9)
    assert checks["degrees_of_freedom"].to_list() == theirs["zph_df"]


@pytest.mark.parametrize("name", ["cut_untied", "cut_tied"])
def test_searched_cuts_are_those_of_maxstat(name: str) -> None:
    """Statistic and cut to 1e-6; the p-value within three standard errors of 10,000 against a million shuffles."""
    case = REFERENCES[name]
    x, time = (np.array(case["input"][key], dtype=float) for key in ("x", "time"))
    event = np.array(case["input"]["event"], dtype=bool)
    ours = searched(x, time, event)
    assert not isinstance(ours, str)
    assert ours.statistic == near(case["statistic"][0])
    assert ours.at == case["cut"][0]
    p = case["p_permutation"][0]
    assert abs(ours.p_value - p) < 3 * math.sqrt(p * (1 - p) / 10_000)
    if "score" in case["input"]:
        assert log_rank_scores(time, event).tolist() == near(case["input"]["score"])


def test_a_searched_cut_counts_the_search_and_nothing_else_has_a_p() -> None:
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"t": rng.exponential(1.0, 60), "e": 1, "x": rng.normal(size=60), "age": rng.normal(size=60)})
    result = survival(table, time="t", event="e", value="x", cut="optimal", adjust="age")
    cut = result.tables["cuts"].iloc[0]
    naive = survival(table, time="t", event="e", value="x", cut=cut["cut"]).tables["logrank"].iloc[0]
    row = result.tables["logrank"].iloc[0]
    assert row["p_value"] == cut["p_value"] > 2 * naive["p_value"]
    asked = result.tables["cox"].query("role == 'asked'")
    assert asked["p_value"].isna().all()
    assert set(asked["verdict"]) == {"searched cut"}
    assert result.tables["means"]["p_value"].isna().all()
    assert "the search for the cut counted" in result.sentence


@pytest.mark.parametrize("name", ["firth_one", "firth_two"])
def test_separated_groups_get_firths_estimate(name: str) -> None:
    """Against the same penalised likelihood maximised in R."""
    case = REFERENCES[name]
    d = pd.DataFrame(case["input"])
    adjust = case["names"][1:]
    result = survival(
        d.assign(arm=d["arm"].map({0: "a", 1: "b"})), time="time", event="event", group="arm", adjust=adjust
    )
    rows = result.tables["cox"].query("model == @model", local_dict={"model": "adjusted" if adjust else "alone"})
    assert set(rows["method"]) == {"Firth"}
    for column, key, tolerance in (("coefficient", "coef", 1e-6), ("std_error", "se", 1e-6), ("p_value", "p", 1e-6)):
        assert rows[column].to_list() == pytest.approx(case[key], rel=tolerance), column
    assert np.log(rows["low"]).to_list() == pytest.approx(case["low"], rel=1e-6)
    assert np.log(rows["high"]).to_list() == pytest.approx(case["high"], rel=1e-6)
    assert "Firth's method" in result.sentence


def test_corrections_are_those_of_p_adjust() -> None:
    case = REFERENCES["p_adjust"]
    assert holm(case["p"]).tolist() == near(case["holm"])
    assert benjamini_hochberg(np.array(case["p"])).tolist() == near(case["bh"])


def test_separation_is_found_in_a_direction_that_no_single_covariate_shows() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 2))
    event = np.ones(40, dtype=bool)
    none = np.zeros(40, dtype=np.int64)
    order = np.argsort(-(x[:, 0] + 0.7 * x[:, 1]))
    time = np.empty(40)
    time[order] = np.arange(1.0, 41.0)
    assert Partial(time, event, x, none).separated()
    assert not any(Partial(time, event, x[:, [k]], none).separated() for k in (0, 1))
    swapped = time.copy()
    swapped[order[[0, 30]]] = swapped[order[[30, 0]]]
    assert not Partial(swapped, event, x, none).separated()


def test_lifelines_says_the_same() -> None:
    """Of what lifelines has: log-rank without strata, concordance without its error, Cox as far as it iterates."""
    from lifelines import CoxPHFitter
    from lifelines.statistics import multivariate_logrank_test
    from lifelines.utils import concordance_index

    rng = np.random.default_rng(11)
    time, event = rng.integers(1, 15, 80).astype(float), rng.random(80) < 0.7
    group, linear, none = rng.integers(0, 3, 80), rng.integers(0, 9, 80) / 3.0, np.zeros(80, np.int64)
    theirs = multivariate_logrank_test(time, group, event)
    assert log_rank(time, event, group, none).chi_square == pytest.approx(theirs.test_statistic, rel=1e-9)
    assert concordance(time, event, linear, none)[0] == pytest.approx(
        concordance_index(time, -linear, event), rel=1e-12
    )
    table = pd.DataFrame({"t": time, "e": event, "x": linear, "age": rng.normal(size=80), "s": group})
    fit = cox(time, event, table[["x", "age"]].to_numpy(), group, [[0], [1]])
    precise = {"precision": 1e-12, "max_steps": 500}
    fitter = CoxPHFitter().fit(table, "t", "e", strata=["s"], fit_options=precise)
    assert not isinstance(fit, str)
    mine = [estimate.value for estimate in fit.coefficients]
    assert mine == pytest.approx(fitter.params_[["x", "age"]].to_list(), rel=1e-5)
    assert fit.std_errors.tolist() == pytest.approx(fitter.standard_errors_[["x", "age"]].to_list(), rel=1e-6)


def test_restricted_means_without_censoring_are_compared_as_welch_does() -> None:
    """Against scipy's t test of min(time, until)."""
    rng = np.random.default_rng(13)
    table = pd.DataFrame({"t": rng.exponential(np.repeat([1.0, 2.5], [9, 14])), "e": 1, "g": ["a"] * 9 + ["b"] * 14})
    row = survival(table, time="t", event="e", group="g", until=1.5).tables["means"].iloc[0]
    times = table["t"].clip(upper=1.5)
    theirs = ttest_ind(times[table["g"] == "b"], times[table["g"] == "a"], equal_var=False)
    ends = theirs.confidence_interval(0.95)
    assert [row["p_value"], row["low"], row["high"]] == near([theirs.pvalue, ends.low, ends.high])


def test_other_ways_to_treat_ties_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedFeature, match="ties = 'exact' is not supported"):
        survival(example(), time="os_months", event="dead", group="arm", ties="exact")


def test_the_event_can_be_named_by_its_value() -> None:
    table = example().assign(status=lambda t: t["dead"].map({0: "alive", 1: "dead of disease"}))
    by_name = survival(table, time="os_months", event="status=dead of disease", group="arm")
    assert by_name.sentence == survival(table, time="os_months", event="dead", group="arm").sentence


def test_what_is_not_measured_gets_no_p_value() -> None:
    result = survival(
        example(), time="os_months", event="dead", value="log2(miR-34c-5p + 1)", cut="median", adjust=["age"]
    )
    tested = [f for f in result.findings if f.id.split(":")[0] in ("logrank", "hazard_ratio", "mean_difference")]
    assert len(tested) == 4
    assert {f.verdict for f in tested} == {"below detection: not testable"}
    assert all(f.p_value is None and f.estimate is None for f in tested)
    assert result.tables["cox"].query("role == 'asked'")["hazard_ratio"].notna().all()  # set apart, in the table only
    told = survival(example(), time="os_months", event="dead", value="miR-34c-5p", kind="other")
    assert not any(f.verdict.startswith("below") for f in told.findings)


def test_several_levels_are_corrected_together() -> None:
    rng = np.random.default_rng(1)
    table = example().assign(**{f"x{i}": rng.normal(size=60) for i in range(12)})
    names = ["log2(miR-34a-5p + 1)", "miR-34c-5p", *(f"x{i}" for i in range(12))]
    for cut in (None, "median"):
        result = survival(table, time="os_months", event="dead", value=names, cut=cut)
        rows = result.tables["cox"]
        assert rows["p_value"].notna().sum() == 13
        assert rows["p_holm"].to_list() == near(holm(rows["p_value"].to_list()).tolist())
        assert rows["p_bh"].to_list() == near(benjamini_hochberg(rows["p_value"].to_numpy()).tolist())
        assert result.findings[0].id == "screen"
        assert "1 of 14 is below detection" in result.sentence
        result.figure()


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(30)), st.sampled_from([("a", "b"), ("z", "y"), ("10", "9")]), st.floats(0.01, 100.0))
def test_order_names_and_unit_of_time_do_not_matter(order: list[int], names: tuple[str, str], scale: float) -> None:
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"t": rng.integers(1, 12, 30) / 2.0, "e": rng.integers(0, 2, 30), "g": rng.integers(0, 2, 30)})
    first = survival(table.assign(g=table["g"].map({0: "a", 1: "b"})), time="t", event="e", group="g", control="a")
    other = table.iloc[list(order)].reset_index(drop=True)
    other = other.assign(t=other["t"] * scale, g=other["g"].map(dict(enumerate(names))))
    again = survival(other, time="t", event="e", group="g", control=names[0])
    for name, column in (
        ("logrank", "chi_square"),
        ("cox", "hazard_ratio"),
        ("cox", "high"),
        ("models", "concordance"),
    ):
        assert again.tables[name][column].to_list() == pytest.approx(first.tables[name][column].to_list(), rel=1e-7)
    gaps = [result.tables["means"]["difference"].iloc[0] for result in (first, again)]
    assert gaps[1] == pytest.approx(gaps[0] * scale, rel=1e-9, abs=1e-9)


def test_figures_and_json_of_every_kind() -> None:
    options = {"time": "os_months", "event": "dead"}
    for asked in (
        {},
        {"group": "arm", "strata": "arm2"},
        {"value": "age"},
        {"value": ["age", "miR-34a-5p"]},
        {"value": "age", "cut": 58},
    ):
        table = example().assign(arm2=example()["patient"].str[-1])
        result = survival(table, **options, **asked)
        assert {finding.assay for finding in result.findings} == {"survival"}
        assert json.loads(result.to_json())["settings"]["n_events"] == 42
        result.figure()
    assert survival(example(), **options).tables["groups"]["group"].to_list() == ["all"]
    assert survival(example(), **SPEC.example).settings["unit"] == "months"


@pytest.mark.parametrize("check", [
    lambda: covers("Cox hazard ratio, 2 x 30", math.log(2.0), hazard_ratio, 150),
    lambda: covers("median survival, 40 patients", math.log(2.0), median, 150),
    lambda: covers("restricted mean difference, 2 x 40", 0.0, mean_gap, 150),
    lambda: keeps_level("log-rank, 2 x 30", group_level, 150),
    lambda: keeps_level("searched cut, 40 patients", search_level, 60),
])  # fmt: skip
def test_intervals_and_tests_on_simulated_tables(check: Any) -> None:
    """The short form of `verify/assay_survival.py`: fixed seeds, three standard errors (a false alarm in 1,000)."""
    found = check()
    assert found.passed, found


def test_a_model_that_cannot_be_fitted_says_why() -> None:
    time, event, none = np.arange(1.0, 9.0), np.ones(8, dtype=bool), np.zeros(8, np.int64)
    x = np.column_stack([time % 3, time % 3 * 2.0])
    assert cox(time, event, x, none, [[0], [1]]) == "covariates that say the same, or too few events"
    assert cox(time, ~event, x[:, :1], none, [[0]]) == "no event"
    assert cox(time, event, np.ones((8, 1)), none, [[0]]) == "a covariate is the same in all patients"
    apart = (time > 4).astype(float)[:, None]  # every patient alone in a stratum
    assert cox(time, event, apart, np.arange(8), [[0]]) == "patients at risk together do not differ"
