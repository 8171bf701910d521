"""The first screen: what it says for made-up result folders whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from senexo.report.answer import Reply, reply
from senexo.report.folder import ResultFolder
from senexo.report.page import render_to

ARMS = (("mock", np.nan), ("scrambled[3000]", 3000.0), ("mimic[300]", 300.0), ("mimic[3000]", 3000.0))
STUDY = """title = "Does it?"
[model]
circuit = "c"
[cells.LSC]
n = 16
[donors]
n = {n}
[replicates]
n = 3
[culture]
duration_h = 168.0
preequilibration_h = 48.0
[readouts]
times_h = [0.0, 168.0]
[arms.mock]
[arms."scrambled[3000]"]
[[arms."scrambled[3000]".schedule]]
time_h = 0.0
target = "LC"
operation = "add"
value = 3000.0
verb = "dose"
of = "scrambled"
[arms."mimic[300]"]
[arms."mimic[3000]"]
[[arms."mimic[3000]".genotype]]
target = "site_A"
operation = "set"
value = 0.0
verb = "mutate"
of = "A"
[[arms."mimic[3000]".schedule]]
time_h = 0.0
target = "L"
operation = "add"
value = 3000.0
verb = "dose"
of = "miR"
"""


def put(path: Path, name: str, table: pd.DataFrame) -> None:
    table.to_parquet(path / "tables" / f"{name}.parquet")


def made(path: Path, *, n: int = 8, found: dict[str, Any] | None = None) -> ResultFolder:
    """A result folder without assays or claim."""
    (path / "tables").mkdir()
    (path / "study.resolved.toml").write_text(STUDY.format(n=n))
    run = {"version": "0", "seed": 5, "digest": "d", "n_parameters": 10, "n_assumed": 7, "cautions": [], "n_cells": 16}
    (path / "run.json").write_text(json.dumps(run))
    base: dict[str, Any] = {"findings": [], "ec50": [], "curves": [], "assays": []}
    (path / "findings.json").write_text(json.dumps(base | (found or {})))
    arms = pd.DataFrame(ARMS, columns=["arm", "dose_copies"])
    arms["family"], arms["position"] = arms["arm"].str.partition("[")[0], range(len(arms))
    arms["agent"], arms["genotype"], arms["summary"] = "miR", "wild type", "something"
    put(path, "arms", arms)
    course = [(arm, d, 0, t, "LSC", q, "mean", v + t * (q == "rises"), "copies")
              for arm, _ in ARMS for d in range(1, n + 1) for t in (0.0, 168.0)
              for q, v in (("rises", 5.0), ("nothing", 0.0))]  # fmt: skip
    columns = ["arm", "donor", "replicate", "time_h", "cell_type", "quantity", "statistic", "value", "unit"]
    put(path, "timecourse", pd.DataFrame(course, columns=columns))
    keys = ["name", "value", "low", "high", "law", "unit", "source", "status", "note"]
    put(
        path,
        "parameters",
        pd.DataFrame([("a", 1.0, 1.0, 2.0, "uniform", "1", "none found", "assumed", "")], columns=keys),
    )
    outcomes = [("senescent", 0.3), ("renewing", 0.5), ("dead", 0.2), ("arrested", 0.0)]
    put(path, "outcomes", pd.DataFrame(
        [(arm, "f", dose, d, "LSC", o, "", v) for arm, dose in ARMS for d in range(1, n + 1) for o, v in outcomes],
        columns=["arm", "family", "dose_copies", "donor", "cell_type", "outcome", "became", "share"],
    ))  # fmt: skip
    put(path, "wiring", pd.DataFrame(
        [("miR -| A", "miR", "inhibits", "A", "site_A", True, "seen"),
         ("A -> B", "A", "activates", "B", "e_A_B", True, "")],
        columns=["edge", "source", "sign", "target", "quantity", "present", "evidence"],
    ))  # fmt: skip
    return ResultFolder(path)


def compared(path: Path, verdict: str, estimate: float, low: float, high: float, *, n: int = 8, p: float | None = 0.01,
             needed: float = 5.0) -> ResultFolder:  # fmt: skip
    """A result folder with one comparison of SA-beta-gal positive cells."""
    arm, control = "mimic[3000]", "scrambled[3000]"
    id = f"1:senescent:difference:{arm}:{control}"
    finding = {
        "assay": "senescence", "id": id, "request": 1, "verdict": verdict, "sentence": "In words.", "unit": "share",
        "estimate": estimate, "low": low, "high": high, "p_value": p,
    }  # fmt: skip
    settings = {"readout": "senescent", "label": "SA-β-gal positive cells", "compare": [[arm, control]]}
    assay = {"request": 1, "assay": "senescence", "findings": [id], "method": "Counting.", "settings": settings}
    folder = made(path, n=n, found={"findings": [finding], "assays": [assay]})
    put(path, "assay_senescent_differences_1", pd.DataFrame(
        [(arm, control, 0.05 + estimate, 0.05)], columns=["arm", "control", "share", "share_control"]))  # fmt: skip
    put(path, "next_steps", pd.DataFrame([{
        "kind": "donors", "request": 1, "assay": "senescence", "readout": "senescent", "arm": arm, "control": control,
        "dose_copies": 3000.0, "estimate": estimate, "low": low, "high": high, "verdict": verdict, "n_donors": n,
        "n_needed": needed, "power": 0.8,
    }]))  # fmt: skip
    return folder


def test_yes(tmp_path: Path) -> None:
    found = reply(compared(tmp_path, "large", 0.35, 0.2, 0.5))
    assert found.verdict == "Yes"
    assert found.sentence == (
        "With mimic at 3,000 active copies per cell, 40.0 % SA-β-gal positive cells, against 5.0 % with scrambled: "
        "+35.0 points (95 % interval +20 to +50)."
    )
    assert found.sure == "8 virtual donors; p = 0.01 after Holm's correction for all comparisons of this kind."
    assert found.assumed.startswith("7 of 10 parameters are assumed")
    assert found.steps == [
        "In patients' cells: SA-β-gal staining, mimic against scrambled at 3,000 active copies per cell: 5 donors."
    ]
    assert set(found.arms) == {"mimic[3000]", "scrambled[3000]"}


def test_an_effect_downwards_is_no_yes(tmp_path: Path) -> None:
    assert reply(compared(tmp_path, "large", -0.3, -0.4, -0.2)).verdict == "Lower"


def test_no(tmp_path: Path) -> None:
    found = reply(compared(tmp_path, "absent", 0.001, -0.02, 0.02, p=1.0, needed=np.nan))
    assert found.verdict == "No"
    assert "A relevant effect is excluded" in found.sentence
    assert not any("donors" in step for step in found.steps)


def test_undecided_names_the_donors_it_takes(tmp_path: Path) -> None:
    found = reply(compared(tmp_path, "not shown", 0.34, -0.1, 0.7, p=0.3, needed=21.0))
    assert found.verdict == "Undecided"
    assert "39.0 %" in found.sentence
    assert "does not exclude one" in found.sentence
    assert found.steps[0].endswith("21 donors.")
    assert "80 % of experiments." in found.note


def test_few_donors_make_a_rough_number(tmp_path: Path) -> None:
    found = reply(compared(tmp_path, "not shown", 0.34, -0.9, 1.0, n=3, p=0.3, needed=21.0))
    assert "a rough number, as their spread is known from 3" in found.note


def test_one_donor_is_too_few_for_a_test(tmp_path: Path) -> None:
    found = reply(compared(tmp_path, "not testable", 0.34, np.nan, np.nan, n=1, p=None, needed=np.nan))
    assert found.verdict == "Undecided"
    assert found.sure == "1 virtual donor: too few for a test."


def test_a_study_that_compares_nothing(tmp_path: Path) -> None:
    found = reply(made(tmp_path))
    assert found.verdict == "No answer"
    assert "compare" in found.steps[0]


def claimed(path: Path, verdict: str, *, true: int, kept: int, worlds: int, first: str) -> Reply:
    """The reply of a folder with a claim of two comparisons."""
    said = [first, "About 300 donors would decide it in 80 % of runs, if they vary as these do."]
    claim = {"id": "C1", "holds_when": "a > b", "given": None, "verdict": verdict, "sentences": said}
    folder = made(path, n=worlds, found={"claim": claim})
    share = true / kept if kept else np.nan
    rows = [
        ("claim", "alive(mimic[3000], 7 d) > 1", kept, 0.9), ("claim", "alive(mimic[300], 7 d) > 1", kept, share),
        ("claim", "the whole claim", kept, share), ("null world", "the whole claim", kept, 0.0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["world", "comparison", "n_donors", "share"])
    table["n_true"] = table["share"] * kept
    table["share_low"], table["share_high"] = table["share"] - 0.1, table["share"] + 0.1
    put(path, "claim", table)
    put(path, "claim_draws", pd.DataFrame({"world": "claim", "donor": range(1, worlds + 1)}))
    put(path, "next_steps", pd.DataFrame([{
        "kind": "parameter", "parameter": "KK", "rho": 0.61, "range_low": 0.1, "range_high": 10.0, "unit": "copies",
        "note": "affinity",
    }]))  # fmt: skip
    return reply(folder)


def test_a_claim_of_a_cohort_says_in_how_many_donors_of_those_that_could(tmp_path: Path) -> None:
    found = claimed(tmp_path, "holds", true=20, kept=50, worlds=80, first="C1 holds for the mean of 50 draws.")
    assert found.verdict == "Yes"
    assert found.sentence == (
        "The claim is true in 40 % of the donors that could show it (20 of 50); 62 % of 80 donors could."
    )
    assert found.sure.startswith("95 % interval of that share: 30 to 50 %. With what the claim rests on cut")
    assert found.steps[0].startswith("Measure KK (affinity): it decides the claim most (rank correlation +0.61)")
    assert "alive(mimic[300], 7 d) > 1 at 300 active copies per cell" in found.steps[1]
    assert found.steps[2].startswith("About 300 donors")


def test_a_claim_that_holds_in_its_null_says_why_it_is_undecided(tmp_path: Path) -> None:
    first = "C1 is not decided: it holds in its null too, so it does not depend on what the null cuts."
    found = claimed(tmp_path, "not decided", true=20, kept=50, worlds=80, first=first)
    assert found.verdict == "Undecided"
    assert found.sentence.endswith("It holds in its null too, so it does not depend on what the null cuts.")


def of_worlds(path: Path, verdict: str, *, possible: bool) -> Reply:
    """The reply of a folder with a claim over 80 worlds, of which 50 count: true in 10, possible in 25, null in 5."""
    shares = {
        "true": (10, 50),
        "possible": (25, 50),
        "true_where_possible": (9, 25),
        "null": (5, 50),
        "beyond_null": (7, 50),
    }
    counted = {
        name: {"k": k, "n": n, "share": k / n, "low": k / n / 2, "high": 2 * k / n} for name, (k, n) in shares.items()
    }
    if not possible:
        counted |= {"possible": None, "true_where_possible": None}
    claim = {
        "id": "C1",
        "holds_when": "a > b",
        "given": None,
        "verdict": verdict,
        "sentences": ["C1 is so"],
        "worlds": counted,
    }
    folder = made(path, n=80, found={"claim": claim})
    put(path, "claim", pd.DataFrame({"world": ["claim"], "comparison": ["the whole claim"], "share": [0.2]}))
    return reply(folder)


def test_a_claim_over_worlds_is_answered_by_shares_and_neither_yes_nor_no(tmp_path: Path) -> None:
    found = of_worlds(tmp_path, "share of worlds", possible=True)
    assert found.verdict == "In 20 % of worlds"
    assert found.sentence == (
        "The claim is true in 20 % of 50 worlds. It could be true in 50 % of them, and is in 36 % of those."
    )
    assert "95 % interval of the share: 10 % to 40 %" in found.sure
    assert "it is true in 10 % of them; here and not there, in 14 %" in found.sure


def test_a_claim_over_worlds_without_a_positive_control_says_so(tmp_path: Path) -> None:
    found = of_worlds(tmp_path, "not tested", possible=False)
    assert found.verdict == "Not tested"
    assert found.sure.endswith("No positive control: in how many it could be true is not known.")


def test_a_claim_that_no_donor_can_show(tmp_path: Path) -> None:
    first = "C1 is not decided: 0 donors have a value."
    found = claimed(tmp_path, "not decided", true=0, kept=0, worlds=80, first=first)
    assert found.sentence.startswith("None of 80 donors could show it.")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    source, out = tmp_path / "run", tmp_path / "report"
    source.mkdir()
    render_to(compared(source, "not shown", 0.34, -0.1, 0.7, p=0.3, needed=21.0).path, out)
    return out


def test_every_figure_has_its_files_and_the_numbers_that_it_draws(written: Path) -> None:
    figures = written / "figures"
    names = {path.stem for path in figures.glob("*.svg")}
    assert names == {"outcomes", "scheme", "circuit", "courses-1"}
    for name in names:
        for kind, first in (("pdf", b"%PDF"), ("png", b"\x89PNG"), ("csv", b"")):
            assert (figures / f"{name}.{kind}").read_bytes().startswith(first), (name, kind)
    shares = pd.read_csv(figures / "outcomes.csv")
    assert shares.groupby(["arm", "donor"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert pd.read_csv(figures / "findings.csv")["reads"].tolist() == ["undecided: up to 70 points remain possible"]


def test_no_panel_is_empty(written: Path) -> None:
    courses = pd.read_csv(written / "figures" / "courses-1.csv")
    assert set(courses["quantity"]) == {"rises"}  # the other is 0 in all arms
    assert set(pd.read_csv(written / "figures" / "outcomes.csv")["outcome"]) >= {"senescent", "renewing", "dead"}
    text = (written / "report.html").read_text(encoding="utf-8")
    assert "arrested 0 %" not in text  # an outcome that no cell came to has no column


def test_the_circuit_marks_what_the_study_changes(written: Path) -> None:
    table = pd.read_csv(written / "figures" / "circuit.csv").set_index("edge")
    assert table.loc["miR -| A", "changed_by"] == "site mutated in mimic[3000]"
    assert pd.isna(table.loc["A -> B", "changed_by"])
    assert "#c4161c" in (written / "figures" / "circuit.svg").read_text()
    assert "#c4161c" not in (written / "figures" / "courses-1.svg").read_text()


def test_the_scheme_holds_every_addition(written: Path) -> None:
    table = pd.read_csv(written / "figures" / "scheme.csv")
    assert table[["family", "day", "event"]].to_numpy().tolist() == [
        ["scrambled", 0.0, "scrambled, 3,000 copies"],
        ["mimic", 0.0, "A site mutated; miR"],
    ]
    assert set(table["plated"]) == {"16 LSC"}


def test_figures_say_in_words_what_they_show(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == text.count('role="img" aria-label="') == 4
    assert "mimic[3000]: renewing 50 %, senescent 30 %, dead 20 %" in text
    assert len(text) < 2_000_000


@pytest.mark.parametrize(
    ("verdict", "estimate", "said"),
    [("large", 0.4, "Longer survival"), ("moderate", 1.9, "Shorter survival"), ("no effect shown", 0.9, "Undecided")],
)
def test_survival_answers_where_nothing_else_is_compared(
    tmp_path: Path, verdict: str, estimate: float, said: str
) -> None:
    """By the model that holds most constant, of the first comparison."""
    kinds = (
        "alone:arm:b against a",
        "stratified:arm:b against a",
        "alone:arm:c against a",
        "stratified:arm:c against a",
    )
    found = [
        {"assay": "survival", "id": f"1:hazard_ratio:{kind}", "verdict": verdict if kind == kinds[1] else "large",
         "estimate": estimate, "sentence": f"arm, the sentence of {kind}."}
        for kind in kinds
    ]  # fmt: skip
    answer = reply(made(tmp_path, found={"findings": found}))
    assert answer.verdict == said
    assert answer.sentence == "Survival: the sentence of stratified:arm:b against a."
    assert bool(answer.steps) == (said == "Undecided")
