"""`senexo.simulate` with rows of parameters: values, order, failed rows, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import senexo
from senexo.base.errors import InvalidInput
from senexo.lab.prepared import prepared
from senexo.lab.rows import FEWEST_IN_BATCH, MOST_STATES, one_by_one
from senexo.model.loading import Model
from verify._problems import model

TIMES = np.array([0.0, 0.5, 2.0, 9.0])
N = 2 * FEWEST_IN_BATCH


@pytest.fixture(scope="module")
def births() -> Model:
    """dX/dt = k - d X, so X = k/d + (X0 - k/d) exp(-d t)."""
    return model(
        "model b()\ncompartment c = 1; substanceOnly species X in c = 4; k = 10; d = 1; u = 3\n"
        "=> X; k; X => ; d*X\ntwice := 2*k\nend\n"
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame({"k": rng.uniform(1, 50, N), "d": rng.uniform(0.2, 3, N), "X": rng.uniform(0, 30, N)})


def _exact(table: pd.DataFrame) -> np.ndarray:
    k, d, x0 = (table[name].to_numpy()[:, None] for name in ("k", "d", "X"))
    return np.asarray(k / d + (x0 - k / d) * np.exp(-d * TIMES))


def test_a_batch_has_the_closed_form_and_says_what_it_is(births: Model, table: pd.DataFrame) -> None:
    found = senexo.simulate(births, TIMES, parameters=table)
    assert dict(found.sizes) == {"run": N, "time": 4}
    np.testing.assert_allclose(found["X"], _exact(table), rtol=1e-6, atol=1e-7)
    assert np.array_equal(found["k"], table["k"])
    assert found["k"].dims == found["status"].dims == ("run",)
    np.testing.assert_allclose(found["twice"].values.reshape(N, -1)[:, 0], 2 * table["k"])
    assert float(found["u"]) == 3.0
    assert set(found["status"].values) == {"complete"}
    assert found.attrs["status"] == "complete"
    assert found.attrs["rows"] == "in one batch (Rodas5P)"


def test_rows_agree_with_calls_one_by_one_and_do_not_depend_on_each_other(births: Model, table: pd.DataFrame) -> None:
    together = senexo.simulate(births, TIMES[1:], parameters=table)["X"].values
    for k in (0, 7, N - 1):
        alone = senexo.simulate(births, TIMES[1:], parameters=dict(table.iloc[k]))["X"].values[0]
        np.testing.assert_allclose(together[k], alone, rtol=1e-6)
    part = table.iloc[::-1].iloc[: FEWEST_IN_BATCH + 3]
    assert np.array_equal(senexo.simulate(births, TIMES[1:], parameters=part)["X"], together[::-1][: len(part)])


def test_forms_of_a_table(births: Model, table: pd.DataFrame) -> None:
    expected = senexo.simulate(births, TIMES, parameters=table)
    as_dict = {name: list(table[name]) for name in table}
    as_set = xr.Dataset({name: ("row", table[name].to_numpy()) for name in table})
    for given in (as_dict, as_set):
        assert senexo.simulate(births, TIMES, parameters=given).identical(expected)
    one = senexo.simulate(births, TIMES, parameters={"k": table["k"].to_numpy(), "d": 2.0})
    assert float(one["d"]) == 2.0
    assert one.attrs["parameters"] == '{"d": 2.0}'
    np.testing.assert_allclose(one["X"][:, -1], table["k"] / 2.0, rtol=1e-6)


def test_few_rows_and_events_are_solved_row_by_row(births: Model) -> None:
    few = senexo.simulate(births, TIMES, parameters={"k": [1.0, 2.0]})
    assert few.attrs["rows"] == f"row by row: fewer than {FEWEST_IN_BATCH} rows"
    doses = model("model e()\nx = 1; k = 1; dose = 5; x' = -k*x\nat time >= 1: x = x + dose\nend\n")
    given = {"dose": np.linspace(0, 10, N), "k": np.linspace(0.5, 2, N)}
    found = senexo.simulate(doses, [0.0, 0.5, 3.0], parameters=given)
    assert found.attrs["rows"] == "row by row: the model has events"
    k = given["k"]
    exact = np.exp(-3 * k) + given["dose"] * np.exp(-2 * k)
    np.testing.assert_allclose(found["x"][:, -1], exact, rtol=1e-6)


def test_a_pulse_in_time_is_not_stepped_over_by_rows() -> None:
    pulse = model("model p()\nx = 0; k = 1; x' = k*piecewise(1000, time >= 5 && time < 5.001, 0)\nend\n")
    found = senexo.simulate(pulse, [0.0, 10.0], parameters={"k": np.linspace(1, 2, N)})
    np.testing.assert_allclose(found["x"][:, -1], np.linspace(1, 2, N), rtol=1e-6)


def test_failed_rows_are_nan_and_say_why(births: Model) -> None:
    """x' = a x^2 from 1 reaches infinity at 1/a."""
    blows = model("model f()\nx = 1; a = 0.1; x' = a*x^2\nend\n")
    a = np.full(N, 0.1)
    a[5] = 2.0
    found = senexo.simulate(blows, [0.0, 1.0, 2.0], parameters={"a": a})
    bad = np.flatnonzero(found["status"].values != "complete")
    assert list(bad) == [5]
    assert found["x"].isel(run=5).isnull().all()
    assert float(found["a"][5]) == 2.0
    assert found.attrs["status"] == f"1 of {N} runs failed"
    good = found["x"].isel(run=[k for k in range(N) if k != 5])
    np.testing.assert_allclose(good[:, -1], 1 / (1 - 0.1 * 2), rtol=1e-6)
    stochastic = senexo.simulate(births, [0.0, 1.0], method="ssa", parameters={"X": [3.0, 2.5, 7.0]}, runs=2)
    assert [one == "complete" for one in stochastic["status"].values] == [True, True, False, False, True, True]
    assert stochastic["X"].isnull().any("time").values.tolist() == [False, False, True, True, False, False]


