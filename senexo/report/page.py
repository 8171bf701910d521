"""The one-file report: everything a result folder holds, as a page that opens without a network.

The page is made from the folder alone, so it can be made again at any time, and no number in it comes
from anywhere but a table beside it.
"""

from __future__ import annotations

import json
import shlex
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.assays.specs import REQUESTS
from senexo.base.atomic import write_file
from senexo.base.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

LOUD = ("large", "moderate")  # verdicts set in colour
QUIET = ("absent", "not shown", "no dose response shown", "not testable")  # folded away, counted
SECTIONS = (
    ("findings", "Findings"), ("design", "Design"), ("fates", "Arrest and senescence"),
    ("molecules", "Molecules over time"), ("assays", "Assay tables"), ("parameters", "Parameters"),
    ("study", "Resolved study"), ("provenance", "Provenance"),
)  # fmt: skip

ALL_CELLS = "all cells"  # the cell type of rows that hold for a whole well


def render(folder: Path) -> Path:
    """Write `report.html` into a result folder and return its path.

    Raises `StoreError` when a file the page needs is missing or unreadable.
    """
    import jinja2

    from senexo.report import figures

    assets = resources.files("senexo.report") / "assets"
    # autoescape: arm names and titles come from a user's file and may hold markup
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((assets / "page.html.j2").read_text(encoding="utf-8"))
    with figures.styled():
        content = _content(folder)
    text = template.render(**content, css=(assets / "page.css").read_text(encoding="utf-8"))
    page = folder / "report.html"
    write_file(page, text.encode())
    return page


def _content(folder: Path) -> dict[str, Any]:
    """Everything the template names."""
    from markupsafe import Markup

    from senexo.report import tables

    run = _json(folder / "run.json")
    found = _json(folder / "findings.json")
    resolved = _text(folder / "study.resolved.toml")
    study = tomllib.loads(resolved)
    arms = table(folder, "arms").sort_values("position")
    parameters = table(folder, "parameters")
    return {
        "run": run,
        "title": study["title"],
        "model": study["model"].get("circuit") or study["model"]["file"],
        "facts": tables.facts(run, study, arms),
        "n_assumed": run["n_assumed"],
        "n_parameters": run["n_parameters"],
        "cautions": run["cautions"],
        "sections": (*([("claim", "Claim")] if "claim" in found else []), *SECTIONS),
        "claim": _claim(folder, found),
        "groups": grouped(found),
        "loud": LOUD,
        "design": tables.design(run, study, arms),
        "arms_table": Markup(tables.arms(arms)),
        "control": arms["arm"].iloc[0],
        "untreated": _untreated(folder, arms["arm"].iloc[0]),
        "fate_figures": [{**figure, "svg": Markup(figure["svg"])} for figure in _fate_figures(folder, arms, found)],
        "ec50_table": Markup(tables.ec50(found["ec50"])) if found["ec50"] else None,
        "time_figures": [{**figure, "svg": Markup(figure["svg"])} for figure in _time_figures(folder, arms)],
        "assay_tables": [
            {"title": path.stem, "html": Markup(tables.plain(table(folder, path.stem)))}
            for path in sorted((folder / "tables").glob("assay_*.parquet"))
        ],
        "parameter_table": Markup(tables.parameters(parameters)),
        "resolved": resolved,
        "commands": commands(run, arms["arm"].iloc[0]),
        "provenance_table": Markup(tables.provenance(run)),
    }


def commands(run: dict[str, Any], arm: str) -> list[tuple[str, str]]:
    """(what for, command) of what can be done with a result folder, as typed in it."""
    found = [
        ("Run it again", "senexo run study.resolved.toml --out ../repeat"),
        ("Check every file", "senexo verify ."),
    ]
    if run.get("replays_cells"):
        found.append(("Simulate one cell again", f"senexo replay . --arm {shlex.quote(arm)} --donor 1 --cell 1"))
    return found


def _claim(folder: Path, found: dict[str, Any]) -> dict[str, Any] | None:
    """The verdict on the study's claim, with figures and tables; None where it makes none."""
    if "claim" not in found:
        return None
    from markupsafe import Markup

    from senexo.report import claim, tables

    judged, ranks = table(folder, "claim"), table(folder, "claim_ranks")
    drawn = claim.section(found["claim"], judged, table(folder, "claim_draws"), ranks)
    shown = [{**figure, "svg": Markup(figure["svg"])} for figure in drawn["figures"]]
    return {**drawn, "figures": shown, "table": Markup(tables.plain(judged)), "ranks": Markup(tables.plain(ranks))}


