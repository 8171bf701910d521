"""One arm of one donor by the deterministic twin, measured into the arrays of a unit of coupled cells.

Numbers are fractions. What takes single cells is empty or nan: states, lineages, fates, mass balances, quantiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.mean_field import NOBODY
from senexo.lab import observe, protocol
from senexo.lab.coupled.plating import above, below
from senexo.lab.coupled.well import Well
from senexo.lab.experiment import Unit
from senexo.lab.mean_field.twin import MeanCourse, MeanReading, Twin
from senexo.lab.measurement import ARRESTED_H, QUANTILES, STAIN, well_stream
from senexo.model.cell_types import INSERT
from senexo.study.observables import Quantity

if TYPE_CHECKING:
    from senexo.lab.coupled.community import Community
    from senexo.study.schema import Action, Arm

Floats = NDArray[np.float64]
SOMEBODY = 10.0 * NOBODY  # cells: a type with fewer has no mean to tell

FOLLOWED = (
    "Cells share their medium. They are not followed one by one: numbers of cells and the mean molecules of each type"
    " change by the deterministic laws (mean_field). Chance and the variation between cells are left out; numbers of"
    " cells are fractions, and tables of single cells are empty."
)


class MeanUnits:
    """The units of a community by its deterministic twin; twins and cultures are made once."""

    def __init__(self, community: Community) -> None:
        self.community = community
        self.twin = Twin(community.population, community.circuit.well, community.halves)

    def fill(
        self, arm: Arm, unit: Unit, cuts: Sequence[Action], cancelled: Callable[[], bool]
    ) -> dict[str, NDArray[Any]]:
        """The arrays of `Community.fill`, numbers and `arrest` as fractions of cells. Cancelled between wells."""
        course = self._grown(arm, unit.donor, cuts, float(self.community.curve_times[-1]), cancelled)
        return self._measured(course, unit) | self._kept(course)

    def _grown(
        self, arm: Arm, donor: int, cuts: Sequence[Action], until: float, cancelled: Callable[[], bool]
    ) -> MeanCourse:
        from senexo.lab.ensemble import Cancelled

        c, media = self.community, []
        for asked in arm.medium_from:
            giver = protocol.cut(c.study.arms[asked.arm], cuts)
            source = self._grown(giver, donor, cuts, asked.taken_h, cancelled)
            taken = [reading for reading in source.readings if reading.time == asked.taken_h]
            media += [self.twin.conditioned(reading, asked.share, asked.time_h) for reading in taken]
        if cancelled():
            raise Cancelled
        times = {*c.curve_times.tolist(), *c.readout_times.tolist()}
        times |= {m.taken_h for other in c.study.arms.values() for m in other.medium_from}
        well = Well(
            until, sorted({t for t in times if t <= until} | {until}), arm.schedule,
            arm.insert.schedule if arm.insert else (), conditioned=media,
        )  # fmt: skip
        return self.twin.grow(self._plated(donor, arm), well, self._holds if c.stops else None)

    def _plated(self, donor: int, arm: Arm) -> Floats:
        """The well at time 0: each type from a culture of its own, those of it in G0 included, in fresh medium."""
        c, parts = self.community, []
        halves = [(below(c.study, arm), arm.genotype)]
        halves += [(above(arm), arm.insert.genotype)] if arm.insert else []
        names = {type: INSERT + type for type in c.types if INSERT + type in c.types}
        for numbers, genotype in halves:
            for name, n in numbers.items():
                base = name.removeprefix(INSERT)
                grown = self._culture(donor, base, float(n), genotype)
                family = [base, *c.plating.states[base]]
                there = np.array([grown[self.twin.cells[c.types.index(each)]] for each in family])
                share = there / there.sum() * min(float(n), there.sum()) if there.sum() > 0.0 else there
                picked = dict(zip(family, share.tolist(), strict=True))
                parts.append((grown, picked, names if name != base else {}))
        return self.twin.plated(parts[0][0], parts)

    def _culture(self, donor: int, base: str, n: float, genotype: Sequence[Action]) -> Floats:
        """A type after its culture, which is split whenever it has doubled."""
        study = self.community.study
        numbers = self.community.plating.numbers(donor)
        v = self.twin.seeded({base: 1.5 * n + 10.0}, numbers, [*genotype, *study.culture.medium])
        hours = study.culture.preequilibration_h
        return self.twin.grow(v, Well(hours, ()), flask_of=int(3.0 * n) + 20).end if hours > 0 else v

    # ---- what is read

    def _measured(self, course: MeanCourse, unit: Unit) -> dict[str, NDArray[Any]]:
        community = self.community
        c, t, q = len(community.curve_times), len(community.readout_times), len(community.units)
        kinds, p, how = len(community.types), len(community.targets), community.study.replicates
        found = {
            "numbers": np.full((c, kinds), np.nan), "of_types": np.full((c, kinds, q), np.nan),
            "course": np.full((c, q), np.nan), "shares": np.full((c, 3), np.nan),
            "pools": np.full((c, len(community.population.pooled)), np.nan), "followed": np.full((c, kinds), np.nan),
            "spread": np.full((t, q, len(QUANTILES)), np.nan), "arrest": np.zeros((t, 2)),
            "senescence": np.zeros((how.n, t, 2), dtype=np.int64), "copies": np.full((t, p), np.nan),
            "arrest_of": np.zeros((t, kinds, 2)), "ct": np.full((how.n, t, p), np.nan),
        }  # fmt: skip
        at = {reading.time: reading for reading in course.readings}
        for k, when in enumerate(community.curve_times):
            if when not in at:
                continue
            reading = at[when]
            found["numbers"][k], found["pools"][k] = reading.numbers, reading.pools
            of_types, found["course"][k], (off, senescent) = self._means(reading)
            found["of_types"][k] = np.where(reading.numbers[:, None] > SOMEBODY, of_types, np.nan)
            alive = reading.numbers.sum() / max(course.readings[0].numbers.sum(), SOMEBODY)
            found["shares"][k] = alive, off, senescent
        for k, when in enumerate(community.readout_times):
            if when not in at or at[when].numbers.sum() <= SOMEBODY:
                continue
            reading = at[when]
            found["arrest_of"][k] = np.column_stack(
                (self._arrested(course, reading) * reading.numbers, reading.numbers)
            )
            found["arrest"][k] = found["arrest_of"][k].sum(axis=0)
            _, means, (_, senescent) = self._means(reading)
            chance = senescent * (1.0 - how.false_negative) + (1.0 - senescent) * how.false_positive
            found["copies"][k] = [
                means[column] if column is not None else fixed for _, column, fixed in community.targets
            ]
            for r in range(how.n):
                positive = well_stream(community.study.seed, unit, r, when, STAIN).binomial(how.cells_counted, chance)
                found["senescence"][r, k] = positive, how.cells_counted
                for target, (name, _, _) in enumerate(community.targets):
                    rng = well_stream(community.study.seed, unit, r, when, name)
                    copies = found["copies"][k, target] * how.lysed_cells
                    found["ct"][r, k, target] = observe.threshold_cycle(copies, how, rng)
        return found

    def _means(self, reading: MeanReading) -> tuple[Floats, Floats, tuple[float, float]]:
        """Read-outs [types, q] of each type and [q] of all cells; shares of cells that are off, and senescent."""
        of_types = reading.values[:, self.community.watched]
        total = reading.numbers.sum()
        if total <= SOMEBODY:
            return of_types, np.full(of_types.shape[1], np.nan), (np.nan, np.nan)
        weight = reading.numbers / total
        off, senescent = weight @ self.community.off(reading.values), weight @ self.community.senescent
        return of_types, weight @ of_types, (float(off), float(senescent))

    def _arrested(self, course: MeanCourse, now: MeanReading) -> NDArray[np.bool_]:
        """Per type, whether it is senescent, or was off or empty at every look of the last `ARRESTED_H` hours."""
        earlier = [reading for reading in course.readings if reading.time <= now.time - ARRESTED_H]
        if not earlier:
            return self.community.senescent
        looks = [reading for reading in course.readings if earlier[-1].time <= reading.time <= now.time]
        still: NDArray[np.bool_] = np.all(
            [self.community.off(look.values) | (look.numbers <= SOMEBODY) for look in looks], axis=0
        )
        return still | self.community.senescent

    def _holds(self, reading: MeanReading) -> bool:
        """Whether the community's condition to stop holds."""
        of_types, means, _ = self._means(reading)
        community = self.community

        def shows(asked: Any) -> float:
            kinds = range(len(community.types)) if asked.cell_type is None else community.kind_of(asked.cell_type)
            if asked.readout is not None:
                q = community.study.readouts.names.index(asked.readout)
                place = None if asked.cell_type is None else community.types.index(asked.cell_type)
                return float(means[q] if place is None else of_types[place, q])
            living = float(reading.numbers[list(kinds)].sum())
            if asked.quantity is Quantity.CELLS:
                return living
            stained = float(reading.numbers[[k for k in kinds if community.senescent[k]]].sum())
            return stained / living if living > SOMEBODY else np.nan

        return community.condition(shows)

    def _kept(self, course: MeanCourse) -> dict[str, NDArray[Any]]:
        """No cell is kept; the arrays are there, empty."""
        c, wanted = self.community, set(self.community.readout_times.tolist())
        readings = [reading for reading in course.readings if reading.time in wanted]
        nobody: dict[str, NDArray[Any]] = {
            "type": np.zeros(0, dtype=np.int64), "key": np.zeros((0, 2), dtype=np.uint64),
            "parent": np.zeros((0, 2), dtype=np.uint64), "born": np.zeros(0),
        }  # fmt: skip
        log: Mapping[str, NDArray[Any]] = {
            "log_time": np.zeros(0), "log_key": nobody["key"], "log_channel": nobody["type"],
            "log_weight": nobody["type"], "weight": nobody["type"], "resampled_time": np.zeros(0),
            "resampled_key": nobody["key"], "resampled_origin": nobody["key"], "resampled_type": nobody["type"],
        }  # fmt: skip
        return {
            **nobody, **{f"first_{name}": array for name, array in nobody.items()}, **log,
            "values": np.zeros((0, c.population.width)), "rows": np.zeros(len(readings), dtype=np.int64),
            "at": np.array([reading.time for reading in readings]),
            "well_pools": np.array([reading.pools for reading in readings]),
            "balances": np.zeros((0, 8 + 2 * len(c.types))),
            "ended": np.frombuffer(course.ended.encode(), dtype=np.uint8),
        }  # fmt: skip
