"""The shipped claims on coupled cells in their null worlds, with a few donors, by `mean_field`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senexo import workflow

Floats = NDArray[np.float64]

# of every comparison: its margin in a null without any effect; nan where genotypes differ by more than what is cut
COUPLED = {
    "c05-coupled": (-0.05, -0.05), "c08-coupled": (-0.05, np.nan), "c09-coupled": (-0.05, np.nan, -0.05),
    "c10-transfer": (-np.log2(1.1), -np.log2(1.1)), "c12-coupled": (-0.2, 0.9), "c13-coupled": (-np.log2(1.05),),
}  # fmt: skip
# with so few donors: more of them, a dose by which one of them commits, or numbers by which p53 decides over arrest
P53 = {"umax": 3.6, "Tbg": 440, "KA": 2.9, "K8": 365, "th_mir": 24, "E": 11.5, "th_si": 11.8, "Td": 56}
CHANGES = {
    "c05-coupled": ["donors.n=4", "arms.scrambled.dose.amount=30000", "arms.mimic.dose.amount=30000"],
    "c08-coupled": ["donors.n=1", *(f"donors.draws.{name}={value}" for name, value in P53.items())],
    "c09-coupled": ["donors.n=2"],
    "c10-transfer": ["donors.n=1"], "c12-coupled": ["donors.n=1"], "c13-coupled": ["donors.n=1"],
}  # fmt: skip


def margins(name: str, folder: Path) -> tuple[Floats, Floats, Floats]:
    """Of every comparison whose genotypes differ by the cut alone: margin in the claim's world, in its null, expected.

    By `mean_field`, in which nothing but the cut can make a difference.
    """
    changes = ["culture.method='mean_field'", *CHANGES[name]]
    claim = workflow.run(name, out=folder, set=changes, workers=1).table("claim")
    of = claim.set_index(["world", "comparison"])["mean"].drop("the whole claim", level=1)
    alike = np.isfinite(COUPLED[name])
    claimed, cut = (of[world].to_numpy()[alike] for world in ("claim", "null world"))
    return claimed, cut, np.array(COUPLED[name])[alike]
