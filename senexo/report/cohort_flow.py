"""The design of a study of patients in words, and their flow through treatment: how many came to what, by arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senexo.report.drawing import INK, SOFT, Drawn, new_figure

if TYPE_CHECKING:
    import pandas as pd

    from senexo.report.folder import ResultFolder

MOST_ARMS = 8
# box: column, height, the box it comes from
BOXES = {
    "treated": (0, 0.50, None), "early death": (1, 0.84, "treated"), "no remission": (1, 0.50, "treated"),
    "remission": (1, 0.16, "treated"), "relapse": (2, 0.84, "remission"),
    "death in remission": (2, 0.50, "remission"), "in remission at the end": (2, 0.16, "remission"),
}  # fmt: skip


def design(folder: ResultFolder) -> str:
    """The design in one paragraph."""
    study, arms = folder.study, folder.arms
    cohort, years = study["cohort"], study["cohort"]["follow_up_h"] / 24.0 / 365.25
    circuits = next(iter(study["cells"].values()))["n"]
    return (
        f"{study['donors']['n']} worlds, each with its own draw of the uncertain parameters and"
        f" {cohort['patients']:,} virtual patients, the same in every arm. 7+3 and up to"
        f" {cohort['consolidations']} consolidations; followed for {years:.3g} years. Hazards of stem cells: from"
        f" {circuits} circuits per world, level and state of p53, followed for"
        f" {study['culture']['duration_h'] / 24.0:g} days. Arms: {', '.join(arms['arm'])}. Seed {folder.run['seed']}."
    )


def numbers(patients: pd.DataFrame) -> dict[str, int]:
    """Patients in each box; those of a column of boxes add up to the box that they come from."""
    remission, early = patients["remission"] == 1, patients["early_death"] == 1
    relapse, death = remission & (patients["relapse"] == 1), remission & (patients["death_in_remission"] == 1)
    return {
        "treated": len(patients), "early death": int((early & ~remission).sum()),
        "no remission": int((~early & ~remission).sum()), "remission": int(remission.sum()),
        "relapse": int(relapse.sum()), "death in remission": int((death & ~relapse).sum()),
        "in remission at the end": int((remission & ~relapse & ~death).sum()),
    }  # fmt: skip


def flow(folder: ResultFolder) -> Drawn:
    """The flow of patients, all worlds together."""
    import pandas as pd

    rows = folder.table("patients")
    arms = list(folder.arms["arm"])[:MOST_ARMS]
    counted = pd.DataFrame({arm: numbers(rows[rows["arm"] == arm]) for arm in arms})
    figure = new_figure(7.0, 1.5 + 0.45 * len(arms), constrained=False)
    axes = figure.add_axes((0.01, 0.02, 0.98, 0.96))
    axes.axis("off")
    axes.set_xlim(-0.35, 2.45)
    axes.set_ylim(0, 1)
    for name, (column, height, source) in BOXES.items():
        lines = [name] + [f"{arm}: {counted.loc[name, arm]:,} ({_share(counted[arm], name)})" for arm in arms]
        axes.text(
            column, height, "\n".join(lines), ha="center", va="center", fontsize=7, color=INK,
            bbox={"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": SOFT, "linewidth": 0.8},
        )  # fmt: skip
        if source is not None:
            begin, end = (BOXES[source][0] + 0.36, BOXES[source][1]), (column - 0.36, height)
            axes.annotate("", end, begin, arrowprops={"arrowstyle": "->", "color": SOFT, "linewidth": 0.8})
    said = "; ".join(f"{arm}: " + ", ".join(f"{name} {n}" for name, n in counted[arm].items()) for arm in arms)
    return Drawn(
        "scheme", "Virtual patients through treatment, all worlds together. Shares are of the box on the left.",
        f"Flow of patients. {said}.", counted.rename_axis("state").reset_index(), figure,
    )  # fmt: skip


def _share(counts: pd.Series, name: str) -> str:
    source = BOXES[name][2]
    whole = counts[source or "treated"]
    return f"{100.0 * counts[name] / whole:.0f} %" if whole else "-"
