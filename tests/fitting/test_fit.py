"""Whole fits: intervals in closed form, words, bounds, data without a variance, models that blow up, files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import senexo
from senexo.base.errors import InvalidInput
from senexo.fitting.formulas import read_formula
from senexo.fitting.petab.read import read_problem
from senexo.fitting.problem import Measurement, Observable, Parameter, Problem
from senexo.model.loading import Model, parse

EXAMPLE = Path(__file__).parents[2] / "examples" / "fit" / "mimic.yaml"
MODEL = b"model m; compartment c = 1; species x in c = 1; x' = -k*x; k = 0.3; end"


def made(
    antimony: bytes,
    parameters: list[Parameter],
    formula: str,
    noise: str,
    data: list[tuple[float, float]],
    scale: str = "lin",
) -> Problem:
    from senexo.fitting.problem import Condition

    model = Model(parse(antimony, source="m.ant"), "m.ant", "")
    observable = Observable("y", read_formula(formula), read_formula(noise), scale)  # type: ignore[arg-type]
    rows = tuple(Measurement("y", "c0", time, value, row=k + 2) for k, (time, value) in enumerate(data))
    return Problem("made", model, tuple(parameters), (observable,), (Condition("c0", {}),), rows)


def line(estimated: str = "a b") -> Problem:
    """y = a + b t with errors of a known width: intervals are those of linear regression."""
    rng = np.random.default_rng(5)
    times = np.linspace(0.0, 4.0, 9)
    data = [(float(t), float(1.0 + 0.5 * t + 0.2 * rng.standard_normal())) for t in times]
    parameters = [Parameter(id, "lin", -10.0, 10.0, 0.0, id in estimated) for id in ("a", "b")]
    return made(b"model m; t0 = 0; end", parameters, "a + b * time", "0.2", data)


def test_intervals_of_a_line_are_those_of_linear_regression() -> None:
    found = senexo.fit(line(), starts=3, seed=1)
    t = np.array([m.time for m in found.problem.measurements])
    y = np.array([m.value for m in found.problem.measurements])
    design = np.column_stack((np.ones_like(t), t))
    inverse = np.linalg.inv(design.T @ design)
    known, half = inverse @ design.T @ y, 1.959963984540054 * 0.2 * np.sqrt(np.diag(inverse))
    table = found.estimates.set_index("parameter")
    np.testing.assert_allclose(table["value"], known, atol=1e-7)
    np.testing.assert_allclose(table["low"], known - half, atol=1e-3 * half.min())
    np.testing.assert_allclose(table["high"], known + half, atol=1e-3 * half.min())


def test_the_example_says_that_uptake_has_only_a_lower_bound(tmp_path: Path) -> None:
    found = senexo.fit(EXAMPLE, starts=20, seed=1, out=tmp_path / "answer")
    words = repr(found)
    assert "k_uptake is at least" in words
    assert "only a lower bound" in words
    table = found.estimates.set_index("parameter")
    for id, true in (("k_turnover", 0.05), ("k_repress", 0.2), ("k_loss", 0.02), ("sd_light", 0.04)):
        assert table.loc[id, "low"] < true < table.loc[id, "high"]
    assert found.waterfall is not None
    assert found.waterfall.at_best >= 3
    assert "Another optimum is within the limit of the intervals" in words  # slow uptake beside fast loss
    files = {path.name for path in (tmp_path / "answer").rglob("*") if path.is_file()}
    assert {"parameters.csv", "measurements.csv", "searches.csv", "profiles.csv", "result.json", "answer.txt",
            "fit.svg", "residuals.svg", "waterfall.svg", "profiles.svg"} <= files  # fmt: skip
    about = json.loads((tmp_path / "answer" / "result.json").read_text(encoding="utf-8"))
    assert about["llh"] == pytest.approx(found.llh)


def test_equal_seeds_give_equal_answers() -> None:
    one, two = (senexo.fit(EXAMPLE, starts=2, seed=3, intervals=False) for _ in range(2))
    assert one.estimates.equals(two.estimates)


def test_parameters_that_only_occur_as_a_product_are_said_to_be_one_combination() -> None:
    parameters = [Parameter(id, "log10", 1e-3, 1e3, 1.0, True) for id in ("p", "q")]
    data = [(float(t), float(np.exp(-0.3 * t) * 2.0)) for t in range(6)]
    found = senexo.fit(made(MODEL, parameters, "p * q * x", "0.1", data), starts=3)
    words = repr(found)
    assert "q is at a bound at its lower end, which moves with it" in words  # p q = 2, q at most 1000
    assert "p is at a bound at its lower end, which moves with it" in words
    assert "can be moved against each other" in words


def test_a_parameter_that_nothing_measured_depends_on() -> None:
    parameters = [Parameter("k", "log10", 1e-3, 1e3, 1.0, True), Parameter("u", "log10", 1e-3, 1e3, 1.0, True)]
    antimony = b"model m; compartment c = 1; species x in c = 1, z in c = 0; x' = -k*x; z' = u; k = 0.3; u = 1; end"
    data = [(float(t), float(np.exp(-0.3 * t))) for t in range(6)]
    found = senexo.fit(made(antimony, parameters, "x", "0.1", data), starts=3)
    assert "u is not identifiable" in repr(found)
    assert found.estimates.set_index("parameter").loc["k", "value"] == pytest.approx(0.3, rel=1e-4)


def test_data_that_are_met_exactly_put_the_width_at_its_bound() -> None:
    parameters = [Parameter("sd", "log10", 1e-3, 10.0, 1.0, True)]
    found = senexo.fit(
        made(b"model m; c0_ = 2; end", parameters, "c0_", "sd", [(float(t), 2.0) for t in range(4)]), starts=2
    )
    assert "sd is at its lower bound 0.001: the data are met exactly" in repr(found)


def test_a_model_that_blows_up_in_a_corner_is_counted_and_the_fit_goes_on() -> None:
    """x' = k x^2 from 1 is 1/(1 - k t): infinite before the last time for k > 0.25."""
    parameters = [Parameter("k", "lin", 0.0, 5.0, 0.1, True)]
    antimony = b"model m; compartment c = 1; species x in c = 1; x' = k*x*x; k = 0.1; end"
    data = [(t, 1.0 / (1.0 - 0.2 * t)) for t in (0.0, 1.0, 2.0, 4.0)]
    found = senexo.fit(made(antimony, parameters, "x", "0.01", data), starts=10)
    assert found.estimates["value"][0] == pytest.approx(0.2, rel=1e-5)
    assert sum(found.objective.failures.values()) > 0
    assert "evaluations had no value" in repr(found)


