"""The experiment as a scheme: what is plated where, what is added when, and when wells are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from senexo.report.actions import TREATMENTS, words
from senexo.report.drawing import INK, PALE, SERIES, SOFT, Drawn, dose, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from senexo.report.folder import ResultFolder

ROW = 0.42  # inches
LEFT, PLATE, LANE, WIDTH = 0.05, 2.05, 3.1, 7.2  # inches from the left: names, plates, lanes, the right edge
LANE_END = 7.0
MARKS = {"dose": ("v", SERIES[0]), "wash_out": ("D", SERIES[1]), "change": ("D", SERIES[1]), "medium": ("s", SERIES[2])}
OTHER = ("o", SERIES[3])


def scheme(folder: ResultFolder) -> Drawn:
    """One row per family of arms; a ladder of doses is one row."""
    study, arms = folder.study, folder.arms
    families = [(str(name), own) for name, own in arms.groupby("family", sort=False)]
    height = 0.5 + ROW * len(families) + 0.3
    figure = new_figure(WIDTH, height, constrained=False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.axis("off")
    _days(axes, study, height)
    rows: list[dict[str, Any]] = []
    for index, (name, own) in enumerate(families):
        y = 0.62 + ROW * index
        arm = study["arms"][own["arm"].iloc[-1]]
        doses = [dose(copies) for copies in own["dose_copies"].dropna()] if len(own) > 1 else []
        axes.text(LEFT, y - (0.07 if doses else 0), name, va="center", fontsize=8, fontweight="bold", color=INK)
        if doses:
            axes.text(LEFT, y + 0.09, ", ".join(doses) + " copies", va="center", fontsize=6.5, color=SOFT)
        plated = _plate(axes, y, study, arm)
        rows += [{"family": name, "plated": plated, **event} for event in _lane(axes, y, study, arm, bool(doses))]
    return Drawn(
        "scheme",
        "The experiment. Plates with the cells of each type, additions and changes on their day, and the days on which "
        "wells are read (grey lines). Copies are active copies per cell.",
        _alt(families, rows, study),
        pd.DataFrame(rows, columns=["family", "plated", "day", "event"]),
        figure,
    )


def _x(study: Mapping[str, Any], hours: float) -> float:
    return LANE + (LANE_END - LANE) * hours / float(study["culture"]["duration_h"])


def _days(axes: Axes, study: Mapping[str, Any], height: float) -> None:
    axes.text(LANE, 0.13, "day", fontsize=7, color=SOFT, ha="right", va="center")
    for hour in study["readouts"]["times_h"]:
        x = _x(study, hour)
        axes.plot([x, x], [0.32, height - 0.12], color=PALE, linewidth=1.0, zorder=0)
        axes.text(x, 0.24, f"{hour / 24:g}", fontsize=7, color=SOFT, ha="center", va="center")


def _plate(axes: Axes, y: float, study: Mapping[str, Any], arm: Mapping[str, Any]) -> str:
    """A well, or a well with an insert; returns what is plated in words."""
    cells = dict(arm.get("cells", {})) or {name: own["n"] for name, own in study["cells"].items()}
    below = ", ".join(f"{n} {name}" for name, n in cells.items() if n)
    _well(axes, PLATE, y - 0.15, 0.78, 0.3)
    insert = arm.get("insert")
    if not insert:
        axes.text(PLATE + 0.39, y + 0.04, below, ha="center", va="center", fontsize=6.5)
        return below
    above = ", ".join(f"{n} {name}" for name, n in insert["cells"].items() if n)
    _well(axes, PLATE + 0.08, y - 0.19, 0.62, 0.19, porous=True)
    axes.text(PLATE + 0.39, y - 0.10, above, ha="center", va="center", fontsize=6)
    axes.text(PLATE + 0.39, y + 0.085, below, ha="center", va="center", fontsize=6)
    return f"{below}; in the insert {above}"


def _well(axes: Axes, x: float, y: float, width: float, depth: float, *, porous: bool = False) -> None:
    axes.plot([x, x], [y, y + depth], color=INK, linewidth=0.9)
    axes.plot([x + width, x + width], [y, y + depth], color=INK, linewidth=0.9)
    axes.plot([x, x + width], [y + depth, y + depth], color=INK, linewidth=0.9, linestyle=":" if porous else "-")
    if not porous:
        axes.fill_between([x, x + width], y + 0.06, y + depth, color="#eaf2f8", linewidth=0, zorder=0)


def _lane(
    axes: Axes, y: float, study: Mapping[str, Any], arm: Mapping[str, Any], ladder: bool
) -> Iterator[dict[str, Any]]:
    """The time line of an arm with its events; yields them as rows."""
    axes.plot([LANE, LANE_END], [y, y], color=SOFT, linewidth=1.0, zorder=1)
    genotype = [words(action) for part in (arm, arm.get("insert", {})) for action in part.get("genotype", [])]
    events = _events(arm, ladder)
    early = {0.0: list(dict.fromkeys(genotype))} if genotype else {}
    for number, hours in enumerate(sorted({*events, *early})):
        said = [*early.get(hours, []), *events.get(hours, {})]
        x = _x(study, hours)
        kinds = list(dict.fromkeys(events.get(hours, {}).values()))
        for place, kind in enumerate(kinds):
            marker, colour = MARKS.get(kind, OTHER)
            axes.plot(x + 0.11 * place, y, marker, color=colour, markersize=5.5, zorder=3, clip_on=False)
        text = "; ".join(said)
        above = number % 2 == 0  # texts of neighbouring events stand on both sides of the line
        axes.text(x + 0.04, y + (-0.08 if above else 0.08), _shortened(text), fontsize=6.2, color=INK, zorder=4,
                  va="bottom" if above else "top")  # fmt: skip
        yield {"day": hours / 24.0, "event": text}


def _shortened(text: str, most: int = 62) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _events(arm: Mapping[str, Any], ladder: bool) -> dict[float, dict[str, str]]:
    """Hour -> {words: kind} of what is done, each once."""
    found: dict[float, dict[str, str]] = {}
    for poured in arm.get("medium_from", []):
        share = f"{100 * poured['share']:.0f} %"
        text = f"{share} medium of {poured['arm']}, day {poured['taken_h'] / 24:g}"
        found.setdefault(poured["time_h"], {})[text] = "medium"
    for part, where in ((arm, ""), (arm.get("insert", {}), " into the insert")):
        for action in part.get("schedule", []):
            verb = str(action["verb"])
            text = str(action["of"]) if verb == "dose" and ladder else words(action)
            own = found.setdefault(float(action["time_h"]), {})
            own[text + (where if verb in TREATMENTS else "")] = verb
    return found


def _alt(families: list[tuple[str, pd.DataFrame]], rows: list[dict[str, Any]], study: Mapping[str, Any]) -> str:
    days = ", ".join(f"{hour / 24:g}" for hour in study["readouts"]["times_h"])
    said = {str(name): [f"day {row['day']:g} {row['event']}" for row in rows if row["family"] == name]
            for name, _ in families}  # fmt: skip
    listed = "; ".join(f"{name}: {', '.join(own) or 'left alone'}" for name, own in said.items())
    return f"Scheme of the experiment, read on days {days}. {listed}."
