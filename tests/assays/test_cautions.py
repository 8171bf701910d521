"""What numerical libraries warn of reaches the answer, and a fit that stops early says so."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from senexo.app.cli import main
from senexo.assays.cautions import recorded, run_assay
from senexo.assays.specs import SPECS, example
from senexo.assays.stats import cox, dose_response, logistic, negative_binomial
from senexo.assays.stats.cox_likelihood import Partial
from senexo.assays.stats.estimate import NotConverged
from senexo.base.table import csv_bytes

TREND = "pydeseq2: The dispersion trend curve fitting did not converge. Switching to a mean-based dispersion trend"


def rising() -> pd.DataFrame:
    """Reads of 60 RNAs whose dispersion rises with their mean, so that DESeq2's falling trend does not fit them."""
    rng = np.random.default_rng(1)
    mean = np.exp(rng.uniform(2.0, 8.0, 60))
    shape = mean.max() / mean
    reads = rng.negative_binomial(shape, shape / (shape + mean), (8, 60))
    return pd.DataFrame(reads, columns=[f"miR-{k}" for k in range(60)]).assign(group=["case"] * 4 + ["control"] * 4)


def test_a_library_s_warning_is_a_caution_of_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_bytes(csv_bytes(rising()))
    monkeypatch.chdir(tmp_path)
    words = ["senexo", "assay", "expression", "t.csv", "--group", "group", "--control", "control", "--out", "answer"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit, match="0"):
        main()
    said = capsys.readouterr().out
    assert f"Caution: {TREND}." in " ".join(said.split())
    assert json.loads((tmp_path / "answer" / "result.json").read_text())["cautions"] == [TREND]
    assert f"Caution: {TREND}." in (tmp_path / "answer" / "sentence.txt").read_text()


def test_in_python_the_library_warns_itself() -> None:
    from senexo.assays import expression

    with pytest.warns(UserWarning, match="dispersion trend curve fitting did not converge"):
        expression(rising(), group="group", control="control")


@pytest.mark.parametrize("name", [name for name in SPECS if name != "power"])
def test_the_cautions_of_the_examples(name: str) -> None:
    """But for reads, whose dispersions in 30 RNAs do not fall with the mean."""
    table, options = example(name)
    assert run_assay(SPECS[name], table, **options).cautions == ((TREND,) if name == "expression" else ())


def test_what_is_recorded_and_what_is_issued_again() -> None:
    def warned() -> list[str]:
        with recorded() as cautions:
            for _ in range(2):
                warnings.warn("overflow\n encountered", RuntimeWarning)
            warnings.warn("the old name", FutureWarning)
            warnings.warn("stopped", NotConverged)
        return cautions

    with pytest.warns(FutureWarning) as passed:
        assert warned() == ["overflow encountered", "stopped"]
    assert [(one.category, str(one.message)) for one in passed] == [(FutureWarning, "the old name")]


def test_reads_are_judged_without_touching_what_all_threads_share(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output and the filters of warnings stay those of the process while a model is fitted."""
    fitted, before = negative_binomial._fitted, list(warnings.filters)

    def watched(*given: object) -> object:
        sys.stdout.write("another thread speaks\n")
        assert warnings.filters == before
        return fitted(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(negative_binomial, "_fitted", watched)
    counts = rising().drop(columns="group").iloc[:, :25]
    case = np.arange(8) < 4
    with np.errstate(all="raise"):
        negative_binomial.wald(counts, case, np.ones(8))
    assert capsys.readouterr().out == "another thread speaks\n"
    assert warnings.filters == before


def few(monkeypatch: pytest.MonkeyPatch, module: object, steps: int = 1) -> None:
    monkeypatch.setattr(module, "_STEPS", steps)


def firth(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch, cox)
    x = np.array([[0.0], [0.0], [1.0], [1.0], [1.0]])
    model = Partial(np.arange(1.0, 6.0), np.array([True, True, True, False, False]), x, np.zeros(5, np.int64))
    cox._climb(model, np.zeros(1), np.ones(1, bool))


def by_logistic(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch, logistic)
    logistic.Logistic(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1]), "logistic")


def ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scipy.optimize.least_squares", limited(4))
    doses = np.array([10.0, 100.0, 1000.0, 1e4])
    dose_response.donor_curve(doses, np.array([0.0, 3.0, 190.0, 199.0]), np.full(4, 200.0))


def limited(most: int) -> Callable[..., object]:
    from scipy.optimize import least_squares

    return lambda function, start, **given: least_squares(function, start, **{**given, "max_nfev": most})


@pytest.mark.parametrize("stopped", [firth, by_logistic, ladder])
def test_a_fit_that_stops_early_says_so(
    stopped: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.warns(NotConverged, match="did not converge: its numbers are those of the last step"):
        stopped(monkeypatch)
