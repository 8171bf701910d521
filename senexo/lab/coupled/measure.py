"""One well, measured: what an arm of a donor leaves as arrays, by whatever method its cells were simulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.weights import weighted_mean, weighted_quantiles
from senexo.lab import measurement, observe
from senexo.lab.coupled.readings import Snapshot
from senexo.lab.coupled.well import Course
from senexo.lab.measurement import QUANTILES

if TYPE_CHECKING:
    from senexo.lab.coupled.design import WellDesign
    from senexo.lab.experiment import Unit

At = Mapping[float, Snapshot]
Arrays = dict[str, NDArray[Any]]
CELL_COLUMNS = ("type", "key", "parent", "born", "values", "weight")


def measured(design: WellDesign, course: Course[Any], unit: Unit, *, single: bool) -> Arrays:
    """Numbers, means, shares and readings of assays, as `Wells.arrays` lists them; single: of single cells."""
    at = {snapshot.time: snapshot for snapshot in course.snapshots}
    return _curves(design, course, at, single=single) | _read_out(design, at, unit, single=single)


def _curves(design: WellDesign, course: Course[Any], at: At, *, single: bool) -> Arrays:
    """What is read at every time of the curves."""
    c, q, kinds = len(design.curve_times), len(design.watched), len(design.types)
    numbers, followed = np.full((c, kinds), np.nan), np.full((c, kinds), np.nan)
    of_types, means, shares = np.full((c, kinds, q), np.nan), np.full((c, q), np.nan), np.full((c, 3), np.nan)
    pools = np.full((c, len(design.population.pooled)), np.nan)
    plated = course.begin.weight.sum()
    for k, when in enumerate(design.curve_times):
        if when not in at:
            continue
        well = at[when]
        numbers[k], pools[k] = design.numbers_of_types(well), well.pools
        if single:
            followed[k] = np.bincount(well.type, minlength=kinds)
        watched = well.values[:, design.watched]
        for place in np.unique(well.type):
            mine = well.type == place
            of_types[k, place] = weighted_mean(watched[mine], well.weight[mine])
        shares[k, 0] = well.weight.sum() / plated if plated else 0.0
        if len(well):
            means[k] = weighted_mean(watched, well.weight)
            both = np.column_stack((design.off(well.values), design.senescent[well.type])).astype(float)
            shares[k, 1:] = weighted_mean(both, well.weight)
    return {
        "numbers": numbers, "of_types": of_types, "course": means, "shares": shares, "pools": pools,
        "followed": followed,
    }  # fmt: skip


def _read_out(design: WellDesign, at: At, unit: Unit, *, single: bool) -> Arrays:
    """What is read at the read-out times, as assays see it."""
    t, q, kinds = len(design.readout_times), len(design.watched), len(design.types)
    spread, arrest_of = np.full((t, q, len(QUANTILES)), np.nan), np.zeros((t, kinds, 2))
    copies = np.full((t, len(design.targets)), np.nan)
    never = Snapshot.empty(design.population.width, len(design.population.pooled))
    wells = [at.get(float(when), never) for when in design.readout_times]
    for k, well in enumerate(wells):
        stopped = design.arrested(well)
        arrest_of[k, :, 0] = np.bincount(well.type[stopped], well.weight[stopped], minlength=kinds)
        arrest_of[k, :, 1] = design.numbers_of_types(well)
        if len(well):
            values = well.values[:, design.watched]
            mean = weighted_mean(values, well.weight)
            copies[k] = [x.copies if x.column is None else mean[x.column] for x in design.targets]
            if single:
                spread[k] = weighted_quantiles(values, np.asarray(well.weight, int), list(QUANTILES.values())).T
    counts, ct = measurement.measured(
        design.study, unit, design.readout_times, copies,
        lambda k, rng: _stained(design, wells[k], rng, single=single),
    )  # fmt: skip
    arrest = arrest_of.sum(axis=1)
    if single:
        arrest, arrest_of = arrest.astype(np.int64), arrest_of.astype(np.int64)
    return {
        "spread": spread, "arrest": arrest, "arrest_of": arrest_of, "senescence": counts, "copies": copies, "ct": ct,
    }  # fmt: skip


def _stained(design: WellDesign, well: Snapshot, rng: np.random.Generator, *, single: bool) -> tuple[int, int]:
    """Positive and counted cells of one stained well."""
    how, senescent = design.study.replicates, design.senescent[well.type]
    if single:
        return observe.stained(senescent, np.ones(len(well), dtype=bool), how, rng, np.asarray(well.weight, int))
    if not len(well):
        return 0, 0
    share = float(weighted_mean(senescent.astype(float), well.weight))
    chance = share * (1.0 - how.false_negative) + (1.0 - share) * how.false_positive
    return int(rng.binomial(how.cells_counted, chance)), how.cells_counted


def kept(design: WellDesign, course: Course[Any], *, single: bool) -> Arrays:
    """States at read-out times, the log, what was resampled, pool balances and the first cells, as arrays.

    single: else there are no single cells to keep, and what is of them is empty.
    """
    wanted = set(design.readout_times.tolist())
    wells = [one for one in course.snapshots if one.time in wanted or (course.ended and one is course.snapshots[-1])]
    none = Snapshot.empty(design.population.width, len(design.population.pooled))
    cells = wells if single else []
    first = course.begin if single else none
    balances = [
        (begin, end, p, one.before, one.after, one.made, one.lost, one.interventions, *one.released.values(),
         *one.taken_up.values())
        for begin, end, of_pools in course.balances
        for p, one in enumerate(of_pools)
    ]  # fmt: skip
    log, resampled = course.log, course.resampled
    return {
        **{name: np.concatenate([getattr(one, name) for one in (none, *cells)]) for name in CELL_COLUMNS},
        **{f"first_{name}": getattr(first, name) for name in ("type", "key", "parent", "born")},
        "rows": np.array([len(one) if single else 0 for one in wells], dtype=np.int64),
        "at": np.array([one.time for one in wells]),
        "well_pools": np.array([one.pools for one in wells]),
        "log_time": log.time, "log_key": log.key, "log_channel": log.channel, "log_weight": log.weight,
        **{f"resampled_{name}": getattr(resampled, name) for name in ("time", "key", "origin", "type")},
        "balances": np.array(balances, dtype=float).reshape(len(balances), 8 + 2 * len(design.types)),
        "ended": np.frombuffer(course.ended.encode(), dtype=np.uint8),
    }  # fmt: skip
