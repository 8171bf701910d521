"""`senexo.simulate` with a start time, changes at known times, continuation and steady states."""

from __future__ import annotations

from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import senexo
from senexo.base.errors import InvalidInput, SimulationError, UnsupportedFeature
from senexo.lab.rows import FEWEST_IN_BATCH
from senexo.model.expression import Call, Number, Symbol
from senexo.model.loading import Model
from senexo.model.network import (
    Compartment,
    KineticLaw,
    Network,
    Parameter,
    Reaction,
    Rule,
    Species,
    SpeciesReference,
)
from verify._problems import model

TIMES = np.array([0.0, 1.0, 2.5, 4.0])


@pytest.fixture(scope="module")
def decay() -> Model:
    """A drug of amount D in a volume of 2, eliminated at k per time; `level` is its concentration."""
    return model("model d()\ncompartment c = 2; species D in c = 5; k = 0.5\nD => ; k*D*c\nlevel := D\nend\n")


@pytest.fixture(scope="module")
def births() -> Model:
    return model("model births()\nsubstanceOnly species X = 0; b = 10; k = 1; => X; b; X => ; k*X\nend\n")


# ---- the time at which a run begins


@pytest.mark.parametrize("method", ["ode", "ssa"])
def test_formulas_see_the_start_time(method: str) -> None:
    """x' = t from t = 10 gives (t^2 - 100)/2; an event at time 12 sets y."""
    clock = model(
        "model m()\nx = 0; x' = time; y = 0; z := 2*time; w = time\nat time >= 12: y = 1\n"
        "at time >= 5: y = -1\nsubstanceOnly species S = 3; S => ; 0*S\nend\n"
    )
    found = senexo.simulate(clock, [10.0, 11.0, 12.0, 13.0], start=10, method=method)
    np.testing.assert_allclose(
        found["x"][0], (np.array([10.0, 11.0, 12.0, 13.0]) ** 2 - 100.0) / 2.0, rtol=1e-6, atol=1e-9
    )
    assert found["z"][0].values.tolist() == [20.0, 22.0, 24.0, 26.0]
    assert found["y"][0].values.tolist() == [0.0, 0.0, 1.0, 1.0]  # true from the start: not triggered
    assert found["time"].values.tolist() == [10.0, 11.0, 12.0, 13.0]
    assert found.attrs["start"] == 10.0
    assert float(found["w"][0, 0] if found["w"].ndim else found["w"]) == 10.0  # an initial assignment


def test_a_start_changes_nothing_where_no_formula_reads_the_time(decay: Model) -> None:
    late = senexo.simulate(decay, TIMES - 3.0, start=-3.0)
    assert np.array_equal(late["D"], senexo.simulate(decay, TIMES)["D"])


# ---- changes


def _doses(times: np.ndarray) -> np.ndarray:
    """10 at the start, 4 added at 1, halved at 3, elimination 0.5 until 2 and 1 from then on."""
    found = []
    for t in times:
        amount = 10.0 * exp(-0.5 * min(t, 1.0))
        if t >= 1.0:
            amount = (amount + 4.0) * exp(-0.5 * (min(t, 2.0) - 1.0))
        if t >= 2.0:
            amount *= exp(-1.0 * (min(t, 3.0) - 2.0))
        if t >= 3.0:
            amount = 0.5 * amount * exp(-1.0 * (t - 3.0))
        found.append(amount)
    return np.array(found)


CHANGES = {1.0: {"D": "D + 4"}, 3.0: {"D": "D / 2"}, 2.0: {"k": "2*k"}}


def test_doses_have_the_closed_form(decay: Model) -> None:
    found = senexo.simulate(decay, TIMES, changes=CHANGES)
    np.testing.assert_allclose(found["D"][0], _doses(TIMES), rtol=1e-7)
    np.testing.assert_allclose(found["level"][0], _doses(TIMES) / 2.0, rtol=1e-7)
    assert found["k"][0].values.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert found["D"][0, 1] == pytest.approx(10.0 * exp(-0.5) + 4.0)  # the value after it
    assert found.attrs["changes"].startswith('[[1.0, {"D": "D + 4"}]')


