"""Figures of a study of mice: the scheme, growth by mouse, survival, limiting dilution, mice without a stem cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.report.curves import short
from senexo.report.drawing import INK, LINES, PALE, SERIES, SOFT, Drawn, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from senexo.report.folder import ResultFolder

WEEK_H = 168.0
PANEL, COLUMNS, MOST_ARMS = (2.3, 1.7), 3, 8
BELOW = 0.5  # events of the cytometer: where a sample without a human cell is drawn
DOSE_MARKS = "osD^vP*X"
MOST_TIMES = 4  # of the last read-outs, in the figure of the dose


def figures(folder: ResultFolder) -> list[Drawn]:
    """All figures of mice that have something to show."""
    made = [growth(folder), survival(folder), without_stem_cells(folder)]
    made += [one for one in [without_stem_cells_by_dose(folder)] if one is not None]
    if folder.has("secondary"):
        made.append(dilution(folder))
    return made


def _logarithmic(axes: Axes, which: str) -> None:
    """Logarithmic axes with plain numbers: 10k, 1M."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        getattr(axes, f"set_{name}scale")("log")
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        axis.set_minor_formatter(NullFormatter())


def _arms(folder: ResultFolder) -> list[str]:
    return list(folder.arms["arm"])[:MOST_ARMS]


