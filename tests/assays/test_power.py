"""Power by simulation against the noncentral t; its output, and refused requests."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from senexo.assays import power
from senexo.assays._power.curve import Tries, fitted, needed, solved
from senexo.assays._power.simulators import SIMULATORS
from senexo.assays.specs import example
from senexo.base.errors import InvalidInput

ARMS = {"arm": "mimic", "control": "scrambled"}


def t_power(n: int, mean: float, sd: float) -> float:
    """Power of the paired t-test: the noncentral t distribution."""
    df, shift = n - 1, mean / sd * math.sqrt(n)
    cut = stats.t.ppf(0.975, df)
    return float(stats.nct.sf(cut, df, shift) + stats.nct.cdf(-cut, df, shift))


def t_power_groups(n: int, mean: float, sd: float) -> float:
    """Power of the t-test of two groups of n with one SD."""
    df, shift = 2 * n - 2, mean / sd * math.sqrt(n / 2)
    cut = stats.t.ppf(0.975, df)
    return float(stats.nct.sf(cut, df, shift) + stats.nct.cdf(-cut, df, shift))


def within(share: float, truth: float, sets: int, errors: float = 3.3) -> bool:
    """False alarms: 1 in 1,000."""
    return abs(share - truth) < errors * math.sqrt(truth * (1.0 - truth) / sets) + 1e-9


def test_paired_folds_have_the_power_of_the_t_test() -> None:
    """SD of a donor's ddCt: its own fold, and the wells of target and reference in both arms."""
    given = {"sd": 0.6, "technical_sd": 0.3, "wells": 2}
    table = power(assay="qpcr", effect=2.0, n=5, sets=120, given=given).table
    sd = math.sqrt(0.6**2 + 4 * 0.3**2 / 2)
    for row in table.itertuples():
        assert within(row.power, t_power(row.n, 1.0, sd), 120)
        assert row.low < row.power < row.high


def test_unpaired_folds_have_the_power_of_the_t_test() -> None:
    given = {"sd": 0.0, "donor_sd": 1.0, "technical_sd": 0.3, "wells": 2}
    table = power(assay="qpcr", effect=3.0, n=9, sets=120, given=given, design="unpaired").table
    sd = math.sqrt(1.0 + 2 * 0.3**2 / 2)
    assert within(table["power"].iloc[0], t_power_groups(9, math.log2(3.0), sd), 120)


def test_shares_have_the_power_of_the_t_test() -> None:
    """Mean and SD of a donor's difference by quadrature over its level and effect, and binomial counting."""
    given = {"share": 0.2, "sd": 0.4, "donor_sd": 0.3, "cells": 150}
    x, w = np.polynomial.hermite_e.hermegauss(40)
    level, own = np.meshgrid(0.3 * x, 0.4 * x)
    weight = np.outer(w, w) / w.sum() ** 2

    def expit(z: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-z))

    treated, control = expit(math.log(0.32 / 0.68) + level + own), expit(math.log(0.2 / 0.8) + level)
    mean = float((weight * (treated - control)).sum())
    between = float((weight * (treated - control) ** 2).sum()) - mean**2
    counting = float((weight * (treated * (1 - treated) + control * (1 - control))).sum()) / 150
    table = power(assay="senescence", effect=0.12, n=7, sets=100, given=given).table
    for row in table.itertuples():
        assert within(row.power, t_power(row.n, mean, math.sqrt(between + counting)), 100)


def test_rates_have_the_power_of_the_t_test() -> None:
    given = {"sd": 0.25, "reading_sd": 0.15, "readings": 3, "blank": 0.0}
    table = power(assay="particles", effect=0.6, n=5, sets=60, given=given).table
    sd = math.sqrt(0.25**2 + 2 * 0.15**2 / 3)
    assert within(table["power"].iloc[0], t_power(5, -math.log(0.6), sd), 60)


def test_an_rna_among_many_has_the_power_of_the_normal_test() -> None:
    """100 RNAs of one variance: the moderated t-test knows it."""
    table = power(
        assay="expression", effect=2.5, n=5, sets=40, given={"sd": 0.7, "prior_df": 1000.0, "rnas": 100}
    ).table
    shift = math.log2(2.5) / (0.7 * math.sqrt(2.0 / 5))
    assert within(table["power"].iloc[0], float(stats.norm.sf(1.96 - shift)), 40)


