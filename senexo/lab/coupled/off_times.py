"""Since when each cell's switch has been off, from hourly looks at a well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from senexo.engine.population.control import Resampled
    from senexo.engine.population.model import Floats, Words


class OffTimes:
    """The hour from which on a cell's switch was off at every look; a cell is known by its lineage key.

    A daughter is a new cell, and a clone that population control splits off has the past of its origin.
    """

    def __init__(self) -> None:
        self._key: Words = np.zeros((0, 2), dtype=np.uint64)
        self._since: Floats = np.zeros(0)

    def since(self, key: Words, off: NDArray[np.bool_], time: float) -> Floats:
        """[n] hours since which cells that are off now have been off; nan for those that are on."""
        known = self._known(key)
        return np.where(off, np.where(np.isnan(known), time, known), np.nan)

    def look(self, key: Words, off: NDArray[np.bool_], time: float) -> Floats:
        """The same, remembered for the next look."""
        since = self.since(key, off, time)
        self._remember(key, since)
        return since

    def resampled(self, done: Resampled) -> None:
        """Clones have been off as long as their origin."""
        clones = np.flatnonzero(done.split)
        while len(clones):  # an origin may itself be a clone of the same hour
            origins = self._known(done.origin[clones], missing=np.inf)
            ready = ~np.isinf(origins)
            if not ready.any():
                return
            key = np.concatenate((self._key, done.key[clones[ready]]))
            self._remember(key, np.concatenate((self._since, origins[ready])))
            clones = clones[~ready]

    def _remember(self, key: Words, since: Floats) -> None:
        order = np.argsort(key[:, 0], kind="stable")
        self._key, self._since = key[order], since[order]

    def _known(self, key: Words, missing: float = np.nan) -> Floats:
        """What is remembered of these cells; `missing` for unknown ones."""
        found = np.full(len(key), missing)
        at = np.searchsorted(self._key[:, 0], key[:, 0])
        rows = np.arange(len(key))
        while len(rows):  # once, but for keys whose first words are equal
            rows = rows[at[rows] < len(self._key)]
            rows = rows[self._key[at[rows], 0] == key[rows, 0]]
            same = self._key[at[rows], 1] == key[rows, 1]
            found[rows[same]] = self._since[at[rows[same]]]
            rows = rows[~same]
            at[rows] += 1
        return found
