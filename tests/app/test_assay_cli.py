"""`senexo assay` on the command line: examples, printed answers, written files, one message for every fault."""

from __future__ import annotations

import doctest
import inspect
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from senexo import assays
from senexo.app import assay as command
from senexo.app.assaying import write
from senexo.app.options import arguments, keywords, on_command_line
from senexo.assays.spec import Option, Spec, flag
from senexo.assays.specs import SPECS, example
from senexo.base.errors import InvalidInput, StoreError
from senexo.base.table import read_table

Run = Callable[..., tuple[int, str, str]]
FIELDS = {"assay", "method", "settings", "notes", "cautions", "findings"}


def test_every_assay_is_on_the_command_line() -> None:
    assert [info.name for info in command.app.registered_commands] == list(SPECS)
    assert sorted(SPECS) == dir(assays)


every = pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.name)


@every
def test_options_are_the_keywords_of_the_function(spec: Spec) -> None:
    """Same names, same order, same defaults; what a function cannot do without is needed here."""
    parameters = dict(list(inspect.signature(spec.function).parameters.items())[1:])
    parameters.pop("where", None)
    names = list(dict.fromkeys(option.part_of or option.name for option in spec.options))
    assert names == list(parameters)
    for option in spec.options:
        default = parameters[option.part_of or option.name].default
        assert option.needed == (default is inspect.Parameter.empty), option.name
        if isinstance(default, str | int | float) and not isinstance(default, bool):
            shown = f"{default:g}" if isinstance(default, int | float) else default
            assert option.default == shown, option.name


@every
def test_the_docstring_describes_every_keyword(spec: Spec) -> None:
    """In the numpy style, so that an editor and a reference page can show them."""
    text = inspect.getdoc(spec.function) or ""
    sections = dict(re.findall(r"^(\w+)\n-{3,}\n(.*?)(?=^\w+\n-{3,}\n|\Z)", text, flags=re.MULTILINE | re.DOTALL))
    assert {"Parameters", "Returns", "Raises", "Examples"} <= set(sections)
    heads = re.findall(r"^([a-z_0-9, ]+) : ", sections["Parameters"], flags=re.MULTILINE)
    assert [name for head in heads for name in head.split(", ")] == list(inspect.signature(spec.function).parameters)


