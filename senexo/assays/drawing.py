"""Figures of the assays, for a paper: labels with units, colour-blind safe, told apart in black and white.

Families differ in colour (Okabe and Ito's palette), marker and line style at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.result import day, p_text, records, significant
from senexo.assays.stats.dose_response import Curve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00", "#7F7F7F")
MARKERS = "osD^vP*X"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (2, 1)), (0, (1, 3)))
STYLE: Any = {
    "font.family": "sans-serif", "font.sans-serif": ["Arial", "Liberation Sans", "DejaVu Sans"], "font.size": 8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7, "axes.labelsize": 8,
    "axes.titlesize": 8, "axes.titlelocation": "left", "axes.titleweight": "bold", "xtick.labelsize": 7,
    "ytick.labelsize": 7, "xtick.major.width": 0.7, "ytick.major.width": 0.7, "legend.frameon": False,
    "legend.fontsize": 7, "lines.linewidth": 1.3, "svg.fonttype": "none", "pdf.fonttype": 42, "savefig.dpi": 300,
}  # fmt: skip


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """An empty figure in the house style, unknown to pyplot, so that nothing keeps it alive."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def shares_and_curves(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Left the dose-response of every family with its curve and EC50, right the compared arms; one may be missing."""
    shares = tables["shares"]
    now = shares[shares["time_h"] == settings["time_h"]]
    families = [row["family"] for row in records(tables["ec50"])]
    arms = _shown_arms(shares, tables, families, settings["time_h"])
    widths = [3.5] * bool(families) + [3.5] * bool(len(arms))
    with canvas(sum(widths), max(2.8, 0.9 + 0.17 * len(arms))) as figure:
        panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
        if families:
            _dose_response(panels[0], now, tables, settings["title"])
        if len(arms):
            _arms(panels[-1], arms, tables, settings["title"])
        if len(panels) > 1:
            for panel, letter in zip(panels, "AB", strict=True):
                panel.set_title(letter)
        return figure


def _shown_arms(
    shares: pd.DataFrame, tables: Mapping[str, pd.DataFrame], families: list[str], time_h: float
) -> pd.DataFrame:
    """The arms that were compared, at their times; without a comparison, those that are no dose of a ladder."""
    differences, washouts = tables["differences"], tables["washouts"]
    asked = {(arm, time_h) for arm in (*differences["arm"], *differences["control"], *washouts["control"])}
    asked |= {(row["washed"], row["time_h"]) for row in records(washouts)}
    asked |= {(row[name], row["kept_time_h"]) for row in records(washouts) for name in ("kept", "control")}
    if len(differences) or len(washouts):
        return shares[[sample in asked for sample in zip(shares["arm"], shares["time_h"], strict=True)]]
    return shares[(shares["time_h"] == time_h) & ~shares["family"].isin(families)]


def _dose_response(axes: Axes, now: pd.DataFrame, tables: Mapping[str, pd.DataFrame], title: str) -> None:
    curves = {row["family"]: row for row in records(tables["curves"])}
    rows = records(tables["ec50"])
    for index, row in enumerate(rows):
        family, look = row["family"], _look(index)
        points = now[(now["family"] == family) & (now["dose_copies"] > 0)].sort_values("dose_copies")
        # families share their doses: set side by side so that no interval hides another
        dose = points["dose_copies"].to_numpy() * 1.06 ** (index - (len(rows) - 1) / 2.0)
        line = look.pop("linestyle")
        if family in curves:
            curve = curves[family]
            grid = np.geomspace(points["dose_copies"].min(), points["dose_copies"].max(), 300)
            fit = Curve(curve["bottom"], curve["top"], curve["ec50"], curve["hill"])
            axes.plot(grid, 100 * fit.at(grid), color=look["color"], linestyle=line, zorder=2)
        shown = "none" if family in curves else line
        axes.errorbar(dose, *_percent(points), capsize=2, elinewidth=0.8, linestyle=shown, zorder=3, **look)
        label = family if np.isnan(row["estimate"]) else f"{family}: EC50 {significant(row['estimate'])}"
        axes.plot([], [], linestyle=line, label=label, **look)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("dose (active copies per cell)")
    axes.set_ylabel(f"{title} (%)")
    highest = axes.get_ylim()[1]
    axes.set_ylim(0, highest * (1.0 + 0.075 * len(rows)))  # room for the legend above the data
    if highest > 60:
        axes.set_yticks(range(0, 101, 20))
    axes.legend(loc="upper left", handlelength=3.2, borderaxespad=0.0)


def _look(index: int) -> dict[str, Any]:
    """Colour, marker (filled or open in turn) and line style of the index-th family."""
    colour = COLOURS[index % len(COLOURS)]
    return {
        "color": colour, "marker": MARKERS[index % len(MARKERS)], "markersize": 4,
        "markerfacecolor": "white" if index % 2 else colour, "linestyle": LINES[index % len(LINES)],
    }  # fmt: skip


