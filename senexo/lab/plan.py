"""What a run will take, said (and, for memory, checked) before it takes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from senexo.base.errors import Fault, InvalidInput
from senexo.lab.claim import null
from senexo.lab.coupled.community import Community
from senexo.lab.lone.culture import SLICE, Culture
from senexo.study.culture import WINDOW_H

if TYPE_CHECKING:
    from senexo.study.schema import Study

GIB = 2**30
BYTES_PER_ROW = 500  # of a table while it is written, its texts included
BYTES_ON_DISK_PER_ROW = 110  # CSV and Parquet together
SECONDS_PER_CELL_HOUR = 6e-6  # of the shipped circuit on one core of a small machine; a stiffer model takes longer
SECONDS_PER_EVENT = 1.5e-7  # of coupled cells, where every reaction happens one by one
SECONDS_PER_WINDOW = 6e-4  # of a coupled well, however few its cells
SECONDS_PER_HYBRID_HOUR = 1e-4  # of a coupled cell whose abundant species are continuous
SECONDS_PER_UNIT = 0.005  # what an arm of a donor takes however few its cells
SECONDS_TO_TELL = 60.0  # for tables, assays and report
BASE_BYTES = 0.6 * GIB  # the interpreter, its libraries and the compiler


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a run: counts, and estimates of memory, disk and time."""

    title: str
    arms: int
    null_arms: int
    donors: int
    cells: int
    workers: int
    assumed: tuple[str, ...]
    parameters: int
    memory_bytes: float
    disk_bytes: float
    seconds: float

    def __str__(self) -> str:
        again = (
            f"and {self.null_arms} of these arms again in the claim's null = "
            f"{self.null_arms * self.donors * self.cells:,} cells more\n"
            if self.null_arms
            else ""
        )
        return (
            f"{self.title}\n"
            f"{self.arms} arms x {self.donors} donors x {self.cells} cells = "
            f"{self.arms * self.donors * self.cells:,} cells\n{again}"
            f"with {self.workers} workers: about {self.seconds / 60:.0f} min, "
            f"{self.memory_bytes / GIB:.1f} GiB of memory, {self.disk_bytes / GIB:.2f} GiB of disk\n"
            f"{len(self.assumed)} of {self.parameters} numbers are assumed: {', '.join(self.assumed) or 'none'}"
        )


def plan(culture: Culture | Community, workers: int) -> Plan:
    """The size of a run of this culture's study, from the sizes of its arrays.

    Memory: per worker one slice on the fine grid with every quantity of the model, and one unit with the
    watched ones; then the longest table, or one arm's trajectories, whichever is larger.
    """
    if isinstance(culture, Community):
        return _coupled(culture, workers)
    study = culture.study
    (kind,) = study.cells.values()
    slots, q, targets = len(culture.lowered.slots), len(culture.units), len(culture.targets)
    fine, times, curves = len(culture.times), len(culture.readout_times), len(culture.curve_times)
    nulls = len(null.arms(study))
    units = len(study.arms) * study.donors.n
    chunk = 8 * (
        kind.n * (times * q + 4) + (curves * (q + 3) + 3 * times * q) + times * study.replicates.n * (2 + targets)
    )
    rows = units * max((curves * (q + 3) + 3 * times * q), kind.n, times * study.replicates.n * max(targets, 1))
    per_unit = SECONDS_PER_UNIT + kind.n * _hours(study) * SECONDS_PER_CELL_HOUR / workers
    working = 8 * fine * (3 * min(kind.n, SLICE) * slots + 2 * kind.n * (q + 4)) + 3 * chunk
    return Plan(
        title=study.title,
        arms=len(study.arms),
        null_arms=nulls,
        donors=study.donors.n,
        cells=kind.n,
        workers=workers,
        assumed=study.assumed,
        parameters=len(study.donors.draws) + len(study.replicates.about),
        memory_bytes=BASE_BYTES + max(workers * working, rows * BYTES_PER_ROW, 3 * chunk * study.donors.n),
        disk_bytes=2.0 * units * chunk + rows * BYTES_ON_DISK_PER_ROW,
        seconds=SECONDS_TO_TELL + (units + nulls * study.donors.n) * per_unit,
    )


def _coupled(community: Community, workers: int) -> Plan:
    """The size of a run of coupled cells that grow to twice their number in the mean.

    Time: by hybrid, of windows and cells; else of the reactions at the start, one by one.
    """
    study = community.study
    n = 2 * sum(kind.n for kind in study.cells.values())
    slots, times, curves = len(community.lowered.slots), len(community.readout_times), len(community.curve_times)
    q, kinds, nulls = len(community.units), len(community.types), len(null.arms(study))
    units = len(study.arms) * study.donors.n
    chunk = 8 * (n * (times * (slots + 6) + 3) + curves * kinds * (q + 1))
    rows = units * (curves * (kinds + 1) * (q + 3) + 3 * times * q + 3 * n)
    hours = study.culture.duration_h + study.culture.preequilibration_h * 1.5 / max(1, len(study.arms))
    if study.culture.method in ("hybrid", "mean_field"):
        window = study.culture.window_h or WINDOW_H
        per_cell_hour = SECONDS_PER_HYBRID_HOUR + SECONDS_PER_WINDOW / window / max(1, n)
    else:
        per_cell_hour = community.events_per_hour() * SECONDS_PER_EVENT
    per_unit = n * hours * per_cell_hour / workers
    return Plan(
        title=study.title,
        arms=len(study.arms),
        null_arms=nulls,
        donors=study.donors.n,
        cells=n // 2,
        workers=workers,
        assumed=study.assumed,
        parameters=len(study.donors.draws) + len(study.replicates.about),
        memory_bytes=BASE_BYTES + 8 * n * slots * 3 * curves + max(rows * BYTES_PER_ROW, 3 * chunk * study.donors.n),
        disk_bytes=2.0 * units * chunk + rows * BYTES_ON_DISK_PER_ROW,
        seconds=SECONDS_TO_TELL + (units + nulls * study.donors.n + 2 * (study.culture.halving or 0)) * per_unit,
    )


def affordable(plan: Plan) -> None:
    """Refuse a run whose arrays would not fit into the memory there is."""
    there = available_memory()
    if plan.memory_bytes > there:
        found = f"about {plan.memory_bytes / GIB:.1f} GiB of memory for {plan.cells} cells and {plan.workers} workers"
        raise InvalidInput([Fault("study", found, f"at most {there / GIB:.1f} GiB: fewer cells, times or --workers")])


def available_memory() -> float:
    """Bytes a process may still take: what the system has free, or what its container allows, if that is less."""
    limits = [float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))] if hasattr(os, "sysconf") else []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        limits += [1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
        limits.append(float(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):  # not Linux, or no limit ("max")
        pass
    return min(limits, default=float("inf"))


def _hours(study: Study) -> float:
    return study.culture.duration_h + 0.2 * study.culture.preequilibration_h