def test_plates_have_the_power_that_their_information_gives() -> None:
    doses = 100.0 * 5.0 ** np.arange(4)
    hits = [doses * frequency for frequency in (0.2 / 1000.0, 1.0 / 1000.0)]
    variance = sum(1.0 / float(np.sum(6 * x**2 / np.expm1(x))) for x in hits)
    table = power(assay="dilution", effect=0.2, n=6, sets=100).table
    assert within(table["power"].iloc[0], float(stats.norm.sf(1.96 - math.log(5.0) / math.sqrt(variance))), 100)


def test_hazards_have_the_power_of_schoenfelds_formula() -> None:
    """z = |log HR| sqrt(events p (1 - p)); the formula is for small effects, so three points are its own error."""
    given = {"median": 12.0, "follow_up": 24.0, "accrual": 0.0}
    share = power(assay="survival", effect=0.5, n=60, sets=80, given=given).table["power"].iloc[0]
    events = 60 * np.mean([-math.expm1(-math.log(2.0) / 12.0 * hazard * 24.0) for hazard in (1.0, 0.5)])
    truth = float(stats.norm.sf(1.96 - math.log(2.0) * math.sqrt(events) / 2.0))
    assert abs(share - truth) < 0.03 + 3.3 * math.sqrt(truth * (1.0 - truth) / 80)


def test_without_variability_beyond_it_the_level_is_kept() -> None:
    """An effect of nearly nothing is found as often as alpha says."""
    table = power(assay="qpcr", effect=1.0001, n=6, sets=100, alpha=0.1).table
    assert within(table["power"].iloc[0], 0.1, 100)


@pytest.mark.parametrize(
    ("name", "design"),
    [
        (name, design)
        for name, one in SIMULATORS.items() if one.test is not None
        for design in (("paired", "unpaired") if one.designs else ("paired",))
    ],
)  # fmt: skip
def test_a_direct_p_value_is_that_of_the_assay(name: str, design: str) -> None:
    """On 12 tables of few units, with and without an effect; one without an event among them shows nothing."""
    simulator, rng = SIMULATORS[name], np.random.default_rng(7)
    assert simulator.test is not None
    numbers = {one.name: one.value for one in simulator.assumptions}
    for n in (simulator.smallest, 2 * simulator.smallest + 1, 3 * simulator.smallest):
        for effect in (simulator.none, simulator.none, 0.2, 0.4):
            table = simulator.draw(rng, n, effect, numbers, design == "paired")
            by_assay = simulator.by_assay(table, numbers, design)
            assert simulator.test(table, design) == pytest.approx(by_assay, rel=1e-12, nan_ok=True)
    if "event" in table:
        assert math.isnan(simulator.test(table.assign(event=0), design))
        assert math.isnan(simulator.by_assay(table.assign(event=0), numbers, design))


def test_the_number_needed_is_that_of_the_formula() -> None:
    sd, mean = 1.0, 0.9
    tries = Tries(lambda rng, n: float(stats.ttest_1samp(rng.normal(mean, sd, n), 0.0).pvalue), 1, 0.05)
    found = needed(tries, 0.8, 3, 1000, 400)
    truth = next(n for n in range(3, 100) if t_power(n, mean, sd) >= 0.8)
    assert found is not None
    assert abs(found - truth) <= 2
    assert tries.run(found, 400) >= 0.8
    assert abs(solved(tries, 0.8) - truth) <= 2
    a, b = fitted(tries)
    assert b > 0.0 > a


def test_an_effect_that_is_too_small_is_not_reached() -> None:
    tries = Tries(lambda rng, n: float(rng.random()), 1, 0.05)
    assert needed(tries, 0.8, 3, 50, 40) is None