@pytest.mark.parametrize("rows", [3, FEWEST_IN_BATCH])
def test_rows_with_changes_have_the_closed_form(decay: Model, rows: int) -> None:
    scale = np.linspace(0.5, 2.0, rows)
    table = pd.DataFrame({"D": 10.0 * scale})
    changes = [(1.0, {"D": "D + 4*D/10/exp(-0.5)*0 + 4"}), (2.0, {"k": 1.0}), (3.0, {"D": "0.5*D"})]
    found = senexo.simulate(decay, TIMES, parameters=table, changes=changes)
    assert ("batch" in found.attrs["rows"]) == (rows >= FEWEST_IN_BATCH)
    one = _doses(TIMES)
    without = np.exp(-0.5 * np.minimum(TIMES, 2.0) - np.maximum(TIMES - 2.0, 0.0)) * np.where(TIMES >= 3.0, 0.5, 1.0)
    expected = one[None] + 10.0 * (scale[:, None] - 1.0) * without[None]
    np.testing.assert_allclose(found["D"], expected, rtol=1e-6)
    np.testing.assert_allclose(found["k"][:, -1], 1.0)


def test_changes_of_one_time_read_the_state_before(decay: Model) -> None:
    swap = model("model s()\na = 1; b = 2; a' = 0; b' = 0\nend\n")
    found = senexo.simulate(swap, [0.0, 1.0, 2.0], changes={1: {"a": "b", "b": "a + time"}})
    assert (float(found["a"][0, -1]), float(found["b"][0, -1])) == (2.0, 2.0)


def test_an_amount_below_zero_is_reported_between_outputs_too(decay: Model) -> None:
    with pytest.raises(InvalidInput) as raised:
        senexo.simulate(decay, [0, 4], changes={1.0: {"D": -5}, 2.0: {"c": 0}})
    found = [(fault.where, fault.found, fault.expected) for fault in raised.value.faults]
    assert found == [
        ("changes, time 1, D", "-5", "an amount of 0 or more"),
        ("changes, time 2, c", "0", "a size above 0"),
    ]
    done = senexo.simulate(decay, [0, 4], changes={1.0: {"D": "0 - D"}, 2.0: {"D": 3}})
    amount = 10 * exp(-0.5)
    assert done.attrs["cautions"] == f"change 1 sets D to {-amount:g} at time 1, below zero"
    assert done["D"].values[0, -1] == pytest.approx(3 * exp(-1.0), rel=1e-7)


def test_exact_runs_with_changes_have_the_mean_of_the_law(births: Model) -> None:
    """Poisson until a dose of 20 at 1: mean 10 (1 - e^-2) + 20 e^-1 at 2; 5 sd are left by 1e-6 of seeds."""
    n = 3000
    found = senexo.simulate(births, [1.0, 2.0], method="ssa", runs=n, seed=3, changes={1.0: {"X": "X + 20"}})[
        "X"
    ].values
    arrived, dosed = 10.0 * (1.0 - exp(-2.0)), 20.0 * exp(-1.0)
    variance = arrived + dosed * (1.0 - exp(-1.0))
    assert abs(found[:, 0].mean() - 20.0 - 10.0 * (1.0 - exp(-1.0))) < 5.0 * sqrt(10.0 / n)
    assert abs(found[:, 1].mean() - arrived - dosed) < 5.0 * sqrt(variance / n)


def test_changes_leave_what_events_have_scheduled() -> None:
    """The event of time 0.5 executes at 1.5 with the value of its trigger's time, whatever a change at 1 has set."""
    waits = model("model w()\nx = 0; x' = 0; y = 1; y' = -y\nat 1 after time >= 0.5: x = x + 10\nend\n")
    found = senexo.simulate(waits, [0.0, 1.2, 2.0], changes={1.0: {"x": 5.0}})
    assert found["x"][0].values.tolist() == [0.0, 5.0, 10.0]


