"""`senexo.blood_counts`: neutrophils or platelets of hosts under a drug, with grades of toxicity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.blood.grades import Toxicity, toxicity
from senexo.engine.blood.transit import Line, counts
from senexo.lab.donors import donor_values
from senexo.study.blood import CELLS, Cells, numbers

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
MOST_DRAWS = 100_000
BAND = (5.0, 95.0)  # percentiles


@dataclass(frozen=True, slots=True)
class BloodCounts:
    """Counts of one line of blood cells.

    Attributes
    ----------
    cells
        Which line.
    times
        Hours [times].
    counts
        In G/L [hosts, times]; the first host has the central values of all numbers.
    toxicity
        Worst grade (CTCAE 5.0), nadir and hours at each grade, of each host.
    """

    cells: Cells
    times: Floats
    counts: Floats
    toxicity: Toxicity

    @property
    def table(self) -> pd.DataFrame:
        """A row for each time: the central count, and, where hosts were drawn, percentiles 5 and 95 over them."""
        import pandas as pd

        found: dict[str, Floats] = {"time_h": self.times, f"{self.cells}_G_L": self.counts[0]}
        if len(self.counts) > 1:
            low, high = np.percentile(self.counts[1:], BAND, axis=0)
            found |= {f"{self.cells}_G_L_p5": low, f"{self.cells}_G_L_p95": high}
        return pd.DataFrame(found)

    @property
    def grades(self) -> pd.DataFrame:
        """A row for each host, the first with central values: worst grade, nadir, hours at grade 1 to 4 or worse."""
        import pandas as pd

        found = self.toxicity
        columns = {"worst_grade": found.worst, "nadir_G_L": found.nadir, "nadir_h": found.nadir_h}
        hours = {f"hours_grade_{grade}": found.hours[:, grade - 1] for grade in range(1, 5)}
        return pd.DataFrame({"host": np.arange(len(found.worst)), **columns, **hours})

    def __str__(self) -> str:
        found, days = self.toxicity, self.toxicity.hours[0, 3] / 24.0
        said = (
            f"{self.cells.capitalize()}: lowest {found.nadir[0]:.3g} G/L at {found.nadir_h[0] / 24.0:.3g} d, "
            f"grade {found.worst[0]} (CTCAE 5.0); {days:.3g} d at grade 4."
        )
        if len(found.worst) > 1:
            severe = int((found.worst[1:] >= 3).sum())
            said += f"\nGrade 3 or 4 in {severe} of {len(found.worst) - 1} hosts with numbers drawn from their ranges."
        return said


def blood_counts(
    times: ArrayLike, cells: Cells = "neutrophils", *, exposure: ArrayLike = 0.0, slope: float | None = None,
    normal_share: ArrayLike = 1.0, draws: int = 0, seed: int = 0,
) -> BloodCounts:  # fmt: skip
    """Neutrophils or platelets of a patient under a drug and beside leukaemic cells.

    Parameters
    ----------
    times
        Hours, never going back. Exposure and normal share are linear between them; a time that stands twice is a jump.
    cells
        "neutrophils" or "platelets".
    exposure
        Concentration of the drug in plasma (uM): a number, an array [times] or [1 + draws, times].
    slope
        Effect per ln(1 + uM); by default that of cytarabine, which is assumed (`senexo/study/blood.csv`).
    normal_share
        Normal over all cells in the precursors' compartment, above 0, at most 1; as exposure.
    draws
        Hosts beside the central one, each with its numbers drawn from their ranges by their laws.
    seed
        Of these draws.

    Returns
    -------
    BloodCounts

    Raises
    ------
    InvalidInput
        Other cells, a number of draws out of range, faulty times, shapes or values.

    Notes
    -----
    The equations are those of `senexo.engine.blood.transit`.

    Examples
    --------
    >>> week = blood_counts([0, 168, 168, 240, 288, 336], exposure=[0.3, 0.3, 0, 0, 0, 0])
    >>> week.toxicity.worst.tolist()
    [4]
    """
    faults = [] if cells in CELLS else [Fault("cells", repr(cells), " or ".join(CELLS))]
    if not 0 <= draws <= MOST_DRAWS:
        faults.append(Fault("draws", str(draws), f"0 to {MOST_DRAWS:,}"))
    for name, given in (("times", times), ("exposure", exposure), ("normal_share", normal_share)):
        try:
            array = np.asarray(given, dtype=float)
        except (TypeError, ValueError):
            faults.append(Fault(name, str(given)[:80], "numbers, as many for each host"))
            continue
        if name != "times" and array.ndim == 2 and len(array) not in (1, 1 + draws):
            faults.append(Fault(name, f"values of {len(array)} hosts", f"of 1 or of {1 + draws} (1 + draws)"))
    if faults:
        raise InvalidInput(faults)
    known = numbers(cells)
    hosts = [{name: one.value for name, one in known.items()}]
    hosts += [donor_values(known, seed, number) for number in range(1, draws + 1)]
    value = {name: np.array([host[name] for host in hosts]) for name in known}
    line = Line(value["baseline"], value["transit"] / 24.0, value["loss"] / 24.0, value["feedback"])
    effect = value["slope"] if slope is None else np.full(len(hosts), slope)
    course = counts(line, times, exposure=exposure, slope=effect, normal_share=normal_share)
    return BloodCounts(cells, course.times, course.circulating, toxicity(course.times, course.circulating, cells))
