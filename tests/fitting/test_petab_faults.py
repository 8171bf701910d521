"""Wrong PEtab problems: every fault is named with its file, row and column, all of them at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from senexo.base.errors import InvalidInput
from senexo.fitting.petab.read import read_problem

EXAMPLE = Path(__file__).parents[2] / "examples" / "fit"
Problem = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Problem:
    """A copy of the example with texts of its files replaced: file="old -> new"."""

    def make(**changes: str | list[str]) -> Path:
        folder = tmp_path / "problem"
        shutil.copytree(EXAMPLE, folder)
        for name, pairs in changes.items():
            file = folder / {"yaml": "mimic.yaml", "model": "mimic.xml"}.get(name, f"{name}.tsv")
            text = file.read_text(encoding="utf-8")
            for pair in [pairs] if isinstance(pairs, str) else pairs:
                old, new = pair.split(" -> ")
                assert old in text
                text = text.replace(old, new, 1)
            file.write_text(text, encoding="utf-8")
        return folder / "mimic.yaml"

    return make


def faults(path: Path) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        read_problem(path)
    return [str(one).replace(f"{path.parent}/", "") for one in error.value.faults]


WRONG = {
    "a scale": (
        {"parameters": "k_loss\tlog10 -> k_loss\tlog2"},
        "parameters.tsv: row 3, column parameterScale: found 'log2'",
    ),
    "a bound of a logarithm": (
        {"parameters": "log10\t0.0001\t10\t0.02 -> log10\t0\t10\t0.02"},
        "parameters.tsv: row 3, column lowerBound: found '0', expected a bound above 0",
    ),
    "bounds the wrong way": (
        {"parameters": "0.0001\t10\t0.02 -> 10\t0.0001\t0.02"},
        "parameters.tsv: row 3, column upperBound: found '0.0001'",
    ),
    "no number": (
        {"parameters": "0.0001\t10\t0.02 -> 0.0001\tten\t0.02"},
        "column upperBound: found 'ten'",
    ),
    "an id twice": (
        {"parameters": "k_turnover\t -> k_loss\t"},
        "row 4, column parameterId: found 'k_loss'",
    ),
    "neither estimated nor fixed": (
        {"parameters": "0.02\t1 -> 0.02\tyes"},
        "row 3, column estimate: found 'yes'",
    ),
    "a parameter that nothing reads": (
        {"parameters": "k_loss -> k_lost"},
        "k_lost, which nothing reads",
    ),
    "a formula": (
        {"observables": "\treporter\tsd -> \treporter * (2\tsd"},
        "observables.tsv: row 2, column observableFormula: found the end at character",
    ),
    "a name of a formula": (
        {"observables": "\treporter\tsd -> \treportr\tsd"},
        "the unknown name reportr, expected one of reporter",
    ),
    "a function": (
        {"observables": "\treporter\tsd -> \troot(reporter)\tsd"},
        "found 'root' at character 1",
    ),
    "a transformation": (
        {"observables": "lin\tnormal -> log2\tnormal"},
        "column observableTransformation: found 'log2'",
    ),
    "a law": (
        {"observables": "lin\tnormal -> lin\tcauchy"},
        "column noiseDistribution: found 'cauchy'",
    ),
    "an unknown condition": (
        {"measurements": "light\tmock\t6 -> light\tmok\t6"},
        "measurements.tsv: row 2, column simulationConditionId: found 'mok', expected one of mock",
    ),
    "an unknown observable": (
        {"measurements": "light\tmock\t6 -> lihgt\tmock\t6"},
        "measurements.tsv: row 2, column observableId: found 'lihgt', expected one of light",
    ),
    "a time before the start": (
        {"measurements": "light\tmock\t6 -> light\tmock\t-6"},
        "row 2, column time: found '-6'",
    ),
    "a column of the conditions": (
        {"conditions": "\tmedium -> \tmedum"},
        "the column medum, expected one of medium",
    ),
    "a value of a condition": (
        {"conditions": "no mimic\t0 -> no mimic\tdose"},
        "column medium: found the id dose",
    ),
    "a missing column": (
        {"measurements": "measurement\t -> measured\t"},
        "expected a column measurement",
    ),
    "a missing file": (
        {"yaml": "conditions.tsv -> condition.tsv"},
        "mimic.yaml: problems, condition_files: found no such file",
    ),
    "an unknown key": (
        {"yaml": "observable_files -> observables_files"},
        "problems, observable_files: found no file",
    ),
    "too many own values": (
        {"measurements": ["replicateId -> noiseParameters", "\tr1 -> \t3"]},
        "row 2, column noiseParameters: found 1 in '3', expected nothing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_fault(case: str, changed: Problem) -> None:
    changes, expected = WRONG[case]
    assert any(expected in one for one in faults(changed(**changes))), faults


def test_all_faults_of_all_files_are_found_at_once(changed: Problem) -> None:
    path = changed(
        parameters="k_loss\tlog10 -> k_loss\tlog2", observables="lin\tnormal -> lin\tcauchy",
        measurements=["light\tmock\t6 -> light\tmok\t6", "light\tmock\t12 -> light\tmock\t-12"],
    )  # fmt: skip
    assert len(faults(path)) == 4


@pytest.mark.parametrize(
    "text", ["", "- 1\n- 2\n", "format_version: 1\nproblems: 3\n", "a: [b", "\x00", "a: !!python/name:os.system\n"]
)
def test_a_file_that_is_no_problem(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"x\.yaml"):
        read_problem(path)


def test_other_versions_are_refused(changed: Problem) -> None:
    assert any(
        "format_version: found 3" in one for one in faults(changed(yaml="format_version: 1 -> format_version: 3"))
    )


def test_a_model_that_computes_what_a_table_sets(changed: Problem) -> None:
    rule = (
        '<listOfRules><assignmentRule variable="k_loss"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>1</cn>'
        "</math></assignmentRule></listOfRules>"
    )
    path = changed(
        model=[
            f"<listOfReactions> -> {rule}<listOfReactions>",
            'k_loss" value="0.02" constant="true -> k_loss" value="0.02" constant="false',
        ]
    )
    assert any("k_loss, which the model computes" in one for one in faults(path))
