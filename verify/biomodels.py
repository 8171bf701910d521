"""Published models of the field as ODE, against libRoadRunner (CVODE) and a published curve.

Largest difference of each species' amount, over its largest value in the span. Spans cover each model's own pulses and
switches; both programs run at tight tolerances. Model 720 is besides held against values published with it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senexo.lab.simulation import simulate
from senexo.model.loading import load
from verify import Check

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "biomodels"
BAR, BAR_PUBLISHED = 1e-4, 1e-3
PUBLISHED = FOLDER / "BIOMD0000000720_explorersb_checkpoints.csv"
POINTS = 201

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A model, the end of its span in its own time unit, and moments that the even grid would miss."""

    number: int
    about: str
    end: float
    moments: tuple[float, ...] = ()

    @property
    def file(self) -> Path:
        return FOLDER / f"BIOMD{self.number:010d}.xml"

    @property
    def times(self) -> Values:
        return np.union1d(np.linspace(0.0, self.end, POINTS), self.moments)


CASES = (
    Case(318, "Rb-E2F switch", 100),
    Case(720, "Rb-E2F with miR-449", 200),
    Case(1057, "p53 and miR-34", 2880),
    Case(660, "p21 and the cell cycle", 100),
    Case(287, "damage and senescence", 1_000_000, (172_830, 172_900)),  # irradiated from 172,800 to 172,860 s
    Case(188, "p53 and Mdm2", 20_000, (3_630, 3_700)),  # irradiated from 3,600 to 3,660 s
    Case(860, "a microRNA motif", 200_000),
    Case(799, "acute myeloid leukaemia", 500),
    Case(53, "glycation", 100),
)


def main() -> list[Check]:
    return [*(compared(case) for case in CASES), published()]


def compared(case: Case) -> Check:
    """Worst species of one model."""
    ours = simulate(load(case.file), case.times).isel(run=0)
    theirs = by_roadrunner(case)
    worst, species = 0.0, ""
    for id, values in theirs.items():
        largest = float(np.max(np.abs(values)))
        difference = float(np.max(np.abs(ours[id].values - values)))
        if (relative := difference / largest if largest else difference) >= worst:
            worst, species = relative, id
    detail = f"{len(theirs)} species to {case.end:g}; worst {species}"
    return Check(f"{case.number} {case.about}, libRoadRunner", worst, BAR, worst <= BAR, detail)


def by_roadrunner(case: Case) -> dict[str, Values]:
    """Amounts of every floating species."""
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    model = roadrunner.RoadRunner(str(case.file))
    model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-10, 1e-12
    ids = list(model.model.getFloatingSpeciesIds())
    model.timeCourseSelections = ["time", *ids]
    table = np.array(model.simulate(times=case.times.tolist()))
    return {id: table[:, k + 1] for k, id in enumerate(ids)}


def published() -> Check:
    """Model 720 at the six times of the published table, as concentrations."""
    with PUBLISHED.open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = np.array([float(row["time"]) for row in rows])
    ours = simulate(load(CASES[1].file), times, quantity="concentration").isel(run=0)
    worst = 0.0
    for name in rows[0].keys() - {"time"}:
        values = np.array([float(row[name]) for row in rows])
        worst = max(worst, float(np.max(np.abs(ours[name].values - values)) / np.max(values)))
    return Check("720, published curve", worst, BAR_PUBLISHED, worst <= BAR_PUBLISHED, f"{len(rows)} times")