def test_what_is_delayed_is_seen_across_a_change() -> None:
    """x' = 1, set to 100 at 2; y(t) = x(t - 1): 1.5 at 2.5, and 100.5 at 3.5."""
    lag = Call("delay", (Symbol("x"), Number(1.0)))
    free = {name: Parameter(name, 0.0, constant=False) for name in ("x", "y")}
    rules = (Rule("rate", "x", Number(1.0)), Rule("assignment", "y", lag))
    found = senexo.simulate(
        Network("l", parameters=tuple(free.values()), rules=rules), [2.5, 3.5], changes={2.0: {"x": 100.0}}
    )
    np.testing.assert_allclose(found["y"][0], [1.5, 100.5], rtol=1e-7)


def test_events_of_the_model_come_before_a_change_of_the_same_time() -> None:
    both = model("model b()\nx = 0; x' = 0\nat time >= 1: x = 3\nend\n")
    assert float(senexo.simulate(both, [0.0, 2.0], changes={1.0: {"x": "10*x"}})["x"][0, -1]) == 30.0


# ---- continuation


@pytest.mark.parametrize("quantity", ["amount", "concentration"])
def test_a_continued_run_is_the_whole_run(decay: Model, quantity: str) -> None:
    whole = senexo.simulate(decay, TIMES, parameters={"k": 0.7})
    first = senexo.simulate(decay, [0.0, 1.0], parameters={"k": 0.7}, quantity=quantity)
    rest = senexo.simulate(decay, [1.0, 2.5, 4.0], start=first)
    np.testing.assert_allclose(rest["D"][0], whole["D"][0, 1:], rtol=1e-7)
    assert float(rest["k"]) == 0.7


def test_a_continued_run_does_not_trigger_again() -> None:
    counted = model("model c()\nx = 0; n = 0; x' = 1\nat x >= 1: n = n + 1\nat x >= 3: n = n + 10\nend\n")
    first = senexo.simulate(counted, [0.0, 2.0])
    assert senexo.simulate(counted, [2.0, 4.0], start=first)["n"][0].values.tolist() == [1.0, 11.0]
    rows = senexo.simulate(counted, [0.0, 1.0], parameters={"x": [0.5, -1.5, 2.5]})
    more = senexo.simulate(counted, [1.0, 3.0], start=rows)
    assert rows["n"][:, -1].values.tolist() == [1.0, 0.0, 10.0]
    assert more["n"][:, -1].values.tolist() == [11.0, 1.0, 10.0]


def test_a_stoichiometry_and_a_local_parameter_that_were_set_stay_set() -> None:
    """A => n B at rate q A, with n = 3 and q = 2 in place of 1 and 1."""
    part = SpeciesReference("B", 1.0, "n")
    law = KineticLaw(Call("times", (Symbol("q"), Symbol("A"))), (Parameter("q", 1.0),))
    network = Network(
        "m", compartments=(Compartment("c", 1.0),),
        species=(Species("A", "c", initial_amount=1.0, has_only_substance_units=True),
                 Species("B", "c", initial_amount=0.0, has_only_substance_units=True)),
        reactions=(Reaction("r", (SpeciesReference("A"),), (part,), kinetic_law=law),),
    )  # fmt: skip
    first = senexo.simulate(network, [0.0, 0.5], parameters={"n": 3.0, "r.q": 2.0})
    rest = senexo.simulate(network, [0.5, 1.0], start=first)
    np.testing.assert_allclose(rest["B"][0], [3.0 - 3.0 * exp(-1.0), 3.0 - 3.0 * exp(-2.0)], rtol=1e-7)
    again = senexo.simulate(network, [1.0, 2.0], start=rest)
    np.testing.assert_allclose(again["B"][0, -1], 3.0 - 3.0 * exp(-4.0), rtol=1e-7)
    slower = senexo.simulate(network, [1.0, 2.0], start=rest, changes={1.0: {"r.q": 0.5}})
    assert slower["r.q"][0].values.tolist() == [0.5, 0.5]
    last = senexo.simulate(network, [2.0, 4.0], start=slower)
    np.testing.assert_allclose(last["B"][0, -1], 3.0 - 3.0 * exp(-2.0 - 0.5 - 1.0), rtol=1e-7)


