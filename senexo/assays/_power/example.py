"""A small made-up table that `power` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """A made-up pilot: five donors' counts of SA-beta-gal positive cells.

    >>> int(example()["n_positive"].sum())
    238
    """
    import pandas as pd

    counts = {"scrambled": (9, 16, 7, 21, 5), "mimic": (34, 61, 11, 48, 26)}
    return pd.DataFrame(
        [(name, f"donor {i + 1}", positive, 200) for name, row in counts.items() for i, positive in enumerate(row)],
        columns=["arm", "donor", "n_positive", "n_total"],
    )
