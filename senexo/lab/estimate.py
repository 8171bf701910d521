"""The size of a run before it begins: wells, cells, memory, disk and, from a short trial of the study itself, time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from senexo.base.errors import Fault, InvalidInput
from senexo.base.machine import available_memory
from senexo.lab import tables, trial
from senexo.lab.claim import null
from senexo.lab.experiment import World

if TYPE_CHECKING:
    from senexo.lab.experiment import Experiment

GIB = 2**30
BYTES_PER_ROW = 500  # of a table while it is written, its texts included
BYTES_ON_DISK_PER_ROW = 110  # CSV and Parquet together
BASE_BYTES = 0.6 * GIB  # the interpreter, its libraries and the compiler
CHILD_BYTES = 0.4 * GIB  # of a worker's process: the same without what writes tables and draws
SECONDS_SHOWN_FROM = 90.0  # in minutes from here on


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """The size of a run. Counts are exact; memory, disk and time are estimates.

    Attributes
    ----------
    arms, donors
        Numbers of them; every arm of every donor is a well.
    founders
        Cells at the start of the wells of each arm of one donor, in the order of the arms.
    null_arms, null_founders
        Arms that are simulated again in the claim's null, and the cells at the start of all their wells.
    repeated_wells
        Wells that are simulated again with half the window.
    assumed, parameters
        Names of the numbers that are assumed, and how many numbers there are in all.
    seconds
        Wall time of the whole run, compiling and report included; None where no trial was made.
    prior
        The table that donors draw from; None for a model file.
    """

    title: str
    arms: int
    donors: int
    founders: tuple[int, ...]
    null_arms: int
    null_founders: int
    repeated_wells: int
    workers: int
    assumed: tuple[str, ...]
    parameters: int
    memory_bytes: float
    disk_bytes: float
    seconds: float | None = None
    prior: str | None = None

    @property
    def cells(self) -> int:
        """Cells at the start of all wells of the study, those of the null and of repeated wells left out."""
        return self.donors * sum(self.founders)

    def __str__(self) -> str:
        low, high = min(self.founders), max(self.founders)
        per_well = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        lines = [self.title, f"{self.arms} arms x {self.donors} donors x {per_well} cells = {self.cells:,} cells"]
        if self.null_arms:
            more = f"{self.null_founders:,} cells more"
            lines.append(f"and {self.null_arms} of these arms again in the claim's null = {more}")
        if self.repeated_wells:
            lines.append(f"and {self.repeated_wells} of these wells again with half the window")
        time = "" if self.seconds is None else f"about {_duration(self.seconds)}, "
        lines.append(
            f"with {self.workers} workers: {time}{self.memory_bytes / GIB:.1f} GiB of memory, "
            f"{self.disk_bytes / GIB:.2f} GiB of disk"
        )
        names = ", ".join(self.assumed) or "none"
        lines += [f"prior: {self.prior}"] if self.prior else []
        return "\n".join([*lines, f"{len(self.assumed)} of {self.parameters} numbers are assumed: {names}"])


def estimate(experiment: Experiment, workers: int) -> RunEstimate:
    """The size of a run from the sizes of its arrays, without its time.

    Memory: what the workers hold while they simulate, each in a process of its own; or the longest table; or one arm of
    all donors, which the files of states are written from. The largest of the three.
    """
    study, size = experiment.study, experiment.size()
    again, known = null.units(experiment), tables.numbers(study)
    worlds = Counter(unit.world for unit in experiment.units())
    wells = worlds[World.STUDY]
    others = min(workers, wells) - 1
    working = size.working_bytes + others * (size.working_bytes + CHILD_BYTES)
    needed = max(working, size.rows * BYTES_PER_ROW, 3.0 * size.unit_bytes * study.donors.n)
    return RunEstimate(
        title=study.title,
        arms=len(study.arms),
        donors=study.donors.n,
        founders=size.founders,
        null_arms=len(null.arms(study)),
        null_founders=sum(size.founders[unit.arm] for unit in again),
        repeated_wells=worlds[World.WINDOW_CHECK],
        workers=workers,
        assumed=tuple(tables.assumed(study)),
        parameters=len(known),
        prior=tables.prior(study),
        memory_bytes=BASE_BYTES + needed,
        disk_bytes=2.0 * wells * size.unit_bytes + size.rows * BYTES_ON_DISK_PER_ROW,
    )


def with_time(found: RunEstimate, experiment: Experiment, *, render: trial.Render) -> RunEstimate:
    """The estimate with the time of a trial (`senexo.lab.trial.run_time`), which is made here."""
    return replace(found, seconds=trial.run_time(experiment, found.workers, render=render))


def affordable(found: RunEstimate) -> None:
    """Refuse a run whose arrays would not fit into the memory there is.

    Raises
    ------
    InvalidInput
        With what it needs and what there is.
    """
    there = available_memory()
    if found.memory_bytes > there:
        needed = f"about {found.memory_bytes / GIB:.1f} GiB of memory for {found.cells:,} cells"
        expected = f"at most {there / GIB:.1f} GiB: fewer cells, donors, times or --workers"
        raise InvalidInput([Fault("study", f"{needed} and {found.workers} workers", expected)])


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < SECONDS_SHOWN_FROM else f"{seconds / 60:.0f} min"
