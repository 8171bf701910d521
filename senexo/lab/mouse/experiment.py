"""The experiment on mice: every donor is a sample of leukaemia, every arm a treatment of its cells or of the mice.

The culture is that of independent cells (`senexo.lab.lone`): their circuits give the hazards of stem cells by time,
which the population of a mouse then has. Ex vivo treatment: cells are injected at an hour of the culture, and go on as
the circuits do. Treatment of the mouse: hour 0 of the arms is a time after injection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import UnsupportedFeature
from senexo.engine.host.leukaemia import STEM, Treatment, leukaemia
from senexo.lab.experiment import Arrays, Get, Size, Unit, World, arms_in, untreated_in
from senexo.lab.lone import hazards
from senexo.lab.lone.base import OneCellType
from senexo.lab.lone.hazards import LEFT, CellHazards, Fates
from senexo.lab.mouse import chemotherapy, eradication, mice, oligo, secondary, tables
from senexo.lab.mouse.sample import Sample, homed_means, sample
from senexo.lab.observables import WellSummary, evaluate
from senexo.study.observables import Observable, Quantity
from senexo.study.schema import Arm

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


class MouseExperiment(OneCellType):
    """Mice that get the cells of each arm (`senexo.lab.experiment.Experiment`).

    Parameters
    ----------
    study
        The resolved study; it has mice and one cell type.
    network, circuit
        The model of a stem cell, with the fates commitment, escape and death.

    Raises
    ------
    InvalidInput
        When an arm acts on what the model does not have.
    """

    replays_cells = False

    def __init__(self, study: Study, network: Network, circuit: Circuit | None) -> None:
        assert study.mouse is not None
        super().__init__(study, network, circuit)
        self.mouse = study.mouse
        self._tables: dict[object, CellHazards] = {}
        self._one_at_a_time = Lock()

    def limit(self, limits: WellLimits) -> None:
        """Refused: the numbers of circuits and of mice are given."""
        limits.refuse(self.study, "a study of mice")

    def size(self) -> Size:
        """Circuits per arm; memory of the fine grid of circuits and of the courses of the mice."""
        cells, types = self.simulator.n_cells, 80
        grid, slots = len(self.simulator.times), len(self.simulator.lowered.slots)
        days = len(self.times_h)
        stored = 8.0 * self.mouse.mice * days * (len(STEM) + 4)
        working = 8.0 * (3 * min(cells, 64) * slots * grid + 8 * cells * grid + self.mouse.mice * days * 3 * types)
        rows = float(len(self.study.arms) * self.study.donors.n * self.mouse.mice * days)
        return Size((cells,) * len(self.study.arms), stored, working + 3 * stored, rows)

    def preparation(self, unit: Unit) -> object:
        """Tables of hazards are shared by the arms of a sample."""
        return unit.donor, unit.world

    def prepare(self, unit: Unit, cancelled: Callable[[], bool]) -> None:
        """The table of untreated cells, which every arm of the sample refers to."""
        self._untreated(unit, cancelled)

    @cached_property
    def _split(self) -> frozenset[int]:
        """The samples for which the probability of no stem cell is found by splitting too."""
        engrafting = (
            donor for donor in range(1, self.study.donors.n + 1) if sample(self.mouse, self.study.seed, donor).engrafts
        )
        return frozenset(islice(engrafting, self.mouse.splitting))

    @property
    def times_h(self) -> Floats:
        """Hours after injection at which mice are followed: every day, and when anything is read or taken."""
        taken = [] if self.study.secondary is None else [self.study.secondary.at_h]
        every_day = np.arange(0.0, self.mouse.end_h, DAY_H)
        return np.unique(np.concatenate([every_day, self.mouse.times_h, taken, [self.mouse.end_h]]))

    def simulate_unit(self, unit: Unit, cancelled: Callable[[], bool] = lambda: False) -> dict[str, NDArray[Any]]:
        """The arrays of one arm of one sample.

        marrow, blood [mice, t] human cells; stem [mice, t, 5] stem cells; died_h [mice]; homed [mice, types]; injected,
        fates [2], [4] living cells per mouse and shares of stem cells; commit [2] the hazard of commitment at its peak
        and at the end of the circuits; gone [read times] the probability of no stem cell; read_marrow, read_blood
        [mice, read times] shares as measured; plate [doses, 3] of secondary mice; rare [5] as
        `eradication.by_splitting` has it.
        """
        own = sample(self.mouse, self.study.seed, unit.donor)
        arm = self._arm(unit, own)
        treated, untreated = self._table(unit, arm, cancelled), self._untreated(unit, cancelled)
        fates = self._fates(treated)
        living = self._living(unit, arm, fates, cancelled)
        added = hazards.excess(treated, untreated)
        process = leukaemia(
            own.rates, self._treatment(added, own, list(self.study.arms)[unit.arm]), capacity=own.values["capacity"]
        )
        alive = max(fates.living, 1e-300)
        shares = (fates.growing / alive, fates.senescent / alive, fates.escaped / alive)
        means = homed_means(own, living, *shares)
        grown = mice.transplanted(
            process, means, own, self.times_h, seed=self.study.seed, unit=unit, mice=self.mouse.mice,
            cancelled=cancelled,
        )  # fmt: skip
        alone = eradication.stem_cells_alone(process, means)
        found = {
            "marrow": grown.marrow, "blood": grown.cells[:, :, -1], "stem": grown.stem, "died_h": grown.died_h,
            "homed": grown.homed, "injected": np.array([living, float(own.engrafts)]), "fates": np.array(fates),
            "commit": np.array([added.commit.max(initial=0.0), added.commit[-1]]),
            "gone": eradication.no_stem_cell(alone, means, self.mouse.times_h), **self._read(unit, grown, own),
        }  # fmt: skip
        if unit.world is World.STUDY:
            found |= self._secondary(unit, grown, own, float(treated.escape[-1]), cancelled)
            if unit.donor in self._split:
                found["rare"] = eradication.by_splitting(alone, means, self.mouse.end_h, seed=self.study.seed)
        return found

    def lacks(self, quantity: Quantity) -> str | None:
        """A study of mice is read in mice."""
        expected = ", ".join(one.value for one in Quantity if one.of_mice)
        return None if quantity.of_mice else f"a quantity of mice ({expected})"

    def value(self, observable: Observable, unit: Unit, arrays: Arrays) -> float:
        """A quantity of the mice of one sample at a time at which they are read."""
        one = np.full(1, float(self.simulator.n_cells))
        at = int(np.searchsorted(self.times_h, observable.time_h))
        row = min(at, len(self.times_h) - 1)
        well = WellSummary(
            (self.simulator.cell_type,), one, one, 0 * one, 0 * one, np.zeros((1, 0)), (),
            self._shown(arrays, row, observable.time_h, sample(self.mouse, self.study.seed, unit.donor)),
        )  # fmt: skip
        return evaluate(observable, well, self.families)

    def tables(self, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
        """The tables arms, parameters, donors, timecourse, mice, grafts, secondary, eradication."""
        return tables.tables(self, units, get)

    def write_files(self, store: Store, units: Sequence[Unit], get: Get) -> None:
        """None besides tables."""

    def cautions(self, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
        """How mice were simulated, and in which arms the circuits ended before their effect."""
        return tuple(_cautions(self.study, tables))

    def replay(self, get: Get, *, arm: str, donor: int, cell: int) -> Replay:
        """Raises UnsupportedFeature: hazards are means over the cells of a sample."""
        raise UnsupportedFeature("replay of a cell of a study of mice", "its hazards are means over cells")

    # ---- one unit

    def _arm(self, unit: Unit, own: Sample) -> Arm:
        """The arm of a unit, with doses into the mouse as the copies that they become in this sample."""
        return self._with_copies(list(arms_in(self.study, unit.world).values())[unit.arm], own)

    def _with_copies(self, arm: Arm, own: Sample) -> Arm:
        return oligo.with_copies(arm, own.values, self.study.culture.duration_h)

    def _untreated(self, unit: Unit, cancelled: Callable[[], bool]) -> CellHazards:
        return self._table(unit, untreated_in(self.study, unit.world), cancelled)

    def _table(self, unit: Unit, arm: Arm, cancelled: Callable[[], bool]) -> CellHazards:
        """The hazards of an arm's cells; those of a sample are kept while it is simulated."""
        key = (unit.donor, arm.genotype, arm.schedule)
        known = self._tables.get(key)
        if known is not None:
            return known
        cells = range(1, self.simulator.n_cells + 1)
        made = hazards.of_cells(self.simulator, arm, unit.donor, cells, cancelled)
        with self._one_at_a_time:
            others = [old for old in self._tables if isinstance(old, tuple) and old[0] != unit.donor]
            for old in others:
                del self._tables[old]
            self._tables[key] = made
        return made

    def _fates(self, treated: CellHazards) -> Fates:
        """Of the stem cells by the time of injection; all are as they were plated where the mouse is treated."""
        if not self.mouse.injected_at_h:
            return Fates(1.0, 0.0, 0.0, 0.0)
        return hazards.fates_by(treated, self.mouse.injected_at_h)

    def _living(self, unit: Unit, arm: Arm, own: Fates, cancelled: Callable[[], bool]) -> float:
        """Living cells that one mouse gets: its own, or as many as those of the arm it is matched with.

        Before an injection no arm has doses into the mouse.
        """
        like = self.mouse.viability_matched.get(list(self.study.arms)[unit.arm])
        if like is None:
            return self.mouse.cells * own.living
        other = arms_in(self.study, unit.world)[like]
        matched = self._fates(self._table(unit, other, cancelled)).living
        return self.mouse.cells * min(own.living, matched)

    def _treatment(self, added: CellHazards, own: Sample, arm: str | None = None) -> Treatment:
        """The hazards on the clock of the mouse; beyond the circuits, those of their last interval."""
        end = self.mouse.end_h
        before = self.mouse.treated_from_h
        shift = -(self.mouse.injected_at_h or 0.0) if before is None else before
        regimen = None if arm is None else self.mouse.chemotherapy.get(arm)
        given = np.zeros(0) if regimen is None else chemotherapy.edges(regimen, own.values)
        edges = np.unique(np.clip(np.concatenate([[0.0, end], added.edges_h + shift, given + shift]), 0.0, end))
        middle = 0.5 * (edges[1:] + edges[:-1]) - shift
        row = np.clip(np.searchsorted(added.edges_h, middle, side="right") - 1, 0, len(added.commit) - 1)
        acts = middle >= 0.0

        def on_clock(values: Floats, otherwise: float = 0.0) -> Floats:
            return np.where(acts, values[row], otherwise)

        return Treatment(
            edges, commit=on_clock(added.commit), apoptosis=on_clock(added.death), escape=added.escape[row],
            clear=np.full(len(row), own.values["clearance"] / DAY_H), cycling=on_clock(added.cycling, 1.0),
            kill=np.zeros(len(row)) if regimen is None else chemotherapy.kill(regimen, own.values, edges - shift),
            resting_share=0.0 if regimen is None else own.values["cytarabine_kill_resting"],
        )  # fmt: skip

    def _read(self, unit: Unit, grown: mice.Mice, own: Sample) -> dict[str, Floats]:
        """Measured shares of human cells [mice, read times]; nan for dead mice and where nothing was taken."""
        from senexo.base.streams import generator

        found = {}
        blood = grown.cells[:, :, -1].astype(float)
        true = {
            "marrow": (grown.marrow / own.values["capacity"], self.mouse.marrow_h),
            "blood": (blood / (blood + own.values["blood_cells"]), self.mouse.bleeds_h),
        }
        for what, (share, when) in true.items():
            at = np.searchsorted(grown.times, self.mouse.times_h)
            shares = np.full((self.mouse.mice, len(at)), np.nan)
            for number in range(self.mouse.mice):
                rng = generator(self.study.seed, *mice.stream(unit, number + 1, f"cytometry of {what}"))
                shares[number] = mice.measured(share[number, at], own, rng)
                lives = grown.died_h[number] > np.array(self.mouse.times_h)
                shares[number, ~(lives & np.isin(self.mouse.times_h, when))] = np.nan
            found[f"read_{what}"] = shares
        return found

    def _secondary(
        self, unit: Unit, grown: mice.Mice, own: Sample, escape: float, cancelled: Callable[[], bool]
    ) -> dict[str, NDArray[np.int64]]:
        plan = self.study.secondary
        if plan is None or list(self.study.arms)[unit.arm] not in plan.arms:
            return {}
        at = int(np.searchsorted(grown.times, plan.at_h))
        pool = secondary.harvest(grown.cells[:, at], grown.died_h > plan.at_h)
        plate = secondary.transplanted(
            pool, own, plan, escape=escape, seed=self.study.seed, unit=unit, cancelled=cancelled
        )
        return {"pool": pool, "plate": plate}

    def _shown(self, arrays: Arrays, row: int, time_h: float, own: Sample) -> dict[Quantity, float]:
        """What the mice of a unit show at a row of their times."""
        share = arrays["marrow"][:, row] / own.values["capacity"]
        stem = arrays["stem"][:, row].sum(axis=1)
        return {
            Quantity.ENGRAFTED: float((share >= self.mouse.threshold).mean()),
            Quantity.HUMAN: float(share.mean()),
            Quantity.STEM_CELLS: float(stem.mean()),
            Quantity.NO_STEM_CELLS: float((stem == 0).mean()),
            Quantity.SURVIVING: float((arrays["died_h"] > time_h).mean()),
        }


