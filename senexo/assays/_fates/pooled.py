"""Incidences of arms in which a donor was not followed to the time judged: Aalen-Johansen over its donors together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from senexo.assays.stats.competing_risks import Pooled, pooled_incidence
from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.kaplan_meier import welch_sum
from senexo.assays.stats.proportion import mean_share, share_variance

if TYPE_CHECKING:
    import pandas as pd


class PooledArms:
    """Estimates at one time `now`, each donor with the same weight; `known`: the fates by the number of their cause."""

    def __init__(self, cells: pd.DataFrame, known: Sequence[str], now: float) -> None:
        self.cells, self.known, self.now = cells, known, now

    def _arm(self, arm: str, donors: Sequence[str]) -> tuple[Pooled, np.ndarray]:
        """The estimate over some donors of an arm, and the number of cells of each."""
        mine = self.cells[(self.cells["arm"] == arm) & self.cells["donor"].isin(donors)]
        place = {donor: k for k, donor in enumerate(donors)}
        donor = np.array([place[name] for name in mine["donor"]], dtype=np.int64)
        found = pooled_incidence(
            mine["entry_h"].to_numpy(float), mine["time_h"].to_numpy(float), mine["cause"].to_numpy(np.int64),
            len(self.known), donor, self.now,
        )  # fmt: skip
        return found, np.bincount(donor)

    def fraction(self, arm: str, donors: Sequence[str], fate: str) -> Estimate:
        """Incidence of one fate in an arm, with Student's interval over donors on the logit scale."""
        found, cells = self._arm(arm, donors)
        k = self.known.index(fate)
        value = float(found.incidence[k])
        if self.now > found.reach:
            return Estimate(math.nan, math.nan, math.nan)
        if not 0.0 < value < 1.0:
            bounds = mean_share(np.rint(value * cells).astype(np.int64), cells.astype(np.int64))
            return Estimate(value, min(bounds.low, value), max(bounds.high, value))
        half = _half(self._error(found, cells, k), len(donors)) / (value * (1.0 - value))
        centre = math.log(value / (1.0 - value))
        return Estimate(value, _expit(centre - half), _expit(centre + half))

    def difference(self, arm: str, control: str, donors: Sequence[Sequence[str]], fate: str, paired: bool) -> Estimate:
        """Incidence of an arm less that of its control; donors: of the arm, of the control (paired: the same)."""
        parts = [self._arm(name, own) for name, own in zip((arm, control), donors, strict=True)]
        k = self.known.index(fate)
        value = float(parts[0][0].incidence[k] - parts[1][0].incidence[k])
        if any(self.now > found.reach for found, _ in parts):
            return Estimate(math.nan, math.nan, math.nan)
        if min(len(own) for own in donors) < 2:
            return Estimate(value, math.nan, math.nan)
        errors = [self._error(found, cells, k) for found, cells in parts]
        if not paired:
            return welch_sum(value, *((error, float(len(own))) for error, own in zip(errors, donors, strict=True)))
        moved = parts[0][0].influence[k] - parts[1][0].influence[k]
        counting = sum(self._counting(found, cells, k) for found, cells in parts)
        return welch_sum(value, (math.sqrt(max(float(moved @ moved), counting)), float(len(moved))))

    def _counting(self, found: Pooled, cells: np.ndarray, k: int) -> float:
        """The variance by the finite number of cells: never below that of cells that were all followed."""
        share, n = float(found.incidence[k]), cells.astype(float)
        return max(float(found.counting[k]), float(share_variance(share * n, n).mean()) / len(n))

    def _error(self, found: Pooled, cells: np.ndarray, k: int) -> float:
        own = found.influence[k]
        return math.sqrt(max(float(own @ own), self._counting(found, cells, k)))


def _half(error: float, n: int) -> float:
    """Half of Student's interval of an error over n donors; infinite for one."""
    from scipy.special import stdtrit

    return math.inf if n < 2 else float(stdtrit(n - 1, (1.0 + LEVEL) / 2.0)) * error * math.sqrt(n / (n - 1.0))


def _expit(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value)) if value > -700.0 else 0.0
