"""One well of single cells, measured: what an arm of a donor leaves as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.population.weights import weighted_mean, weighted_quantiles
from senexo.lab import observe
from senexo.lab.coupled.readings import Reading
from senexo.lab.coupled.well import Course
from senexo.lab.experiment import Unit
from senexo.lab.measurement import ARRESTED_H, QUANTILES, STAIN, well_stream

if TYPE_CHECKING:
    from senexo.lab.coupled.community import Community

Key = tuple[int, ...]  # the two words of a lineage


def measured(community: Community, course: Course, unit: Unit) -> dict[str, NDArray[Any]]:
    """Numbers, means, shares and readings of assays, as `Community.fill` lists them."""
    at = {reading.time: reading for reading in course.readings}
    return _curves(community, course, at) | _read_out(community, course, at, unit)


def _curves(community: Community, course: Course, at: Mapping[float, Reading]) -> dict[str, NDArray[Any]]:
    """What is read at every time of the grid."""
    c, q, kinds = len(community.curve_times), len(community.units), len(community.types)
    numbers, followed = np.full((c, kinds), np.nan), np.full((c, kinds), np.nan)
    of_types, means, shares = np.full((c, kinds, q), np.nan), np.full((c, q), np.nan), np.full((c, 3), np.nan)
    pools = np.full((c, len(community.population.pooled)), np.nan)
    for k, when in enumerate(community.curve_times):
        if when not in at:
            continue
        reading = at[when]
        numbers[k] = np.bincount(reading.type, reading.weight, minlength=kinds)
        followed[k] = np.bincount(reading.type, minlength=kinds)
        watched = reading.values[:, community.watched]
        pools[k] = reading.pools
        for place in range(kinds):
            mine = reading.type == place
            if mine.any():
                of_types[k, place] = weighted_mean(reading.values[mine][:, community.watched], reading.weight[mine])
        shares[k, 0] = reading.weight.sum() / max(1, course.begin.weight.sum())
        if len(reading):
            means[k] = weighted_mean(watched, reading.weight)
            both = np.column_stack((community.off(reading.values), community.senescent[reading.type]))
            shares[k, 1:] = weighted_mean(both, reading.weight)
    return {
        "numbers": numbers, "of_types": of_types, "course": means, "shares": shares, "pools": pools,
        "followed": followed,
    }  # fmt: skip


def _read_out(community: Community, course: Course, at: Mapping[float, Reading], unit: Unit) -> dict[str, NDArray[Any]]:
    """What is read at the read-out times, as assays see it."""
    how, study = community.study.replicates, community.study
    t, q, kinds, p = len(community.readout_times), len(community.units), len(community.types), len(community.targets)
    spread, arrest = np.full((t, q, len(QUANTILES)), np.nan), np.zeros((t, 2), dtype=np.int64)
    arrest_of, stains = np.zeros((t, kinds, 2), dtype=np.int64), np.zeros((how.n, t, 2), dtype=np.int64)
    copies, ct = np.full((t, p), np.nan), np.full((how.n, t, p), np.nan)
    for k, when in enumerate(community.readout_times):
        reading = at[when] if when in at else _empty(course)
        values = reading.values[:, community.watched]
        if len(reading):
            spread[k] = weighted_quantiles(values, reading.weight, list(QUANTILES.values())).T
        stopped = _arrested(community, course, reading)
        arrest_of[k, :, 0] = np.bincount(reading.type[stopped], reading.weight[stopped], minlength=kinds)
        arrest_of[k, :, 1] = np.bincount(reading.type, reading.weight, minlength=kinds)
        arrest[k] = arrest_of[k].sum(axis=0)
        for target, (_, column, constant) in enumerate(community.targets):
            if len(reading):
                copies[k, target] = (
                    constant if column is None else float(weighted_mean(values[:, column], reading.weight))
                )
        for r in range(how.n):
            senescent, alive = community.senescent[reading.type], np.ones(len(reading), dtype=bool)
            stain = well_stream(study.seed, unit, r, when, STAIN)
            stains[r, k] = observe.stained(senescent, alive, how, stain, reading.weight)
            for target, (name, _, _) in enumerate(community.targets):
                lysed = copies[k, target] * how.lysed_cells
                ct[r, k, target] = observe.threshold_cycle(lysed, how, well_stream(study.seed, unit, r, when, name))
    return {
        "spread": spread, "arrest": arrest, "arrest_of": arrest_of, "senescence": stains, "copies": copies, "ct": ct,
    }  # fmt: skip


def _arrested(community: Community, course: Course, now: Reading) -> NDArray[np.bool_]:
    """Senescent cells, and those off at every look of the last `ARRESTED_H` hours, one of them that long ago.

    A clone was, before it was split off, the cell that it was split off.
    """
    senescent = community.senescent[now.type]
    looks = [reading for reading in course.readings if now.time - ARRESTED_H <= reading.time <= now.time]
    earlier = [reading for reading in course.readings if reading.time <= now.time - ARRESTED_H]
    if not earlier or not len(now):
        return senescent
    split = course.resampled.split
    columns = [getattr(course.resampled, name)[split].tolist() for name in ("key", "origin", "time")]
    clones = {tuple(key): (tuple(origin), time) for key, origin, time in zip(*columns, strict=True)}
    mine = [tuple(key) for key in now.key.tolist()]
    still = np.ones(len(mine), dtype=bool)
    for reading in [earlier[-1], *looks]:
        off = {tuple(key) for key in reading.key[community.off(reading.values)].tolist()}
        still &= np.array([_then(key, reading.time, clones) in off for key in mine])
    return senescent | still


def _then(key: Key, time: float, clones: Mapping[Key, tuple[Key, float]]) -> Key:
    """The lineage key at an earlier time of what is now a cell with this one."""
    while key in clones and clones[key][1] > time:
        key = clones[key][0]
    return key


def kept(community: Community, course: Course) -> dict[str, NDArray[Any]]:
    """States at read-out times, the log, what was resampled, pool balances and the first cells, as arrays."""
    wanted = set(community.readout_times.tolist())
    readings = [reading for reading in course.readings if reading.time in wanted]
    found = {
        name: np.concatenate([getattr(reading, name) for reading in readings])
        for name in ("type", "key", "parent", "born", "values", "weight")
    }
    balances = [
        (begin, end, p, one.before, one.after, one.made, one.lost, one.by_hand, *one.released.values(),
         *one.taken_up.values())
        for begin, end, of_pools in course.balances
        for p, one in enumerate(of_pools)
    ]  # fmt: skip
    first = {f"first_{name}": getattr(course.begin, name) for name in ("type", "key", "parent", "born")}
    return found | first | {
        "rows": np.array([len(reading) for reading in readings], dtype=np.int64),
        "at": np.array([reading.time for reading in readings]),
        "well_pools": np.array([reading.pools for reading in readings]),
        "log_time": course.log.time, "log_key": course.log.key, "log_channel": course.log.channel,
        "log_weight": course.log.weight,
        **{f"resampled_{name}": getattr(course.resampled, name) for name in ("time", "key", "origin", "type")},
        "balances": np.array(balances, dtype=float).reshape(len(balances), -1),
        "ended": np.frombuffer(course.ended.encode(), dtype=np.uint8),
    }  # fmt: skip


def _empty(course: Course) -> Reading:
    """A read-out that was never reached: no cell."""
    width = course.begin.values.shape[1]
    return Reading(
        np.inf, np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.uint64), np.zeros((0, 2), dtype=np.uint64),
        np.zeros(0), np.zeros((0, width)), np.zeros(0, dtype=np.int64), np.zeros_like(course.begin.pools),
    )  # fmt: skip
