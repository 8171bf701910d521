"""`senexo.simulate`: names and units of its results, and refused requests."""

from __future__ import annotations

import hashlib
import json
from math import exp, inf, nan, sqrt
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import senexo
from senexo.base.errors import InvalidInput, InvalidModel, SenexoError, SimulationError, UnsupportedFeature
from senexo.model.expression import Call, Number, Symbol
from senexo.model.loading import Model
from senexo.model.network import (
    Compartment,
    InitialAssignment,
    KineticLaw,
    Network,
    Parameter,
    Reaction,
    Rule,
    Species,
    SpeciesReference,
)
from verify._problems import model

TIMES = [0.0, 0.5, 1.0, 4.0]

CELL = """model cell()
  unit hour = 3600 second; unit time_unit = hour; unit pmol = 1e-12 mole; unit substance = pmol
  unit volume = 1e-15 litre; unit per_hour = 1/hour
  compartment c = 2; species A in c = 10, B in c = 0; substanceOnly species S in c = 7; species $F in c = 3
  A is "messenger"
  k = 0.5 per_hour; total := A + B; tide = 1; tide' = -tide
  turn: A -> B; k*A*c
end
"""


@pytest.fixture(scope="module")
def cell() -> Model:
    """A (20 molecules in a size of 2) becomes B at rate 0.5 per hour."""
    return model(CELL)


@pytest.fixture(scope="module")
def births() -> Model:
    """Immigration at 10 and death at 1 per time; with k = 0 nothing dies."""
    return model("model b()\nsubstanceOnly species X = 0; k = 1; => X; 10; X => ; k*X\nend\n")


# ---- what comes back


def test_names_dimensions_and_coordinates(cell: Model) -> None:
    found = senexo.simulate(cell, TIMES)
    assert dict(found.sizes) == {"run": 1, "time": 4}
    assert all(variable.dims == ("run", "time") for variable in found.data_vars.values())
    assert {*found.data_vars} == {"A", "B", "S", "F", "total", "tide", "turn"}
    assert {*found.coords} == {"run", "time", "c", "k"}
    assert found["time"].values.tolist() == TIMES
    assert (float(found["c"]), float(found["k"])) == (2.0, 0.5)


def test_species_are_amounts_unless_asked_otherwise(cell: Model) -> None:
    found = senexo.simulate(cell, TIMES)
    np.testing.assert_allclose(found["A"][0], 20.0 * np.exp(-0.5 * np.array(TIMES)), rtol=1e-6)
    assert np.all(found["S"] == 7.0)
    assert np.all(found["F"] == 6.0)
    np.testing.assert_allclose(found["total"][0], 10.0, rtol=1e-12)  # in a formula A is a concentration
    np.testing.assert_allclose(found["tide"][0], np.exp(-np.array(TIMES)), rtol=1e-6)


def test_concentrations_are_amounts_by_size(cell: Model) -> None:
    amounts, found = senexo.simulate(cell, TIMES), senexo.simulate(cell, TIMES, quantity="concentration")
    for id in ("A", "B", "S", "F"):
        assert np.array_equal(found[id], amounts[id] / 2.0)
        assert found[id].attrs["quantity"] == "concentration"
        assert amounts[id].attrs["quantity"] == "amount"
    assert np.array_equal(found["total"], amounts["total"])


def test_concentrations_follow_a_growing_size() -> None:
    growing = model("model g()\ncompartment v = 1; species A in v = 8; v' = 1\nend\n")
    found = senexo.simulate(growing, TIMES, quantity="concentration")
    np.testing.assert_allclose(found["v"][0], 1.0 + np.array(TIMES), rtol=1e-9)
    np.testing.assert_allclose(found["A"][0], 8.0 / (1.0 + np.array(TIMES)), rtol=1e-9)


def test_units_stand_with_every_quantity(cell: Model) -> None:
    found = senexo.simulate(cell, TIMES)
    units = {name: found[name].attrs["units"] for name in ("A", "S", "c", "k", "time", "tide")}
    assert units == {
        "A": "1e-12 mole", "S": "1e-12 mole", "c": "1e-15 litre", "k": "0.000277778 second^-1", "time": "3600 second",
        "tide": "",
    }  # fmt: skip
    assert senexo.simulate(cell, [0.0], quantity="concentration")["A"].attrs["units"] == "(1e-12 mole)/(1e-15 litre)"
    assert found["A"].attrs["long_name"] == "messenger"
    assert found["A"].attrs["kind"] == "species"
    assert found["tide"].attrs["kind"] == "parameter"