def _percent(shares: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Shares in per cent, and the two lengths of their intervals."""
    share, low, high = 100 * shares[["share", "low", "high"]].to_numpy().T
    return share, np.maximum([share - low, high - share], 0.0)


def _arms(axes: Axes, arms: pd.DataFrame, tables: Mapping[str, pd.DataFrame], title: str) -> None:
    """A point with its interval per arm, from the top in the order of the table; p, and what remains, beside it."""
    rows, differences = np.arange(len(arms)), tables["differences"]
    share, lengths = _percent(arms)
    axes.errorbar(share, rows, xerr=lengths, fmt="o", color="black", markersize=4, capsize=2, elinewidth=0.9)
    place = {sample: i for i, sample in enumerate(zip(arms["arm"], arms["time_h"], strict=True))}
    several, now = differences["control"].nunique() > 1, arms["time_h"].max()
    beside: dict[int, list[str]] = {}
    for row in records(differences.drop_duplicates("arm")):
        if (row["arm"], now) in place:
            against = f" against {row['control']}" if several else ""
            beside.setdefault(place[row["arm"], now], []).append(p_text(row["p_holm"]) + against)
    for row in records(tables["washouts"]):
        if np.isfinite(row["remaining"]):
            remains = f"{100 * row['remaining']:.0f} % remains"
            beside.setdefault(place[row["washed"], row["time_h"]], []).append(remains)
    for where, words in beside.items():
        _beside(axes, where, "\n".join(words))
    names = zip(arms["arm"], arms["time_h"], strict=True)
    _name_rows(axes, [arm + ("" if time == now else f", {day(time)}") for arm, time in names])
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{title} (%)")
    if len(differences) and not several:
        axes.annotate(f"against {differences['control'].iloc[0]}", (1.02, 1.02), xycoords="axes fraction",
                      fontsize=6.5, annotation_clip=False)  # fmt: skip


def fold_changes(tables: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> Figure:
    """Fold change of every arm with its interval, and the donors behind it.

    A donor with one sample below detection is an open triangle that points where its fold change lies; an interval
    that the data leave open ends in an arrow at the edge.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    folds = records(tables["fold_changes"])
    with canvas(5.2, 0.8 + 0.24 * len(folds)) as figure:
        axes = figure.subplots()
        samples = tables["dct"].set_index(["arm", "time_h", "donor"]).sort_index()
        paired = settings["design"] == "paired"
        drawn = [x for place, row in enumerate(folds) for x in _donor_folds(axes, samples, row, place, paired=paired)]
        drawn += [row[key] for row in folds for key in ("fold", "low", "high")]
        drawn = [x for x in drawn if np.isfinite(x) and x > 0.0]
        low, high = min([1.0, *drawn]) / 1.4, max([1.0, *drawn]) * 1.4
        for place, row in enumerate(folds):
            below = row["verdict"] == "below detection: not testable"
            _beside(axes, place, "below detection" if below else p_text(row["p_holm"]) or row["verdict"])
            _fold(axes, row, place, (low, high))
        axes.axvline(1.0, color="0.4", linestyle=":", linewidth=1.0)
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=steps))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        timed = len({row["time_h"] for row in folds}) > 1
        _name_rows(axes, [row["arm"] + (f", {day(row['time_h'])}" if timed else "") for row in folds])
        words = f"{settings['target']} (fold of {settings['control']}; mean, 95 % CI, donors)"
        if any(row["n_censored"] for row in folds):
            words += "\ntriangles: one sample of the donor was below detection"
        axes.set_xlabel(words)
        return figure


def _fold(axes: Axes, row: Mapping[str, Any], place: int, edges: tuple[float, float]) -> None:
    """Mean and interval of one arm; nothing where nothing was estimated."""
    if np.isnan(row["low"]) and np.isnan(row["high"]):
        return
    ends = np.clip([row["low"], row["high"]], *edges)
    axes.plot(ends, [place, place], color="black", linewidth=1.2, zorder=4)
    for end, value, marker in zip(ends, (row["low"], row["high"]), "<>", strict=True):
        if not np.isfinite(value) or value == 0.0:
            axes.plot(end, place, marker, color="black", markersize=5, clip_on=False, zorder=5)
    if np.isfinite(row["fold"]) and row["fold"] > 0.0:
        axes.plot(row["fold"], place, "D", color="black", markersize=4.5, zorder=5)


def _donor_folds(axes: Axes, samples: pd.DataFrame, row: Mapping[str, Any], place: int, *, paired: bool) -> list[float]:
    """The fold change of every donor; returns what was drawn."""
    try:
        arm, control = (samples.loc[(name, row["time_h"])] for name in (row["arm"], row["control"]))
    except KeyError:  # the arm has no sample at this time
        return []
    if paired:
        donors = arm.index.intersection(control.index)
        arm, control = arm.loc[donors], control.loc[donors]
        fold, hidden_control = 2.0 ** (control["dct"] - arm["dct"]).to_numpy(), control["censored"].to_numpy(bool)
    else:  # each donor of the arm against the mean of the other donors
        fold, hidden_control = 2.0 ** (control["dct"].mean() - arm["dct"]).to_numpy(), np.zeros(len(arm), bool)
    hidden = arm["censored"].to_numpy(bool)
    for chosen, marker in (
        (~hidden & ~hidden_control, "o"), (hidden & ~hidden_control, "<"), (~hidden & hidden_control, ">"),
    ):  # fmt: skip
        # four rows beside the interval, so that donors hide neither it nor each other
        spread = place + np.array([-0.32, 0.32, -0.2, 0.2])[np.arange(chosen.sum()) % 4]
        axes.plot(fold[chosen], spread, marker, color="0.45", markersize=3, markerfacecolor="none",
                  markeredgewidth=0.7, zorder=2)  # fmt: skip
    return [float(x) for x in fold[~(hidden & hidden_control)]]


def _name_rows(axes: Axes, names: list[str]) -> None:
    """One name per row, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _beside(axes: Axes, place: int, text: str) -> None:
    """A word to the right of a row."""
    axes.annotate(text, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=6.5,
                  annotation_clip=False)  # fmt: skip
