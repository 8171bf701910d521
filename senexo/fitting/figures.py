"""Figures of a fit: data and model, residuals, waterfall, profiles."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, isfinite
from typing import TYPE_CHECKING, Protocol

import numpy as np

from senexo.base.plotting import require_matplotlib
from senexo.report.drawing import INK, LINES, LOOK, SERIES, SOFT, Drawn, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from senexo.fitting.multistart import Waterfall
    from senexo.fitting.objective import Objective
    from senexo.fitting.problem import Problem
    from senexo.fitting.profile import Profile

MOST_PANELS = 24
_COLUMNS = 3


class Fitted(Protocol):
    """What is drawn: a `senexo.fitting.result.Fit`."""

    @property
    def problem(self) -> Problem: ...
    @property
    def objective(self) -> Objective: ...
    @property
    def waterfall(self) -> Waterfall | None: ...
    @property
    def profiles(self) -> tuple[Profile, ...]: ...
    @property
    def measurements(self) -> pd.DataFrame: ...
    @property
    def starts(self) -> pd.DataFrame: ...
    @property
    def profile_points(self) -> pd.DataFrame: ...


def drawn(fit: Fitted) -> Iterator[Drawn]:
    """The figures, to be drawn within `senexo.report.drawing.styled`."""
    require_matplotlib()
    yield _courses(fit)
    yield _residuals(fit)
    if fit.waterfall is not None and len(fit.waterfall.found) > 1:
        yield _waterfall(fit)
    if fit.profiles:
        yield _profiles(fit)


def _panels(n: int, height: float = 1.9) -> tuple[Figure, list[Axes]]:
    n = min(n, MOST_PANELS)
    columns, rows = min(n, _COLUMNS), ceil(n / _COLUMNS)
    figure = new_figure(2.4 * columns, height * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for one in axes[n:]:
        one.set_visible(False)
    return figure, list(axes[:n])


def _courses(fit: Fitted) -> Drawn:
    table = fit.measurements
    names = list(dict.fromkeys(table["observable"]))
    scale = {one.id: one.scale for one in fit.problem.observables}
    figure, axes = _panels(len(names))
    for ax, name in zip(axes, names, strict=False):
        part = table[(table["observable"] == name) & np.isfinite(table["time"])]
        conditions = list(dict.fromkeys(part["condition"]))
        for k, condition in enumerate(conditions):
            here = part[part["condition"] == condition].sort_values("time", kind="stable")
            colour = SERIES[k % len(SERIES)]
            ax.plot(here["time"], here["measurement"], "o", ms=3, color=colour, label=condition)
            ax.plot(here["time"], here["simulation"], color=colour, ls=LINES[k % len(LINES)])
        if scale[name] != "lin":
            ax.set_yscale("log")
        ax.set_title(name)
        ax.set_xlabel("time")
        if 1 < len(conditions) <= len(SERIES):
            ax.legend()
    return Drawn("fit", "Measurements (points) and the model at the optimum (lines).",
                 f"Measurements and fitted model for {len(names)} observables.", table, figure)  # fmt: skip


def _residuals(fit: Fitted) -> Drawn:
    table = fit.measurements
    figure = new_figure(4.8, 2.4)
    ax = figure.subplots()
    for k, name in enumerate(dict.fromkeys(table["observable"])):
        rows = np.flatnonzero(table["observable"] == name)
        ax.plot(rows + 1, table["residual"].to_numpy()[rows], "o", ms=3, color=SERIES[k % len(SERIES)], label=name)
    ax.axhline(0.0, color=INK, lw=0.7)
    for level in (-2.0, 2.0):
        ax.axhline(level, color=SOFT, lw=0.7, ls=":")
    ax.set_xlabel("measurement")
    ax.set_ylabel("residual (widths of the error)")
    if table["observable"].nunique() <= len(SERIES):
        ax.legend()
    beyond = int((table["residual"].abs() > 3.0).sum())
    return Drawn("residuals", "Measurement less model, in widths of the error.",
                 f"Residuals of {len(table)} measurements; {beyond} beyond 3 widths.",
                 table[["observable", "condition", "time", "residual"]], figure)  # fmt: skip


def _waterfall(fit: Fitted) -> Drawn:
    assert fit.waterfall is not None
    table = fit.starts[["search", "minus_log_posterior", "llh"]]
    rise = table["minus_log_posterior"].to_numpy() - fit.waterfall.best.value
    shown = np.array([isfinite(one) for one in rise])
    figure = new_figure(3.4, 2.4)
    ax = figure.subplots()
    ax.plot(np.arange(1, len(rise) + 1)[shown], rise[shown] + 1.0, "o-", ms=3, color=SERIES[0])
    ax.set_yscale("log")
    ax.set_xlabel("search, best first")
    ax.set_ylabel("1 + distance to the best")
    return Drawn("waterfall", "What every search ended at: minus log-posterior above the best, plus 1.",
                 f"{fit.waterfall.at_best} of {len(rise)} searches ended at the best.", table, figure)  # fmt: skip


def _profiles(fit: Fitted) -> Drawn:
    figure, axes = _panels(len(fit.profiles))
    named = {one.id: one for one in fit.objective.parameters}
    points = fit.profile_points
    for ax, profile in zip(axes, fit.profiles, strict=False):
        here = points[points["parameter"] == profile.id]
        ax.plot(here["value"], here["rise"], ".-", ms=3, color=SERIES[0])
        ax.axhline(profile.threshold, color=LOOK, lw=0.8, ls="--")
        if named[profile.id].scale != "lin":
            ax.set_xscale("log")
        ax.set_ylim(-0.1, 2.0 * profile.threshold)
        ax.set_title(profile.id)
        ax.set_ylabel("rise")
    level = 100.0 * fit.profiles[0].level
    return Drawn("profiles", f"Profile likelihoods; dashed: the limit of the {level:g} % interval.",
                 f"Profiles of {len(fit.profiles)} parameters.", points, figure)  # fmt: skip