def test_attributes_say_how_it_came_about(cell: Model, tmp_path: Path) -> None:
    found = senexo.simulate(cell, TIMES, seed=3, rtol=1e-7, atol=1e-9, parameters={"k": 1}).attrs
    assert found == {
        "senexo_version": senexo.__version__,
        "model": "cell",
        "model_digest": hashlib.sha256(CELL.encode()).hexdigest(),
        "method": "ode",
        "quantity": "amount",
        "parameters": '{"k": 1.0}',
        "seed": 3,
        "rtol": 1e-7,
        "atol": 1e-9,
        "status": "complete",
    }
    stochastic = senexo.simulate(cell, TIMES, method="ssa", seed=3, quantity="concentration").attrs
    assert (stochastic["method"], stochastic["quantity"], stochastic["seed"]) == ("ssa", "concentration", 3)
    assert "rtol" not in stochastic
    path = tmp_path / "kept.zarr"
    senexo.simulate(cell, TIMES).to_zarr(path, consolidated=False)  # what is in there can be written
    assert json.loads(found["parameters"]) == {"k": 1.0}


def test_ids_that_are_names_of_dimensions_keep_their_name() -> None:
    network = Network("m", parameters=(Parameter("run", 2.0, constant=False), Parameter("time", 3.0)))
    found = senexo.simulate(network, [0.0, 1.0])
    assert found["run"].dims == ("run_", "time_")
    assert found["run"].values.tolist() == [[2.0, 2.0]]
    assert float(found["time"]) == 3.0
    assert found["time_"].values.tolist() == [0.0, 1.0]
    assert found["run_"].values.tolist() == [0]


UNSET = {
    "compartment": ("compartment c; species S in c = 1; S => ; S;", r'compartment c has no size: .*parameters=\{"c": '),
    "species": ("compartment c = 1; species S in c; S => ; S;", r"species S has no initial amount or concentration"),
    "parameter": ("species S = 1; S => ; k*S;", r"parameter k has no value"),
    "rate rule": ("x' = 1;", r"parameter x has no value"),
}  # fmt: skip


@pytest.mark.parametrize("method", ["ode", "ssa"])
@pytest.mark.parametrize("name", UNSET)
def test_what_has_no_value_is_named(name: str, method: str, tmp_path: Path) -> None:
    text, message = UNSET[name]
    path = tmp_path / "m.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    model = senexo.load(path)
    assert "; without a value: " in repr(model)
    with pytest.raises(InvalidModel, match=message):
        senexo.simulate(model, [0.0, 1.0], method=method)
    given = dict.fromkeys(model.unset, 1.0)
    assert np.all(np.isfinite(senexo.simulate(model, [0.0, 1.0], method=method, parameters=given).to_dataframe()))


def test_an_unused_quantity_without_a_value_is_a_caution() -> None:
    network = Network("m", parameters=(Parameter("k", None), Parameter("x", 1.0, constant=False)))
    cautions = senexo.simulate(network, [0.0, 1.0]).attrs["cautions"]
    assert cautions == "parameter k has no value and is nan (nothing reads it)"


def test_what_the_model_lets_change_is_a_variable_even_if_nothing_changes_it() -> None:
    part = SpeciesReference("A", 2.0, "n", constant=False)
    fixed = SpeciesReference("A", 3.0, "m")
    network = Network(
        "m",
        compartments=(Compartment("c", 1.0, constant=False), Compartment("d", 1.0)),
        species=(Species("A", "c", initial_amount=1.0),),
        parameters=(Parameter("p", 1.0, constant=False), Parameter("q", 1.0)),
        reactions=(Reaction("r", (part,), (fixed,), kinetic_law=KineticLaw(Number(0.0), (Parameter("local", 1.0),))),),
    )
    found = senexo.simulate(network, [0.0, 1.0])
    assert {*found.data_vars} == {"A", "c", "p", "n", "r"}
    assert {*found.coords} == {"run", "time", "d", "q", "m"}
    assert found["n"].attrs == {"kind": "species reference", "units": "1"}


def test_a_network_can_stand_for_a_model(cell: Model) -> None:
    assert np.array_equal(senexo.simulate(cell.network, TIMES)["A"], senexo.simulate(cell, TIMES)["A"])