def test_the_same_seed_gives_the_same_and_sets_only_add() -> None:
    first, again = (power(assay="qpcr", effect=2.0, n=4, sets=30).to_json() for _ in range(2))
    assert first == again
    other = power(assay="qpcr", effect=2.0, n=4, sets=30, seed=2).table
    assert other["sets"].iloc[0] == 30
    tries = Tries(lambda rng, n: float(rng.random()), 1, 0.05)
    tries.run(5, 20)
    kept = list(tries.p_values[5])
    tries.run(7, 20)
    tries.run(5, 40)
    assert tries.p_values[5][:20] == kept


def test_what_is_told() -> None:
    result = power(assay="qpcr", effect=4.0, sets=40, given={"sd": 0.4})
    found, n = result.findings[0], result.settings["n"]
    assert (found.id, found.unit, found.estimate, found.verdict) == ("n:qpcr", "donors", float(n), "estimated")
    assert f"{n} donors give " in found.sentence
    assert "Monte-Carlo interval" in found.sentence
    row = result.table.set_index("n").loc[n]
    assert row["power"] >= 0.8
    assert row["sets"] == 40
    assert result.tables["assumptions"].set_index("name")["source"].to_dict()["sd"] == "given"
    json.loads(result.to_json(), parse_constant=lambda word: pytest.fail(word))
    axes = result.figure().axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("donors", "power (%)")


@pytest.mark.parametrize(("n", "effect", "verdict"), [(3, 1.2, "not enough"), (8, 8.0, "enough")])
def test_numbers_that_are_given_are_judged(n: int, effect: float, verdict: str) -> None:
    found = power(assay="qpcr", effect=effect, n=n, sets=60).findings[0]
    assert found.verdict == verdict
    assert found.sentence.endswith(f"{verdict} for 80 %.")


def test_a_pilot_of_counts_gives_level_and_spread() -> None:
    rng = np.random.default_rng(3)
    level, own = rng.normal(0.0, 0.5, 200), rng.normal(0.0, 0.4, 200)
    rows = []
    for donor in range(200):
        for arm, odds in (("mock", -2.0 + level[donor]), ("mimic", -0.5 + level[donor] + own[donor])):
            rows.append((arm, str(donor), int(rng.binomial(300, 1 / (1 + math.exp(-odds)))), 300))
    table = pd.DataFrame(rows, columns=["arm", "donor", "n_positive", "n_total"])
    result = power(table, assay="senescence", effect=0.1, n=4, sets=20, pilot={"arm": "mimic", "control": "mock"})
    found = result.tables["assumptions"].set_index("name")
    assert set(found["source"]) == {"pilot"}
    assert found.loc["sd", "value"] == pytest.approx(0.4, abs=0.08)
    assert found.loc["donor_sd", "value"] == pytest.approx(0.5, abs=0.08)
    assert found.loc["cells", "value"] == 300
    assert found.loc["share", "value"] == pytest.approx(0.13, abs=0.02)
    assert "comes from 200 donors of the pilot" in result.notes[0]


def test_a_pilot_of_cycles_gives_spreads_and_wells() -> None:
    roles = {"arm": "mimic", "control": "mock", "target": "miR-34c-5p", "reference": ["U6", "RNU48"]}
    result = power(example("qpcr")[0], assay="qpcr", effect=4.0, n=4, sets=20, pilot=roles)
    found = result.tables["assumptions"].set_index("name")["value"]
    assert found["wells"] == 2
    assert 0.1 < found["technical_sd"] < 0.35
    assert 34.0 < found["ct"] < 37.0


def test_a_pilot_of_readings_gives_spreads_and_blank() -> None:
    roles = {"arm": "GW4869", "control": "control", "blank": "medium"}
    result = power(example("particles")[0], assay="particles", effect=0.6, n=4, sets=20, pilot=roles)
    found = result.tables["assumptions"].set_index("name")["value"]
    assert (found["readings"], found["blanks"]) == (2, 4)
    assert 0.05 < found["reading_sd"] < 0.2
    assert 0.1 < found["blank"] < 0.3


