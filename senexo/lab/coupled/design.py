"""What a study's wells of coupled cells are made of, resolved once: types, slots, times, halves, numbers, condition.

The experiment builds it and hands it down to what plates, simulates, measures and tabulates wells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.population.weights import weighted_mean
from senexo.lab import donors, observables, protocol
from senexo.lab.claim.judge import holds_in
from senexo.lab.coupled.population import named_above, population_of
from senexo.lab.coupled.readings import Snapshot
from senexo.lab.coupled.well import Halves
from senexo.lab.measurement import ARRESTED_H, Target, targets, time_grids
from senexo.lab.observables import WellSummary, evaluate
from senexo.model.cell_types import INSERT, own_names
from senexo.study.claims import Clause, Vocabulary, parse_claim
from senexo.study.claims import observables as read_by
from senexo.study.form.kinds import DEFAULT_RARE_CELLS, DEFAULT_WELL_CAPACITY

if TYPE_CHECKING:
    from senexo.engine.formula.network import Lowered
    from senexo.engine.population.model import Population
    from senexo.model.cell_types import CellTypeRule, FateRule
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Study

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
COMMITMENT = "commitment"  # the fate whose outcome stains


@dataclass(frozen=True, slots=True, eq=False)
class WellDesign:
    """The wells of a study.

    Attributes
    ----------
    study, circuit, population
        The resolved study, its circuit, and the circuit's cells as the engine simulates them.
    types
        Names of the T cell types, those of inserts last.
    families
        Cell type -> the types that count as it: itself, and what its cells become without a division.
    states
        Cell type -> the types, besides itself, that are picked when it is plated (its cells in G0).
    fates
        The rules of all fates.
    senescent
        [T] whether cells of a type are senescent.
    halves
        Of a Transwell, where there are types for its insert.
    watched, units
        [q] slots of the read-outs, and their units.
    readout_times, curve_times
        Hours at which assays read wells, and of the tabulated curves.
    targets
        What qPCR reads.
    stop_when
        The condition that ends a well; None: no such.
    """

    study: Study
    circuit: Circuit
    population: Population
    types: tuple[str, ...]
    families: Mapping[str, Sequence[str]]
    states: Mapping[str, Sequence[str]]
    fates: tuple[FateRule, ...]
    senescent: Bools
    halves: Halves | None
    watched: NDArray[np.int64]
    units: Sequence[str]
    readout_times: Floats
    curve_times: Floats
    targets: tuple[Target, ...]
    stop_when: Clause | None

    @classmethod
    def of(cls, study: Study, circuit: Circuit, population: Population | None = None) -> Self:
        """The wells of a study; population: the circuit's, where it has been made for another study of these types.

        Raises
        ------
        InvalidInput
            For cell types that the circuit lacks, an arm that acts on what is not there, or a condition to stop that
            reads what the circuit cannot show.
        """
        inserted = sorted({name for arm in study.arms.values() if arm.insert for name in arm.insert.cells})
        population = population or population_of(circuit, types=list(study.cells), insert=inserted)
        types = tuple(type.name for type in population.types)
        rules = [rule for rule in circuit.cell_types if rule.name in types]
        rules += [named_above(rule) for rule in rules if INSERT + rule.name in types]
        fates = tuple(fate for rule in rules for fate in rule.fates)
        stained = {to for fate in fates if fate.name == COMMITMENT for to in fate.into}
        lowered = population.types[0].network
        protocol.check(study, lowered, {fate.name for fate in fates})
        named = {readout.name: readout for readout in circuit.readouts}
        ids = [named[name].id if name in named else name for name in study.readouts.names]
        return cls(
            study=study, circuit=circuit, population=population, types=types,
            families={rule.name: list(dict.fromkeys([rule.name, *_becomes(rule)])) for rule in rules},
            states={rule.name: [to for to in _becomes(rule) if to not in stained] for rule in rules},
            fates=fates, senescent=np.array([name in stained for name in types]), halves=_halves(circuit, types),
            watched=np.array([lowered.slot(id) for id in ids], dtype=int),
            units=[named[name].unit if name in named else "1" for name in study.readouts.names],
            readout_times=np.unique(study.readouts.times_h), curve_times=time_grids(study)[1], targets=targets(study),
            stop_when=_condition(study, circuit, {fate.name for fate in fates}),
        )  # fmt: skip

    def of_study(self, study: Study) -> WellDesign:
        """The wells of another study of the same cell types."""
        return WellDesign.of(study, self.circuit, self.population)

    @property
    def lowered(self) -> Lowered:
        """The network of the first type; all types have the same slots."""
        return self.population.types[0].network

    @property
    def arrest(self) -> object:
        """The circuit's rule of arrest; None where it has none."""
        return self.circuit.arrest

    @property
    def most_cells(self) -> int:
        """Cells that are simulated in a well at most."""
        return self.study.culture.most_cells or DEFAULT_WELL_CAPACITY

    @property
    def rare_cells(self) -> int:
        """Cells of a type that are simulated one by one however many others there are."""
        return self.study.culture.rare_cells or DEFAULT_RARE_CELLS

    def numbers(self, donor: int | None) -> dict[str, dict[str, float]]:
        """Per type, slot id -> the donor's number; None: the central values of the study's laws."""
        draws = self.study.donors.draws
        drawn = {name: draw.value for name, draw in draws.items()}
        if donor is not None:
            drawn = donors.donor_values(draws, self.study.seed, donor)
        common = {id: value for id, value in drawn.items() if "." not in id}
        drawn_as = own_names(self.circuit.cell_types)
        names = {name: drawn_as[name.removeprefix(INSERT)] for name in self.types}
        return {name: common | {id: drawn[key] for id, key in names[name].items()} for name in self.types}

    # ---- what cells show

    def off(self, values: Floats) -> Bools:
        """Which rows of cells or means [n, slots] have a switch that is off; none where the circuit has no switch."""
        arrest = self.circuit.arrest
        if arrest is None:
            return np.zeros(len(values), dtype=bool)
        return np.asarray(values[:, self.lowered.slot(arrest.id)] < arrest.below)

    def arrested(self, well: Snapshot) -> Bools:
        """Which cells are senescent, or were off at every hourly look of the last `ARRESTED_H` hours."""
        return np.asarray(self.senescent[well.type] | (well.time - well.off_since >= ARRESTED_H))

    def numbers_of_types(self, well: Snapshot) -> Floats:
        """[T] cells of every type, by weight."""
        return np.bincount(well.type, well.weight, minlength=len(self.types)).astype(float)

    def summary(self, well: Snapshot, begin: Snapshot) -> WellSummary:
        """What observables are evaluated on; begin: the well as it was plated."""
        kinds = len(self.types)
        arrested, means = np.full(kinds, np.nan), np.full((kinds, len(self.watched)), np.nan)
        stopped = self.arrested(well).astype(float)
        for place in np.unique(well.type):
            mine = well.type == place
            arrested[place] = weighted_mean(stopped[mine], well.weight[mine])
            means[place] = weighted_mean(well.values[mine][:, self.watched], well.weight[mine])
        return WellSummary(
            types=self.types, cells=self.numbers_of_types(well), plated=self.numbers_of_types(begin),
            senescent=self.senescent.astype(float), arrested=arrested, means=means,
            readouts=self.study.readouts.names,
        )  # fmt: skip

    def stops(self, well: Snapshot, begin: Snapshot) -> bool:
        """Whether the condition to stop holds in a well; begin: the well as it was plated."""
        if self.stop_when is None:
            return False
        summary = self.summary(well, begin)
        values = {one: np.array([evaluate(one, summary, self.families)]) for one in read_by(self.stop_when)}
        with np.errstate(invalid="ignore", divide="ignore"):
            return bool(holds_in(self.stop_when, values)[0])


