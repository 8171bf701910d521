"""One small experiment as instruments, programs and people write it: every layout gives the same numbers.

The files are made up; each says the same of mock and mimic in three donors (or of cells, patients, counts).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senexo.assays import dilution, expression, qpcr, survival
from senexo.assays.layouts.known import laid_out
from senexo.assays.layouts.samples import with_arms
from senexo.base.errors import InvalidInput
from senexo.base.table_file import read_grid

CASES = Path(__file__).parent / "cases"
CTS = {  # (arm, donor): Ct of miR-34c and U6; None is undetected
    ("mock", "d1"): (33.1, 17.2), ("mock", "d2"): (33.4, 17.0), ("mock", "d3"): (None, 17.1),
    ("mimic", "d1"): (27.2, 17.1), ("mimic", "d2"): (27.5, 17.3), ("mimic", "d3"): (28.1, 17.2),
}  # fmt: skip
WELLS = [
    (arm, donor, rna, ct) for (arm, donor), cts in CTS.items() for rna, ct in zip(("miR-34c", "U6"), cts, strict=True)
]


def plate(row: Callable[[int, str, str, str, str], str], undetected: str, mark: str = ".") -> str:
    """The rows of all wells; `row` is handed number, arm, donor, RNA and Ct."""
    texts = [undetected if ct is None else f"{ct}".replace(".", mark) for *_, ct in WELLS]
    return "\n".join(row(i, *well[:3], text) for i, (well, text) in enumerate(zip(WELLS, texts, strict=True))) + "\n"


QS_BLOCK = "Block Type,96-Well 0.2-mL Block\nExperiment Name,run 7\nInstrument Type,QuantStudio 5\n\n"
QS_HEAD = "Well,Well Position,Omit,Sample Name,Target Name,Task,Reporter,Quencher,CT,Ct Mean,Ct SD,Quantity\n"
STEP_HEAD = "Well\tSample Name\tTarget Name\tTask\tReporter\tQuencher\tC\u0442\tC\u0442 Mean\tC\u0442 SD\tQuantity\n"
CFX_HEAD = ",Well,Fluor,Target,Content,Sample,Biological Set Name,Cq,Cq Mean,Cq Std. Dev,Starting Quantity (SQ)\n"
LC_HEAD = (
    "Experiment: run 7  Selected Filter: SYBR Green I\nInclude\tColor\tPos\tName\tCp\tConcentration\tStandard\tStatus\n"
)
PLAIN = "arm,donor,target,ct\n" + plate(lambda i, arm, donor, rna, ct: f"{arm},{donor},{rna},{ct}", "undetected")


def qs_row(i: int, arm: str, donor: str, rna: str, ct: str) -> str:
    return f"{i},A{i},FALSE,{arm} {donor},{rna},UNKNOWN,SYBR,None,{ct},{ct},0.02,"


def cfx_row(i: int, arm: str, donor: str, rna: str, ct: str) -> str:
    return f",A{i:02},SYBR,{rna},Unkn-{i},{arm},{donor},{ct},{ct},0.1,NaN"


def lc_row(i: int, arm: str, donor: str, rna: str, ct: str) -> str:
    return f"True\t255\tA{i}\t{arm} {donor} {rna}\t{ct}\t\t0\t"


def wide(
    separator: str = ",", mark: str = ".", name: str = "{} {}", head: str = "Sample", nothing: str = "Undetermined"
) -> str:
    rows = [
        separator.join(
            [name.format(arm, donor), *(nothing if ct is None else f"{ct}".replace(".", mark) for ct in cts)]
        )
        for (arm, donor), cts in CTS.items()
    ]
    return "\n".join([separator.join([head, "miR-34c", "U6"]), *rows]) + "\n"


QPCR: dict[str, tuple[str, str | bytes]] = {
    "plain": (".csv", PLAIN),
    "quantstudio": (".csv", QS_BLOCK + QS_HEAD + plate(qs_row, "Undetermined")),
    "quantstudio with notes below": (".csv", QS_BLOCK + QS_HEAD + plate(qs_row, "Undetermined")
        + "\nAnalysis Type,Singleplex\n"),
    "quantstudio, omitted well and controls": (".csv", QS_BLOCK + QS_HEAD + plate(qs_row, "Undetermined")
        + "90,H6,TRUE,mock d1,U6,UNKNOWN,SYBR,None,39,39,0,\n91,H7,FALSE,NTC,U6,NTC,SYBR,None,Undetermined,,,\n"),
    "stepone, tabs": (".txt", QS_BLOCK.replace(",", " = ") + STEP_HEAD + plate(
        lambda i, arm, donor, rna, ct: f"A{i}\t{arm}_{donor}\t{rna}\tUNKNOWN\tSYBR\tNFQ\t{ct}\t\t\t", "Undetermined")),
    "quantstudio, german": (".csv", QS_BLOCK.replace(",", ";") + QS_HEAD.replace(",", ";") + plate(
        lambda i, arm, donor, rna, ct: f"{i};A{i};FALSE;{arm} {donor};{rna};UNKNOWN;SYBR;None;{ct};;0,02;",
        "Undetermined", ",")),
    "cfx": (".csv", CFX_HEAD + plate(cfx_row, "NaN")),
    "cfx, no transcriptase": (".csv", CFX_HEAD + plate(cfx_row, "NaN") + ",H01,SYBR,U6,NRT,mock,d1,36.0,36,0,NaN\n"),
    "cfx, samples": (".csv", CFX_HEAD.replace(",Biological Set Name", "") + plate(
        lambda i, arm, donor, rna, ct: f",A{i:02},SYBR,{rna},Unkn,{arm}-{donor},{ct},{ct},0.1,NaN", "NaN")),
    "lightcycler": (".txt", LC_HEAD + plate(lc_row, "")),
    "lightcycler, left out well": (".txt", LC_HEAD + plate(lc_row, "") + "False\t255\tH1\tmock d1 U6\t39.0\t\t0\t\n"),
    "wide": (".csv", wide()),
    "wide, german": (".csv", wide(";", ",", head="Probe")),
    "wide, utf-16 tabs": (".txt", wide("\t", name="{}_{}").encode("utf-16")),
    "wide below a title": (".csv", "Run of 5 May\n\n" + wide()),
    "wide, arm and donor": (".csv", wide(name="{},{}", head="arm,donor")),
    "R, write.csv": (".csv", '"",' + PLAIN.replace("\n", "\n1,", 1).replace("\n", "\n").replace("\nm", "\n9,m")),
}  # fmt: skip


def answers(frame: pd.DataFrame) -> list[float]:
    frame, _ = with_arms(frame, "t")
    found = qpcr(frame, target="miR-34c", reference="U6", control="mock").tables["fold_changes"].iloc[0]
    return [float(found[name]) for name in ("ddct", "ddct_low", "ddct_high", "n_censored")]


def written(tmp_path: Path, suffix: str, data: str | bytes) -> Path:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@cache
def of_the_plain_table() -> list[float]:
    suffix, data = QPCR["plain"]
    with tempfile.TemporaryDirectory() as folder:
        return answers(laid_out(read_grid(written(Path(folder), suffix, data)), "qpcr")[0])


@pytest.mark.parametrize("name", list(QPCR))
def test_every_layout_of_a_plate_gives_the_same_fold(tmp_path: Path, name: str) -> None:
    frame, _ = laid_out(read_grid(written(tmp_path, *QPCR[name])), "qpcr")
    found = answers(frame)
    assert found == pytest.approx(of_the_plain_table(), rel=1e-12)
    assert found[3] == 1  # the undetected well is censored, not left out


def test_the_case_files_of_instruments() -> None:
    """Fold changes by hand: 2^-(dCt of mimic - dCt of mock) = 2^(33.12 - 17.11 - 27.12 + 17.51)."""
    frame, said = laid_out(read_grid(CASES / "qs.csv"), "qpcr")
    frame, more = with_arms(frame, "qs.csv")
    assert "1 no-template controls are kept apart" in said
    assert more == ["sample 'mock d1' as arm mock, donor d1, and so on"]
    dct = qpcr(frame, target="miR-34c-5p", reference="U6", control="mock").tables["dct"].set_index("arm")["dct"]
    assert dct["mimic"] - dct["mock"] == pytest.approx(27.12 - 17.51 - 33.12 + 17.11)
    found = qpcr(laid_out(read_grid(CASES / "cfx.csv"), "qpcr")[0], target="miR-34c", reference="U6", control="mock")
    detection = found.tables["detection"].set_index(["target", "arm"])
    assert detection.loc[("miR-34c", "mock"), ["n_wells", "n_undetected"]].to_list() == [1, 1]
    frame, _ = with_arms(laid_out(read_grid(CASES / "wide.xlsx"), "qpcr")[0], "wide.xlsx")
    dct = qpcr(frame, target="miR-34c", reference="U6", control="mock").tables["dct"].set_index(["arm", "donor"])
    assert dct.loc[("mock", "1"), "dct"] == pytest.approx(33.1 - 17.2)
    assert bool(dct.loc[("mimic", "1"), "censored"])


def test_an_unpaired_plate_keeps_its_answer() -> None:
    """Case abx.csv: 3.98 (1.71 to 9.26), p = 0.015, by hand with Welch's t of dCt of three against three.

    The wells of its one donor are no donors, so as it stands it is not testable.
    """
    frame, _ = laid_out(read_grid(CASES / "abx.csv"), "qpcr")
    alone = qpcr(frame, target="miR124", reference="miR16", control="DMSO", design="unpaired")
    assert alone.findings[-1].verdict == "not testable"
    frame = frame.assign(donor=frame["arm"] + frame["replicate"])
    found = (
        qpcr(frame, target="miR124", reference="miR16", control="DMSO", design="unpaired")
        .tables["fold_changes"]
        .iloc[0]
    )
    assert (found["fold"], found["low"], found["high"]) == pytest.approx((3.98, 1.71, 9.26), abs=0.006)
    assert found["p_value"] == pytest.approx(0.015, abs=0.0005)


COUNTS = {"s1": [5, 0, 90], "s2": [7, 1, 80], "s3": [40, 2, 95], "s4": [44, 3, 70], "s5": [6, 1, 85], "s6": [39, 1, 88]}
GENES = ["miR-34c", "miR-21", "U6"]


def matrix(separator: str, *, first: str, about: str = "") -> str:
    more = [about.split("|")] if about else []
    head = separator.join([first, *(one[0] for one in more), *COUNTS])
    rows = [
        separator.join([gene, *(one[1] for one in more), *(str(COUNTS[s][k]) for s in COUNTS)])
        for k, gene in enumerate(GENES)
    ]
    return "\n".join([head, *rows]) + "\n"


EXPRESSION = {
    "genes in rows": (".csv", matrix(",", first="gene")),
    "R's rows": (".csv", matrix(",", first="")),
    "R, write.table": (".txt", matrix(" ", first="").removeprefix(" ")),
    "descriptions": (".tsv", matrix("\t", first="GeneID", about="Description|small RNA")),
    "gct": (".gct", "#1.2\n3\t6\n" + matrix("\t", first="NAME", about="Description|na")),
    "semicolons": (".csv", matrix(";", first="miRNA")),
}


@pytest.mark.parametrize("name", list(EXPRESSION))
def test_matrices_with_genes_in_rows_are_turned(tmp_path: Path, name: str) -> None:
    frame, said = laid_out(read_grid(written(tmp_path, *EXPRESSION[name])), "expression")
    assert frame["sample"].to_list() == list(COUNTS)
    turned = frame.assign(group=["a", "a", "b", "b", "a", "b"])
    whole = pd.DataFrame(COUNTS, index=GENES).T.reset_index(names="sample").assign(group=["a", "a", "b", "b", "a", "b"])
    options: dict[str, Any] = {"group": "group", "control": "a", "sample": "sample"}
    pd.testing.assert_frame_equal(*(expression(one, **options).table for one in (turned, whole)))
    assert any("RNAs in rows" in one for one in said)


def test_a_matrix_with_samples_in_rows_is_left_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, ".csv", "id,group,miR-34c\nx,0,5\ny,1,9\n")
    assert list(laid_out(read_grid(path), "expression", ["group"])[0].columns) == ["id", "group", "miR-34c"]


SURVIVAL = {
    "one column of events per group": "Months,Control,miR-34c\n3,1,\n5,0,\n9,1,\n4,,1\n8,,0\n12,,1\n",
    "german": "Time (months);Control;miR-34c\n3;1;\n5;0;\n9;1;\n4;;1\n8;;0\n12;;1\n",
}


@pytest.mark.parametrize("name", list(SURVIVAL))
def test_a_table_of_survival_with_a_column_per_group(tmp_path: Path, name: str) -> None:
    frame, _ = laid_out(read_grid(written(tmp_path, ".csv", SURVIVAL[name])), "survival")
    long = pd.DataFrame(
        {"t": [3, 5, 9, 4, 8, 12], "event": [1, 0, 1, 1, 0, 1], "group": ["Control"] * 3 + ["miR-34c"] * 3}
    )
    first = survival(frame, time=str(frame.columns[0]), event="event", group="group").tables["groups"]
    pd.testing.assert_frame_equal(first, survival(long, time="t", event="event", group="group").tables["groups"])


def test_groups_above_repeated_names() -> None:
    """Case merged.xlsx, a limiting dilution of two groups side by side below a merged header."""
    frame, said = laid_out(read_grid(CASES / "merged.xlsx"), "dilution")
    long = pd.DataFrame({
        "cells": [1000, 300, 100] * 2, "wells": 24, "positive": [20, 9, 3, 12, 4, 1],
        "group": ["Control"] * 3 + ["miR-34c"] * 3,
    })  # fmt: skip
    options = {"dose": "cells", "tested": "wells", "response": "positive", "group": "group"}
    pd.testing.assert_frame_equal(dilution(frame, **options).table, dilution(long, **options).table)
    assert "column group holds Control, miR-34c" in said


@pytest.mark.parametrize(
    ("assay", "suffix", "text", "expected"),
    [
        (
            "qpcr",
            ".csv",
            wide(name="well{1}{0}"),
            "names such as 'welld1mock', 'welld2mock', 'welld3mock', expected names 'ARM DONOR'",
        ),
        ("qpcr", ".csv", wide(name="a b {} {}"), "column sample: found names such as"),
        (
            "qpcr",
            ".txt",
            LC_HEAD + "True\t255\tA1\tSample 1\t27.2\t\t0\t\n",
            "names such as 'Sample 1' and no column of the RNA",
        ),
        ("qpcr", ".csv", QS_HEAD + "1,A1,FALSE,mock d1,U6,UNKNOWN,SYBR,None,early,,,\n", "column ct: found 'early'"),
        ("qpcr", ".csv", QS_HEAD + "1,A1,FALSE,mock d1,U6,UNKNOWN\n", "row 2: found 6 cells, expected 12"),
        (
            "expression",
            ".csv",
            matrix(",", first="gene").replace("miR-21", "U6"),
            "row 4, column gene: found 'U6' again",
        ),
        (
            "expression",
            ".gct",
            "#1.2\n1\t2\nNAME\tDescription\ts1\ts2\n\tna\t1\t2\n",
            "row 4, column NAME: found an empty cell",
        ),
    ],
)
def test_what_a_layout_cannot_settle_is_asked(
    tmp_path: Path, assay: str, suffix: str, text: str, expected: str
) -> None:
    def call() -> None:
        answers(laid_out(read_grid(written(tmp_path, suffix, text)), assay)[0])

    with pytest.raises(InvalidInput) as caught:
        call()
    assert expected in str(caught.value)


FILES = [(assay, *file) for assay, files in (("qpcr", QPCR), ("expression", EXPRESSION)) for file in files.values()]
FILES += [("survival", ".csv", text) for text in SURVIVAL.values()]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damaged_export_is_a_table_or_its_faults(tmp_path: Path, data: st.DataObject) -> None:
    """Lines and cells taken out, doubled or replaced: never anything but a frame or InvalidInput."""
    assay, suffix, whole = data.draw(st.sampled_from(FILES))
    text = whole.decode("utf-16") if isinstance(whole, bytes) else whole
    sign = next((sign for sign in "\t;," if sign in text), ",")
    lines = [line.split(sign) for line in text.splitlines()]
    for _ in range(data.draw(st.integers(1, 4))):
        line = data.draw(st.integers(0, len(lines) - 1))
        cell = data.draw(st.integers(0, max(0, len(lines[line]) - 1)))
        change = data.draw(st.sampled_from(["line", "again", "cell", "empty", "word", "below"]))
        if change == "line" and len(lines) > 1:
            del lines[line]
        elif change == "again":
            lines.insert(line, list(lines[line]))
        elif change == "below":
            lines = lines[: line + 1]
        elif lines[line]:
            lines[line][cell : cell + 1] = {"cell": [], "empty": [""], "word": ["oops"]}.get(change, [])
    path = written(tmp_path, suffix, "\n".join(sign.join(line) for line in lines))
    try:
        frame, _ = laid_out(read_grid(path), assay)
        frame = with_arms(frame, "t")[0] if assay == "qpcr" else frame
    except InvalidInput:
        return
    assert len(frame.columns) > 0