def test_a_pilot_plate_gives_frequency_and_doses() -> None:
    rows = [(100.0 * 4**k, 200, round(200 * (1 - math.exp(-100.0 * 4**k / 800)))) for k in range(3)]
    table = pd.DataFrame(rows, columns=["cells", "mice", "grew"])
    roles = {"dose": "cells", "tested": "mice", "response": "grew"}
    result = power(table, assay="dilution", effect=0.2, n=4, sets=20, pilot=roles)
    found = result.tables["assumptions"].set_index("name")["value"]
    assert found["one_in"] == pytest.approx(800, rel=0.02)
    assert found[["dose", "step", "doses"]].to_list() == pytest.approx([100, 4, 3])


def test_a_pilot_of_patients_gives_their_median() -> None:
    rng = np.random.default_rng(5)
    times = rng.exponential(20.0, 400)
    table = pd.DataFrame({"os": np.minimum(times, 30.0), "dead": (times <= 30.0).astype(int)})
    roles = {"time": "os", "event": "dead"}
    result = power(table, assay="survival", effect=0.5, n=40, sets=20, pilot=roles)
    assert result.settings["given"]["median"] == pytest.approx(20.0 * math.log(2.0), rel=0.15)
    assert "events of 400 patients of the pilot" in result.notes[0]
    with pytest.raises(InvalidInput, match="column dead: found no event"):
        power(table.assign(dead=0), assay="survival", effect=0.5, pilot=roles)


def test_a_pilot_of_intensities_gives_the_prior_of_variances() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(9.0, 1.5, 300) + rng.normal(0.0, 0.5, (12, 300))
    table = pd.DataFrame(values, columns=[f"RNA {i}" for i in range(300)]).assign(cell=["LSC"] * 6 + ["HSC"] * 6)
    result = power(table, assay="expression", effect=2.0, n=3, sets=20, pilot={"group": "cell", "control": "HSC"})
    found = result.tables["assumptions"].set_index("name")["value"]
    assert found["sd"] == pytest.approx(0.5, abs=0.03)
    assert found["rnas"] == 300


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"assay": "western"}, "assay: found 'western', expected one of "),
        ({"effect": 1.0}, "effect: found 1, expected a fold change between 0.0001 and 10000, not 1"),
        ({"effect": -2.0}, "effect: found -2"),
        ({"effect": math.nan}, "effect: found nan"),
        ({"n": 2}, "n: found 2, expected a whole number from 3 to 2000"),
        ({"n": [5, 10**6]}, "n: found 1000000"),
        ({"n": 4.5}, "n: found 4.5"),
        ({"power": 1.0}, "power: found 1, expected a number above 0.05 and below 1"),
        ({"alpha": 0.0}, "alpha: found 0"),
        ({"sets": 5}, "sets: found 5, expected a whole number from 20"),
        ({"design": "crossed"}, "design: found 'crossed', expected qpcr has paired or unpaired"),
        ({"given": {"foo": 1.0}}, "given, foo: found 1, expected one of sd, donor_sd, technical_sd, wells, ct, cutoff"),
        ({"given": {"sd": -1.0}}, "given, sd: found -1, expected a number from 0 to 10"),
        ({"given": {"wells": 1.5}}, "given, wells: found 1.5, expected a whole number"),
        ({"control": "mock"}, "control: found 'mock', expected a pilot table to find it in"),
    ],
)
def test_wrong_requests(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        power(**{"assay": "qpcr", "effect": 2.0, **options})
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "arm: found nothing, expected a pilot of senescence needs it"),
        ({"pilot": ARMS | {"target": "x"}}, "target: found 'x', expected only arm, control"),
        ({"pilot": ARMS | {"control": "mok"}}, "found 'mok', expected an arm or family of the table"),
        ({"pilot": ARMS, "effect": 0.97}, "expected a difference that leaves a share"),
    ],
)
def test_wrong_pilots(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        power(example("power")[0], **{"assay": "senescence", "effect": 0.1, **options})
    assert expected in str(caught.value)


def test_a_wrong_table_is_refused_as_the_assay_refuses_it() -> None:
    table = example("power")[0].assign(n_positive=900)
    with pytest.raises(InvalidInput, match="row 2, column n_positive: found 900 of 200 cells"):
        power(table, assay="senescence", effect=0.1, pilot=ARMS)
