"""Mice against laws. Statistical tests have fixed seeds; where they may fail by chance the rate is stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from changed_study import changed

from senexo import workflow
from senexo.assays._dilution.assay import dilution
from senexo.base.errors import InvalidInput
from senexo.engine.branching.counts import follow, keys_of
from senexo.engine.branching.extinction import extinction, mean
from senexo.engine.host.leukaemia import STEM, Treatment, leukaemia
from senexo.lab.experiment import Unit, World
from senexo.lab.lone import hazards
from senexo.lab.mouse import chemotherapy, eradication, mice, secondary
from senexo.lab.mouse.experiment import MouseExperiment
from senexo.lab.mouse.sample import Sample, homed_means, sample
from senexo.lab.registry import experiment_of
from senexo.study import agents
from senexo.study.observables import Observable, Quantity
from senexo.study.read import read_study
from senexo.study.schema import Study

DAY = 24.0
WEEK = 7 * DAY
STUDY: dict[str, Any] = {
    "title": "mice", "seed": 3, "model": {"circuit": "mir34c-rab27b"}, "cells": {"LSC": {"n": 24}},
    "donors": {"n": 2, "draws": "central", "stand_for": "patients"}, "culture": {"duration": "14 d"},
    "arms": {
        "mock": {}, "mimic": {"dose": {"what": "miR-34c-5p", "amount": 30000}}, "arrest": {"express": {"p21": 20}},
    },
    "readouts": {"grid": "2 h"},
    "mouse": {
        "strain": "NSG", "cells": 1e5, "mice": 3, "injected_at": "2 d", "bleeds": ["4 weeks"], "marrow": ["8 weeks"],
        "end": "12 weeks", "draws": {"no_engraftment": 0.0, "lic_frequency": 3e-4},
    },
}  # fmt: skip


def study(**changes: Any) -> Study:
    return changed(STUDY, changes)


@pytest.fixture(scope="module")
def made() -> MouseExperiment:
    experiment = experiment_of(study())
    assert isinstance(experiment, MouseExperiment)
    experiment.compile()
    return experiment


def unit(arm: int, donor: int = 1, world: World = World.STUDY) -> Unit:
    return Unit(arm, donor, f"digest {arm}", 0, world)


def an_own(**values: float) -> Sample:
    """A sample at central values, with some of them changed; its numbers are fixed."""
    return sample(study(mouse__draws={"no_engraftment": 0.0, **values}).mouse, 1, 1)  # type: ignore[arg-type]


def agrees(share: float, p: float, n: int) -> bool:
    """Within 4.5 standard deviations: a false alarm in 7 of 1e6."""
    return bool(abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / n))


# ---- hazards of the circuits -------------------------------------------------------------------------------------


def test_the_table_has_the_fate_shares_of_cells_one_by_one() -> None:
    """400 cells with hazards of their own, constant in time: closed forms of the mixture at every edge."""
    times, rng = np.arange(0.0, 201.0, 1.0), np.random.default_rng(1)
    commit, death = rng.lognormal(-5.0, 1.0, 400), rng.lognormal(-6.5, 0.5, 400)
    integral = [rate[:, None] * times for rate in (commit, death, np.zeros(400))]
    found = hazards.table(times, *integral, np.zeros((400, 201), bool))
    for hour in (24.0, 96.0, 198.0):
        total = commit + death
        growing = np.exp(-total * hour).mean()
        committed = (commit / total * (1.0 - np.exp(-total * hour))).mean()
        by_table = hazards.fates_by(found, hour)
        assert by_table.growing == pytest.approx(growing, rel=2e-3)
        dead_senescent = by_table.growing + by_table.senescent + by_table.dead
        assert dead_senescent == pytest.approx(1.0, abs=1e-9)
        assert by_table.senescent < committed  # senescent cells die too
    rate = hazards.table(times, 0.01 * np.ones((3, 1)) * times, *[np.zeros((3, 201))] * 2, np.zeros((3, 201), bool))
    assert rate.commit == pytest.approx(0.01, rel=1e-9)


def test_hazards_of_a_sample_have_the_fates_that_are_drawn_cell_by_cell() -> None:
    """Ten samples of 60 cells: committed and dead by 10 d within 4 standard deviations of drawn fates (1e-3 in all)."""
    own = study(cells__LSC__n=60, donors__n=10, donors__draws={}, culture__duration="10 d")
    experiment = experiment_of(own)
    assert isinstance(experiment, MouseExperiment)
    experiment.compile()
    simulator, arm = experiment.simulator, own.arms["mimic"]
    for donor in range(1, 11):
        found = hazards.fates_by(hazards.of_cells(simulator, arm, donor, range(1, 61)), 240.0)
        drawn = simulator.grow(arm, donor, range(1, 61))
        for share, happened in (
            (found.dead, ~np.isnan(drawn.time_of("death"))),
            (found.growing, np.isnan(drawn.time_of("death")) & np.isnan(drawn.time_of("commitment"))),
        ):
            spread = np.sqrt(max(share * (1 - share), 1 / 60) / 60)
            assert abs(happened.mean() - share) < 4.0 * spread, donor


def test_treatment_adds_nothing_to_the_hazards_of_untreated_cells(made: MouseExperiment) -> None:
    table = hazards.of_cells(made.simulator, made.study.arms["mock"], 1, range(1, 25))
    none = hazards.excess(table, table)
    assert none.commit.max() == none.death.max() == 0.0
    assert (none.cycling == 1.0).all()


# ---- injection ---------------------------------------------------------------------------------------------------


def test_homing_is_counted_once() -> None:
    """A frequency found by assay holds seeding and chance extinction; both are divided out once and happen once."""
    own = an_own(lic_frequency=1e-5, seeding=0.06, growth=0.058, resting=0.5)
    p = own.rates.renewal
    lost = ((1 - p) / p) ** 2
    assert own.stem_share == pytest.approx(1e-5 / 0.06 / (1 - lost), rel=1e-9)
    means = homed_means(own, 1e6, 1.0, 0.0, 0.0)
    assert means[: len(STEM)].sum() * (1 - lost) == pytest.approx(10.0, rel=1e-9)
    assert means.sum() == pytest.approx(1e6 * 0.06, rel=1e-9)


def test_injected_stem_cells_that_home_are_poisson() -> None:
    """4,000 mice: mean and variance within 4.5 standard errors (1e-5)."""
    own = an_own(lic_frequency=1e-5, seeding=0.06)
    means = homed_means(own, 1e6, 0.7, 0.2, 0.1)
    still = leukaemia(own.rates, Treatment(np.array([0.0, 1.0])))
    grown = mice.transplanted(still, means, own, np.array([1e-9]), seed=5, unit=unit(0), mice=4_000)
    homed = grown.homed[:, : len(STEM)]
    for kind, expected in enumerate(means[: len(STEM)]):
        values = homed[:, kind]
        assert abs(values.mean() - expected) < 4.5 * np.sqrt(expected / 4_000)
        assert abs(values.var() - expected) < 4.5 * expected * np.sqrt((2 + 1 / expected) / 4_000)


def test_a_plate_of_primary_mice_has_the_frequency_of_the_assay_and_is_single_hit() -> None:
    """Engraftment against dose: the frequency that was put in lies in the 99.9 % range; slope 1 is not rejected at
    0.001.

    Read where the stem cells of lines that last are counted: 40 mice at each of 5 doses, 16 weeks.
    """
    own = an_own(lic_frequency=1e-5, growth=0.058, resting=0.5, wake=0.05)
    process = eradication.stem_cells_alone(
        leukaemia(own.rates, Treatment(np.array([0.0, 16 * WEEK]))), np.zeros(own.rates.transits + 7)
    )
    rows = []
    for number, dose in enumerate((1e4, 3e4, 1e5, 2e5, 4e5)):
        means = homed_means(own, dose, 1.0, 0.0, 0.0)[: len(STEM)]
        rng = np.random.default_rng(number)
        starts = rng.poisson(means, (40, len(STEM)))
        left = follow(process, starts, [16 * WEEK], keys=keys_of(number, range(40), "plate")).cells[:, 0].sum(axis=1)
        rows.append((dose, 40, int((left > 0).sum())))
    result = dilution(pd.DataFrame(rows, columns=["dose", "tested", "response"]))
    found = result.tables["frequencies"].iloc[0]
    z = abs(np.log(found["frequency"] * 1e5)) / (np.log(found["frequency_high"] / found["frequency"]) / 1.96)
    assert z < 3.3
    assert result.tables["single_hit"]["p_value"].min() > 1e-3


def test_two_hits_break_the_slope_of_one() -> None:
    """Where two stem cells are needed the slope is above 1 (p below 1e-3): a plate that would pass shows no single
    hit."""
    rng, f = np.random.default_rng(2), 1e-5
    rows = [(dose, 60, int((rng.poisson(f * dose, 60) >= 2).sum())) for dose in (3e4, 1e5, 2e5, 4e5)]
    shape = dilution(pd.DataFrame(rows, columns=["dose", "tested", "response"])).tables["single_hit"]
    assert shape["slope"].iloc[0] > 1.3
    assert shape["p_value"].min() < 1e-3


# ---- growth, read-outs, death --------------------------------------------------------------------------------------


def test_death_is_the_first_event_of_its_hazard() -> None:
    own = an_own()
    times = np.arange(0.0, 200.0)
    full = np.full(200, own.values["capacity"] * own.values["death_burden"])
    rate = 0.5 * own.values["death_hazard"] / DAY  # half of the hazard at this burden
    assert mice.death(times, full, own, 40.0 * rate) == pytest.approx(40.0, rel=1e-9)
    assert mice.death(times, full, own, 1e9) == np.inf
    assert mice.death(times, 0 * full, own, 1e-12) == np.inf


def test_a_mouse_counts_as_at_its_death() -> None:
    cells = np.arange(8).reshape(2, 4, 1)
    kept = mice.until_death(cells, np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.5, np.inf]))
    assert kept[:, :, 0].tolist() == [[0, 1, 1, 1], [4, 5, 6, 7]]


def test_an_untreated_graft_dies_out_as_often_as_its_branching_process() -> None:
    """600 mice with blasts and room, few stem cells each (4.5 SD, 7e-6): not never, and not more often."""
    own = an_own(lic_frequency=1e-4, growth=0.058, resting=0.5)
    process = leukaemia(own.rates, Treatment(np.array([0.0, 12 * WEEK])), capacity=own.values["capacity"])
    means = homed_means(own, 1e4, 1.0, 0.0, 0.0)
    grown = mice.transplanted(process, means, own, np.array([8.0, 12.0]) * WEEK, seed=4, unit=unit(0), mice=600)
    alone = eradication.stem_cells_alone(process, means)
    expected = eradication.no_stem_cell(alone, means, [8 * WEEK, 12 * WEEK])
    assert 0.05 < expected[1] < 0.5
    for column in (0, 1):
        assert agrees((grown.stem[:, column].sum(axis=1) == 0).mean(), expected[column], 600)


def test_splitting_agrees_with_the_branching_value_of_a_rare_eradication() -> None:
    own = an_own(lic_frequency=1e-4, growth=0.058, resting=0.5)
    kill = Treatment(np.array([0.0, 5.0, 40.0]) * DAY, kill=np.array([0.03, 0.0]), resting_share=0.3)
    means = homed_means(own, 2e5, 1.0, 0.0, 0.0)
    rounded = np.zeros_like(means)
    rounded[: len(STEM)] = np.rint(means[: len(STEM)])
    alone = eradication.stem_cells_alone(leukaemia(own.rates, kill), means)
    cells, expected, _, low, high = eradication.by_splitting(alone, means, 40.0 * DAY, seed=2)
    exact = extinction(alone, rounded[: len(STEM)], 40.0 * DAY)
    assert (cells, expected) == (rounded.sum(), pytest.approx(exact, rel=1e-9))
    assert 1e-8 < exact < 1e-3
    assert low / 1.5 < exact < high * 1.5  # an interval of 95 %, with room for its chance


# ---- secondary mice ------------------------------------------------------------------------------------------------


def test_a_dose_is_drawn_from_the_pool_without_replacement() -> None:
    """Exact: all types together are the dose, and the last cells of a pool are all there is; means are
    hypergeometric."""
    pool, rng = np.array([3, 0, 97, 900]), np.random.default_rng(0)
    drawn = np.array([secondary.drawn_from(pool, 100, rng) for _ in range(4_000)])
    assert (drawn.sum(axis=1) == 100).all()
    assert (drawn <= pool).all()
    expected = 100 * pool / 1000
    spread = np.sqrt(100 * pool / 1000 * (1 - pool / 1000) * 900 / 999 / 4_000)
    assert (np.abs(drawn.mean(axis=0) - expected) <= 4.5 * spread).all()
    assert (secondary.drawn_from(pool, 1000, rng) == pool).all()
    assert secondary.drawn_from(np.array([10, 0, 2_000_000_000]), 1_000, rng).sum() == 1_000


def test_every_dose_of_the_ladder_is_counted_while_cells_last() -> None:
    own = an_own(growth=0.058)
    plan = study(secondary={"cells": [1000, 10_000, 100_000], "mice": 2, "read": "4 weeks"}).secondary
    assert plan is not None
    types = own.rates.transits + 7
    pool = np.zeros(types, np.int64)
    pool[-2] = 22_500  # mature blasts: enough for two mice of the first two doses, and for none of the last
    plate = secondary.transplanted(pool, own, plan, escape=0.0, seed=1, unit=unit(0))
    assert plate.tolist() == [[1000, 2, 0], [10_000, 2, 0], [100_000, 0, 0]]


def test_the_frequency_in_secondary_mice_is_that_of_the_marrow_times_homing_and_establishment() -> None:
    """M2: a pool with 1 stem cell in 2,000 read in 5 doses x 12 mice; 99.9 % range of the estimate, threshold 1 cell in
    1e6.

    Secondary mice are read late (26 weeks), so that every line that lasts is above the threshold.
    """
    own = an_own(growth=0.1, resting=0.5, wake=0.05)
    p = own.rates.renewal
    expected = 1 / 2_000 * own.values["seeding"] * (1 - ((1 - p) / p) ** 2)
    pool = np.zeros(own.rates.transits + 7, np.int64)
    pool[0], pool[1], pool[-2] = 25_000, 25_000, 99_950_000
    doses = [5_000, 15_000, 40_000, 100_000, 200_000]
    plan = study(secondary={"cells": doses, "mice": 12, "read": "26 weeks", "threshold": 1e-6}).secondary
    assert plan is not None
    plate = secondary.transplanted(pool, own, plan, escape=0.0, seed=3, unit=unit(0))
    result = dilution(pd.DataFrame(plate, columns=["dose", "tested", "response"]))
    found = result.tables["frequencies"].iloc[0]
    z = abs(np.log(found["frequency"] / expected)) / (np.log(found["frequency_high"] / found["frequency"]) / 1.96)
    assert z < 3.3
    assert result.tables["single_hit"]["p_value"].min() > 1e-3


# ---- the experiment --------------------------------------------------------------------------------------------------


def test_a_unit_has_one_set_of_numbers_in_whatever_order_units_come(made: MouseExperiment) -> None:
    units = made.units()
    first = {one.chunk: made.simulate_unit(one) for one in units}
    again = made.of_study(made.study)
    for one in reversed(units):
        for name, values in again.simulate_unit(one).items():
            assert np.array_equal(values, first[one.chunk][name], equal_nan=True), (one.chunk, name)


def test_an_arrest_that_is_permanent_leaves_nothing_that_grows(made: MouseExperiment) -> None:
    """The positive control: cells with ectopic p21 do not divide. Without clearance they are not gone either."""
    mock, _, arrest = (made.simulate_unit(one) for one in made.units()[:3])
    assert arrest["marrow"][:, -1].max() < 1e-3 * mock["marrow"][:, -1].min()
    assert (arrest["stem"][:, -1].sum(axis=1) > 0).all()
    assert arrest["gone"][-1] < mock["gone"][-1]


def test_the_effect_vanishes_with_the_edges_of_the_circuit() -> None:
    """The null: with all targets of miR-34c-5p cut a treated cell has the hazards of an untreated one, to rounding."""
    claim = {
        "id": "C6", "holds_when": "engrafted(mock, 12 weeks) - engrafted(mimic, 12 weeks) > 10 %",
        "null": {"cut": ["miR-34c-5p -| *"]},
    }  # fmt: skip
    experiment = experiment_of(study(claim=claim))
    assert isinstance(experiment, MouseExperiment)
    experiment.compile()
    own, null = (experiment.simulate_unit(unit(1, world=world)) for world in (World.STUDY, World.NULL))
    assert own["commit"][0] > 1e-3
    assert null["commit"][0] < 1e-9
    assert experiment.lacks(Quantity.SENESCENCE) is not None
    for quantity in (
        Quantity.ENGRAFTED,
        Quantity.HUMAN,
        Quantity.STEM_CELLS,
        Quantity.NO_STEM_CELLS,
        Quantity.SURVIVING,
    ):
        value = experiment.value(Observable(quantity, "mimic", 12 * WEEK), unit(1), own)
        assert np.isfinite(value)


@pytest.mark.parametrize("name", ["c06-engraftment", "c07-eradication"])
def test_the_null_of_a_shipped_claim_takes_its_effect_away(name: str) -> None:
    """Six draws, of which some show an effect; with the edges cut none has more commitment than an untreated cell."""
    own = read_study(name, set=["donors.n=6", "cells.LSC.n=4", "mouse.mice=1", "mouse.splitting=0"])
    experiment = experiment_of(own)
    assert isinstance(experiment, MouseExperiment)
    experiment.compile()
    units = [one for one in experiment.units() if list(own.arms)[one.arm] == "mimic"]
    shown, cut = (
        [experiment.simulate_unit(replace(one, world=world))["commit"][0] for one in units]
        for world in (World.STUDY, World.NULL)
    )
    assert max(shown) > 1e-3
    assert max(cut) < 1e-9


def test_a_matched_control_gets_as_many_living_cells() -> None:
    own = study(
        arms={**STUDY["arms"], "matched": {}}, mouse__viability_matched={"matched": "mimic"},
        donors__draws={"kapo": 0.05}, culture__duration="4 d", mouse__end="1 d", mouse__marrow=[], mouse__bleeds=[],
    )  # fmt: skip
    experiment = experiment_of(own)
    assert isinstance(experiment, MouseExperiment)
    experiment.compile()
    mock, mimic, _, matched = (experiment.simulate_unit(one)["injected"][0] for one in experiment.units()[:4])
    assert matched == mimic < mock


def with_chemotherapy(**draws: float) -> MouseExperiment:
    raw = {name: value for name, value in STUDY["mouse"].items() if name != "injected_at"}
    mouse = {
        **raw, "treated_from": "28 d", "end": "16 weeks", "chemotherapy": {"mimic": "5+3"},
        "draws": {**raw["draws"], "cytarabine_kill_resting": 0.05, **draws},
    }  # fmt: skip
    experiment = experiment_of(study(mouse=mouse, arms={"mock": {}, "mimic": {}}))
    assert isinstance(experiment, MouseExperiment)
    experiment.compile()
    return experiment


def test_the_hazard_of_chemotherapy_is_that_of_the_concentrations() -> None:
    """Cells that are killed: the integral of kill_max C / (ec50 + C) in closed form, one compartment and one agent.

    With C = C0 e^(-k t) it is kill_max / k ln((ec50 + C0) / (ec50 + C(T))).
    """
    values = {f"{agent}_{name}": one.value for agent in ("cytarabine", "doxorubicin")
              for name, one in agents.of(agent, "mouse").items()}  # type: ignore[arg-type]  # fmt: skip
    values |= {"doxorubicin_kill_max": 1e-12}
    k = np.log(2.0) / values["cytarabine_half_life"]
    volume = values["cytarabine_clearance"] * 0.02 / k
    first = 50.0 * 0.02 / volume / values["cytarabine_molar_mass"] * 1e3
    concentration = lambda t: first * np.exp(-k * t)  # noqa: E731
    edges = np.array([-24.0, 0.0, 6.0, 12.0])
    found = chemotherapy.kill("5+3", values, edges)
    ec50, top = values["cytarabine_kill_ec50"], values["cytarabine_kill_max"] / DAY
    killed = [top / k * np.log((ec50 + concentration(a)) / (ec50 + concentration(b))) for a, b in ((0, 6), (6, 12))]
    assert found[0] == 0.0
    np.testing.assert_allclose(found[1:] * 6.0, killed, rtol=1e-3)
    assert chemotherapy.edges("5+3", values)[-1] > 4 * DAY


def test_chemotherapy_lowers_a_graft_and_cures_none_unless_rest_spares_no_stem_cell() -> None:
    """M4; taking away the rest of stem cells takes the claim away."""
    spared, met = (
        with_chemotherapy(),
        with_chemotherapy(cytarabine_kill_resting=1.0, cytarabine_kill_max=3.0, doxorubicin_kill_max=3.0),
    )
    untreated, treated = (spared.simulate_unit(unit(arm)) for arm in (0, 1))
    week = np.searchsorted(spared.times_h, 6 * WEEK)
    assert treated["marrow"][:, week].mean() < 0.5 * untreated["marrow"][:, week].mean()
    assert (treated["stem"][:, -1].sum(axis=1) > 0).all()
    assert treated["gone"][-1] < 1e-3
    assert met.simulate_unit(unit(1))["gone"][-1] > 100.0 * treated["gone"][-1]
    np.testing.assert_array_equal(met.simulate_unit(unit(0))["marrow"], untreated["marrow"])


def test_chemotherapy_needs_mice_that_are_treated() -> None:
    with pytest.raises(InvalidInput, match="chemotherapy: found ex vivo treatment, expected mice that are treated"):
        study(mouse__chemotherapy={"mimic": "5+3"})
    with pytest.raises(InvalidInput, match=r"mouse\.chemotherapy"):
        study(mouse__chemotherapy={"nobody": "5+3"})
    with pytest.raises(InvalidInput, match=r'found "7\+3", expected'):
        study(mouse__chemotherapy={"mimic": "7+3"})


def test_deaths_of_mice_of_several_samples_are_read_by_survival(tmp_path: Path) -> None:
    """Mice are numbered in each sample; the assay gets a name for each."""
    own = study(
        assays=[{"name": "survival", "control": "mock"}],
        mouse__draws={"no_engraftment": 0.0, "lic_frequency": 1e-3, "death_burden": 0.1},
    )
    found = workflow.run(own, out=tmp_path / "out")
    assert found.table("mice")["dead"].sum() >= 5
    assert not [finding["sentence"] for finding in found.findings if "cannot read" in finding["sentence"]]


def test_treatment_of_the_mouse_begins_when_it_is_given() -> None:
    """Before `treated_from` an arm is an untreated one; its clock of the circuits begins there."""
    raw = {name: value for name, value in STUDY["mouse"].items() if name != "injected_at"}
    own = study(mouse={**raw, "treated_from": "28 d"})
    experiment = experiment_of(own)
    assert isinstance(experiment, MouseExperiment)
    added = hazards.CellHazards(
        np.array([0.0, 24.0, 48.0]), np.array([0.01, 0.02]), np.array([0.0, 0.0]), np.array([2e-4, 2e-4]),
        np.array([0.5, 0.25]),
    )  # fmt: skip
    acts = experiment._treatment(added, an_own())
    assert acts.edges.tolist() == [0.0, 28 * DAY, 29 * DAY, 30 * DAY, 84 * DAY]
    assert acts.commit.tolist() == [0.0, 0.01, 0.02, 0.02]
    assert acts.cycling.tolist() == [1.0, 0.5, 0.25, 0.25]


def test_mice_run_from_file_to_report_and_their_digest_does_not_depend_on_workers(tmp_path: Path) -> None:
    own = study(
        secondary={"cells": [1e3, 1e4, 1e5], "mice": 2, "read": "6 weeks", "arms": ["mock", "mimic"]},
        assays=[{"name": "survival"}, {"name": "dilution"}],
    )  # fmt: skip
    one, two = (workflow.run(own, out=tmp_path / f"{n}", workers=n) for n in (1, 2))
    assert one.digest == two.digest
    tables: Mapping[str, pd.DataFrame] = {
        name: one.table(name) for name in ("mice", "growth", "grafts", "secondary", "eradication", "parameters")
    }
    assert len(tables["mice"]) == 3 * 2 * 3
    assert set(tables["growth"]["time_h"]) == {4 * WEEK, 8 * WEEK, 12 * WEEK}
    assert (tables["eradication"]["low"] <= tables["eradication"]["share"]).all()
    assert "mouse seeding" in set(tables["parameters"]["name"])
    page = (one.folder / "report.html").read_text(encoding="utf-8")
    assert "never thinned" in page
    assert tables["secondary"]["tested"].max() == 2


def test_the_twin_of_a_whole_mouse_has_the_means_of_many_mice() -> None:
    """Independent of room: 400 mice of few stem cells each against the twin, 4.5 standard errors (7e-6)."""
    own = an_own(lic_frequency=1e-4, growth=0.058)
    process = leukaemia(own.rates, Treatment(np.array([0.0, 4 * WEEK])))
    means = homed_means(own, 1e5, 1.0, 0.0, 0.0)
    grown = mice.transplanted(process, means, own, np.array([4 * WEEK]), seed=6, unit=unit(0), mice=400)
    total = grown.cells[:, 0].sum(axis=1)
    twin = mean(process, means, [4 * WEEK])[0].sum()
    assert abs(total.mean() - twin) < 4.5 * total.std() / 20 + 2e-3 * twin


# ---- targets ---------------------------------------------------------------------------------------------------------


def test_burden_after_eight_weeks_is_that_of_the_61_samples_of_ailles() -> None:
    """M1, predicted: 1e7 cells into NOD/SCID, untreated, 122 samples; 13.3 % within 3 standard errors of 61 of them.

    And the human cells for each initiating cell: the middle half of samples with more than 0.1 % meets 7.5e5 to 4.8e7.
    """
    own = study(mouse={**STUDY["mouse"], "strain": "NOD/SCID", "cells": 1e7, "draws": {}}).mouse
    assert own is not None
    share, per_cell = np.empty(122), np.empty(122)
    for donor in range(1, 123):
        here = sample(own, 11, donor)
        process = leukaemia(here.rates, Treatment(np.array([0.0, 8 * WEEK])), capacity=here.values["capacity"])
        means = homed_means(here, 1e7, 1.0, 0.0, 0.0)
        grown = mice.transplanted(process, means, here, np.array([8 * WEEK]), seed=11, unit=unit(0, donor), mice=1)
        share[donor - 1] = grown.marrow[0, -1] / here.values["capacity"]
        per_cell[donor - 1] = grown.marrow[0, -1] / (1e7 * here.values["lic_frequency"])
    assert abs(share.mean() - 0.133) < 3.0 * share.std() / np.sqrt(61)
    low, high = np.quantile(per_cell[share > 1e-3], [0.25, 0.75])
    assert 7.5e5 < low < high < 4.8e7
