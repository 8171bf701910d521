"""Competing risks: cumulative incidence of every cause (Aalen-Johansen), its error, and the log-rank of one cause.

    F_k(t) = sum over s <= t of S(s-) d_k(s) / n(s),   S(s) = S(s-) (1 - d(s) / n(s))

n(s): cells at risk just before s (entered before s, not yet gone). The error is the infinitesimal jackknife: the root
of the sum over cells of (dF_k / dw_i)^2, w_i the cell's weight; intervals are of log(-log F).
Aalen OO, Johansen S, Scand J Stat 1978;5:141-150. As R's survfit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.kaplan_meier import z_value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Incidence:
    """At each time of an event: cells at risk, events [causes, times], incidence and its error [causes, times].

    reach: how far the curves are known; infinite where no subject is left whose fate is open.
    """

    time: Floats
    at_risk: Ints
    events: Ints
    incidence: Floats
    error: Floats
    reach: float

    def at(self, time: float) -> tuple[Floats, Floats]:
        """Incidence and error of every cause at a time."""
        place = int(np.searchsorted(self.time, time, side="right")) - 1
        if place < 0:
            return np.zeros(len(self.events)), np.zeros(len(self.events))
        return self.incidence[:, place], self.error[:, place]

    def interval(self) -> tuple[Floats, Floats]:
        """exp(-exp(log(-log F) -+ z error / (F log F))); nan where F is 0 or 1."""
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = (self.incidence > 0.0) & (self.incidence < 1.0)
            middle = np.where(inside, self.incidence, np.nan)
            half = z_value() * self.error / (middle * np.abs(np.log(middle)))
            centre = np.log(-np.log(middle))
            return np.exp(-np.exp(centre + half)), np.exp(-np.exp(centre - half))


def incidence(entry: Floats, time: Floats, cause: Ints, causes: int) -> Incidence:
    """Curves of one group; cause: 0.. of each cell, -1 where its fate is open (censored) at `time`."""
    times = np.unique(time[cause >= 0])
    shape = causes, len(times)
    events, found, error = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    at_risk = np.zeros(len(times), np.int64)
    survival, total = 1.0, np.zeros(causes)
    moved, slopes = (
        np.zeros(len(time)),
        np.zeros((causes, len(time))),
    )  # of survival and incidences, by weight of a cell
    for i, now in enumerate(times):
        here = (entry < now) & (time >= now)
        n = at_risk[i] = np.count_nonzero(here)
        own = np.array([(time == now) & (cause == k) for k in range(causes)])
        events[:, i] = own.sum(axis=1)
        hazard = events[:, i] / n
        change = (own - here * hazard[:, None]) / n
        slopes += moved * hazard[:, None] + survival * change
        total = total + survival * hazard
        moved = moved * (1.0 - hazard.sum()) - survival * change.sum(axis=0)
        survival *= 1.0 - hazard.sum()
        found[:, i], error[:, i] = total, np.sqrt((slopes**2).sum(axis=1))
    left = (cause < 0) & (time >= (times[-1] if len(times) else 0.0))
    return Incidence(times, at_risk, events, found, error, float(time.max()) if left.any() else np.inf)


def log_rank_score(entry: Floats, time: Floats, event: NDArray[np.bool_], first: NDArray[np.bool_]) -> float:
    """Observed less expected events of the first group, other causes as censoring (cause-specific log-rank)."""
    score = 0.0
    for now in np.unique(time[event]):
        here, died = (entry < now) & (time >= now), event & (time == now)
        score += np.count_nonzero(died & first) - died.sum() * np.count_nonzero(here & first) / here.sum()
    return float(score)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Incidence of every cause at one time over the cells of several donors, each donor with the same weight.

    influence: causes x donors, how far each donor moves it (infinitesimal jackknife); counting: the variance that
    counting cells alone would give. reach: as of `Incidence`.
    """

    incidence: Floats
    influence: Floats
    counting: Floats
    reach: float

    def error(self) -> Floats:
        """Standard error with donors as the unit; never below that of counting cells."""
        return np.sqrt(np.maximum((self.influence**2).sum(axis=1), self.counting))


def pooled_incidence(entry: Floats, time: Floats, cause: Ints, causes: int, donor: Ints, at: float) -> Pooled:
    """Aalen-Johansen over donors, a cell of a donor of n weighing 1 / n; donor: 0.. of each cell.

    A donor counts for as long as it was followed. Where all are followed to `at` it is the mean of the donors'
    incidences, and the influences are their deviations from it over the number of donors. Cells whose fate is open are
    taken to go on like the others at risk.

    >>> time, cause, donor = np.array([1.0, 2, 3, 1, 2, 3]), np.array([0, 0, 1, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    >>> pooled_incidence(np.zeros(6), time, cause, 2, donor, 3.0).incidence.round(4).tolist()
    [0.5, 0.5]
    """
    cells = np.bincount(donor)
    weight = (1.0 / cells)[donor]
    survival, total = 1.0, np.zeros(causes)
    moved, slopes = np.zeros(len(time)), np.zeros((causes, len(time)))
    for now in np.unique(time[(cause >= 0) & (time <= at)]):
        here = (entry < now) & (time >= now)
        n = float(weight[here].sum())
        own = np.array([(time == now) & (cause == k) for k in range(causes)])
        hazard = own @ weight / n
        change = (own - here * hazard[:, None]) / n
        slopes += moved * hazard[:, None] + survival * change
        total = total + survival * hazard
        moved = moved * (1.0 - hazard.sum()) - survival * change.sum(axis=0)
        survival *= 1.0 - hazard.sum()
    slopes *= weight
    influence = np.array([np.bincount(donor, weights=row, minlength=len(cells)) for row in slopes])
    last = float(time[cause >= 0].max()) if (cause >= 0).any() else 0.0
    reach = float(time.max()) if ((cause < 0) & (time >= last)).any() else np.inf
    return Pooled(total, influence, (slopes**2).sum(axis=1), reach)
