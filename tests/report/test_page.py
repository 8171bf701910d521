"""The report is made from a folder only: it shows what the tables hold, loads nothing, and escapes every name."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest

from senexo import workflow
from senexo.base.errors import StoreError
from senexo.lab.claim.verdict import judge
from senexo.report.page import render
from senexo.report.tables import number
from senexo.study.observables import Observable, Quantity
from senexo.study.resolve import resolve
from senexo.study.schema import Claim

HOSTILE = '<script>alert("x")</script>'
DOSES = (30.0, 300.0, 3000.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small result folder written by hand; one family bears a hostile name."""
    tables = tmp_path / "tables"
    tables.mkdir()
    rng = np.random.default_rng(20260101)
    ladder = [(f"mimic[{dose:g}]", "mimic", dose) for dose in DOSES]
    arms = pd.DataFrame(
        [("mock", "mock", np.nan), *ladder, (HOSTILE, HOSTILE, np.nan)], columns=["arm", "family", "dose_copies"]
    )
    arms["agent"], arms["genotype"], arms["position"] = "miR-34c-5p", "wild type", range(len(arms))
    arms["summary"] = [f"what is done in {arm}" for arm in arms["arm"]]
    times, donors = np.array([0.0, 84.0, 168.0]), range(1, 5)
    course = pd.DataFrame(
        [(arm, d, 0, t, "LSC", q, "mean", rng.uniform(10, 20), u)
         for arm in arms["arm"] for d in donors for t in times
         for q, u in (("miR-34c-5p", "copies"), ("RAB27B", "copies"))],
        columns=["arm", "donor", "replicate", "time_h", "cell_type", "quantity", "statistic", "value", "unit"],
    )  # fmt: skip
    counts = pd.DataFrame(
        [(row.arm, row.family, row.dose_copies, d, 1, t, int(rng.binomial(100, 0.1)), 100)
         for row in arms.itertuples() for d in donors for t in times],
        columns=["arm", "family", "dose_copies", "donor", "replicate", "time_h", "n_positive", "n_total"],
    )  # fmt: skip
    parameters = pd.DataFrame({
        "name": ["a", "b", "c"], "value": [1.0, 2.0, 3.0], "low": [1.0, 1.0, 1.0], "high": [2.0, 3.0, 4.0],
        "law": "uniform", "unit": "1/h", "source": ["10.1038/ncb1711", "none found", "none found"],
        "status": ["seen", "assumed", "assumed"], "note": ["", HOSTILE, ""],
    })  # fmt: skip
    for name, table in {"arms": arms, "timecourse": course, "senescence": counts, "arrest": counts,
                        "parameters": parameters, "assay_senescence_1": counts.head(3)}.items():  # fmt: skip
        table.to_parquet(tables / f"{name}.parquet")
    (tmp_path / "study.resolved.toml").write_text(
        'title = "A question"\n[model]\ncircuit = "c"\n[cells.LSC]\nn = 7\n[donors]\nn = 4\n[replicates]\nn = 3\n'
        "[culture]\nduration_h = 168.0\nserum_percent = 20.0\npreequilibration_h = 100.0\n"
        "[readouts]\ntimes_h = [0.0, 84.0, 168.0]\n"
        + "".join(f"[arms.{json.dumps(arm)}]\ngenotype = []\nschedule = []\n" for arm in arms["arm"])
    )
    (tmp_path / "run.json").write_text(
        json.dumps({
            "version": "0", "seed": 5, "digest": "d" * 64, "cautions": ["Cells are independent."], "n_parameters": 3,
            "n_assumed": 2, "replays_cells": True, "cells_per_well": {"mock": 7, HOSTILE: 1200},
        })
    )  # fmt: skip
    finding = {
        "assay": "senescence",
        "id": "1:senescent:difference:a:b",
        "request": 1,
        "verdict": "small",
        "sentence": f"A small effect in {HOSTILE}.",
    }
    absent = {**finding, "id": "1:senescent:difference:c:b", "verdict": "absent"}
    absent["sentence"] = "No effect was shown elsewhere."
    assay = {
        "request": 1,
        "assay": "senescence",
        "findings": [finding["id"], absent["id"]],
        "method": "What is counted.",
        "settings": {"readout": "senescent", "label": "stained cells"},
    }
    (tmp_path / "findings.json").write_text(
        json.dumps({"findings": [finding, absent], "ec50": [], "curves": [], "assays": [assay]})
    )
    return tmp_path


