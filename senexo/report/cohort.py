"""Figures of a study of patients: survival with numbers at risk, relapse and death in remission, six patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from senexo.report.drawing import INK, LINES, SERIES, Drawn, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from senexo.report.folder import ResultFolder

YEAR_D, MOST_ARMS, MOST_PATIENTS = 365.25, 8, 6
ONE_CELL = 1.0  # fewer are drawn as one


def figures(folder: ResultFolder) -> list[Drawn]:
    """All figures of patients."""
    return [survival(folder), incidence(folder), patients(folder)]


def _arms(folder: ResultFolder) -> list[str]:
    return list(folder.arms["arm"])[:MOST_ARMS]


def _by(days: NDArray[np.float64], n: int, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of n to whom it happened by each time; all are followed to the end."""
    return np.searchsorted(np.sort(days), grid, side="right") / max(n, 1)


def survival(folder: ResultFolder) -> Drawn:
    """Patients alive by arm, all worlds together, with the numbers at risk below."""
    rows = folder.table("patients")
    end = float(rows["days"].max())
    grid = np.linspace(0.0, end, 400)
    arms, said = _arms(folder), []
    figure = new_figure(4.2, 2.6)
    axes = figure.subplots()
    for place, arm in enumerate(arms):
        own = rows[rows["arm"] == arm]
        died = own.loc[own["dead"] == 1, "days"].to_numpy()
        left = 100.0 * (1.0 - _by(died, len(own), grid))
        axes.step(grid / YEAR_D, left, where="post", color=SERIES[place], linestyle=LINES[place], label=arm)
        said.append(f"{arm} {left[-1]:.0f} %")
    axes.set_ylim(0, 102)
    axes.set_xlabel(_at_risk(rows, arms, end))
    axes.set_ylabel("patients alive (%)")
    axes.legend(loc="upper right")
    return Drawn(
        "patients-survival", "Patients alive from the beginning of treatment, all worlds together; all are followed to"
        " the end.", f"Survival of virtual patients; alive at the end: {'; '.join(said)}.",
        rows[["arm", "donor", "patient", "days", "dead"]], figure,
    )  # fmt: skip


def _at_risk(rows: pd.DataFrame, arms: list[str], end: float) -> str:
    """The label of the time axis, with the patients at risk at the beginning of every year."""
    lines = ["years after the beginning of treatment"]
    for arm in arms:
        days = rows.loc[rows["arm"] == arm, "days"].to_numpy()
        counts = [int((days >= year * YEAR_D).sum()) for year in range(int(end / YEAR_D) + 1)]
        lines.append(f"at risk each year, {arm}: " + "  ".join(map(str, counts)))
    return "\n".join(lines)


def incidence(folder: ResultFolder) -> Drawn:
    """Relapse and death in remission, counted from remission: competing risks."""
    rows = folder.table("patients")
    rows = rows[rows["remission"] == 1]
    end = float(rows["remission_days"].max()) if len(rows) else 1.0
    grid = np.linspace(0.0, end, 400)
    figure = new_figure(4.2, 2.3)
    axes = figure.subplots()
    said = []
    for place, arm in enumerate(_arms(folder)):
        own = rows[rows["arm"] == arm]
        for column, style in (("relapse", "-"), ("death_in_remission", ":")):
            days = own.loc[own[column] == 1, "remission_days"].to_numpy()
            share = 100.0 * _by(days, len(own), grid)
            label = f"{arm}: {column.replace('_', ' ')}"
            axes.step(grid / YEAR_D, share, where="post", color=SERIES[place], linestyle=style, label=label)
            said.append(f"{label} {share[-1]:.0f} %")
    axes.set_ylim(0, 102)
    axes.set_xlabel("years after remission")
    axes.set_ylabel("cumulative incidence (%)")
    axes.legend(loc="center right")
    return Drawn(
        "patients-incidence", "Patients in remission: relapse (solid) and death without it (dotted), competing risks.",
        f"Cumulative incidences in remission: {'; '.join(said)}.",
        rows[["arm", "donor", "patient", "remission_days", "relapse", "death_in_remission"]], figure,
    )  # fmt: skip


def patients(folder: ResultFolder) -> Drawn:
    """The first patients of the first arm: leukaemic and stem cells, neutrophils, platelets on one time axis."""
    rows = folder.table("examples")
    arm = _arms(folder)[0]
    rows = rows[(rows["arm"] == arm) & (rows["donor"] == rows["donor"].min())]
    numbers = list(rows["patient"].unique())[:MOST_PATIENTS]
    figure = new_figure(6.9, 3.4)
    grid = figure.subplots(2, max(len(numbers), 1), squeeze=False, sharey="row")
    for column, number in enumerate(numbers):
        own = rows[rows["patient"] == number]
        above, below = grid[0, column], grid[1, column]
        for name, color, line in (("leukaemic_cells", INK, "-"), ("stem_cells", SERIES[0], "--")):
            above.plot(own["day"], np.maximum(own[name], ONE_CELL), color=color, linestyle=line, linewidth=0.9)
        above.set_yscale("log")
        above.set_title(f"patient {number}")
        for name, color, scale in (("neutrophils", SERIES[1], 1.0), ("platelets", SERIES[2], 0.01)):
            below.plot(own["day"], np.minimum(own[name] * scale, 12.0), color=color, linewidth=0.9)
    grid[0, 0].set_ylabel("cells")
    grid[1, 0].set_ylabel("G/L, platelets / 100")
    figure.supxlabel("days after the beginning of treatment", fontsize=8)
    return Drawn(
        "patients-courses", f"Six patients of the first world in the arm {arm}, as far as their cells are followed."
        " Above: leukaemic cells (solid) and stem cells (dashed), fewer than one drawn as one; below: neutrophils, and"
        " platelets over 100 (at most 12), which follow the last course for 90 days.",
        f"Courses of {len(numbers)} patients.", rows, figure,
    )  # fmt: skip
