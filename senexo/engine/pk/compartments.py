"""Linear compartments: absorption, a central compartment and up to two peripheral ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from senexo.base.errors import Fault, InvalidInput

Floats = NDArray[np.float64]
MOST_PERIPHERAL = 2


@dataclass(frozen=True, slots=True)
class Compartments:
    """Linear disposition of an agent, of one host or of many.

    Compartments are numbered as NONMEM numbers them (ADVAN1 to 4, 11, 12): where there is absorption the depot is 1,
    the central compartment comes next, then the peripheral ones.

    Parameters
    ----------
    clearance
        From the central compartment (L/h); a number, or an array [hosts].
    volume
        Of the central compartment (L); a number, or an array [hosts].
    flows, volumes
        Of each peripheral compartment: the flow between it and the central one (L/h), and its volume (L); each a number
        or an array [hosts].
    absorption
        Rate of absorption from a depot (1/h); None: no depot.
    bioavailability, lag
        Of doses into the depot, or, without a depot, into the central compartment: the share that arrives, and the
        time (h) until it does.

    Raises
    ------
    InvalidInput
        Values that are no finite numbers above 0 (a lag may be 0, a bioavailability is at most 1), or unequal numbers
        of flows, volumes or hosts.

    Examples
    --------
    >>> iv = Compartments(clearance=2.0, volume=10.0)
    >>> iv.n, iv.central
    (1, 1)
    >>> Compartments(2.0, 10.0, absorption=0.5, bioavailability=0.7).central
    2
    """

    clearance: ArrayLike
    volume: ArrayLike
    flows: tuple[ArrayLike, ...] = ()
    volumes: tuple[ArrayLike, ...] = ()
    absorption: ArrayLike | None = None
    bioavailability: float = 1.0
    lag: float = 0.0

    def __post_init__(self) -> None:
        faults = []
        if len(self.flows) != len(self.volumes) or len(self.flows) > MOST_PERIPHERAL:
            found = f"{len(self.flows)} flows and {len(self.volumes)} volumes"
            faults.append(Fault("peripheral compartments", found, f"as many of each, at most {MOST_PERIPHERAL}"))
        for name, value in self._named().items():
            numbers = np.asarray(value, dtype=float)
            if numbers.ndim > 1 or not (np.isfinite(numbers).all() and (numbers > 0.0).all()):
                faults.append(Fault(name, str(value)[:80], "a finite number above 0, or one for each host"))
        if not 0.0 < self.bioavailability <= 1.0:
            faults.append(Fault("bioavailability", str(self.bioavailability), "a share above 0, at most 1"))
        if not 0.0 <= self.lag < np.inf:
            faults.append(Fault("lag", str(self.lag), "a time (h) from 0"))
        sizes = {np.size(value) for value in self._named().values() if np.ndim(value)}
        if len(sizes) > 1:
            faults.append(Fault("hosts", " and ".join(map(str, sorted(sizes))), "one number of hosts"))
        if faults:
            raise InvalidInput(faults)

    def _named(self) -> dict[str, ArrayLike]:
        found: dict[str, ArrayLike] = {"clearance": self.clearance, "volume": self.volume}
        for number, (flow, volume) in enumerate(zip(self.flows, self.volumes, strict=False), start=1):
            found |= {f"flow {number}": flow, f"volume {number}": volume}
        return found if self.absorption is None else found | {"absorption": self.absorption}

    @property
    def hosts(self) -> int:
        """Number of hosts; 1 where every value is one number."""
        return max(np.size(value) for value in self._named().values())

    @property
    def n(self) -> int:
        """Number of compartments."""
        return 1 + len(self.flows) + (self.absorption is not None)

    @property
    def central(self) -> int:
        """Number of the central compartment, from 1."""
        return 1 + (self.absorption is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the compartments, in the order of their numbers."""
        depot = () if self.absorption is None else ("depot",)
        return (*depot, "central", *(f"peripheral {number}" for number in range(1, len(self.flows) + 1)))

    def matrix(self) -> Floats:
        """Rates of amounts [hosts, n, n] (1/h): x' = matrix x."""
        found = np.zeros((self.hosts, self.n, self.n))
        middle = self.central - 1
        found[:, middle, middle] -= np.asarray(self.clearance) / np.asarray(self.volume)
        for place, (flow, volume) in enumerate(zip(self.flows, self.volumes, strict=True), start=self.central):
            out, back = np.asarray(flow) / np.asarray(self.volume), np.asarray(flow) / np.asarray(volume)
            found[:, middle, middle] -= out
            found[:, place, middle] += out
            found[:, place, place] -= back
            found[:, middle, place] += back
        if self.absorption is not None:
            found[:, 0, 0] -= np.asarray(self.absorption)
            found[:, 1, 0] += np.asarray(self.absorption)
        return found

    def arrives(self, compartment: int) -> tuple[float, float]:
        """Share of a dose into a compartment that arrives, and after which time (h)."""
        return (self.bioavailability, self.lag) if compartment == 1 else (1.0, 0.0)


def half_life(compartments: Compartments) -> Floats:
    """The terminal half-life (h) of each host: that of the slowest rate, absorption included.

    >>> half_life(Compartments(clearance=np.log(2.0), volume=10.0)).tolist()
    [10.0]
    """
    rates = np.sort(-np.linalg.eigvals(compartments.matrix()).real, axis=1)
    return np.asarray(np.log(2.0) / rates[:, 0])


def in_order(times: Floats) -> bool:
    """Whether times never go back."""
    return all(a <= b for a, b in pairwise(times.tolist()))