def test_exact_rows_have_streams_of_their_own(births: Model) -> None:
    """Run r of row k is run k x runs + r of the same row alone."""
    given = {"k": [5.0, 20.0, 5.0]}
    found = senexo.simulate(births, TIMES, method="ssa", parameters=given, runs=2, seed=9, threads=1)
    for k, value in enumerate(given["k"]):
        alone = senexo.simulate(births, TIMES, method="ssa", parameters={"k": value}, runs=6, seed=9)
        assert np.array_equal(found["X"][2 * k : 2 * k + 2], alone["X"][2 * k : 2 * k + 2])
    assert found["k"].values.tolist() == [5.0, 5.0, 20.0, 20.0, 5.0, 5.0]
    assert not np.array_equal(found["X"][0], found["X"][4])


def test_a_model_that_has_a_quantity_named_status_keeps_it() -> None:
    named = model("model s()\nstatus = 1; k = 1; status' = -k*status\nend\n")
    found = senexo.simulate(named, [0.0, 1.0], parameters={"k": [1.0, 2.0]})
    np.testing.assert_allclose(found["status"][:, -1], np.exp([-1.0, -2.0]), rtol=1e-6)
    assert found["status_"].values.tolist() == ["complete", "complete"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"k": [1.0, 2.0], "d": [1.0]}, "columns of k 2, d 1 rows"),
        ({"k": []}, "without rows"),
        ({"k": [1.0, np.nan]}, "parameters, k, row 1"),
        ({"k": ["a", "b"]}, "numbers"),
        ({"kk": [1.0, 2.0]}, "parameters, kk"),
        ({"twice": [1.0, 2.0]}, "a rule computes"),
        ({"k": [[1.0, 2.0]]}, "2 axes"),
        (pd.DataFrame([[1.0, 2.0]], columns=["k", "k"]), "twice"),
    ],
)
def test_refused_tables(births: Model, given: object, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        senexo.simulate(births, TIMES, parameters=given)


def test_runs_of_rows_by_ode_are_refused(births: Model) -> None:
    with pytest.raises(InvalidInput, match="runs of one row by ode are equal"):
        senexo.simulate(births, TIMES, parameters={"k": [1.0, 2.0]}, runs=3)


def test_large_networks_are_not_compiled_for_rows() -> None:
    n = MOST_STATES + 1
    text = "".join(f"x{k} = 1; x{k}' = -x{k}\n" for k in range(n))
    reason = one_by_one(prepared(model(f"model l()\n{text}end\n").network).lowered, 1000)
    assert reason is not None
    assert reason.startswith(f"{n} quantities change")
