"""What is measured in a well, when, and with which random numbers: the same for every kind of experiment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator
from senexo.lab import observe

if TYPE_CHECKING:
    from senexo.lab.experiment import Unit
    from senexo.study.schema import Study

Floats = NDArray[np.float64]
QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
SHARES = ("alive", "switch off", "senescent")
ARRESTED_H = 72.0  # a cell is arrested if its switch was off for the last so many hours, or if it is committed
CURVE_POINTS = 28  # of the tabulated curves over time, besides the read-out times
STAIN = "SA-beta-gal"


class Target(NamedTuple):
    """An RNA that qPCR reads: its column among the read-outs, or None and its constant copies per cell."""

    name: str
    column: int | None
    copies: float


def time_grids(study: Study) -> tuple[Floats, Floats]:
    """The fine grid of hours (every `grid_h` from 0, the read-out times, the end), and the curves' coarser one."""
    end, step = study.culture.duration_h, study.readouts.grid_h
    even = np.arange(int(end / step) + 1) * step
    known = (*study.readouts.times_h, end)
    sparse = even[:: max(1, round(len(even) / CURVE_POINTS))]
    return np.union1d(even[even < end], known), np.union1d(sparse[sparse < end], known)


def targets(study: Study) -> tuple[Target, ...]:
    """What the qPCR requests of a study read, each RNA once."""
    wanted: dict[str, None] = {}
    for request in study.assays:
        if request.name == "qpcr":
            reference = request.options["reference"]
            wanted |= dict.fromkeys([request.options["target"]])
            wanted |= dict.fromkeys([reference] if isinstance(reference, str) else reference)
    constant, names = study.replicates.reference_copies, study.readouts.names
    return tuple(
        Target(rna, None if rna in constant else names.index(rna), constant.get(rna, np.nan)) for rna in wanted
    )


def well_stream(seed: int, unit: Unit, replicate: int, time_h: float, what: str) -> np.random.Generator:
    """The random numbers of one reading of a replicate well.

    Keyed by what is done in the well, never by the name of its arm: arms in which the same is done are counterfactual
    twins in every kind of experiment.
    """
    key = (unit.treatment_digest, unit.occurrence, unit.donor, replicate, float(time_h).hex(), what)
    return generator(seed, "well", *key)


def measured(
    study: Study,
    unit: Unit,
    times: Sequence[float] | Floats,
    copies: Floats,
    stain: Callable[[int, np.random.Generator], tuple[int, int]],
) -> tuple[NDArray[np.int64], Floats]:
    """Stained counts [r, t, 2] (positive, counted) and threshold cycles [r, t, p] of the replicate wells of a unit.

    Parameters
    ----------
    times
        The t read-out times (h).
    copies
        [t, p] copies per cell of the RNAs of `targets`; nan where no cell lives.
    stain
        Counts stained cells at the read-out of a number, with these random numbers.
    """
    how, known = study.replicates, targets(study)
    counts = np.zeros((how.n, len(times), 2), dtype=np.int64)
    ct = np.full((how.n, len(times), len(known)), np.nan)
    for t, when in enumerate(times):
        for r in range(how.n):
            counts[r, t] = stain(t, well_stream(study.seed, unit, r, when, STAIN))
            for p, target in enumerate(known):
                rng = well_stream(study.seed, unit, r, when, target.name)
                ct[r, t, p] = observe.threshold_cycle(copies[t, p] * how.lysed_cells, how, rng)
    return counts, ct
