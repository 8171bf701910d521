"""Grades of toxicity of blood counts, by the Common Terminology Criteria for Adverse Events (CTCAE), version 5.0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from senexo.base.errors import Fault, InvalidInput

Floats = NDArray[np.float64]
# counts (G/L) below which the grade is 1, 2, 3, 4: CTCAE 5.0 (National Cancer Institute, 2017-11-27), "Neutrophil count
# decreased" and "Platelet count decreased"; unverified. That of grade 1 is the laboratory's own lower limit of normal.
LIMITS: dict[str, tuple[float, float, float, float]] = {
    "neutrophils": (1.8, 1.5, 1.0, 0.5),
    "platelets": (150.0, 75.0, 50.0, 25.0),
}


@dataclass(frozen=True, slots=True)
class Toxicity:
    """What a course of counts amounts to.

    Attributes
    ----------
    worst
        Highest grade, 0 to 4 [hosts].
    nadir, nadir_h
        Lowest count (G/L) among the times, and the first time (h) at which it is reached [hosts].
    hours
        Hours at grade 1, 2, 3, 4 or worse [hosts, 4], the count taken as linear between times.
    """

    worst: NDArray[np.int64]
    nadir: Floats
    nadir_h: Floats
    hours: Floats


def grade(counts: ArrayLike, cells: str, *, normal: float | None = None) -> NDArray[np.int64]:
    """The grade of each count.

    Parameters
    ----------
    counts
        In G/L, of any shape.
    cells
        "neutrophils" or "platelets".
    normal
        The laboratory's lower limit of normal (G/L), below which the grade is 1; by default 1.8 and 150.

    Returns
    -------
    ndarray
        0 (none) to 4, in the shape of `counts`. A count at a limit has the lower grade.

    Raises
    ------
    InvalidInput
        Other cells, counts that are no numbers from 0, or a lower limit of normal under that of grade 2.

    Examples
    --------
    >>> grade([2.0, 1.6, 1.0, 0.7, 0.4], "neutrophils").tolist()
    [0, 1, 2, 3, 4]
    """
    limits = _limits(cells, normal)
    given = np.asarray(counts, dtype=float)
    if not (given >= 0.0).all():
        raise InvalidInput([Fault("counts", f"{given[~(given >= 0.0)].flat[0]:g}", "numbers from 0 (G/L)")])
    return np.asarray((given[..., np.newaxis] < limits).sum(axis=-1), dtype=np.int64)


def toxicity(times: ArrayLike, counts: ArrayLike, cells: str, *, normal: float | None = None) -> Toxicity:
    """Worst grade, nadir, and hours at each grade or worse.

    Parameters
    ----------
    times
        Hours [times], never going back.
    counts
        In G/L [hosts, times], or [times] of one host.
    cells, normal
        As in `grade`.

    Returns
    -------
    Toxicity

    Raises
    ------
    InvalidInput
        As `grade`, and for times that go back or are not as many as counts.

    Examples
    --------
    >>> found = toxicity([0.0, 10.0, 20.0], [2.0, 0.0, 2.0], "neutrophils")
    >>> found.worst.tolist(), found.hours.tolist()
    ([4], [[18.0, 15.0, 10.0, 5.0]])
    """
    at, given = np.atleast_1d(np.asarray(times, dtype=float)), np.atleast_2d(np.asarray(counts, dtype=float))
    if at.ndim != 1 or given.ndim != 2 or given.shape[1] != at.size or not at.size or not (np.diff(at) >= 0.0).all():
        found = f"times {np.shape(times)}, counts {np.shape(counts)}"
        raise InvalidInput([Fault("times and counts", found, "times that never go back, and a count at each")])
    worst = grade(given, cells, normal=normal).max(axis=1)
    first = given.argmin(axis=1)
    limits = _limits(cells, normal)
    low, high = np.minimum(given[:, :-1], given[:, 1:]), np.maximum(given[:, :-1], given[:, 1:])
    rise = np.where(high > low, high - low, 1.0)[..., np.newaxis]
    below = np.where(
        (high > low)[..., np.newaxis], (limits - low[..., np.newaxis]) / rise, low[..., np.newaxis] < limits
    )
    hours = (np.clip(below, 0.0, 1.0) * np.diff(at)[:, np.newaxis]).sum(axis=1)
    return Toxicity(worst, given.min(axis=1), at[first], hours)


def _limits(cells: str, normal: float | None) -> Floats:
    if cells not in LIMITS:
        raise InvalidInput([Fault("cells", repr(cells), " or ".join(LIMITS))])
    limits = list(LIMITS[cells])
    if normal is not None:
        if not limits[1] <= normal < float("inf"):
            raise InvalidInput(
                [Fault("normal", f"{normal:g}", f"a count (G/L) from {limits[1]:g}, the limit of grade 2")]
            )
        limits[0] = normal
    return np.array(limits)
