"""A study of cells that share a medium: the unit of work is, as elsewhere, one arm of one donor.

Donors, their draws, the variation between cells and the timeline are those of `senexo.lab.lone.culture`; here the cells
divide, change type and die, and `senexo.lab.coupled.well` follows them. What a unit leaves are arrays; labels come
later.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.evaluate import evaluate, initial_values
from senexo.engine.population.hybrid import prepare
from senexo.engine.population.partition import HybridPartition, divided
from senexo.engine.population.weights import weighted_mean
from senexo.lab import protocol
from senexo.lab.claim.judge import holds_in
from senexo.lab.coupled.measure import kept, measured
from senexo.lab.coupled.plating import Plating
from senexo.lab.coupled.population import named_above, population_of
from senexo.lab.coupled.readings import Reading
from senexo.lab.coupled.well import Bench, Course, Halves, Method, Well
from senexo.lab.ensemble import Cancelled
from senexo.lab.experiment import Unit, World
from senexo.lab.mean_field.unit import FOLLOWED, MeanUnits
from senexo.lab.measurement import targets, time_grids
from senexo.model.cell_types import INSERT
from senexo.study import methods
from senexo.study.claims import Vocabulary, observables, parse_claim
from senexo.study.form.kinds import DEFAULT_RARE_CELLS, DEFAULT_WELL_CAPACITY, DEFAULT_WINDOW_H
from senexo.study.observables import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from senexo.engine.formula.network import Lowered
    from senexo.model.circuit import Circuit
    from senexo.study.observables import Observable as Asked
    from senexo.study.schema import Action, Arm, Study

Floats = NDArray[np.float64]
DONORS_ASKED = 8  # for what is abundant in them
COMMITMENT = "commitment"  # the fate whose outcome stains


class Community:
    """A study's population, to grow any arm of any donor.

    Raises InvalidInput for cell types that the circuit lacks, or for an arm that acts on what is not there.
    """

    def __init__(self, study: Study, circuit: Circuit) -> None:
        self.study, self.circuit = study, circuit
        inserted = sorted({name for arm in study.arms.values() if arm.insert for name in arm.insert.cells})
        self.population = population_of(circuit, types=list(study.cells), insert=inserted)
        self.types = tuple(type.name for type in self.population.types)
        self.lowered = self.population.types[0].network
        rules = [rule for rule in circuit.cell_types if rule.name in self.types]
        rules += [named_above(rule) for rule in rules if INSERT + rule.name in self.types]
        # a type and what its cells become without a division
        self.families = {
            rule.name: list(
                dict.fromkeys([rule.name, *(to for fate in rule.fates if fate.effect == "become" for to in fate.into)])
            )
            for rule in rules
        }
        self.fates = tuple(fate for rule in rules for fate in rule.fates)
        stained = {to for fate in self.fates if fate.name == COMMITMENT for to in fate.into}
        self.senescent = np.array([name in stained for name in self.types])
        # picked for a type, besides its own: what its cells become without staining (G0)
        states = {
            rule.name: [to for fate in rule.fates if fate.effect == "become" for to in fate.into if to not in stained]
            for rule in rules
        }
        self.plating = Plating(study, circuit, self.types, states)
        self.halves = _halves(circuit, self.types)
        self.arrest = circuit.arrest
        protocol.check(study, self.lowered, {fate.name for fate in self.fates})
        named = {readout.name: readout for readout in circuit.readouts}
        self.units = [named[name].unit if name in named else "1" for name in study.readouts.names]
        ids = [named[name].id if name in named else name for name in study.readouts.names]
        self.watched = np.array([self.lowered.slot(id) for id in ids], dtype=int)
        self.readout_times = np.unique(study.readouts.times_h)
        self.curve_times = time_grids(study)[1]
        self.targets = targets(study)
        culture = study.culture
        self.most_cells = culture.most_cells or DEFAULT_WELL_CAPACITY
        self.rare_cells = culture.rare_cells or DEFAULT_RARE_CELLS
        self._cuts = study.claim.cuts if study.claim else ()
        self.stops = parse_claim(culture.stop_when, Vocabulary(now=True)) if culture.stop_when else None

    def compile(self) -> None:
        """Compile what the method needs; but for `hybrid` there is nothing, their kernels serve all networks."""
        if self.method.name == "hybrid":
            prepare(self.population, self.method.partition)

    def fill(self, arm: Arm, unit: Unit, cancelled: Callable[[], bool] = lambda: False) -> dict[str, NDArray[Any]]:
        """Grow and measure one unit.

        For c curve times, t read-out times, T types, q read-outs, P pool species, r replicates, p qPCR targets:
        `numbers` [c, T] cells, `of_types` [c, T, q] means, `course` [c, q] means of all cells, `shares` [c, 3] cells
        over those plated, switch off and senescent among the living, `pools` [c, P], `followed` [c, T]; `spread`
        [t, q, 3], `arrest` [t, 2], `arrest_of` [t, T, 2], `senescence` [r, t, 2], `copies` [t, p], `ct` [r, t, p]; the
        cells at read-out times one after the other (`rows` says how many): `type`, `key`, `parent`, `born`, `values`,
        `weight`; the log, what population control did, the pool balances. Numbers and means are of all cells that
        the followed ones represent.
        A well that ended before its time has nan from there.
        By `mean_field` the same with fractions of cells, and without those that are of single cells.
        """
        cuts = self._cuts if unit.world is World.NULL else ()
        if self.method.name == "mean_field":
            return self._mean_units.fill(arm, unit, cuts, cancelled)
        with self._bench(cancelled) as bench:
            course = self._grown(bench, arm, unit.donor, cuts, float(self.curve_times[-1]))
            if cancelled():
                raise Cancelled
        return measured(self, course, unit) | kept(self, course)

    def cultures_of(self, arm: Arm, donor: int) -> tuple[object, ...]:
        """The keys of the cultures from which an arm's well is plated; none where they are grown for every well."""
        return () if self.method.name == "mean_field" else self.plating.keys(donor, arm)

    def prepare(self, arm: Arm, donor: int, cancelled: Callable[[], bool]) -> None:
        """Grow the cultures of an arm's well ahead of `fill`."""
        if self.cultures_of(arm, donor):
            with self._bench(cancelled) as bench:
                self.plating.plated(bench, donor, arm)

    def _grown(self, bench: Bench, arm: Arm, donor: int, cuts: Sequence[Action], until: float) -> Course:
        """An arm's well until an hour; wells whose medium it gets are grown before, as far as they are needed."""
        media = []
        for asked in arm.medium_from:
            giver = protocol.cut(self.study.arms[asked.arm], cuts)
            source = self._grown(bench, giver, donor, cuts, asked.taken_h)
            if asked.taken_h in source.checkpoints:  # else it ended before
                media.append(bench.conditioned(source, asked.taken_h, asked.share, asked.time_h))
        times = np.union1d(self.curve_times, self.readout_times)
        taken = {m.taken_h for other in self.study.arms.values() for m in other.medium_from}
        looks = sorted({float(t) for t in times if t <= until} | {t for t in taken if t <= until} | {until})
        well = Well(
            until, tuple(looks), arm.schedule, arm.insert.schedule if arm.insert else (), self.most_cells,
            self.rare_cells, self._holds if self.stops else None, media,
            balance_times=tuple(self.readout_times.tolist()),
        )  # fmt: skip
        return bench.grow(self.plating.plated(bench, donor, arm), well)

    def _holds(self, reading: Reading) -> bool:
        """Whether the condition to stop holds in a well as it is."""
        return self.condition(lambda asked: self._now(asked, reading))

    def condition(self, shows: Callable[[Asked], float]) -> bool:
        """Whether the study's condition to stop holds where a well shows this."""
        if self.stops is None:
            return False
        values = {asked: np.array([shows(asked)]) for asked in observables(self.stops)}
        with np.errstate(invalid="ignore", divide="ignore"):
            return bool(holds_in(self.stops, values)[0])

    def _now(self, asked: Asked, reading: Reading) -> float:
        """What one well shows; nan of no cell."""
        kinds = range(len(self.types)) if asked.cell_type is None else self.kind_of(asked.cell_type)
        mine = np.isin(reading.type, list(kinds))
        if asked.readout is not None:
            exact = mine if asked.cell_type is None else reading.type == self.types.index(asked.cell_type)
            column = self.watched[self.study.readouts.names.index(asked.readout)]
            if not exact.any():
                return np.nan
            return float(weighted_mean(reading.values[exact, column], reading.weight[exact]))
        if asked.quantity is Quantity.CELLS:
            return float(reading.weight[mine].sum())
        if asked.quantity is Quantity.SENESCENCE:
            stained = self.senescent[reading.type[mine]].astype(float)
            return float(weighted_mean(stained, reading.weight[mine])) if mine.any() else np.nan
        return np.nan

    def cautions(self) -> tuple[str, ...]:
        """What a reader of the results must know of how the cells were followed, in plain words."""
        return (
            *self._followed(),
            "Cells divide, change type and die by hazards that are the circuit's assumptions. "
            + self.circuit.growth_rule,
            "All arms of a donor and genotype are plated from the same cultures, one of"
            f" {self.study.culture.preequilibration_h:g} h for each type." + self._controlled(),
        )

    def _controlled(self) -> str:
        if self.method.name == "mean_field":
            return ""
        if self.method.name == "exact":
            return f" A well ends when it has more than {self.most_cells:,} cells."
        return (
            f" Of a well's cells about {self.most_cells:,} are followed, each representing as many as its weight says;"
            f" a type with fewer than {self.rare_cells} cells is followed cell by cell. All numbers are of all cells."
        )

    def _followed(self) -> tuple[str, ...]:
        if self.method.name == "exact":
            return ("Cells share their medium. All cells and the medium are one process, event by event.",)
        if self.method.name == "mean_field":
            return (FOLLOWED,)
        windows = (
            "Cells share their medium. They are followed in windows of"
            f" {self.method.window:g} h with the medium as it was when they began; then vesicles and cargo are taken up"
            " and lost in whole molecules. A shorter window is closer to the truth."
        )
        if self.method.partition is None:
            return (windows, "Within a window every reaction of a cell happens one by one.")
        continuous, rough = ", ".join(sorted(self.method.partition.continuous)) or "none", ", ".join(self._rough())
        return (
            windows,
            "Scarce molecules, vesicles and fates happen one by one. Continuous amounts with the noise of their"
            f" reactions, because an untreated cell has many copies at the central values: {continuous}."
            + (f" Rough, because some of the first donors have few copies: {rough}." if rough else ""),
        )

    @cached_property
    def method(self) -> Method:
        """How cells are followed; continuous is what is abundant at the central values of the study's laws."""
        name, window = self.study.culture.method or methods.DEFAULT, self.study.culture.window_h or DEFAULT_WINDOW_H
        return Method(name, window, self._divided(None) if name == "hybrid" else None)

    @cached_property
    def _mean_units(self) -> MeanUnits:
        return MeanUnits(self)

    def _divided(self, donor: int | None) -> HybridPartition:
        numbers = self.plating.numbers(donor)
        types = (replace(type, network=_with(type.network, numbers[type.name])) for type in self.population.types)
        return divided(replace(self.population, types=tuple(types)))

    def _rough(self) -> list[str]:
        """The continuous species that are not abundant in some of the first donors, and in how many."""
        if self.method.partition is None:
            return []
        asked = range(1, DONORS_ASKED + 1)
        scarce = Counter(id for d in asked for id in self.method.partition.continuous - self._divided(d).continuous)
        return [f"{id} ({n} of {DONORS_ASKED})" for id, n in sorted(scarce.items())]

    def off(self, values: Floats) -> NDArray[np.bool_]:
        """Which rows of cells or means [n, slots] have a switch that is off; none where the circuit has no switch."""
        if self.arrest is None:
            return np.zeros(len(values), dtype=bool)
        off: NDArray[np.bool_] = values[:, self.lowered.slot(self.arrest.id)] < self.arrest.below
        return off

    @cached_property
    def halved(self) -> Community:
        """The same cells, their cultures included, with half the window."""
        other = copy(self)
        other.plating = Plating(self.study, self.circuit, self.types, self.plating.states)
        other.method = self.method.halved
        return other

    def events_per_hour(self) -> float:
        """Reactions of one cell in an hour at the start, at central values."""
        values = initial_values(self.lowered)
        return float(sum(evaluate(reaction.rate, values, 0.0) for reaction in self.lowered.reactions))

    def kind_of(self, name: str) -> list[int]:
        return [self.types.index(each) for each in self.families[name]]

    @contextmanager
    def _bench(self, cancelled: Callable[[], bool]) -> Iterator[Bench]:
        """A bench whose kernels stop within a second once the run is cancelled."""
        bench = Bench(self.population, self.method, share=self.circuit.well, halves=self.halves)
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.2):
                bench.stop[0] |= cancelled()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield bench
        finally:
            over.set()
            watcher.join()


def _halves(circuit: Circuit, types: Sequence[str]) -> Halves | None:
    """The halves of a Transwell, where there are types for its insert."""
    inserted = {named_above(rule).name for rule in circuit.cell_types}
    upper = frozenset(place for place, name in enumerate(types) if name in inserted)
    if circuit.transwell is None or not upper:
        return None
    lower = frozenset(range(len(types))) - upper
    swap = {**circuit.transwell.swap, **{other: one for one, other in circuit.transwell.swap.items()}}
    return Halves(lower, upper, swap, circuit.transwell.share)


def _with(network: Lowered, numbers: Mapping[str, float]) -> Lowered:
    values = network.values.copy()
    for id, value in numbers.items():
        values[network.slot(id)] = value
    return replace(network, values=values)