def test_a_model_without_a_value_anywhere_is_an_answer() -> None:
    parameters = [Parameter("k", "lin", 1.0, 5.0, 2.0, True)]
    found = senexo.fit(made(MODEL, parameters, "x - 2", "1", [(1.0, 1.0)], scale="log"), starts=3)
    assert "None of 3 starts has a likelihood" in repr(found)
    assert np.isnan(found.llh)
    assert json.loads(found.to_json())["llh"] is None


def test_events_are_fitted_by_central_differences() -> None:
    antimony = b"model m; compartment c = 1; species x in c = 1; x' = -k*x; k = 0.3; at (time > 2): x = x + 1; end"
    parameters = [Parameter("k", "log10", 1e-2, 10.0, 1.0, True)]
    k = 0.4
    data = [(t, np.exp(-k * t) + (np.exp(-k * (t - 2.0)) if t > 2.0 else 0.0)) for t in (0.5, 1.0, 3.0, 5.0)]
    found = senexo.fit(made(antimony, parameters, "x", "0.01", data), starts=4)
    assert found.estimates["value"][0] == pytest.approx(k, rel=1e-5)
    gradient = found.objective(np.array([np.log10(0.7)])).gradient  # by hand: sum of (y - m) dy/dk k ln 10 / 0.01^2
    assert gradient is not None
    t, m = np.array(data).T
    y, slope = (np.where(t > 2.0, a, b) for a, b in (
        (np.exp(-0.7 * t) + np.exp(-0.7 * (t - 2.0)), np.exp(-0.7 * t)),
        (-t * np.exp(-0.7 * t) - (t - 2.0) * np.exp(-0.7 * (t - 2.0)), -t * np.exp(-0.7 * t)),
    ))  # fmt: skip
    assert gradient[0] == pytest.approx(float(np.sum((y - m) * slope)) * 0.7 * np.log(10.0) / 1e-4, rel=1e-4)
    assert "central differences" in repr(found)


def test_a_steady_state_measured_at_infinite_time() -> None:
    antimony = b"model m; compartment c = 1; species x in c = 0; x' = s - k*x; s = 3; k = 0.3; end"
    parameters = [Parameter("k", "log10", 1e-2, 10.0, 1.0, True)]
    found = senexo.fit(made(antimony, parameters, "x", "0.1", [(np.inf, 6.0)]), starts=3)
    assert found.estimates["value"][0] == pytest.approx(0.5, rel=1e-6)


@pytest.mark.parametrize(
    "wrong", [{"starts": -1}, {"starts": True}, {"level": 1.5}, {"rtol": 0.0}, {"seed": -1}, {"max_seconds": 0.0}]
)
def test_wrong_arguments(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        senexo.fit(EXAMPLE, **wrong)  # type: ignore[arg-type]


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(InvalidInput, match="a new folder"):
        senexo.fit(EXAMPLE, starts=0, out=tmp_path)
    assert (tmp_path / "kept.txt").read_text() == "kept"


def test_a_prior_moves_the_estimate_as_a_measurement_would() -> None:
    """A normal prior of width w beside n measurements of width s: the weighted mean."""
    from senexo.fitting.problem import Prior

    problem = line("a")
    a, b = problem.parameters
    problem = replace(problem, parameters=(replace(a, prior=Prior("normal", 0.0, 0.1)), replace(b, nominal=0.5)))
    found = senexo.fit(problem, starts=2, intervals=False)
    rest = np.array([m.value - 0.5 * m.time for m in problem.measurements])
    n = len(rest)
    known = (rest.sum() / 0.2**2) / (n / 0.2**2 + 1 / 0.1**2)
    assert found.estimates["value"][0] == pytest.approx(known, abs=1e-7)


def test_read_problem_prints_what_it_holds() -> None:
    assert "5 of 5 parameters estimated from 45 measurements of 1 observables in 3 experiments" in repr(
        read_problem(EXAMPLE)
    )
