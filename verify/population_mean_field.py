"""What noise changes: wells of single cells by `hybrid` beside their deterministic twin, at central values.

The arms of the study mir34c-exvivo-full named below, on the circuit in copies, without variation between cells. Both
have the same culture, plating and treatment. Noise changes a result where the mean of the wells departs from the twin
by more than 10 % (a share: by 0.05) and its 95 % interval leaves the twin out. A departure is a finding and fails
nothing.
What fails is a fault of one of the two, more than 10 % beyond 4 standard errors: in arms without a dose, cells and
copies per volume on any day; in arms with one, copies per cell on day 1, since a dose is by the cell. And in any arm a
number below 0 by more than 1e-6.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from senexo.lab.coupled.design import WellDesign
from senexo.lab.coupled.readings import Snapshot
from senexo.lab.coupled.single_cells import SingleCellSimulator
from senexo.lab.coupled.well import Well
from senexo.lab.mean_field.simulator import MeanFieldSimulator
from senexo.model.circuit import load_circuit
from senexo.study.read import read_study
from verify import Check, stated

ARMS = ("mock", "mimic[300]", "mimic[1000]", "mimic[3000]", "mimic[10000]", "rab27b-kd")
WELLS, PLATED = 12, 100
LARGE, LARGE_SHARE, FAULT = 0.10, 0.05, 0.10
DAYS = (0.0, 24.0, 72.0, 120.0, 168.0)
TOLD = (
    "cells over plated", "share senescent", "share off", "miR-34c-5p per cell", "miR-34c-5p per volume",
    "RAB27B per volume", "volume of a cell",
)  # fmt: skip
CELLS, SENESCENT, OFF, PER_CELL, PER_VOLUME = range(5)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Of one arm: noisy [wells, days, quantities], twin [days, quantities], whether twins kept their balance."""

    arm: str
    noisy: Floats
    twin: Floats
    lowest: float

    def interval(self) -> tuple[Floats, Floats]:
        """Mean of the wells and half the width of its 95 % interval (Student)."""
        half = student.ppf(0.975, len(self.noisy) - 1) * self.noisy.std(axis=0, ddof=1) / np.sqrt(len(self.noisy))
        return self.noisy.mean(axis=0), half


class Both:
    """A well by single cells and by its twin."""

    def __init__(self, wells: int = WELLS, plated: int = PLATED) -> None:
        changes = ["model.circuit=mir34c-rab27b-cells", f"cells.LSC.n={plated}", "cells.LSC.variation={}"]
        self.study = read_study("mir34c-exvivo-full", set=changes)
        self.wells, self.plated = wells, plated
        self.design = design = WellDesign.of(self.study, load_circuit("mir34c-rab27b-cells"))
        self.bench = SingleCellSimulator(design.population, share=design.circuit.well)
        self.twin = MeanFieldSimulator(design.population, design.circuit.well)
        self.states = {"LSC": design.states["LSC"]}
        self.overrides = design.numbers(None)
        ids = {readout.name: readout.id for readout in design.circuit.readouts}
        self.copies = [design.lowered.slot(ids[name]) for name in ("miR-34c-5p", "RAB27B", "volume")]

    def compare(self, name: str) -> Compared:
        arm, culture = self.study.arms[name], self.study.culture
        hours, n = culture.preequilibration_h, self.plated
        well = Well(DAYS[-1], DAYS, arm.schedule)
        noisy = []
        for replicate in range(self.wells):
            cells = self.bench.seeded(
                {"LSC": n + n // 2 + 10}, self.overrides, seed=34, replicate=replicate, genotype=arm.genotype,
                medium=culture.medium,
            )  # fmt: skip
            course = self.bench.grow(self.bench.cultured(cells, hours, {"LSC": n}, self.states), well)
            noisy.append([self.of(well) for well in course.snapshots])
        begin = self.twin.seeded({"LSC": 1.5 * n + 10}, self.overrides, [*arm.genotype, *culture.medium])
        grown = self.twin.expanded(begin, hours, 3 * n + 20)
        mean = self.twin.grow(self.twin.plated(grown, [(grown, {"LSC": float(n)}, {})]), well)
        lowest = float(min(mean.end.v[self.twin.cells].min(), mean.end.v[self.twin.pools].min()))
        return Compared(name, np.array(noisy), np.array([self.of(well) for well in mean.snapshots]), lowest)

    def of(self, well: Snapshot) -> list[float]:
        """What is compared of a well, of all cells that its rows represent."""
        if not len(well):
            return [0.0] + [np.nan] * (len(TOLD) - 1)
        shares = np.column_stack((self.design.senescent[well.type], self.design.off(well.values)))
        means = np.average(np.column_stack((shares, well.values[:, self.copies])), axis=0, weights=well.weight)
        return [float(well.weight.sum()) / self.plated, *means[:2].tolist(), *_levels(means[2:])]


def _levels(means: Floats) -> list[float]:
    """miR-34c-5p per cell and per volume, RAB27B per volume, volume; of the means of all cells."""
    mir, rab, volume = means.tolist()
    return [mir, mir / volume, rab / volume, volume]


def told(compared: Compared) -> list[str]:
    """A line per quantity and day on which noise changes the result."""
    mean, half = compared.interval()
    lines = []
    for day, quantity in np.ndindex(*mean.shape):
        apart = abs(mean[day, quantity] - compared.twin[day, quantity])
        bar = LARGE_SHARE if quantity in (SENESCENT, OFF) else LARGE * abs(compared.twin[day, quantity])
        if apart > max(bar, half[day, quantity]):
            lines.append(
                f"{TOLD[quantity]}, day {DAYS[day] / 24:g}: {mean[day, quantity]:.4g}"
                f" +- {half[day, quantity]:.2g}, twin {compared.twin[day, quantity]:.4g}"
            )
    return lines


def checks(compared: Compared) -> list[Check]:
    mean, half = compared.interval()
    error = half / student.ppf(0.975, len(compared.noisy) - 1)
    dosed = compared.arm.startswith("mimic")
    days = (1,) if dosed else range(len(DAYS))
    quantities = (PER_CELL,) if dosed else (CELLS, PER_VOLUME, PER_VOLUME + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond = (np.abs(mean - compared.twin) - 4.0 * error) / compared.twin
    worst = max(0.0, *(float(beyond[day, quantity]) for day in days for quantity in quantities))
    arm, lines = compared.arm, told(compared)
    return [
        Check(f"{arm}: below 0", -compared.lowest, 1e-6, compared.lowest > -1e-6, relation="<"),
        Check(f"{arm}: fault of either", worst, FAULT, worst <= FAULT),
        stated(f"{arm}: noise changes", len(lines), "; ".join(lines)),
    ]


def table(compared: Compared) -> str:
    """Rows of a Markdown table: day by quantity, wells with interval, and the twin."""
    mean, half = compared.interval()
    rows = []
    for day, hours in enumerate(DAYS):
        cells = [
            f"{m:.3g} ± {h:.1g} / {t:.3g}" for m, h, t in zip(mean[day], half[day], compared.twin[day], strict=True)
        ]
        rows.append(f"| {compared.arm} | {hours / 24:g} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> list[Check]:
    both, found = Both(), []
    for name in ARMS:
        compared = both.compare(name)
        print(table(compared), file=sys.stderr)
        found += checks(compared)
    return found
