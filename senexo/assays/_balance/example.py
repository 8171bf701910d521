"""A small made-up table that `balance` reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """Made-up wells of five donors: what leaves the donor cells arrives in the recipients, but for a third.

    >>> example()["arm"].value_counts().to_dict()
    {'together': 10, 'apart': 10}
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    rows: list[tuple[Any, ...]] = []
    for donor in range(5):
        level, moved = rng.lognormal(math.log(4e6), 0.3), rng.uniform(0.25, 0.4)
        for arm, share in (("together", moved), ("apart", 0.0)):
            for well in (1, 2):
                places = (level * (1.0 - share), 2e5 + 0.65 * share * level, 1e5 + 0.2 * share * level)
                read = [float(f"{place * rng.lognormal(0.0, 0.06):.3g}") for place in places]
                rows.append((arm, f"donor {donor + 1}", well, 48, read[0], 0.06 * read[0], read[1], read[2]))
    columns = (
        "arm", "donor", "replicate", "time_h", "donor_cells", "donor_cells_sd", "recipient_cells", "vesicular",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns))
