"""Who is at risk at each event, as sums over risk sets: followed from time 0 (sorted once), or from a later entry.

Values have one row per patient, patients sorted by stratum and, within it, by falling time. A moment is a pair of
stratum and event time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.kaplan_meier import Flags, Floats, Labels

Places = NDArray[np.intp]
_BLOCK = 4_000_000  # cells of a block of risk sets held at once


class RiskSets(Protocol):
    """The risk set of every moment."""

    def sums(self, values: Floats) -> Floats:
        """Sum of `values` over each risk set."""

    def highest(self, linear: Floats) -> Places:
        """The patient with the largest `linear` in each risk set."""


class FromStart:
    """All are followed from time 0: the risk set of a moment is what stands before its last patient.

    begin: where the stratum of each moment begins; last: its last patient.
    """

    def __init__(self, begin: Places, last: Places) -> None:
        self.begin, self.last = begin, last

    def sums(self, values: Floats) -> Floats:
        totals = np.cumsum(np.concatenate([np.zeros_like(values[:1]), values]), axis=0)
        found: Floats = totals[self.last + 1] - totals[self.begin]
        return found

    def highest(self, linear: Floats) -> Places:
        found = np.zeros(len(self.last), np.intp)
        for begin in np.unique(self.begin):
            mine = self.begin == begin
            own = linear[begin : int(self.last[mine].max()) + 1]
            top = np.maximum.accumulate(own)
            new = np.flatnonzero(np.append(True, own[1:] > top[:-1]))
            found[mine] = begin + new[np.searchsorted(new, self.last[mine] - begin, side="right") - 1]
        return found


class FromEntry:
    """At risk at t are those with entry < t <= time, of the same stratum."""

    def __init__(self, entry: Floats, time: Floats, stratum: Labels, at: Floats, of: Labels) -> None:
        self.entry, self.time, self.stratum, self.at, self.of = entry, time, stratum, at, of

    def _blocks(self) -> Iterator[tuple[slice, Flags]]:
        size = max(1, _BLOCK // max(1, len(self.time)))
        for start in range(0, len(self.at), size):
            part = slice(start, start + size)
            at, of = self.at[part, None], self.of[part, None]
            yield part, (self.entry < at) & (self.time >= at) & (self.stratum == of)

    def sums(self, values: Floats) -> Floats:
        flat, found = values.reshape(len(values), -1), np.zeros((len(self.at), values[:1].size))
        for part, inside in self._blocks():
            found[part] = inside @ flat
        return found.reshape(len(self.at), *values.shape[1:])

    def highest(self, linear: Floats) -> Places:
        found = np.zeros(len(self.at), np.intp)
        for part, inside in self._blocks():
            found[part] = np.where(inside, linear, -np.inf).argmax(axis=1)
        return found