def test_a_shipped_circuit_runs_by_name() -> None:
    found = senexo.simulate(senexo.load("mir34c-rab27b"), [0.0, 24.0, 168.0])
    assert found.sizes["time"] == 3
    assert all(np.all(np.isfinite(variable)) for variable in found.data_vars.values())


# ---- times


@pytest.mark.parametrize("method", ["ode", "ssa"])
def test_a_later_start_only_leaves_out_what_came_before(cell: Model, method: str) -> None:
    whole = senexo.simulate(cell, [0.0, 1.0, 2.0, 3.0], method=method, seed=5)
    late = senexo.simulate(cell, [2.0, 3.0], method=method, seed=5)
    for id in ("A", "B", "total"):
        np.testing.assert_allclose(late[id], whole[id][:, 2:], rtol=1e-6 if method == "ode" else 0.0)


@pytest.mark.parametrize("method", ["ode", "ssa"])
def test_one_time_and_equal_times(cell: Model, method: str) -> None:
    assert senexo.simulate(cell, [0.0], method=method)["A"].values.tolist() == [[20.0]]
    twice = senexo.simulate(cell, [2.0, 2.0], method=method)["A"].values[0]
    assert twice[0] == twice[1] < 20.0
    assert senexo.simulate(cell, np.arange(3), method=method).sizes["time"] == 3


# ---- runs, seed, threads


def test_deterministic_runs_are_one_run_repeated(cell: Model) -> None:
    found = senexo.simulate(cell, TIMES, runs=3)
    assert found["run"].values.tolist() == [0, 1, 2]
    assert np.array_equal(found["A"][0], found["A"][2])
    assert np.array_equal(found["A"][0], senexo.simulate(cell, TIMES, seed=99)["A"][0])


def test_the_seed_gives_the_same_integers_for_any_number_of_threads(births: Model) -> None:
    grid = np.linspace(0.0, 5.0, 11)
    found = [
        senexo.simulate(births, grid, method="ssa", runs=101, seed=7, threads=threads)["X"].values
        for threads in (1, 2, 3, 7, None)
    ]
    assert all(np.array_equal(values, found[0]) for values in found)
    assert np.array_equal(found[0], np.floor(found[0]))
    other = senexo.simulate(births, grid, method="ssa", runs=101, seed=8)["X"].values
    assert not np.array_equal(other, found[0])
    assert len({row.tobytes() for row in found[0]}) > 95


def test_a_run_is_the_same_among_few_and_many(births: Model) -> None:
    few = senexo.simulate(births, TIMES, method="ssa", runs=3, seed=7)["X"].values
    many = senexo.simulate(births, TIMES, method="ssa", runs=50, seed=7)["X"].values
    assert np.array_equal(few, many[:3])


def test_stochastic_runs_have_the_mean_and_variance_of_the_law(births: Model) -> None:
    """Poisson with mean 10 (1 - e^-t) at every time; 5 sd of either moment are left by 1e-6 of seeds."""
    n = 4000
    found = senexo.simulate(births, [0.5, 2.0], method="ssa", runs=n, seed=1)["X"].values
    for column, time in zip(found.T, (0.5, 2.0), strict=True):
        mean = 10.0 * (1.0 - exp(-time))
        assert abs(column.mean() - mean) < 5.0 * sqrt(mean / n)
        assert abs(column.var(ddof=1) - mean) < 5.0 * sqrt((mean + 2.0 * mean**2) / n)


def test_seeds_of_128_bits_and_numpy_integers(births: Model) -> None:
    large = senexo.simulate(births, TIMES, method="ssa", seed=2**128 - 1)["X"].values
    assert not np.array_equal(large, senexo.simulate(births, TIMES, method="ssa", seed=0)["X"].values)
    five = senexo.simulate(births, TIMES, method="ssa", seed=np.int64(5), runs=np.int64(2))
    assert np.array_equal(five["X"], senexo.simulate(births, TIMES, method="ssa", seed=5, runs=2)["X"])


