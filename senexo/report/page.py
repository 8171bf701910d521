"""The one-file report: everything a result folder holds, as a page that opens without a network.

The page is made from the folder alone, so it can be made again at any time, and no number in it comes
from anywhere but a table beside it. Its main part is for reading and printing; methods, numerical checks, parameters
and provenance are folded at its end and left out of print.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.base.atomic import write_file
from senexo.base.table import csv_bytes
from senexo.report.drawing import Drawn
from senexo.report.folder import ResultFolder
from senexo.report.template import rendered

if TYPE_CHECKING:
    from senexo.report.answer import Reply

REM_PER_INCH = 7.6  # of a figure on the page, so that letters of all figures have one size
MOST_ROWS = 60  # of an assay's table on the page; the whole of it is in tables/
PICTURES = (
    "outcomes",
    "shares-",
    "mice-growth",
    "patients-survival",
)  # what the first screen shows: the first of these there is
PAGE, FIGURES = "report.html", "figures"


@dataclass(frozen=True)
class Written:
    """What `render_to` wrote: the page, and the files of its figures."""

    page: Path
    figures: tuple[Path, ...]


def render(folder: Path) -> Path:
    """Write `report.html` into a result folder and return its path.

    Raises
    ------
    StoreError
        When a file the page needs is missing or unreadable.
    """
    return render_to(folder, folder, figures=False).page


def render_to(folder: Path, out: Path, *, figures: bool = True) -> Written:
    """Write the report of a result folder, and its figures as files, into another folder.

    Parameters
    ----------
    folder
        The result folder; nothing in it is changed.
    out
        Where `report.html` is written, and in `figures/` every figure as SVG, PDF and PNG with its numbers as CSV,
        and the findings as `findings.csv`.
    figures
        Whether the figures are written as files.

    Raises
    ------
    StoreError
        When a file the page needs is missing or unreadable.
    """
    from senexo.report import drawing, findings

    results = ResultFolder(folder)
    files: list[Path] = []
    with drawing.styled():
        drawn = figures_of(results)
        content = _content(results, drawn)
        if figures:
            (out / FIGURES).mkdir(parents=True, exist_ok=True)
            for one in drawn.values():
                files += one.save(out / FIGURES)
            files.append(out / FIGURES / "findings.csv")
            write_file(files[-1], csv_bytes(findings.table(results.found)))
    page = out / PAGE
    write_file(page, rendered("page", **content).encode())
    return Written(page, tuple(files))


def figures_of(folder: ResultFolder) -> dict[str, Drawn]:
    """All figures of a report by name, in the order of the page; those with nothing to show are left out."""
    from senexo.report import claim, cohort, cohort_flow, curves, figures, mouse
    from senexo.report.answer import reply
    from senexo.report.outcome_figure import outcome_figure
    from senexo.report.scheme import scheme
    from senexo.report.wiring_figure import wiring_figure

    made: list[Drawn | None] = [outcome_figure(folder, reply(folder).arms)]
    if made[0] is None:
        made += figures.shares_of_arms(folder)
    of_mice, of_patients = "mouse" in folder.study, "cohort" in folder.study
    drawn = mouse.scheme if of_mice else cohort_flow.flow if of_patients else scheme
    made += [drawn(folder), wiring_figure(folder)]
    made += mouse.figures(folder) if of_mice else []
    made += cohort.figures(folder) if of_patients else []
    made += claim.figures(folder) if "claim" in folder.found else []
    made += figures.dose_responses(folder)
    made += curves.curves(folder)
    return {one.name: one for one in made if one is not None}


def _design(folder: ResultFolder) -> str:
    from senexo.report import cohort_flow, mouse, tables

    if "mouse" in folder.study:
        return mouse.design(folder)
    if "cohort" in folder.study:
        return cohort_flow.design(folder)
    return tables.design(folder.run, folder.study, folder.arms)


def _content(folder: ResultFolder, drawn: dict[str, Drawn]) -> dict[str, Any]:
    """Everything the template names."""
    from markupsafe import Markup

    from senexo.report import cautions, findings, tables
    from senexo.report.answer import reply

    run, found, study, arms = folder.run, folder.found, folder.study, folder.arms
    answer: Reply = reply(folder)
    shown = {
        name: {
            "svg": Markup(one.svg()),
            "caption": one.caption,
            "rem": round(REM_PER_INCH * one.figure.get_figwidth(), 1),
        }
        for name, one in drawn.items()
    }
    return {
        "run": run,
        "title": study["title"],
        "model": study["model"].get("circuit") or study["model"]["file"],
        "answer": answer,
        "picture": next((f for n, f in shown.items() if n.startswith(PICTURES)), None),
        "figures": shown,
        "claim": _claim(folder),
        "groups": findings.groups(found),
        "design": _design(folder),
        "arms_table": Markup(tables.arms(arms)),
        "ec50_table": Markup(tables.ec50(found["ec50"])) if found["ec50"] else None,
        "cautions": cautions.of_biology(run["cautions"]),
        "numerics": cautions.of_numerics(run["cautions"]),
        "window_check": Markup(tables.plain(folder.table("window_check"))) if folder.has("window_check") else None,
        "assay_tables": [
            {"title": name, "html": Markup(tables.plain(folder.table(name).head(MOST_ROWS))),
             "rows": len(folder.table(name)), "most": MOST_ROWS}
            for name in folder.assay_tables()
        ],
        "parameter_table": Markup(tables.parameters(folder.table("parameters"))),
        "resolved": folder.resolved,
        "commands": commands(run, arms["arm"].iloc[0]),
        "provenance_table": Markup(tables.provenance(run)),
    }  # fmt: skip


def commands(run: dict[str, Any], arm: str) -> list[tuple[str, str]]:
    """(what for, command) of what can be done with a result folder, as typed in it."""
    found = [
        ("Run it again", "senexo run study.resolved.toml --out ../repeat"),
        ("Check every file", "senexo verify ."),
        ("Write the figures as files", "senexo report . --out ../report"),
    ]
    if run.get("replays_cells"):
        found.append(("Simulate one cell again", f"senexo replay . --arm {shlex.quote(arm)} --donor 1 --cell 1"))
    return found


def _claim(folder: ResultFolder) -> dict[str, Any] | None:
    """The verdict on the study's claim with its tables; None where it makes none."""
    if "claim" not in folder.found:
        return None
    from markupsafe import Markup

    from senexo.report import tables

    judged, ranks = folder.table("claim"), folder.table("claim_ranks")
    return {
        "worlds": None, "possible_when": None, **folder.found["claim"],
        "table": Markup(tables.plain(judged)),
        "ranks": Markup(tables.plain(ranks)) if len(ranks) else None,
    }  # fmt: skip