def test_exact_runs_are_continued_run_by_run(births: Model) -> None:
    first = senexo.simulate(births, [0.0, 0.5], method="ssa", runs=200, seed=5)
    rest = senexo.simulate(births, [0.5, 2.0], method="ssa", start=first, seed=6)
    assert np.array_equal(rest["X"][:, 0], first["X"][:, -1])
    mean = 10.0 * (1.0 - exp(-2.0))
    assert abs(float(rest["X"][:, -1].mean()) - mean) < 5.0 * sqrt(mean / 200)  # left by 1e-6 of seeds


def test_a_kept_result_is_continued(decay: Model, tmp_path: Path) -> None:
    senexo.simulate(decay, [0.0, 1.0]).to_zarr(tmp_path / "first.zarr", zarr_format=2)
    with xr.open_zarr(tmp_path / "first.zarr") as kept:
        found = senexo.simulate(decay, [1.0, 4.0], start=kept)
    np.testing.assert_allclose(found["D"][0, -1], 10.0 * exp(-2.0), rtol=1e-7)


@pytest.mark.parametrize("text", ["at 1 after time >= 1: x = 2", "y := delay(x, 1)"])
def test_what_is_not_in_a_result_is_not_continued(text: str) -> None:
    late = model(f"model l()\nx = 1; x' = -x\n{text}\nend\n") if "delay(" not in text else None
    if late is None:
        lag = Call("delay", (Symbol("x"), Number(1.0)))
        network = Network("l", parameters=(Parameter("x", 1.0, constant=False),), rules=(Rule("rate", "x", lag),))
        late = Model(network, "here", "")
    first = senexo.simulate(late, [0.0, 0.5])
    with pytest.raises(UnsupportedFeature, match="continuation of a model with"):
        senexo.simulate(late, [0.5, 2.0], start=first)


# ---- steady states


def test_steady_states_have_their_closed_forms(decay: Model, births: Model) -> None:
    assert float(senexo.simulate(births, steady_state=True, parameters={"k": 4.0})["X"][0, 0]) == pytest.approx(2.5)
    assert float(senexo.simulate(decay, steady_state=True)["D"][0, 0]) == pytest.approx(0.0, abs=1e-12)
    rows = senexo.simulate(births, steady_state=True, parameters={"k": [1.0, 2.0, 5.0]})
    np.testing.assert_allclose(rows["X"][:, 0], [10.0, 5.0, 2.0], rtol=1e-8)
    assert rows.attrs["status"] == "complete"


def test_conserved_totals_are_kept_and_stiffness_does_no_harm() -> None:
    """A <-> B <-> C with rates from 1e-4 to 1e6 and a total of 3."""
    ring = model(
        "model r()\nsubstanceOnly species A = 3, B = 0, C = 0; f = 1e6; s = 1e-4\n"
        "A => B; f*A; B => A; 2*f*B; B => C; s*B; C => B; 3*s*C\nend\n"
    )
    rest = senexo.simulate(ring, steady_state=True)
    a = 3.0 / (1.0 + 0.5 + 0.5 / 3.0)
    for id, expected in (("A", a), ("B", a / 2.0), ("C", a / 6.0)):
        assert float(rest[id][0, 0]) == pytest.approx(expected, rel=1e-9)