def test_the_lot_between_equal_events_is_the_run_s_own() -> None:
    """Two events of equal priority of which the first to execute stops the other: 200 runs, half and half.

    Binomial(200, 1/2) stays within 100 +- 36 (5 sd) but for 2e-7 of seeds.
    """
    race = model(
        "model r()\nx = 0\nat time >= 1 && x == 0, priority=1, persistent=false: x = 1\n"
        "at time >= 1 && x == 0, priority=1, persistent=false: x = 2\nend\n"
    )
    found = senexo.simulate(race, [0.0, 2.0], runs=200, seed=3)["x"].values[:, 1]
    assert {*found} == {1.0, 2.0}
    assert abs(np.sum(found == 1.0) - 100) <= 36
    assert np.array_equal(found, senexo.simulate(race, [0.0, 2.0], runs=200, seed=3)["x"].values[:, 1])
    assert not np.array_equal(found, senexo.simulate(race, [0.0, 2.0], runs=200, seed=4)["x"].values[:, 1])


# ---- parameters


def test_parameters_of_every_sort_can_be_set(cell: Model) -> None:
    times = np.array(TIMES)
    found = senexo.simulate(cell, TIMES, parameters={"k": 2.0})
    np.testing.assert_allclose(found["A"][0], 20.0 * np.exp(-2.0 * times), rtol=1e-6, atol=1e-6)
    assert float(found["k"]) == 2.0
    assert senexo.simulate(cell, [0.0], parameters={"A": 5.0})["A"].item() == 5.0  # an amount
    bigger = senexo.simulate(cell, TIMES, parameters={"c": 4.0})
    assert bigger["A"][0, 0] == 40.0  # the model tells a concentration
    np.testing.assert_allclose(bigger["A"][0], 40.0 * np.exp(-0.5 * times), rtol=1e-6)
    assert senexo.simulate(cell, [0.0], parameters={"tide": np.float32(3)})["tide"].item() == 3.0
    assert float(senexo.simulate(cell, [0.0])["k"]) == 0.5


def test_local_parameters_can_be_set_by_reaction_and_name() -> None:
    law = KineticLaw(Call("times", (Symbol("k"), Symbol("A"))), (Parameter("k", 1.0),))
    network = Network(
        "m",
        compartments=(Compartment("c", 1.0),),
        species=(Species("A", "c", initial_amount=1.0),),
        reactions=(Reaction("r", (SpeciesReference("A"),), kinetic_law=law),),
    )
    assert senexo.simulate(network, [1.0])["A"].item() == pytest.approx(exp(-1.0), rel=1e-6)
    assert senexo.simulate(network, [1.0], parameters={"r.k": 3.0})["A"].item() == pytest.approx(exp(-3.0), rel=1e-6)


def test_parameters_count_in_stochastic_runs_too(births: Model) -> None:
    found = senexo.simulate(births, [0.0, 3.0], method="ssa", runs=200, seed=1, parameters={"k": 0.0, "X": 1000})
    assert np.all(found["X"][:, 0] == 1000.0)
    assert abs(float(found["X"][:, 1].mean()) - 1030.0) < 5.0 * sqrt(30.0 / 200)


# ---- tolerances


def test_tighter_tolerances_come_closer(cell: Model) -> None:
    exact = 20.0 * np.exp(-0.5 * np.linspace(0.0, 20.0, 41))

    def error(rtol: float) -> float:
        found = senexo.simulate(cell, np.linspace(0.0, 20.0, 41), rtol=rtol)["A"].values[0]
        return float(np.max(np.abs(found / exact - 1.0)))

    assert error(1e-4) < 1e-2
    assert error(1e-10) < 1e-7
    assert error(1e-10) < 1e-2 * error(1e-4)


# ---- what cannot be asked


