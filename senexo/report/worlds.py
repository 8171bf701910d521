"""The page and the picture of claims in named worlds: one row per claim and world, made from tables alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.base.atomic import write_file
from senexo.report.drawing import INK, PALE, SERIES, SOFT, Drawn, new_figure, styled
from senexo.report.folder import ResultFolder
from senexo.report.template import rendered

if TYPE_CHECKING:
    import pandas as pd

ROW = 0.24  # inches of one claim in one world
PAGE = "report.html"
IN_WORDS = ("claim", "evidence", "experiments", "total order")  # kinds of findings


def picture(table: pd.DataFrame) -> Drawn:
    """Shares of worlds: where the claim is true (dot with interval), could be (open bar), and is in its null (tick)."""
    claims = list(dict.fromkeys(table["claim"]))
    figure = new_figure(6.8, ROW * len(table) + 0.3 * len(claims) + 0.7)
    grid = figure.subplots(
        len(claims), 1, sharex=True, squeeze=False, height_ratios=[(table["claim"] == claim).sum() for claim in claims]
    )[:, 0]
    for axes, claim in zip(grid, claims, strict=True):
        own = table[table["claim"] == claim].reset_index(drop=True)
        for place, row in enumerate(own.to_dict("records")):
            if row["possible"] == row["possible"]:
                axes.barh(place, 100 * row["possible"], height=0.62, facecolor=PALE, edgecolor=SOFT, linewidth=0.6)
            if row["null"] == row["null"]:
                axes.plot(
                    100 * row["null"], place, "|", color=INK, markersize=9, markeredgewidth=1.4, zorder=3, clip_on=False
                )
            if row["true"] == row["true"]:
                axes.plot([100 * row["true_low"], 100 * row["true_high"]], [place, place], color=SERIES[0], zorder=4)
                axes.plot(100 * row["true"], place, "o", color=SERIES[0], markersize=4, zorder=5)
        axes.set_yticks(range(len(own)), own["world"].to_list())
        axes.set_ylim(len(own) - 0.5, -0.5)
        axes.set_title(claim)
        axes.tick_params(axis="y", length=0)
    grid[-1].set_xlim(0, 100)
    grid[-1].set_xlabel("% of worlds (draws of all parameters)")
    said = "; ".join(_words(row) for row in table.to_dict("records"))
    caption = (
        "Every claim in every named world, on the same draws. Dot and line: share of draws in which the claim is true, "
        "95 % interval. Bar: share in which it could be true, by the positive control. Tick: share in which it is true "
        "with what it rests on cut."
    )
    return Drawn("worlds", caption, f"Shares of worlds by claim and named world. {said}.", table, figure)


def _words(row: Mapping[Any, Any]) -> str:
    could = "" if row["possible"] != row["possible"] else f", could be in {percent(row['possible'])}"
    return f"{row['claim']}, {row['world']}: true in {percent(row['true'])}{could}, null {percent(row['null'])}"


def percent(share: object) -> str:
    """A share in percent."""
    return "no value" if share != share else f"{100 * float(str(share)):.1f} %"


def rows(table: pd.DataFrame) -> Iterator[dict[str, str]]:
    """The cells of the page's table."""
    for row in table.to_dict("records"):
        yield {
            "claim": str(row["claim"]), "world": str(row["world"]), "says": str(row["says"]),
            "true": interval(row, "true"), "possible": interval(row, "possible"),
            "where": interval(row, "true_where_possible"), "null": interval(row, "null"),
            "beyond": interval(row, "beyond_null"),
            "after": interval(row, "true_after") if row.get("effective_draws", np.nan) > 0 else "no evidence",
            "tested": "" if row["verdict"] == "share of worlds" else str(row["verdict"]),
        }  # fmt: skip


def interval(row: Mapping[Any, Any], name: str) -> str:
    """A share with its interval, in percent."""
    if row[name] != row[name]:
        return "not known"
    low, share, high = (100 * float(str(row[key])) for key in (f"{name}_low", name, f"{name}_high"))
    return f"{share:.1f} ({low:.1f} to {high:.1f})"


def text(table: pd.DataFrame, together: pd.DataFrame | None) -> str:
    """The table claim x world as plain text, for a terminal."""
    heads = ["claim", "world", "true in %", "could be", "where it could", "null"]
    keys = ["claim", "world", "true", "possible", "where", "null"]
    if "true_after" in table:
        heads, keys = [*heads, "true after evidence"], [*keys, "after"]
    lines = [[row[key] for key in [*keys, "tested"]] for row in rows(table)]
    heads.append("")
    widths = [max(len(line[k]) for line in [heads, *lines]) for k in range(len(heads))]
    said = [
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in [heads, *lines]
    ]
    said += [] if together is None else [_together(row) for row in together.to_dict("records")]
    return "\n".join(said)


def _together(row: Mapping[Any, Any]) -> str:
    """One line on claims that are judged on the same draws."""
    share = interval({"share": row["share"], "share_low": row["low"], "share_high": row["high"]}, "share")
    said = f"{row['world']}: {row['claims']}: true together in {share} % of {row['n']} draws; "
    return f"{said}{100 * row['expected']:.1f} % if independent" + (
        ", they exclude each other" if row["exclude"] else ""
    )


def render(folder: Path, *, out: Path | None = None, figures: bool = False) -> list[Path]:
    """Write `report.html` of a folder of worlds, and the picture as files if asked for.

    Raises
    ------
    StoreError
        When a file the page needs is missing or unreadable.
    """
    from markupsafe import Markup

    results, place = ResultFolder(folder), folder if out is None else out
    table = results.table("worlds")
    together = results.table("worlds_together") if results.has("worlds_together") else None
    written: list[Path] = []
    with styled():
        drawn = picture(table)
        svg = drawn.svg()
        if figures:
            (place / "figures").mkdir(parents=True, exist_ok=True)
            written = drawn.save(place / "figures")
    joint = [f for f in results.found["findings"] if f["assay"] == "worlds"]
    page = rendered(
        "worlds", run=results.run, rows=list(rows(table)), svg=Markup(svg), caption=drawn.caption, joint=joint,
        sentences=[f for f in results.found["findings"] if f["assay"] in IN_WORDS],
        conditions=[f for f in results.found["findings"] if f["assay"] == "conditions"],
        has_evidence="true_after" in table,
        spread=_spread(table), has_joint=together is not None,
    )  # fmt: skip
    write_file(place / PAGE, page.encode())
    return [place / PAGE, *written]


def _spread(table: pd.DataFrame) -> list[str]:
    """How far the answer of each claim depends on the choice of a world, in one sentence each."""
    said = []
    for claim, own in table.groupby("claim", sort=False):
        shares = own["true"].to_numpy(dtype=float)
        if len(own) > 1 and np.isfinite(shares).any():
            low, high = own.loc[own["true"].idxmin()], own.loc[own["true"].idxmax()]
            said.append(
                f"{claim} is true in {percent(low['true'])} of draws ({low['world']}) to {percent(high['true'])} "
                f"({high['world']})."
            )
    return said