class Outline(HTMLParser):
    """Tag names, and every attribute that could make a browser load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for key, value in attrs if key in ("src", "href", "xlink:href", "action", "data")]


def test_page_is_one_file_that_loads_nothing_and_runs_nothing(folder: Path) -> None:
    outline = Outline()
    text = render(folder).read_text(encoding="utf-8")
    outline.feed(text)
    assert "script" not in outline.tags
    assert not [link for link in outline.loads if not link.startswith("#")]
    assert not re.search(r"url\(\s*['\"]?(?!#)", text)


def test_page_says_what_the_tables_say(folder: Path) -> None:
    text = render(folder).read_text(encoding="utf-8")
    assert "2 of 3 parameters are assumed" in text
    assert "Cells are independent." in text
    assert text.index("small effect") < text.index("no relevant effect") < text.index('id="methods"')
    assert "&lt;script&gt;" in text
    assert text.count("<svg") == 6  # shares and dose-response for two read-outs, the scheme, the courses


def test_drawing_leaves_the_settings_of_matplotlib_alone(folder: Path) -> None:
    before = dict(matplotlib.rcParams)
    render(folder)
    assert dict(matplotlib.rcParams) == before


def test_page_is_the_same_for_the_same_folder(folder: Path) -> None:
    assert render(folder).read_bytes() == render(folder).read_bytes()


A, B = Observable(Quantity.ALIVE, "a", 24.0), Observable(Quantity.ALIVE, "b", 24.0)


def put(folder: Path, n: int) -> None:
    """A judged claim of n donors into the folder; its id is hostile."""
    rng = np.random.default_rng(5)
    parameters = pd.DataFrame(rng.uniform(size=(n, 4)), columns=["p", "q", "r", HOSTILE])
    seen = {A: 3 * parameters["p"].to_numpy() - 1 + rng.normal(0, 0.3, n), B: np.full(n, 0.0)}
    seen[A][:5] = np.nan
    claim = Claim(id=HOSTILE, holds_when="alive(a, 1 d) > 0.1 and alive(b, 1 d) < 1", null={"cut": [HOSTILE]})
    found = judge(claim, seen, {A: np.full(n, 0.0), B: np.full(n, 1.0)}, parameters, seed=1)
    for name, table in found.tables.items():
        table.to_parquet(folder / "tables" / f"{name}.parquet")
    content = json.loads((folder / "findings.json").read_text())
    content["claim"] = found.to_dict()
    (folder / "findings.json").write_text(json.dumps(content))


@pytest.mark.parametrize(("n", "figures"), [(40, 2), (720, 3)])
def test_the_verdict_comes_first_and_figures_follow(folder: Path, n: int, figures: int) -> None:
    plain = render(folder).read_text(encoding="utf-8")
    assert 'id="claim"' not in plain
    put(folder, n)
    text = render(folder).read_text(encoding="utf-8")
    section = text[text.index('id="claim"') : text.index('id="findings"')]
    assert section.index("holds") < section.index("Donor by donor")
    assert section.count("<svg") == figures  # a margin each; ranks where there are draws enough and the margin varies
    assert "alive(a, 1 d) &gt; 0.1" in section
    assert f"of {n - 5}" in section
    outline = Outline()
    outline.feed(text)
    assert "script" not in outline.tags
    assert text == render(folder).read_text(encoding="utf-8")


@pytest.mark.parametrize("missing", ["run.json", "findings.json", "study.resolved.toml", "tables/arms.parquet"])
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(StoreError, match=re.escape(missing)):
        render(folder)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234.5678, "1,235"), (12.0, "12"), (0.00001234, "1.23e-05"), (123456.7, "123,457"),
     (float("nan"), ""), (None, ""), (20, "20"), (0.05, "0.05"), ("word", "word")],
)  # fmt: skip
def test_numbers_read_well(value: object, text: str) -> None:
    assert number(value) == text


def test_page_in_a_real_browser(folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed here")
    report = render(folder)
    asked: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda entry: complaints.append(entry.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(report.as_uri())
        assert page.title() == "A question"
        assert page.locator("figure svg").count() == 6
        assert page.locator('figure svg[role="img"][aria-label]').count() == 6
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        for id in ("answer", "certainty", "next", "picture"):
            assert page.locator(f"#{id}").bounding_box()["y"] < 800, id  # on the first screen
        assert not page.get_by_text("What is counted").is_visible()
        page.locator("#methods summary").click()
        assert page.get_by_text("What is counted").is_visible()
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert asked == [report.as_uri()]
    assert complaints == []


def test_arms_of_different_size_are_a_range(folder: Path) -> None:
    assert "7 to 1,200 cells at the start of a well" in render(folder).read_text(encoding="utf-8")


def test_a_folder_of_an_older_version_is_refused_in_words(folder: Path) -> None:
    content = json.loads((folder / "findings.json").read_text())
    del content["assays"][0]["findings"]
    (folder / "findings.json").write_text(json.dumps(content))
    with pytest.raises(StoreError, match="older version"):
        render(folder)


COUPLED = {
    "title": "coupled", "seed": 1, "model": {"circuit": "mir34c-rab27b-cells"}, "cells": {"LSC": {"n": 2}},
    "donors": {"n": 1}, "culture": {"duration": "1 h", "preequilibration": "1 h", "method": "mean_field"},
    "arms": {"mock": {}}, "readouts": {"times": ["0 h", "1 h"]},
}  # fmt: skip
LONE = {
    "title": "lone", "seed": 1, "model": {"circuit": str(Path(__file__).parents[1] / "circuits" / "tiny")},
    "cells": {"cell": {"n": 2}}, "donors": {"n": 1}, "culture": {"duration": "1 d"},
    "arms": {"the mock": {}}, "readouts": {"times": ["0 h", "1 d"]},
}  # fmt: skip


@pytest.mark.parametrize(("given", "replays"), [(LONE, True), (COUPLED, False)])
def test_the_commands_of_a_report_work_as_typed(given: dict[str, Any], replays: bool, tmp_path: Path) -> None:
    """Each command in the provenance section, typed into a shell in the folder; a replay only where one is possible."""
    out = tmp_path / "out"
    workflow.run(resolve(given, where="study"), out=out, workers=1)
    text = (out / "report.html").read_text(encoding="utf-8")
    section = text[text.index('id="provenance"') :]
    typed = [html.unescape(command) for command in re.findall(r"<code>(senexo [^<]*)</code>", section)]
    assert [command.split()[1] for command in typed] == ["run", "verify", "report", *(["replay"] if replays else [])]
    (tmp_path / "senexo").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m senexo "$@"\n')
    (tmp_path / "senexo").chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    for command in typed:
        done = subprocess.run(["sh", "-c", command], cwd=out, env=path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    first, again = (json.loads((folder / "run.json").read_text())["digest"] for folder in (out, tmp_path / "repeat"))
    assert first == again