def faults(model: Model, times: object = (0.0, 1.0), **request: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        senexo.simulate(model, times, **request)  # type: ignore[arg-type]
    assert str(caught.value).count("\n") == len(caught.value.faults) - 1
    return {fault.where: f"{fault.found}; {fault.expected}" for fault in caught.value.faults}


def test_all_faults_of_a_request_are_told_at_once(cell: Model) -> None:
    found = faults(
        cell,
        [2.0, 1.0],
        method="tau",
        quantity="moles",
        runs=0,
        seed=-1,
        threads=0,
        rtol=0.0,
        atol=nan,
        parameters={"kk": 1.0, "A": "much", "total": 2.0, "tide": inf},
    )
    assert found == {
        "method": "'tau'; 'ode' or 'ssa'",
        "quantity": "'moles'; 'amount' or 'concentration'",
        "parameters, kk": "no such parameter, compartment, species or stoichiometry; one of k",
        "parameters, A": "'much'; a finite number",
        "parameters, total": "an id that a rule computes; an id that is not",
        "parameters, tide": "inf; a finite number",
        "runs": "0; a whole number, 1 or more",
        "seed": "-1; a whole number from 0 to 2^128 - 1",
        "threads": "0; a whole number, 1 or more",
        "rtol": "0.0; a number above 0",
        "atol": "nan; a number above 0",
        "times": "2 to 1; finite times in ascending order, 0 or later",
    }


@pytest.mark.parametrize(
    "times", [[], [-1.0, 1.0], [0.0, nan], [0.0, inf], [1.0, 0.5], [[0.0, 1.0]], ["soon"], None, [0.0, 1.0 + 1j]]
)
def test_times_that_cannot_be(cell: Model, times: object) -> None:
    assert [*faults(cell, times)] == ["times"]


@pytest.mark.parametrize(
    "request_",
    [
        {"runs": 1.5}, {"runs": True}, {"runs": "3"}, {"seed": 2**128}, {"seed": 1.5}, {"seed": None},
        {"threads": -1}, {"threads": 1.5}, {"rtol": -1.0}, {"rtol": inf}, {"rtol": "small"}, {"atol": 0.0},
        {"parameters": [("k", 1.0)]}, {"parameters": {"k": None}}, {"parameters": {"nobody": 1.0}},
        {"parameters": {3: 1.0}},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_be(cell: Model, request_: dict[str, object]) -> None:
    assert len(faults(cell, **request_)) == 1


@pytest.mark.parametrize("method", ["ode", "ssa"])
def test_a_stoichiometry_by_its_id(method: Literal["ode", "ssa"]) -> None:
    """n A per event of rate 1, by method "ode" n t; by "ssa" a multiple of n."""
    part = SpeciesReference("A", 2.0, "n")
    network = Network(
        "m",
        compartments=(Compartment("c", 1.0),),
        species=(Species("A", "c", initial_amount=0.0, has_only_substance_units=True),),
        reactions=(Reaction("r", (), (part,), kinetic_law=KineticLaw(Number(1.0))),),
        initial_assignments=(InitialAssignment("n", Number(3.0)),),
    )
    found = senexo.simulate(network, [0.0, 4.0], parameters={"n": 5.0}, method=method, seed=1)
    assert float(found["n"]) == 5.0
    if method == "ode":
        assert found["A"].values[0, 1] == pytest.approx(20.0)
        assert senexo.simulate(network, [0.0, 4.0])["A"].values[0, 1] == pytest.approx(12.0)
    else:
        assert found["A"].values[0, 1] % 5.0 == 0.0
        assert found["A"].values[0, 1] > 0.0


def test_rates_of_reactions(cell: Model) -> None:
    """k A with A = 20 e^(-t/2)."""
    found = senexo.simulate(cell, TIMES)["turn"]
    np.testing.assert_allclose(found.values[0], 10.0 * np.exp(-0.5 * np.array(TIMES)), rtol=1e-6)
    assert found.attrs["kind"] == "reaction"
    assert found.attrs["units"].endswith("/(3600 second)")


@pytest.mark.parametrize("law", ["3*A - B", "0.5*(3*A - B)/0.5", "3*A + -B"])
def test_both_ways_of_a_reversible_law_happen_in_exact_runs(law: str) -> None:
    """A <-> B from the edge: B is binomial of 40 and 3/4 (1 - e^(-4 t)). False alarm 2e-6 per case."""
    loaded = model(f"model m()\nsubstanceOnly species A = 40, B = 0\nr: A -> B; {law}\nend\n")
    found = senexo.simulate(loaded, [0.0, 0.2, 5.0], method="ssa", runs=4000, seed=3)
    assert np.all(found["A"].values + found["B"].values == 40.0)
    for time, p in ((1, 0.75 * (1 - exp(-0.8))), (2, 0.75)):
        counts = found["B"].values[:, time]
        assert abs(counts.mean() - 40 * p) < 5 * sqrt(40 * p * (1 - p) / 4000)
        assert abs(counts.var() / (40 * p * (1 - p)) - 1.0) < 5 * sqrt(2 / 4000)


def test_a_result_too_large_to_hold_is_refused_beforehand(cell: Model) -> None:
    assert [*faults(cell, np.arange(1_000_000.0), runs=100_000)] == ["runs x times"]


@pytest.mark.parametrize("rate", ["-3*rateOf(X)", "-3*r", "3*J"])
def test_a_rate_in_a_law_means_the_same_in_exact_runs(rate: str) -> None:
    """X decays, Y is made at three times that rate; given the course of X, Y is Poisson.

    With a = k t, p = 1 - exp(-a), and k times the time that one of 100 molecules has lived by t, of mean p and second
    moment 2 (1 - (1 + a) exp(-a)): E[Y] = 300 p, Var[Y] = 300 p + 900 (second moment - p^2). Bounds: 5 standard errors,
    each with a false alarm in 6e-7 of seeds.
    """
    text = (
        f"model m()\nsubstanceOnly species X = 100, Y = 0; k = 0.5\nJ: X => ; k*X\nr := rateOf(X)\n=> Y; {rate}\nend\n"
    )
    network, p = model(text), 1.0 - exp(-0.5)
    expected, variance = 300.0 * p, 300.0 * p + 900.0 * (2.0 * (1.0 - 1.5 * exp(-0.5)) - p**2)
    assert senexo.simulate(network, [0.0, 1.0])["Y"].values[0, 1] == pytest.approx(expected, rel=1e-7)
    drawn = senexo.simulate(network, [0.0, 1.0], method="ssa", runs=2000, seed=4)["Y"].values[:, 1]
    assert abs(drawn.mean() - expected) < 5.0 * sqrt(variance / 2000)
    assert abs(drawn.var() - variance) < 5.0 * variance * sqrt(2.0 / 2000)


@pytest.mark.parametrize("method", ["ode", "ssa"])
def test_times_may_be_read_only_and_change_later(births: Model, method: Literal["ode", "ssa"]) -> None:
    times = np.array([0.0, 1.0, 2.0])
    times.flags.writeable = False
    found = senexo.simulate(births, times, method=method)
    others = np.array([0.0, 1.0, 2.0])
    again = senexo.simulate(births, others, method=method)
    others[:] = -1.0
    assert again["time"].values.tolist() == found["time"].values.tolist() == [0.0, 1.0, 2.0]


def test_what_is_no_model() -> None:
    assert [*faults("cell.xml")] == ["model"]  # type: ignore[arg-type]


# ---- what is not supported, by name

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
LEVEL_3 = f'{HEAD}<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m">'
END = "</model></sbml>"
UNSUPPORTED = {
    f"package {name}": LEVEL_3.replace(
        "<sbml ", f'<sbml xmlns:p="http://www.sbml.org/sbml/level3/version1/{name}/version1" p:required="true" '
    )
    + "<p:listOfThings/>"
    + END
    for name in ("qual", "multi", "arrays", "spatial")
}


@pytest.mark.parametrize("feature", UNSUPPORTED)
def test_unsupported_features_are_named(feature: str, tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_text(UNSUPPORTED[feature])
    with pytest.raises(UnsupportedFeature, match="is not supported") as caught:
        senexo.simulate(senexo.load(path), TIMES)
    assert caught.value.feature == feature
    assert str(caught.value).startswith(f"{feature} is not supported")
    assert isinstance(caught.value, SenexoError)


STOCHASTIC = {
    "an amount that is not a whole number of molecules": ("species X = 1.5; X => ; X", "X"),
    "a stoichiometry that is not whole": ("species X = 4; 1.5 X => ; X", "X"),
    "a kinetic law that goes negative": ("species X = 3; rev: => X; 4.5 - X", "rev"),
    "a kinetic law that fires without enough reactant": ("species X = 5; drain: X => ; 2", "drain"),
}


@pytest.mark.parametrize("feature", STOCHASTIC)
def test_what_has_no_stochastic_meaning_is_named_and_runs_as_ode(feature: str) -> None:
    text, where = STOCHASTIC[feature]
    loaded = model(f"model m()\n{text.replace('species', 'substanceOnly species')}\nend\n")
    assert np.all(np.isfinite(senexo.simulate(loaded, [0.0, 1.0])["X"]))
    with pytest.raises(UnsupportedFeature, match=where) as caught:
        senexo.simulate(loaded, np.linspace(0.0, 50.0, 6), method="ssa", runs=20)
    assert caught.value.feature == feature


def test_runs_that_cannot_be_carried_on_are_errors_of_their_own() -> None:
    rule = Rule("rate", "x", Call("ln", (Symbol("x"),)))
    network = Network("m", parameters=(Parameter("x", -1.0, constant=False),), rules=(rule,))
    with pytest.raises(SimulationError, match="x is -1 and its rate of change nan"):
        senexo.simulate(network, TIMES)
