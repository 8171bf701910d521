"""The picture of the first screen: what became of the plated cells, by arm and dose, with donors as dots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from senexo.report.drawing import INK, PALE, SOFT, Drawn, dose, new_figure

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd
    from matplotlib.axes import Axes

    from senexo.report.folder import ResultFolder

# outcome -> (heading, colour); the order of the columns
OUTCOMES = {
    "renewing": ("renewing", "#009E73"), "resting": ("resting", "#56B4E9"), "arrested": ("arrested", "#E69F00"),
    "senescent": ("senescent", "#7b4fa3"), "differentiated": ("blast", "#8c6d31"), "dead": ("dead", "#4d5661"),
}  # fmt: skip
ROW, MOST_ROWS = 0.19, 24
MANY = 8  # donors from which on their dots are spread over the height of a bar


def outcome_figure(folder: ResultFolder, marked: Collection[str] = ()) -> Drawn | None:
    """A column per outcome, a row per arm; `marked`: arms of the comparison that answers the question, set in bold.

    None where the run followed no single cells.
    """
    if not folder.has("outcomes"):
        return None
    table = folder.table("outcomes")
    cell_type = _main_type(table)
    table = table[table["cell_type"] == cell_type]
    rows = _rows(folder.arms, table, marked)
    shares = table.groupby(["arm", "donor", "outcome"])["share"].sum().reset_index()
    shown = [name for name in OUTCOMES if (shares.loc[shares["outcome"] == name, "share"] > 0).any()]
    figure = new_figure(7.0, 0.62 + ROW * len(rows), constrained=False)
    left = 0.24
    figure.subplots_adjust(left=left, right=0.99, top=1 - 0.25 / figure.get_figheight(), wspace=0.1,
                           bottom=0.33 / figure.get_figheight())  # fmt: skip
    grid = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, outcome in zip(grid, shown, strict=True):
        _column(axes, shares[shares["outcome"] == outcome], rows["arm"].to_list(), outcome, _named(table, outcome))
    labels = _labels(rows)
    grid[0].set_yticks(range(len(rows)), labels)
    for label, arm in zip(grid[0].get_yticklabels(), rows["arm"], strict=True):
        label.set_fontweight("bold" if arm in marked else "normal")
    grid[0].set_ylim(len(rows) - 0.5, -0.5)
    figure.supxlabel(f"% of the plated {cell_type}; bar: mean of donors, dot: one donor", fontsize=7, y=0.01)
    days, n_arms = folder.duration_h / 24.0, table["arm"].nunique()
    return Drawn(
        "outcomes",
        f"What became of the plated {cell_type} by day {days:g}. Bars: mean over donors. Dots: donors. "
        + (
            "A daughter counts half of what its mother counted, so every plated cell counts once. "
            if folder.has("lineage")
            else ""
        )
        + ("Bold: the arms that answer the question. " if marked else "")
        + ("Dose: active copies per cell. " if rows["dose_copies"].notna().any() else "")
        + (f"{len(rows)} of {n_arms} arms; all are in the table outcomes." if n_arms > len(rows) else ""),
        _alt(shares, rows, shown, table),
        shares[shares["arm"].isin(rows["arm"])],
        figure,
    )


def _main_type(table: pd.DataFrame) -> str:
    """The type of cells that most wells have."""
    wells = table.groupby("cell_type", sort=False)[["arm", "donor"]].apply(lambda own: len(own.drop_duplicates()))
    return str(wells.idxmax())


def _rows(arms: pd.DataFrame, table: pd.DataFrame, marked: Collection[str]) -> pd.DataFrame:
    """The arms with such cells in the study's order: those of the comparison, and the first of the others."""
    there = arms[arms["arm"].isin(table["arm"])]
    spare = MOST_ROWS - int(there["arm"].isin(marked).sum())
    others = there[~there["arm"].isin(marked)].head(max(spare, 0))
    return there[there["arm"].isin([*marked, *others["arm"]])].head(MOST_ROWS).reset_index(drop=True)


def _labels(rows: pd.DataFrame) -> list[str]:
    """Family and dose; the name of a family only at its first dose."""
    labels = []
    before = ""
    for row in rows.to_dict("records"):
        name, amount = str(row["family"]), dose(row["dose_copies"])
        labels.append(f"{name if name != before else ''}  {amount}".strip() if amount else str(row["arm"]))
        before = name
    return labels


def _named(table: pd.DataFrame, outcome: str) -> str:
    """The heading of a column: what differentiated cells became, where it is one type."""
    if outcome != "differentiated":
        return OUTCOMES[outcome][0]
    own = table[(table["outcome"] == outcome) & (table["share"] > 0)]
    became = sorted({str(name).removeprefix("insert ") for name in own["became"]})
    return became[0] if len(became) == 1 else "other types"


def _column(axes: Axes, shares: pd.DataFrame, arms: list[str], outcome: str, heading: str) -> None:
    colour = OUTCOMES[outcome][1]
    by_arm = {str(arm): 100 * own["share"].to_numpy() for arm, own in shares.groupby("arm")}
    for row, arm in enumerate(arms):
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color="#f6f7f9", zorder=0)
        values = by_arm.get(arm, np.zeros(0))
        if len(values):
            axes.barh(row, values.mean(), height=0.66, color=colour, alpha=0.55, zorder=1)
            spread = row + np.linspace(-0.26, 0.26, len(values)) if len(values) > MANY else np.full(len(values), row)
            axes.plot(values, spread, "o", color=INK, markersize=2.0, alpha=0.65,
                      markeredgewidth=0, zorder=2, clip_on=False)  # fmt: skip
    axes.set_title(heading, color=colour, fontsize=8)
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 50, 100], ["0", "50", ""])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", colors=SOFT, length=2)
    axes.spines["left"].set_color(PALE)
    axes.axvline(50, color=PALE, linewidth=0.6, zorder=0.5)


def _alt(shares: pd.DataFrame, rows: pd.DataFrame, shown: list[str], table: pd.DataFrame) -> str:
    """Mean shares of every arm in words."""
    means = 100 * shares.groupby(["arm", "outcome"])["share"].mean()
    said = [
        f"{arm}: " + ", ".join(f"{_named(table, name)} {means.get((arm, name), 0.0):.0f} %" for name in shown)
        for arm in rows["arm"]
    ]
    return "Bars of what became of the plated cells. " + "; ".join(said) + "."