def grouped(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings by assay result: those that show something (`shown`), and those that show little or nothing."""
    if any("findings" not in assay for assay in found["assays"]):
        raise StoreError("findings.json is of an older version: make its report with the version that run.json names")
    by_id = {finding["id"]: finding for finding in found["findings"]}
    titles = [_title(assay) for assay in found["assays"]]
    groups = []
    for title, assay in zip(titles, found["assays"], strict=True):
        own = [by_id[id] for id in assay["findings"]]
        quiet = [finding for finding in own if finding["verdict"] in QUIET]
        shown = [finding for finding in own if finding["verdict"] not in QUIET]
        number = f" (request {assay['request']})" if titles.count(title) > 1 else ""
        groups.append({
            "title": title + number, "shown": shown, "quiet": quiet, "method": assay["method"],
            "cautions": assay.get("cautions", []),
        })  # fmt: skip
    return groups


def _title(assay: dict[str, Any]) -> str:
    """The heading of one assay result."""
    request = REQUESTS.get(assay["assay"])
    if request is None:
        unknown = f"an assay {assay['assay']!r} that this report does not know"
        raise StoreError(f"findings.json: {unknown}; make it with the same version")
    return request.title.format(**assay["settings"])


def _fate_figures(folder: Path, arms: pd.DataFrame, found: dict[str, Any]) -> list[dict[str, str]]:
    """Dose-response and per-arm shares, for cells that stopped (arrested) and cells that committed (senescent)."""
    from senexo.report import figures

    out = []
    for name, readout, label, meaning in (
        ("senescence", "senescent", "SA-β-gal positive cells", "as a stain would show them, reading errors included"),
        ("arrest", "arrested", "arrested cells", "free E2F below its threshold all the last 72 h, or committed"),
    ):
        if not (folder / "tables" / f"{name}.parquet").is_file():
            continue
        counts = table(folder, name)
        last = counts["time_h"].max()
        curves = [curve for curve in found["curves"] if curve["readout"] == readout and curve["time_h"] == last]
        drawn = figures.dose_response(counts, arms, curves, label)
        if drawn:
            out.append({"svg": drawn, "caption": f"Dose-response of {label}: {meaning}."})
        share = figures.arm_fractions(counts, arms, label)
        out.append({"svg": share, "caption": f"{label[0].upper()}{label[1:]} in every arm: {meaning}."})
    return out


def _untreated(folder: Path, control: str) -> str | None:
    """How many cells are off without any treatment: what an arm's share has to be read against."""
    if not (folder / "tables" / "arrest.parquet").is_file():
        return None
    counts = table(folder, "arrest")
    last = counts[(counts["arm"] == control) & (counts["time_h"] == counts["time_h"].max())]
    donors = last.groupby("donor")[["n_positive", "n_total"]].sum()
    share = donors["n_positive"] / donors["n_total"]
    mostly = int((share > 0.5).sum())
    return (
        f"In {control}, the first arm, {share.mean():.1%} of the cells are arrested by the end, and more than half of "
        f"them in {mostly} of {len(share)} donors. What a treatment does comes on top of that."
    )


def _time_figures(folder: Path, arms: pd.DataFrame) -> list[dict[str, str]]:
    """One small multiple per read-out, in the order the study names them."""
    from senexo.report import figures

    timecourse = _of_the_well(table(folder, "timecourse"))
    if (folder / "tables" / "counts.parquet").is_file():
        import pandas as pd

        timecourse = pd.concat([_cells_and_medium(table(folder, "counts")), timecourse], ignore_index=True)
    drawn = ((name, figures.time_course(timecourse, arms, name)) for name in dict.fromkeys(timecourse["quantity"]))
    return [{"title": name, "svg": svg} for name, svg in drawn if svg]


def _of_the_well(timecourse: pd.DataFrame) -> pd.DataFrame:
    """Of coupled cells, the rows of all types together; each type's own are in the table."""
    whole = timecourse["cell_type"] == ALL_CELLS
    return timecourse[whole] if whole.any() else timecourse


def _cells_and_medium(counts: pd.DataFrame) -> pd.DataFrame:
    """Cells of every type that occurs, and molecules in the medium, as a time course."""
    rows = counts.copy()
    cells = rows["quantity"] == "cells"
    rows["quantity"] = rows["cell_type"].where(cells, rows["quantity"] + " in " + rows["cell_type"]) + cells.map(
        {True: " cells", False: ""}
    )
    there = rows.groupby("quantity")["value"].transform("max") > 0
    return rows[there].assign(statistic="mean")


def table(folder: Path, name: str) -> pd.DataFrame:
    """One table of a result folder."""
    import pandas as pd

    path = folder / "tables" / f"{name}.parquet"
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); run `senexo verify {folder}`") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); run `senexo verify {path.parent}`") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise StoreError(f"{path}: is not JSON ({error}); run `senexo verify {path.parent}`") from error