@every
def test_the_docstring_example_is_right(spec: Spec) -> None:
    failed, tried = doctest.testmod(inspect.getmodule(inspect.unwrap(spec.function)))
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("name", SPECS)
def test_the_example_and_the_command_it_names(senexo: Run, tmp_path: Path, name: str) -> None:
    """Typed as it is printed, the command answers in text, in JSON and in files."""
    status, said, complaint = senexo("assay", name, "--example")
    assert (status, complaint) == (0, "")
    line = shlex.split(said.splitlines()[-1])
    assert line[:3] == ["senexo", "assay", name]
    status, text, complaint = senexo(*line[1:], "--out", "answer")
    assert (status, complaint) == (0, "")
    assert text.splitlines()[-1] == "Written to answer."
    status, printed, complaint = senexo(*line[1:], "--json")
    assert (status, complaint) == (0, "")
    found = json.loads(printed, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert found["assay"] == name
    assert found["findings"]
    assert all(finding["sentence"].endswith(".") for finding in found["findings"])
    table, options = example(name)
    result = SPECS[name].function(table, **options)
    assert set(found) == FIELDS | set(result.tables)

    folder = tmp_path / "answer"
    assert json.loads((folder / "result.json").read_text()) == found
    for finding in found["findings"]:
        assert finding["sentence"] in (folder / "sentence.txt").read_text()
    for figure, start in (("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert (folder / f"figure.{figure}").read_bytes().startswith(start)
    for table, rows in ((key, rows) for key, rows in found.items() if key not in FIELDS and rows):
        assert (
            len(read_table(folder / f"{table}.csv")) == len(pd.read_parquet(folder / f"{table}.parquet")) == len(rows)
        )


@every
def test_help_names_every_option_column_and_what_is_needed(
    senexo: Run, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    status, said, _ = senexo("assay", spec.name, "--help")
    assert status == 0
    for option in on_command_line(spec):
        assert option.flag in said
        assert not any(flag(old) in said for old in option.was)
    assert all(one.name in said for one in spec.columns)
    assert said.count("(needed)") == sum(option.needed for option in spec.options)


COUNTS = "arm,donor,n_positive,n_total\nmock,a,4,200\nmimic,a,52,200\nmock,b,6,200\nmimic,b,61,200\n"


def test_without_flags_there_is_a_table_sentences_and_notes(senexo: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(COUNTS + "mock,c,0,0\nwater,a,0,200\n")
    status, said, _ = senexo("assay", "senescence", "t.csv", "--compare", "mimic,mock", "--exclude", "arm=water")
    assert status == 0
    head, sentences, notes = said.strip().split("\n\n")
    assert head.startswith("senescence: 1 finding")
    assert sentences.startswith("SA-β-gal positive cells: mimic against mock: 28.2 % and 2.5 %")
    assert notes.splitlines()[0] == "Note: 1 of 6 rows of t.csv is left out: arm = water"
    assert "1 well without a counted cell left out" in notes


def test_every_kind_of_table_gives_the_same_answer(senexo: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(COUNTS)
    frame = pd.read_csv(tmp_path / "t.csv")
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    frame.to_csv(tmp_path / "t.csv.gz", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    with pd.ExcelWriter(tmp_path / "two.xlsx") as book:
        frame.to_excel(book, sheet_name="counts", index=False)
        frame[:1].to_excel(book, sheet_name="notes", index=False)
    said = {
        name: senexo("assay", "senescence", name, "--compare", "mimic,mock", *more)[1]
        for name, *more in (
            ["t.csv"], ["t.tsv"], ["t.csv.gz"], ["t.parquet"], ["t.xlsx"], ["two.xlsx", "--sheet", "counts"],
        )
    }  # fmt: skip
    assert len(set(said.values())) == 1
    assert "28.2 %" in said["t.xlsx"]
    status, _, complaint = senexo("assay", "senescence", "two.xlsx")
    assert status == 2
    assert "2 sheets (counts, notes)" in complaint


def test_joined_tables_count_what_has_no_partner(senexo: Run, tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("well,n_positive,n_total\nA1,4,200\nA2,52,200\nA3,6,200\nA4,61,200\nB1,1,9\n")
    plan = "well,arm,donor\nA2,mimic,a\nA1,mock,a\nA4,mimic,b\nA3,mock,b\n"
    (tmp_path / "plan.csv").write_text(plan)
    (tmp_path / "t.csv").write_text(COUNTS)
    joined = ("assay", "senescence", "counts.csv", "--compare", "mimic,mock", "--join", "plan.csv", "--on", "well")
    status, said, _ = senexo(*joined, "--json")
    assert status == 0
    found, alone = (
        json.loads(text)
        for text in (said, senexo("assay", "senescence", "t.csv", "--compare", "mimic,mock", "--json")[1])
    )
    assert found["notes"] == ["1 of 5 rows of counts.csv has no partner in plan.csv by well and is left out"]
    assert found["findings"] == alone["findings"]
    for text, words in (
        (plan.replace("A2", "A1"), "plan.csv: row 3: found the well of row 2 again"),
        (plan.replace("A", "C"), "no common name ('A1', 'A2'; 'C2', 'C1')"),
        (plan.replace("well", "place"), "plan.csv: column well: found no such column (there are: place, arm, donor)"),
    ):
        (tmp_path / "plan.csv").write_text(text)
        status, _, complaint = senexo(*joined)
        assert status == 2
        assert words in complaint


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["senescence"], ["TABLE: found nothing", "senexo assay senescence --example"]),
        (["senescence", "none.csv"], ["none.csv: found no such file"]),
        (["senescence", "."], ["type ''"]),
        (["senescence", "t.doc"], ["type '.doc'", ".xlsx"]),
        (["senescence", "t.csv", "--sheet", "x"], ["the sheet 'x' of a file of type '.csv'"]),
        (["senescence", "t.csv", "--join", "t.csv"], ["--on: found nothing"]),
        (["senescence", "t.csv", "--on", "donor"], ["--join: found nothing"]),
        (["senescence", "t.csv", "--join-sheet", "x"], ["--join: found nothing"]),
        (
            ["senescence", "t.csv", "--join", "t.csv", "--on", "donor"],
            ["t.csv (TABLE): row 3: found the donor of row 2"],
        ),
        (["senescence", "t.csv", "--exclude", "arm"], ["exclude: found 'arm', expected COLUMN=VALUE"]),
        (
            ["senescence", "t.csv", "--exclude", "arm=water"],
            ["found no row with 'water', expected one of 'mock', 'mimic'"],
        ),
        (["senescence", "t.csv", "--compare", "mimic"], ["--compare: found 'mimic', expected NAME,NAME"]),
        (["senescence", "t.csv", "--compare", "mimic,,mock"], ["--compare: found 'mimic,,mock'"]),
        (["senescence", "t.csv", "--compare", "mimic,mok"], ["t.csv: compare: found 'mok', expected an arm"]),
        (["dilution", "t.csv", "--dose", " "], ["--dose: found '', expected COLUMN (cells per well or mouse)"]),
        (["senescence", "t.csv", "--time-h", "soon"], ["--time-h: found 'soon', expected NUMBER"]),
        (["senescence", "t.csv", "--time-h", "nan"], ["--time-h: found 'nan'"]),
        (["senescence", "t.csv", "--colour", "red"], ["--colour"]),
        (["qpcr", "t.csv"], ["--target: found nothing", "--reference: found nothing", "--control: found nothing"]),
        (
            ["qpcr", "t.csv", "--target", "a", "--reference", "b", "--control", "c", "--efficiency", "=1"],
            ["found '=1'"],
        ),
        (["senescence", "t.csv", "--out", "t.csv"], ["t.csv is not empty"]),
        (["senescence", "t.csv", "--out", "full"], ["full is not empty and holds no earlier answer", "--out"]),
        (["senescence", "t.csv", "--out", "/proc/nowhere"], ["cannot write /proc/nowhere"]),
        (["senescence", "t.csv", "--example"], ["t.csv: found a file that is there already"]),
        (["senescence", "t.xlsx", "--example"], ["expected an example table to write: .csv"]),
        (
            ["power", "--assay", "qpcr", "--effect", "2", "--exclude", "arm=water"],
            ["TABLE: found nothing", "--exclude"],
        ),
        (["power", "--assay", "elisa", "--effect", "2"], ["power: assay: found 'elisa', expected one of"]),
        (["elisa", "t.csv"], ["elisa"]),
    ],
)
def test_wrong_words_get_one_message(senexo: Run, tmp_path: Path, words: list[str], expected: list[str]) -> None:
    (tmp_path / "t.csv").write_text(COUNTS)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    status, said, complaint = senexo("assay", *words)
    assert (status, said) == (2, "")
    for word in expected:
        assert word in complaint
    assert (tmp_path / "t.csv").read_text() == COUNTS
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_an_answer_is_replaced_whole_and_has_the_same_bytes_again(tmp_path: Path) -> None:
    from senexo.assays import senescence

    table, options = example("senescence")
    whole, short = senescence(table, **options), senescence(table[table["family"] == "scrambled"])
    write(whole, tmp_path / "deep" / "answer")
    first = {path.name: path.read_bytes() for path in (tmp_path / "deep" / "answer").iterdir()}
    write(short, tmp_path / "deep" / "answer")
    assert not (tmp_path / "deep" / "answer" / "ec50.csv").exists()
    write(whole, tmp_path / "deep" / "answer")
    assert {path.name: path.read_bytes() for path in (tmp_path / "deep" / "answer").iterdir()} == first
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["answer"]
    (tmp_path / "deep" / "answer" / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds no earlier answer"):
        write(short, tmp_path / "deep" / "answer")
    assert len(list((tmp_path / "deep" / "answer").iterdir())) == len(first) + 1


def test_a_failed_write_leaves_the_earlier_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from senexo.assays import senescence

    result = senescence(example("senescence")[0])
    write(result, tmp_path / "answer")
    before = sorted(path.name for path in (tmp_path / "answer").iterdir())
    rename = Path.rename

    moved: list[Path] = []

    def full(self: Path, target: Path) -> Path:
        if target.name == "answer" and not moved:
            moved.append(self)
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write(result, tmp_path / "answer")
    assert sorted(path.name for path in (tmp_path / "answer").iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["answer"]


def assay(*options: Option) -> Spec:
    """A specification of options alone."""
    return Spec("a", "", "", "", "", options=options, tables=(), findings=(), example={})


def test_an_earlier_name_is_accepted_with_a_warning_that_says_the_new_one() -> None:
    spec = assay(Option("min_reads", "number", "reads", was=("least",)))
    with pytest.warns(FutureWarning, match="--least is called --min-reads now"):
        assert keywords(spec, {"min_reads": None, "least": "5"}) == {"min_reads": 5}


def test_the_parts_of_a_mapping_are_options_of_their_own() -> None:
    spec = assay(Option("arm", "name", "the arm", part_of="pilot"), Option("seed", "number", "the seed"))
    assert keywords(spec, {"arm": "mimic", "seed": "2"}) == {"pilot": {"arm": "mimic"}, "seed": 2}
    assert arguments(spec, {"pilot": {"arm": "mimic"}, "seed": 2}) == "--arm mimic --seed 2"


names = st.text(st.sampled_from('ab ,"=-β1'), min_size=1, max_size=6).map(str.strip).filter(bool)
numbers = st.one_of(st.integers(-999, 999), st.sampled_from([0.5, 1.25, -3.75]))
KINDS: dict[Any, Any] = {
    "column": names, "formula": names, "name": names, "formulas": st.lists(names, min_size=1), "number": numbers,
    "columns": st.lists(names, min_size=1), "names": st.lists(names, min_size=1),
    "numbers": st.lists(numbers, min_size=1), "pairs": st.lists(st.tuples(names, names), min_size=1),
    "factors": st.one_of(numbers, st.dictionaries(names, numbers, min_size=1)),
}  # fmt: skip


@given(st.sampled_from(sorted(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), KINDS[kind])))
def test_what_is_typed_is_what_is_meant(asked: tuple[Any, Any]) -> None:
    """Keywords as words of a command, split as a shell does, are the keywords again."""
    kind, value = asked
    option = Option("x_y", kind, "help")
    words = shlex.split(arguments(assay(option), {"x_y": value}))
    assert words[::2] == ["--x-y"] * (len(words) // 2)
    given = words[1::2] if option.several else words[1]
    assert keywords(assay(option), {"x_y": given}) == {"x_y": value}


def test_wrong_options_are_told_together() -> None:
    spec = assay(Option("t", "number", "a time", needed=True), Option("u", "number", "another"))
    with pytest.raises(InvalidInput) as caught:
        keywords(spec, {"t": None, "u": "x"})
    assert str(caught.value).splitlines() == [
        "--t: found nothing, expected a time",
        "--u: found 'x', expected NUMBER (another)",
    ]


def test_a_real_shell_gets_status_2_and_no_traceback(tmp_path: Path) -> None:
    code = "from senexo.app.cli import main; main()"
    run = subprocess.run([sys.executable, "-c", code, "assay", "qpcr", "none.csv", "--target", "a", "--reference", "b",
                          "--control", "c"], capture_output=True, text=True, cwd=tmp_path)  # fmt: skip
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "senexo: none.csv: found no such file, expected the path of a table\n"