def _becomes(rule: CellTypeRule) -> list[str]:
    """What cells of a type become without a division."""
    return [to for fate in rule.fates if fate.effect == "become" for to in fate.into]


def _halves(circuit: Circuit, types: Sequence[str]) -> Halves | None:
    inserted = {named_above(rule).name for rule in circuit.cell_types}
    upper = frozenset(place for place, name in enumerate(types) if name in inserted)
    if circuit.transwell is None or not upper:
        return None
    lower = frozenset(range(len(types))) - upper
    swap = {**circuit.transwell.swap, **{other: one for one, other in circuit.transwell.swap.items()}}
    return Halves(lower, upper, swap, circuit.transwell.share)


def _condition(study: Study, circuit: Circuit, fates: set[str]) -> Clause | None:
    """The condition to stop, all of whose observables the circuit can show."""
    text = study.culture.stop_when
    if text is None:
        return None
    clause = parse_claim(text, Vocabulary(now=True))
    quantities = dict.fromkeys(one.quantity for one in read_by(clause))
    lacking = [(q, needed) for q in quantities if (needed := observables.lacks(q, fates, circuit.arrest))]
    if lacking:
        raise InvalidInput([Fault("culture.stop_when", f"{q.value}(...)", needed) for q, needed in lacking])
    return clause