def _cautions(study: Study, found: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    assert study.mouse is not None
    yield (
        "Mice are numbers of cells by compartment, exact where few and in leaps where many; stem cells are whole"
        " numbers and never thinned. Treatment acts on stem cells alone, by hazards that are means over the circuits of"
        " a sample's cells; blasts feel none of it."
    )
    yield (
        "A donor is a sample of leukaemia. Its growth is drawn from the numbers of docs/mouse.md, none of them fitted"
        " here; what treatment adds to its hazards is what the circuits say, over untreated cells of the same sample."
    )
    if any(arm.body_doses for arm in study.arms.values()):
        yield (
            "Doses per body become copies per cell by numbers that each sample draws (mimic_... in docs/mouse.md); most"
            " of them are assumed, with a factor of three million between the ends of their ranges. The copies that a"
            " dose is said to give are those of the central values."
        )
    if study.mouse.injected_at_h is None:
        yield (
            "The circuits of cells in the mouse are those of cells in the study's medium: what marrow does to them is"
            " not known."
        )
    grafts = found.get("grafts")
    if grafts is not None:
        late = grafts[(grafts["commit_at_end"] > LEFT * grafts["commit_peak"]) & (grafts["commit_peak"] > 0.0)]
        arms = ", ".join(dict.fromkeys(late["arm"]))
        if arms:
            yield (
                f"When the circuits end, commitment is still above {LEFT:.0%} of its peak in {arms}; from then on it is"
                " held as it was: a longer culture.duration follows it."
            )
