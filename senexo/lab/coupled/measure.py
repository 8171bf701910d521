"""One well of single cells, measured: what an arm of a donor leaves as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.lab import observe
from senexo.lab.coupled.readings import Reading
from senexo.lab.coupled.well import Course
from senexo.lab.experiment import Unit
from senexo.lab.measurement import ARRESTED_H, QUANTILES, STAIN, well_stream

if TYPE_CHECKING:
    from senexo.lab.coupled.community import Community


def measured(community: Community, course: Course, unit: Unit) -> dict[str, NDArray[Any]]:
    """Numbers, means, shares and readings of assays, as `Community.fill` lists them."""
    at = {reading.time: (reading, fold) for reading, fold in zip(course.readings, course.dilution, strict=True)}
    return _curves(community, course, at) | _read_out(community, course, at, unit)


def _curves(community: Community, course: Course, at: Mapping[float, tuple[Reading, float]]) -> dict[str, NDArray[Any]]:
    """What is read at every time of the grid."""
    c, q, kinds = len(community.curve_times), len(community.units), len(community.types)
    numbers, dilution = np.full((c, kinds), np.nan), np.full(c, np.nan)
    of_types, means, shares = np.full((c, kinds, q), np.nan), np.full((c, q), np.nan), np.full((c, 3), np.nan)
    pools = np.full((c, len(community.population.pooled)), np.nan)
    for k, when in enumerate(community.curve_times):
        if when not in at:
            continue
        reading, dilution[k] = at[when]
        numbers[k] = np.bincount(reading.type, minlength=kinds)
        pools[k] = reading.pools
        for place in range(kinds):
            mine = reading.type == place
            if mine.any():
                of_types[k, place] = reading.values[mine][:, community.watched].mean(axis=0)
        shares[k, 0] = len(reading) * dilution[k] / max(1, len(course.begin))
        if len(reading):
            means[k] = reading.values[:, community.watched].mean(axis=0)
            shares[k, 1:] = community.off(reading.values).mean(), community.senescent[reading.type].mean()
    return {
        "numbers": numbers, "of_types": of_types, "course": means, "shares": shares, "pools": pools,
        "dilution": dilution,
    }  # fmt: skip


def _read_out(
    community: Community, course: Course, at: Mapping[float, tuple[Reading, float]], unit: Unit
) -> dict[str, NDArray[Any]]:
    """What is read at the read-out times, as assays see it."""
    how, study = community.study.replicates, community.study
    t, q, kinds, p = len(community.readout_times), len(community.units), len(community.types), len(community.targets)
    spread, arrest = np.full((t, q, len(QUANTILES)), np.nan), np.zeros((t, 2), dtype=np.int64)
    arrest_of, stains = np.zeros((t, kinds, 2), dtype=np.int64), np.zeros((how.n, t, 2), dtype=np.int64)
    copies, ct = np.full((t, p), np.nan), np.full((how.n, t, p), np.nan)
    for k, when in enumerate(community.readout_times):
        reading = at[when][0] if when in at else _nobody(course)
        values = reading.values[:, community.watched]
        if len(reading):
            spread[k] = np.quantile(values, list(QUANTILES.values()), axis=0).T
        stopped = _arrested(community, course, reading)
        arrest[k] = stopped.sum(), len(reading)
        arrest_of[k, :, 0] = np.bincount(reading.type[stopped], minlength=kinds)
        arrest_of[k, :, 1] = np.bincount(reading.type, minlength=kinds)
        for target, (_, column, constant) in enumerate(community.targets):
            if len(reading):
                copies[k, target] = constant if column is None else values[:, column].mean()
        for r in range(how.n):
            senescent, alive = community.senescent[reading.type], np.ones(len(reading), dtype=bool)
            stains[r, k] = observe.stained(senescent, alive, how, well_stream(study.seed, unit, r, when, STAIN))
            for target, (name, _, _) in enumerate(community.targets):
                lysed = copies[k, target] * how.lysed_cells
                ct[r, k, target] = observe.threshold_cycle(lysed, how, well_stream(study.seed, unit, r, when, name))
    return {
        "spread": spread, "arrest": arrest, "arrest_of": arrest_of, "senescence": stains, "copies": copies, "ct": ct,
    }  # fmt: skip


def _arrested(community: Community, course: Course, now: Reading) -> NDArray[np.bool_]:
    """Senescent cells, and those off at every look of the last `ARRESTED_H` hours, one of them that long ago."""
    senescent = community.senescent[now.type]
    looks = [reading for reading in course.readings if now.time - ARRESTED_H <= reading.time <= now.time]
    earlier = [reading for reading in course.readings if reading.time <= now.time - ARRESTED_H]
    if not earlier or not len(now):
        return senescent
    mine = [tuple(key) for key in now.key.tolist()]
    still = set(mine)
    for reading in [earlier[-1], *looks]:
        still &= {tuple(key) for key in reading.key[community.off(reading.values)].tolist()}
    return senescent | np.array([key in still for key in mine])


def kept(community: Community, course: Course) -> dict[str, NDArray[Any]]:
    """States at read-out times, the log, the books and the first cells, as arrays."""
    wanted = set(community.readout_times.tolist())
    readings = [reading for reading in course.readings if reading.time in wanted]
    found = {
        name: np.concatenate([getattr(reading, name) for reading in readings])
        for name in ("type", "key", "parent", "born", "values")
    }
    books = [
        (begin, end, p, book.before, book.after, book.made, book.lost, book.by_hand, *book.released.values(),
         *book.taken_up.values())
        for begin, end, ledger in course.books
        for p, book in enumerate(ledger)
    ]  # fmt: skip
    first = {f"first_{name}": getattr(course.begin, name) for name in ("type", "key", "parent", "born")}
    return found | first | {
        "rows": np.array([len(reading) for reading in readings], dtype=np.int64),
        "at": np.array([reading.time for reading in readings]),
        "well_pools": np.array([reading.pools for reading in readings]),
        "log_time": course.log.time, "log_key": course.log.key, "log_channel": course.log.channel,
        "books": np.array(books, dtype=float).reshape(len(books), -1),
        "ended": np.frombuffer(course.ended.encode(), dtype=np.uint8),
    }  # fmt: skip


def _nobody(course: Course) -> Reading:
    """A read-out that was never reached: no cell."""
    width = course.begin.values.shape[1]
    return Reading(
        np.inf, np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.uint64), np.zeros((0, 2), dtype=np.uint64),
        np.zeros(0), np.zeros((0, width)), np.zeros_like(course.begin.pools),
    )  # fmt: skip
