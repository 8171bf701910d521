"""PEtab 2: experiments of several periods, formulas in conditions, placeholders, priors, faults; values by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from senexo.base.errors import InvalidInput, UnsupportedFeature
from senexo.fitting.fit import fit
from senexo.fitting.objective import Objective
from senexo.fitting.petab.read import read_problem
from senexo.model.loading import Model, parse

K1, K2, A0, B0 = 0.8, 0.6, 1.0, 0.0
ANTIMONY = """model m
  compartment c = 1; species A in c, B in c; A = a0; B = b0; a0 = 1; b0 = 0; k1 = 0.8; k2 = 0.6; c = 1
  fwd: A -> B; c*k1*A
  rev: B -> A; c*k2*B
end"""
FILES = {
    "parameters.tsv": "parameterId\tlowerBound\tupperBound\tnominalValue\testimate\n"
    "k1\t0.01\t100\t0.8\ttrue\nk2\t0.01\t100\t0.6\ttrue\n",
    "observables.tsv": "observableId\tobservableFormula\tnoiseFormula\nobs_a\tA\t0.5\n",
    "conditions.tsv": "conditionId\ttargetId\ttargetValue\n",
    "experiments.tsv": "experimentId\ttime\tconditionId\n",
    "measurements.tsv": "observableId\texperimentId\tmeasurement\ttime\n",
    "problem.yaml": "format_version: 2.0.0\nparameter_files: [parameters.tsv]\n"
    "model_files: {m: {location: model.xml, language: sbml}}\ncondition_files: [conditions.tsv]\n"
    "experiment_files: [experiments.tsv]\nobservable_files: [observables.tsv]\nmeasurement_files: [measurements.tsv]\n",
}


def write(folder: Path, antimony: str = ANTIMONY, **changed: str) -> Path:
    """A problem with rows added to its tables; "=" in front replaces a table."""
    for name, text in FILES.items():
        more = changed.get(name.split(".")[0], "")
        (folder / name).write_text(more[1:] if more.startswith("=") else text + more, encoding="utf-8")
    network = parse(antimony.encode(), source="m.ant")
    (folder / "model.xml").write_text(Model(network, "m", "").to_sbml(), encoding="utf-8")
    return folder / "problem.yaml"


def conversion(a: float, b: float, t: float, k1: float = K1, k2: float = K2) -> tuple[float, float]:
    """A <-> B in closed form."""
    total, rest = a + b, k2 * (a + b) / (k1 + k2)
    now = rest + (a - rest) * np.exp(-(k1 + k2) * t)
    return now, total - now


def simulated(path: Path) -> np.ndarray:
    """The simulations, after a check of the gradient against central differences."""
    problem = read_problem(path)
    exact, differences = Objective(problem, rtol=1e-10), Objective(problem, rtol=1e-12, gradient="differences")
    assert exact.exact
    x = exact.nominal + 0.02
    found, known = exact(x).gradient, differences(x).gradient
    np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-6 * np.max(np.abs(known), initial=1e-3))
    return fit(path, starts=0).measurements["simulation"].to_numpy()


def test_a_model_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, measurements="obs_a\t\t0.7\t0\nobs_a\t\t0.1\t2\n")
    y = [A0, conversion(A0, B0, 2.0)[0]]
    np.testing.assert_allclose(simulated(path), y, rtol=1e-7)
    known = stats.norm.logpdf([0.7, 0.1], y, 0.5).sum()
    assert fit(path, starts=0).llh == pytest.approx(known, rel=1e-7)


def test_periods_with_formulas_of_the_state(tmp_path: Path) -> None:
    """At 2 A is doubled and k2 set from k1; what is measured at 2 is after that."""
    path = write(
        tmp_path, conditions="start\ta0\t2*k1\nlate\tA\tA + A\nlate\tk_off\tk1/4 + time\n",
        antimony=ANTIMONY.replace("k2 = 0.6", "k2 = 0.6; k_off = 0.6").replace("c*k2*B", "c*k_off*B"),
        parameters="=parameterId\tlowerBound\tupperBound\tnominalValue\testimate\nk1\t0.01\t100\t0.8\ttrue\n",
        experiments="e\t0\tstart\ne\t2\tlate\n",
        measurements="obs_a\te\t1\t1\nobs_a\te\t1\t2\nobs_a\te\t1\t3\n",
    )  # fmt: skip
    early, there = conversion(1.6, 0.0, 1.0)[0], conversion(1.6, 0.0, 2.0)
    after = 2.0 * there[0]
    late = conversion(after, there[1], 1.0, 0.8, 0.2 + 2.0)[0]
    np.testing.assert_allclose(simulated(path), [early, after, late], rtol=1e-7)


def test_pre_equilibration_keeps_state_and_constants(tmp_path: Path) -> None:
    path = write(
        tmp_path, conditions="pre\tk_on\t0.3\nthen\tB\t1\n",
        antimony=ANTIMONY.replace("k1 = 0.8", "k1 = 0.8; k_on = 0.8").replace("c*k1*A", "c*k_on*A"),
        parameters="=parameterId\tlowerBound\tupperBound\tnominalValue\testimate\nk2\t0.01\t100\t0.6\ttrue\n"
        "a0\t0.01\t10\t1\ttrue\n",
        experiments="e\t-inf\tpre\ne\t0\tthen\n", measurements="obs_a\te\t1\t0\nobs_a\te\t1\t1\nobs_a\te\t1\tinf\n",
    )  # fmt: skip
    a = 0.6 / 0.9
    total = a + 1.0
    known = [a, conversion(a, 1.0, 1.0, 0.3)[0], total * 0.6 / 0.9]
    np.testing.assert_allclose(simulated(path), known, rtol=1e-7)


def test_a_later_start_counts_for_formulas_that_read_the_time(tmp_path: Path) -> None:
    antimony = "model m; compartment c = 1; species A in c = 1; A' = k1*time; k1 = 0.8; k2 = 1; end"
    path = write(
        tmp_path, antimony=antimony, conditions="late\tA\tA*k2\n", experiments="e\t3\t\ne\t5\tlate\n",
        measurements="obs_a\te\t1\t4\nobs_a\te\t1\t5\nobs_a\te\t1\t7\n",
    )  # fmt: skip
    at5 = 1.0 + 0.4 * (25.0 - 9.0)
    known = [1.0 + 0.4 * (16.0 - 9.0), 0.6 * at5, 0.6 * at5 + 0.4 * (49.0 - 25.0)]
    np.testing.assert_allclose(simulated(path), known, rtol=1e-7)


def test_a_start_before_zero_and_a_measurement_at_rest_alone(tmp_path: Path) -> None:
    antimony = "model m; compartment c = 1; species A in c = 1; A' = k1*time - k2; k1 = 0.8; k2 = 0.6; end"
    path = write(tmp_path, antimony=antimony, experiments="e\t-20\t\n", measurements="obs_a\te\t1\t-18\n")
    np.testing.assert_allclose(simulated(path), 1.0 + 0.4 * (18.0**2 - 20.0**2) - 0.6 * 2.0, rtol=1e-7)
    path = write(tmp_path, experiments="e\t-inf\t\n", measurements="obs_a\te\t1\tinf\n")
    np.testing.assert_allclose(simulated(path), K2 / (K1 + K2), rtol=1e-7)


def test_a_compartment_that_is_set_keeps_concentrations_and_amounts(tmp_path: Path) -> None:
    antimony = (
        "model m; compartment c = 2; species A in c = 3; substanceOnly species N in c = 4; k1 = 0.8; k2 = 0.6;"
        " fwd: A -> ; c*k1*A; n: N -> ; k2*N; end"
    )
    path = write(
        tmp_path, antimony=antimony, conditions="big\tc\t5\n", experiments="e\t0\t\ne\t1\tbig\n",
        observables="obs_n\tN\t1\n",
        measurements="obs_a\te\t1\t1\nobs_a\te\t1\t2\nobs_n\te\t1\t1\nobs_n\te\t1\t2\n",
    )  # fmt: skip
    known = [3 * np.exp(-0.8), 3 * np.exp(-1.6), 4 * np.exp(-0.6), 4 * np.exp(-1.2)]
    np.testing.assert_allclose(simulated(path), known, rtol=1e-7)


def test_events_keep_what_they_have_seen_from_period_to_period(tmp_path: Path) -> None:
    """An event at 1 adds 1 once: the second period, at 2, does not begin it anew."""
    antimony = (
        "model m; compartment c = 1; species A in c = 1; A' = 0; k1 = 0.8; k2 = 0.6; at (time > 1): A = A + k1; end"
    )
    path = write(
        tmp_path, antimony=antimony, conditions="late\tA\tA + 10\n", experiments="e\t0\t\ne\t2\tlate\n",
        measurements="obs_a\te\t1\t0.5\nobs_a\te\t1\t1.5\nobs_a\te\t1\t3\n",
    )  # fmt: skip
    np.testing.assert_allclose(fit(path, starts=0).measurements["simulation"], [1.0, 1.8, 11.8], rtol=1e-7)


def test_placeholders_and_laws(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        observables="=observableId\tobservableFormula\tnoiseFormula\tobservablePlaceholders\tnoisePlaceholders"
        "\tnoiseDistribution\nobs_a\tgain*A + off\ts*obs_a\tgain;off\ts\tlog-normal\n"
        "obs_b\tB + 1\t0.3\t\t\tlog-laplace\nobs_c\tB\t0.3\t\t\tlaplace\n",
        parameters="sigma\t0.01\t10\t0.2\ttrue\n",
        measurements="=observableId\texperimentId\tmeasurement\ttime\tobservableParameters\tnoiseParameters\n"
        "obs_a\t\t2.5\t1\t2;1\tsigma\nobs_a\t\t1.5\t1\t1;k2\t0.4\nobs_b\t\t1.1\t1\t\t\nobs_c\t\t0.2\t1\t\t\n",
    )
    a, b = conversion(A0, B0, 1.0)
    y = [2 * a + 1, a + 0.6]
    np.testing.assert_allclose(simulated(path), [*y, b + 1, b], rtol=1e-7)
    known = stats.lognorm.logpdf(2.5, 0.2 * y[0], scale=y[0]) + stats.lognorm.logpdf(1.5, 0.4 * y[1], scale=y[1])
    known += stats.laplace.logpdf(np.log(1.1), np.log(b + 1), 0.3) - np.log(1.1) + stats.laplace.logpdf(0.2, b, 0.3)
    assert fit(path, starts=0).llh == pytest.approx(known, rel=1e-7)


PRIORS = {
    "normal\t0.7;0.3": stats.norm(0.7, 0.3), "laplace\t0.7;0.3": stats.laplace(0.7, 0.3),
    "cauchy\t0.7;0.3": stats.cauchy(0.7, 0.3), "log-normal\t-0.5;0.4": stats.lognorm(0.4, scale=np.exp(-0.5)),
    "log-laplace\t-0.5;0.4": stats.loglaplace(2.5, scale=np.exp(-0.5)), "gamma\t2;0.5": stats.gamma(2, scale=0.5),
    "chisquare\t3": stats.chi2(3), "exponential\t2": stats.expon(scale=2), "rayleigh\t0.7": stats.rayleigh(scale=0.7),
    "uniform\t0.1;2": stats.uniform(0.1, 1.9), "log-uniform\t0.1;2": stats.loguniform(0.1, 2),
}  # fmt: skip


@pytest.mark.parametrize("prior", PRIORS)
def test_priors_are_cut_to_the_bounds(prior: str, tmp_path: Path) -> None:
    """Densities and shares by scipy; the parameter without a prior has the uniform one of its bounds."""
    path = write(
        tmp_path, measurements="obs_a\t\t0.7\t1\n",
        parameters="=parameterId\tlowerBound\tupperBound\tnominalValue\testimate\tpriorDistribution\tpriorParameters\n"
        f"k1\t0.2\t1.5\t0.8\ttrue\t{prior}\nk2\t0.01\t100\t0.6\ttrue\t\t\n",
    )  # fmt: skip
    law = PRIORS[prior]
    known = law.logpdf(0.8) - np.log(law.cdf(1.5) - law.cdf(0.2)) - np.log(100 - 0.01)
    objective = Objective(read_problem(path))
    x = objective.nominal
    assert objective(x).log_prior == pytest.approx(known, rel=1e-10)
    step = np.array([1e-6, 0.0])
    by_hand = (objective(x + step).log_prior - objective(x - step).log_prior) / 2e-6
    bare = Objective(read_problem(write(tmp_path, measurements="obs_a\t\t0.7\t1\n")))
    of_data = (bare(np.log10([0.8 + 1e-6, 0.6])).llh - bare(np.log10([0.8 - 1e-6, 0.6])).llh) / 2e-6
    gradient = objective(x).gradient
    assert gradient is not None
    assert gradient[0] == pytest.approx(-by_hand - of_data, rel=1e-4, abs=1e-5)


def test_names_that_are_no_ids(tmp_path: Path) -> None:
    path = write(
        tmp_path, observables="=observableId\tobservableFormula\tnoiseFormula\nobs_a\ttheA\t0.5\n",
        problem="mapping_files: [mapping.tsv]\n", conditions="start\ttheB\t0.5\n", experiments="e\t0\tstart\n",
        measurements="obs_a\te\t1\t1\n",
    )  # fmt: skip
    (tmp_path / "mapping.tsv").write_text("petabEntityId\tmodelEntityId\ntheA\tA\ntheB\tB\nnote\t\n", encoding="utf-8")
    np.testing.assert_allclose(simulated(path), conversion(1.0, 0.5, 1.0)[0], rtol=1e-7)


WRONG = {
    "an unknown experiment": ({"measurements": "obs_a\te\t1\t1\n"}, "row 2, column experimentId: found 'e'"),
    "an unknown condition": ({"experiments": "e\t0\tghost\n", "measurements": "obs_a\te\t1\t1\n"},
                             "experiments.tsv: row 2, column conditionId: found 'ghost'"),
    "an unknown target": ({"conditions": "s\tX\t1\n", "experiments": "e\t0\ts\n", "measurements": "obs_a\te\t1\t1\n"},
                          "conditions.tsv: row 2, column targetId: found 'X'"),
    "a target of the parameter table": ({"conditions": "s\tk1\t1\n", "measurements": "obs_a\t\t1\t1\n"},
                                        "column targetId: found a value for k1"),
    "a formula": ({"conditions": "s\tA\t1 +\n", "measurements": "obs_a\t\t1\t1\n"},
                  "column targetValue: found the end"),
    "a state before the start": (
        {"conditions": "s\ta0\tB\n", "experiments": "e\t0\ts\n", "measurements": "obs_a\te\t1\t1\n"},
                                 "column targetValue: found B, of the model"),
    "two conditions of one target": ({"conditions": "s\tA\t1\nt\tA\t2\n", "experiments": "e\t0\ts\ne\t0\tt\n",
                                          "measurements": "obs_a\te\t1\t1\n"}, "row 3, column conditionId"),
    "a time before the first period": ({"experiments": "e\t2\t\n", "measurements": "obs_a\te\t1\t1\n"},
                                       "row 2, column time: found '1', expected 2 or later"),
    "a word for true": ({"parameters": "a0\t1\t2\t1\tyes\n", "measurements": "obs_a\t\t1\t1\n"}, "column estimate"),
    "a law": ({"observables": "obs_b\tA\t1\tcauchy\n", "measurements": "obs_a\t\t1\t1\n"}, "4 cells"),
    "a model": ({"measurements": "=observableId\texperimentId\tmeasurement\ttime\tmodelId\nobs_a\t\t1\t1\tother\n"},
                "column modelId: found 'other'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_fault(case: str, tmp_path: Path) -> None:
    changes, expected = WRONG[case]
    with pytest.raises(InvalidInput) as error:
        read_problem(write(tmp_path, **changes))
    assert expected in str(error.value)


def test_several_models_share_the_parameters(tmp_path: Path) -> None:
    """A model of decay beside the conversion: k1 is in both, and each measurement has its own."""
    both = FILES["problem.yaml"].replace("sbml}}", "sbml}, decay: {location: d.xml, language: sbml}}")
    path = write(
        tmp_path, problem="=" + both,
        observables="obs_d\tD\t1\n",
        measurements="=observableId\texperimentId\tmeasurement\ttime\tmodelId\n"
        "obs_d\t\t1\t2\tdecay\nobs_a\t\t1\t1\tm\nobs_d\t\t1\t3\tdecay\n",
    )  # fmt: skip
    decay = parse(b"model d; compartment c = 1; species D in c = 3; D' = -k1*D; k1 = 5; end", source="d.ant")
    (tmp_path / "d.xml").write_text(Model(decay, "d", "").to_sbml(), encoding="utf-8")
    known = [3 * np.exp(-1.6), conversion(A0, B0, 1.0)[0], 3 * np.exp(-2.4)]
    np.testing.assert_allclose(simulated(path), known, rtol=1e-7)
    text = (tmp_path / "measurements.tsv").read_text(encoding="utf-8")
    for old, new, said in (
        ("2\tdecay", "2\tm", "which obs_d reads"),
        ("2\tdecay", "2\t", "one of the models m, decay"),
    ):
        (tmp_path / "measurements.tsv").write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(InvalidInput, match=said):
            read_problem(path)


def test_a_model_in_another_language_is_refused_by_name(tmp_path: Path) -> None:
    problem = FILES["problem.yaml"].replace("language: sbml", "language: bngl")
    with pytest.raises(UnsupportedFeature, match="bngl"):
        read_problem(write(tmp_path, problem="=" + problem, measurements="obs_a\t\t1\t1\n"))