def growth(folder: ResultFolder) -> Drawn:
    """Human cells in marrow, all of them: a thin line per sample, a thick one at the median of samples, by arm."""
    course = folder.table("timecourse")
    course = course[course["quantity"] == "hCD45+ in marrow cells"]
    arms = _arms(folder)
    columns = min(COLUMNS, len(arms))
    rows = -(-len(arms) // columns)
    figure = new_figure(PANEL[0] * columns, PANEL[1] * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    said = []
    for place, (axes, arm) in enumerate(zip(grid.flat, arms, strict=False)):
        own = course[course["arm"] == arm].pivot_table(index="time_h", columns="donor", values="value")
        weeks, values = own.index.to_numpy() / WEEK_H, np.maximum(own.to_numpy(), 1.0)
        axes.plot(weeks, values, color=SERIES[place], linewidth=0.5, alpha=0.35)
        median = np.median(values, axis=1)
        axes.plot(weeks, median, color=INK, linewidth=1.6)
        _logarithmic(axes, "y")
        axes.set_title(arm)
        said.append(f"{arm} {median[-1]:.2g}")
    for axes in grid.flat[len(arms) :]:
        axes.remove()
    figure.supxlabel("weeks after injection", fontsize=8)
    figure.supylabel("human cells in marrow", fontsize=8)
    return Drawn(
        "mice-growth",
        "Human cells in the marrow of mice. Thin: the mean of the mice of one sample; thick: median of samples. A mouse"
        " that died counts as at its death; fewer than one cell is drawn as one.",
        f"Courses of human cells in marrow by arm; medians at the end: {'; '.join(said)}.",
        course[course["arm"].isin(arms)][["arm", "donor", "time_h", "value"]], figure,
    )  # fmt: skip


def survival(folder: ResultFolder) -> Drawn:
    """The share of mice that live, by arm: all mice are followed to their death or the end, so it is a plain count."""
    mice = folder.table("mice")
    figure = new_figure(3.6, 2.3)
    axes = figure.subplots()
    end, said = mice["days"].max(), []
    for place, arm in enumerate(_arms(folder)):
        own = mice[mice["arm"] == arm]
        died = np.sort(own.loc[own["dead"] == 1, "days"].to_numpy())
        times = np.concatenate([[0.0], died, [end]]) / 7.0
        left = 1.0 - np.concatenate([np.arange(len(died) + 1), [len(died)]]) / max(len(own), 1)
        axes.step(times, 100.0 * left, where="post", color=SERIES[place], linestyle=LINES[place], label=arm)
        said.append(f"{arm} {100 * left[-1]:.0f} %")
    axes.set_ylim(0, 104)
    axes.set_xlabel("weeks after injection")
    axes.set_ylabel("mice alive (%)")
    axes.legend(loc="lower left")
    return Drawn(
        "mice-survival", "Mice alive; those alive at the end are censored there.",
        f"Survival of mice; alive at the end: {'; '.join(said)}.", mice[["arm", "donor", "mouse", "days", "dead"]],
        figure,
    )  # fmt: skip


def without_stem_cells(folder: ResultFolder) -> Drawn:
    """The share of mice without a stem cell over time, with its exact interval and the branching value beside it."""
    table = folder.table("eradication")
    figure = new_figure(3.6, 2.3)
    axes = figure.subplots()
    arms, said = _arms(folder), []
    for place, arm in enumerate(arms):
        own = table[table["arm"] == arm]
        weeks = own["time_h"].to_numpy() / WEEK_H
        beside = weeks + 0.12 * (place - (len(arms) - 1) / 2.0)  # so that intervals do not hide each other
        axes.vlines(beside, own["low"], own["high"], color=SERIES[place], linewidth=0.9, alpha=0.6)
        axes.plot(beside, own["share"], DOSE_MARKS[place], color=SERIES[place], markersize=4, label=arm)
        axes.plot(weeks, own["expected"], color=SERIES[place], linestyle=LINES[place], linewidth=1.1)
        said.append(f"{arm} {own['share'].iloc[-1]:.3g} (expected {own['expected'].iloc[-1]:.3g})")
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("weeks after injection")
    axes.set_ylabel("share of mice without a stem cell")
    axes.legend(loc="best")
    return Drawn(
        "mice-eradication",
        "Mice without any stem cell, senescent ones included, in samples that engraft. Marks: counted mice and 95 %"
        " interval over samples; lines: the branching process of the same hazards.",
        f"Share of mice without a stem cell at the end: {'; '.join(said)}.", table, figure,
    )  # fmt: skip


def without_stem_cells_by_dose(folder: ResultFolder) -> Drawn | None:
    """The share of mice without a stem cell against the dose, a column for each ladder and a colour for each time."""
    table = folder.table("eradication")
    if "dose_copies" not in table:  # results of before
        return None
    table = table[table["dose_copies"] > 0.0].sort_values("dose_copies")
    ladders = [family for family, own in table.groupby("family", sort=False) if own["dose_copies"].nunique() > 1]
    if not ladders:
        return None
    start = _treated(folder.study)[0] * WEEK_H
    times = [time for time in sorted(table["time_h"].unique()) if time > start][-MOST_TIMES:]
    figure = new_figure(3.2 * len(ladders[:COLUMNS]), 2.4)
    grid = figure.subplots(1, len(ladders[:COLUMNS]), squeeze=False, sharey=True)
    said = []
    for axes, family in zip(grid.flat, ladders, strict=False):
        for place, time in enumerate(times):
            own = table[(table["family"] == family) & (table["time_h"] == time)]
            beside = own["dose_copies"] * 1.06 ** (place - (len(times) - 1) / 2.0)
            axes.vlines(beside, own["low"], own["high"], color=SERIES[place], linewidth=0.9, alpha=0.6)
            label = f"{time / WEEK_H:g} weeks"
            axes.plot(beside, own["share"], DOSE_MARKS[place], color=SERIES[place], markersize=4, label=label)
            axes.plot(own["dose_copies"], own["expected"], color=SERIES[place], linestyle=LINES[place], linewidth=1.1)
        said += [f"{arm} {share:.3g}" for arm, share in zip(own["arm"], own["share"], strict=True)]
        _logarithmic(axes, "x")
        per_body = own["dose"].str.contains("/").all()
        ticks = [
            str(dose) if per_body else short(copies)
            for dose, copies in zip(own["dose"], own["dose_copies"], strict=True)
        ]
        axes.set_xticks(own["dose_copies"], ticks, rotation=30 if per_body else 0)
        axes.minorticks_off()
        axes.set_title(family)
        axes.set_ylim(-0.03, 1.03)
    grid.flat[0].set_ylabel("share of mice without a stem cell")
    grid.flat[0].legend(loc="best")
    figure.supxlabel("dose, on the axis of active copies per cell in all", fontsize=8)
    return Drawn(
        "mice-eradication-dose",
        "Mice without any stem cell against the dose (active copies per cell in all; of doses per body the central"
        " value), by time after injection. Marks: counted mice and 95 % interval over samples; lines: the branching"
        " process of the same hazards.",
        f"Share of mice without a stem cell at the end, by dose: {'; '.join(said)}.",
        table[table["family"].isin(ladders[:COLUMNS]) & table["time_h"].isin(times)], figure,
    )  # fmt: skip


def design(folder: ResultFolder) -> str:
    """The design of a study of mice in one paragraph."""
    study, arms = folder.study, folder.arms
    mouse, samples = study["mouse"], study["donors"]["n"]
    days = float(study["culture"]["duration_h"]) / 24.0
    treated = mouse.get("treated_from_h")
    when = (
        f"Mice are treated from day {treated / 24.0:g} after the injection on."
        if treated is not None
        else f"Cells are treated in culture for {mouse.get('injected_at_h', 0.0) / 24.0:g} days and then injected."
    )
    return (
        f"{samples} samples of leukaemia, each with its own draw of the uncertain parameters. {mouse['mice']}"
        f" {mouse['strain']} mice per arm and sample, {mouse['cells']:,.0f} cells each ({mouse['route']}), followed for"
        f" {mouse['end_h'] / WEEK_H:g} weeks. {when} Hazards of stem cells: from"
        f" {next(iter(study['cells'].values()))['n']} circuits per arm and sample, followed for {days:g} days."
        f" {len(arms)} arms in {arms['family'].nunique()} families. Seed {folder.run['seed']}."
    )


def dilution(folder: ResultFolder) -> Drawn:
    """Share of secondary mice without engraftment against the dose, on a logarithmic axis: single hits are a straight
    line."""
    plate = folder.table("secondary")
    sums = plate.groupby(["arm", "dose"], sort=False)[["tested", "response"]].sum().reset_index()
    figure = new_figure(3.6, 2.3)
    axes = figure.subplots()
    for place, (arm, own) in enumerate(sums.groupby("arm", sort=False)):
        negative = 1.0 - own["response"] / own["tested"]
        none = negative == 0.0
        shown = negative.where(~none, BELOW / own["tested"])
        axes.plot(own["dose"], shown, color=SERIES[place], linestyle=LINES[place], marker=DOSE_MARKS[place], label=arm)
        axes.plot(own["dose"][none], shown[none], "v", color=SERIES[place], markersize=7)
    _logarithmic(axes, "xy")
    axes.set_xlabel("human cells per secondary mouse")
    axes.set_ylabel("share without engraftment")
    axes.legend(loc="lower left")
    said = "; ".join(f"{arm} {dose:g}: {k} of {n}" for arm, dose, n, k in sums.itertuples(index=False))
    return Drawn(
        "mice-dilution",
        "Secondary mice without engraftment by dose, all samples together. Triangle: every mouse engrafted (drawn at"
        " half a mouse).",
        f"Secondary mice that engrafted: {said}.", plate, figure,
    )  # fmt: skip


def scheme(folder: ResultFolder) -> Drawn:
    """Injection, treatment, bleeds, marrow, end and secondary mice on one time axis, weeks after injection."""
    import pandas as pd

    study = folder.study
    mouse = study["mouse"]
    events = pd.DataFrame(list(_events(study)), columns=["week", "event"])
    figure = new_figure(7.0, 1.5, constrained=False)
    axes = figure.add_axes((0.02, 0.05, 0.96, 0.9))
    axes.axis("off")
    low, high = float(events["week"].min()), float(events["week"].max())
    margin = 0.09 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(0, 1)
    axes.plot([low, high], [0.5, 0.5], color=SOFT, linewidth=1.2)
    start, stop = _treated(study)
    axes.plot([start, stop], [0.5, 0.5], color=SERIES[0], linewidth=5, solid_capstyle="butt")
    for number, week in enumerate(sorted(events["week"].unique())):
        words = events.loc[events["week"] == week, "event"]
        _mark(axes, float(week), "\n".join(words), above=number % 2 == 0)
    said = "; ".join(f"week {week:g}: {event}" for week, event in events.itertuples(index=False))
    return Drawn(
        "scheme",
        f"The experiment: {mouse['mice']} {mouse['strain']} mice per arm and sample, {mouse['cells']:,.0f} cells each."
        " Bar: the time for which the circuits of cells are followed. Weeks after injection.",
        f"Scheme of the experiment. {said}.", events, figure,
    )  # fmt: skip


def _mark(axes: Axes, week: float, text: str, *, above: bool) -> None:
    axes.plot([week, week], [0.44, 0.56], color=INK, linewidth=0.9)
    axes.plot([week, week], [0.56, 0.62] if above else [0.38, 0.44], color=PALE, linewidth=0.9)
    axes.text(week, 0.64 if above else 0.36, f"{week:g}\n{text}" if not above else f"{text}\n{week:g}", fontsize=6.5,
    ha="center",
              va="bottom" if above else "top", color=INK)  # fmt: skip


def _treated(study: Mapping[str, Any]) -> tuple[float, float]:
    """From when to when the circuits are followed, in weeks after injection."""
    mouse, duration = study["mouse"], float(study["culture"]["duration_h"])
    start = float(mouse.get("treated_from_h", -float(mouse.get("injected_at_h", 0.0))))
    return start / WEEK_H, min(start + duration, float(mouse["end_h"])) / WEEK_H


def _events(study: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    mouse = study["mouse"]
    start = _treated(study)[0]
    if start != 0.0:
        yield round(start, 2), "treatment" if start > 0.0 else "treatment ex vivo"
    yield 0.0, f"injection ({mouse['route']})"
    for hour in mouse["bleeds_h"]:
        yield hour / WEEK_H, "blood"
    for hour in mouse["marrow_h"]:
        yield hour / WEEK_H, "marrow"
    if "secondary" in study:
        own = study["secondary"]
        yield own["at_h"] / WEEK_H, "secondary mice"
        yield (own["at_h"] + own["read_h"]) / WEEK_H, "their marrow"