def test_a_run_begins_at_a_steady_state(births: Model) -> None:
    rest = senexo.simulate(births, steady_state=True)
    found = senexo.simulate(births, [0.0, log(2.0)], start=rest, parameters={"b": 20.0})
    np.testing.assert_allclose(found["X"][0], [10.0, 15.0], rtol=1e-7)


def test_the_steady_state_is_that_of_its_basin() -> None:
    """x' = x (1 - x) (x - 0.3): to 1 from above 0.3, to 0 from below; 0.3 itself is unstable."""
    bistable = model("model b()\nx = 0.31; x' = x*(1 - x)*(x - 0.3)\nend\n")
    assert float(senexo.simulate(bistable, steady_state=True)["x"][0, 0]) == pytest.approx(1.0)
    below = senexo.simulate(bistable, steady_state=True, parameters={"x": 0.29})
    assert float(below["x"][0, 0]) == pytest.approx(0.0, abs=1e-9)
    between = senexo.simulate(bistable, steady_state=True, parameters={"x": 0.3})
    assert "unstable" in between.attrs["cautions"]


def test_the_root_of_an_oscillation() -> None:
    """Lotka and Volterra around x = c/d = 2, y = a/b = 3."""
    hunt = model("model h()\nx = 2.2; y = 3; x' = 3*x - x*y; y' = 0.5*x*y - y\nend\n")
    with pytest.raises(SimulationError, match="up and down without end"):
        senexo.simulate(hunt, steady_state=True)
    found = senexo.simulate(hunt, steady_state="root")
    assert (float(found["x"][0, 0]), float(found["y"][0, 0])) == (pytest.approx(2.0), pytest.approx(3.0))
    assert "does not come to rest" in found.attrs["cautions"]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("x = 1; y = 0; x' = y; y' = -x", SimulationError, "up and down without end"),
        ("x = 1; x' = 2", SimulationError, "x still changes at 2 per time"),
        ("x = 1; x' = sin(time) - x", UnsupportedFeature, "rates that depend on time"),
    ],
)
def test_no_steady_state(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        senexo.simulate(model(f"model n()\n{text}\nend\n"), steady_state=True)


# ---- what is refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": "soon"}, "start: found 'soon'"),
        ({"start": 2.0}, "times: found 0 to 4, expected finite times in ascending order, 2 or later"),
        ({"start": xr.Dataset()}, "a result of senexo.simulate"),
        ({"changes": {9.0: {"k": 1.0}}}, "a time from 0 to 4"),
        ({"changes": {1.0: {"kk": 1.0}}}, "expected one of k"),
        ({"changes": {1.0: {"level": 1.0}}}, "an id that a rule computes"),
        ({"changes": {1.0: {"D": "D +"}}}, "character 4: found the end"),
        ({"changes": {1.0: {"D": "D.__class__"}}}, "character 1: found 'D.__class__'"),
        ({"changes": {1.0: {"D": float("nan")}}}, "a finite number, or a formula"),
        ({"changes": [(1.0, {"k": 1}), (1.0, {"D": 1})]}, "time 1 twice"),
        ({"changes": 3}, "times and what is set at them"),
        ({"changes": {1.0: {}}}, "at least one id"),
        ({"steady_state": True}, "no times"),
        ({"times": None}, "times, or steady_state=True"),
    ],
)
def test_refused_timelines(decay: Model, options: dict, said: str) -> None:
    times = options.pop("times", TIMES)
    with pytest.raises(InvalidInput, match=said.replace("+", r"\+")):
        senexo.simulate(decay, times, **options)


def test_rows_of_a_start_and_of_parameters_agree(births: Model) -> None:
    first = senexo.simulate(births, [0.0, 0.5], method="ssa", runs=4)
    with pytest.raises(InvalidInput, match="4 runs beside 3 rows"):
        senexo.simulate(births, [0.5, 1.0], start=first, parameters={"k": [1.0, 2.0, 3.0]})
