"""The experiment on patients: every donor is a world with one cohort, every arm what its patients get with 7+3.

Hour 0 of an arm is the beginning of every course of chemotherapy: what the arm does to the circuit it does in each. The
culture is that of independent cells (`senexo.lab.lone`), whose circuits give the hazards that a course adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.engine.host.patient import OUTCOME, follow
from senexo.lab import donors
from senexo.lab.cohort import association, chemotherapy, hazards, tables
from senexo.lab.cohort.patients import Patients, patients
from senexo.lab.ensemble import Cancelled
from senexo.lab.experiment import Arrays, Get, Size, Unit, arms_in, untreated_in
from senexo.lab.lone.base import OneCellType
from senexo.lab.observables import WellSummary, evaluate
from senexo.study.observables import Observable, Quantity

if TYPE_CHECKING:
    import pandas as pd

    from senexo.base.store import Store
    from senexo.lab.limits import WellLimits
    from senexo.lab.replay import Replay
    from senexo.model.circuit import Circuit
    from senexo.model.network import Network
    from senexo.study.schema import Study

Floats = NDArray[np.float64]
DAY_H = 24.0
SHOWN = 6  # patients of an arm and world whose course is kept
AT_ONCE = 500  # patients between two looks at whether the run is cancelled
OF_COHORT = "cohort "  # begins the names of a cohort's numbers where those of the circuit stand beside them


class CohortExperiment(OneCellType):
    """Patients under 7+3 and what each arm says (`senexo.lab.experiment.Experiment`).

    Parameters
    ----------
    study
        The resolved study; it has a cohort and one cell type.
    network, circuit
        The model of a stem cell, with the fates commitment, escape and death.

    Raises
    ------
    InvalidInput
        When an arm acts on what the model does not have.
    """

    replays_cells = False

    def __init__(self, study: Study, network: Network, circuit: Circuit | None) -> None:
        assert study.cohort is not None
        super().__init__(study, network, circuit)
        self.cohort = study.cohort
        self._drawn: dict[int, tuple[Patients, Floats, Floats]] = {}
        self._one_at_a_time = Lock()

    def limit(self, limits: WellLimits) -> None:
        """Refused: the numbers of circuits and of patients are given."""
        limits.refuse(self.study, "a study of patients")

    def size(self) -> Size:
        """Circuits of an arm (all levels, with and without p53); memory of the courses and of the circuits' grid."""
        cells = 4 * len(hazards.LEVELS) * self.simulator.n_cells
        grid, slots, n = len(self.simulator.times), len(self.simulator.lowered.slots), self.cohort.patients
        stored = 8.0 * (n * (len(OUTCOME.names or ()) + 14) + SHOWN * self.end_days * 4)
        working = 8.0 * (3 * min(self.simulator.n_cells, 64) * slots * grid + n * 500)
        return Size((cells,) * len(self.study.arms), stored, working + 3 * stored,
                    float(len(self.study.arms) * self.study.donors.n * n))  # fmt: skip

    @property
    def end_days(self) -> int:
        return int(self.cohort.follow_up_h / DAY_H)

    def preparation(self, unit: Unit) -> object:
        """The patients of a world are the same in all arms."""
        return unit.donor

    def prepare(self, unit: Unit, cancelled: Callable[[], bool]) -> None:
        """Draw the patients of a world, and their exposure to chemotherapy."""
        self._cohort(unit.donor)

    def simulate_unit(self, unit: Unit, cancelled: Callable[[], bool] = lambda: False) -> dict[str, NDArray[Any]]:
        """The arrays of one arm of one world.

        Each name of `OUTCOME` [n], days; each covariate as `known_NAME` [n]; courses [6, days, 4] of the first
        patients; added [2 levels, 4, steps] the table of hazards.
        """
        drawn, kills, exposed = self._cohort(unit.donor)
        values = self.values(unit.donor)
        arm = list(arms_in(self.study, unit.world).values())[unit.arm]
        added, escape = hazards.rows(
            self.simulator, arm, untreated_in(self.study, unit.world), unit.donor, factor=values["damage_p53"],
            days=values["damage_days"], cancelled=cancelled,
        )  # fmt: skip
        if self.cohort.stem_kinetics == "blasts":
            added = hazards.as_blasts(added)
        found, courses = followed(drawn, kills, exposed, added, escape, float(self.end_days), cancelled)
        return {
            **{name: found[name] for name in OUTCOME.names or ()},
            **{f"known_{name}": column for name, column in drawn.known.items()},
            "courses": courses, "added": added,
        }  # fmt: skip

    def values(self, donor: int) -> dict[str, float]:
        """The numbers of the cohort in the world of a donor."""
        renamed = {OF_COHORT + name: draw for name, draw in self.cohort.draws.items()}
        drawn = donors.donor_values(renamed, self.study.seed, donor)
        return {name.removeprefix(OF_COHORT): value for name, value in drawn.items()}

    def lacks(self, quantity: Quantity) -> str | None:
        """A study of patients is read in patients."""
        expected = ", ".join(one.value for one in Quantity if one.of_patients)
        return None if quantity.of_patients else f"a quantity of patients ({expected})"

    def value(self, observable: Observable, unit: Unit, arrays: Arrays) -> float:
        """A quantity of the patients of one world at a time at which they are read."""
        one = np.full(1, float(self.cohort.patients))
        shown = {observable.quantity: self._shown(observable.quantity, observable.time_h / DAY_H, arrays)}
        well = WellSummary(
            (self.simulator.cell_type,), one, one, 0 * one, 0 * one, np.zeros((1, 0)), (), shown
        )  # fmt: skip
        return evaluate(observable, well, self.families)

    def tables(self, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
        """The tables arms, parameters, donors, timecourse, patients, examples, hazards."""
        return tables.tables(self, units, get)

    def write_files(self, store: Store, units: Sequence[Unit], get: Get) -> None:
        """None besides tables."""

    def cautions(self, found: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
        """How patients were simulated, and what is assumed."""
        return tuple(_cautions(self.study, found))

    def replay(self, get: Get, *, arm: str, donor: int, cell: int) -> Replay:
        """Raises UnsupportedFeature: hazards are means over the cells of a level."""
        raise UnsupportedFeature("replay of a cell of a study of patients", "its hazards are means over cells")

    def _cohort(self, donor: int) -> tuple[Patients, Floats, Floats]:
        """The patients of a world with kill hazard and exposure by step; those of the last world are kept."""
        known = self._drawn.get(donor)
        if known is not None:
            return known
        values = self.values(donor)
        drawn = patients(self.cohort, values, self.study.seed, donor)
        kills, exposed = chemotherapy.courses(drawn.clearance, values["blood_saturation"])
        made = drawn, kills * drawn.sensitivity[:, None, None], exposed
        with self._one_at_a_time:
            self._drawn = {donor: made}
        return made

    def _shown(self, quantity: Quantity, day: float, arrays: Arrays) -> float:
        death = np.where(np.isnan(arrays["death_day"]), np.inf, arrays["death_day"])
        level = arrays["known_mir34c"]
        if quantity is Quantity.SURVIVING:
            return float((death > day).mean())
        if quantity is Quantity.REMISSION:
            return float((arrays["remission_day"] <= day).mean())
        if quantity is Quantity.RELAPSED:
            return float((arrays["relapse_day"] <= day).mean())
        if quantity is Quantity.ODDS_RATIO:
            return association.odds_ratio(arrays["remission_day"] <= day, level)
        assert quantity in (Quantity.HAZARD_RATIO, Quantity.ADJUSTED_HAZARD_RATIO), quantity
        held: list[Floats] = []
        if quantity is Quantity.ADJUSTED_HAZARD_RATIO:
            risk = arrays["known_risk"]
            held = [arrays["known_age"], np.log2(arrays["known_wbc"] + 1.0), arrays["known_tp53"]]
            held += [(risk == 1.0).astype(float), (risk == 2.0).astype(float)]
        return association.hazard_ratio(np.minimum(death, day), death <= day, level, held)


def followed(
    drawn: Patients, kills: Floats, exposed: Floats, added: Floats, escape: float, end: float,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[NDArray[Any], Floats]:  # fmt: skip
    """Outcomes [n] of patients, and the daily courses of the first of them; `Cancelled` between groups of patients."""
    model = drawn.model.copy()
    model["row"], model["above"] = hazards.places(drawn.level, drawn.known["tp53"] > 0.0)
    model["escape"] = escape
    parts, courses = [], np.zeros((0, int(end), 4))
    for start in range(0, len(model), AT_ONCE):
        if cancelled():
            raise Cancelled
        at = slice(start, start + AT_ONCE)
        found, kept = follow(drawn.keys[at], model[at], kills[at], exposed[at], added, end, drawn.limits[at],
                             courses=0 if start else SHOWN)  # fmt: skip
        parts.append(found)
        courses = kept if not start else courses
    return np.concatenate(parts), courses


def _cautions(study: Study, found: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    yield (
        "These are no patients: a cohort shows what follows from stated assumptions, and is no evidence about people or"
        " about a treatment."
    )
    yield (
        "A donor is a world: one draw of the parameters with one cohort in it. A p-value of an assay speaks of the"
        " patients of one world, not of what is not known of the world."
    )
    yield (
        "Only the circuit connects the level of miR-34c-5p with an outcome: a course raises p53, and arrest, commitment"
        " and death beyond untreated cells of the same level act on active stem cells. Blasts feel chemotherapy alone."
    )
    assert study.cohort is not None
    if study.cohort.apl == "drawn":
        yield "Acute promyelocytic leukaemia is drawn and gets 7+3, which is not its therapy."
    hazards_found = found.get("hazards")
    if hazards_found is not None and hazards_found["late"].any():
        yield (
            "In some rows of the hazards commitment is above a twentieth of its peak when the circuits end; after that"
            " it is taken as nothing: a longer culture.duration, at most 35 d, follows it."
        )
